//! AMSGrad (Reddi, Kale & Kumar, ICLR 2018, algorithm 2): [`Adam`] whose step goes by the greatest `v` so far, so that rates never
//! rise again, with Adam's corrections (as in PyTorch).
//!
//! On sparse data the three numbers move when the feature occurs. With the weight they are 16 bytes a feature.
use super::{
    Adam, Clock, UpdateRule,
    adam::AdamStep,
    shared::{average, by_length},
};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// AMSGrad; the settings are Adam's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amsgrad(pub Adam);

impl Amsgrad {
    /// Adam's.
    pub const DEFAULT: Amsgrad = Amsgrad(Adam::DEFAULT);
}

impl UpdateRule for Amsgrad {
    type State<V: Real> = [V; 3];
    type Step = AdamStep;
    type Memory = ();

    #[inline(always)]
    fn proximal(&self) -> bool {
        true
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        self.0.hyperparameters()
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_length(0.007, mean_square)
    }

    fn initial(&self) -> [f32; 3] {
        [0.0; 3]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> AdamStep {
        self.0.step_at(clock)
    }

    #[inline(always)]
    fn step<V: Real>(&self, step: &AdamStep, w: V, g: V, [m, v, most]: &mut [V; 3]) -> V {
        *m = average(self.0.beta1, *m, g);
        *v = average(self.0.beta2, *v, g * g);
        *most = most.max(*v);
        let root = most.sqrt().mul_add(V::of(step.scale), V::of(self.0.epsilon));
        (V::of(-step.rate) / root).mul_add(*m, w)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, step: &AdamStep, [_, _, most]: &[V; 3]) -> V {
        V::of(step.rate) / most.sqrt().mul_add(V::of(step.scale), V::of(self.0.epsilon))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_divisor_never_falls() {
        let mut state = [0.0f32; 3];
        let mut before = 0.0;
        for (t, g) in [1.0, 10.0, 0.1, 0.0, 0.0].into_iter().enumerate() {
            let step = Amsgrad::DEFAULT.prepare(&Clock { rate: 0.1, step: t as u64 + 1, steps: 5 }, &());
            Amsgrad::DEFAULT.step(&step, 0.0, g, &mut state);
            assert!(state[2] >= before && state[2] >= state[1]);
            before = state[2];
        }
    }
}
