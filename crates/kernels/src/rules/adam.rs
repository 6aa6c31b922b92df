//! Adam (Kingma & Ba, ICLR 2015, algorithm 1): `m <- b1 m + (1-b1) g`, `v <- b2 v + (1-b2) g^2`, both corrected for their start from
//! 0, `w <- w - rate m' / (sqrt(v') + epsilon)`.
//!
//! On sparse data the averages move when the feature occurs; the corrections go by the global step, as in SparseAdam.
use super::{
    Clock, UpdateRule,
    shared::{NEARLY_ONE, average, bias_correction, by_length},
};
use crate::simd::Real;
use bytemuck::{Pod, Zeroable};
use hogwild_base::Hyperparameter;

/// Adam with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Of the gradients' average, from 0 to below 1.
    pub beta1: f32,
    /// Of the squared gradients' average, from 0 to below 1.
    pub beta2: f32,
    /// Beside the root, above 0.
    pub epsilon: f32,
}

impl Adam {
    /// 0.9, 0.999, 1e-8: the paper's.
    pub const DEFAULT: Adam = Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
}

/// What a step of Adam and its kin needs.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct AdamStep {
    /// The rate over the first correction.
    pub(crate) rate: f32,
    /// One over the root of the second correction.
    pub(crate) scale: f32,
}

impl Adam {
    #[inline(always)]
    pub(crate) fn step_at(&self, clock: &Clock) -> AdamStep {
        let rate = clock.rate / bias_correction(self.beta1, clock.step);
        AdamStep { rate, scale: 1.0 / bias_correction(self.beta2, clock.step).sqrt() }
    }
}

impl UpdateRule for Adam {
    type State<V: Real> = [V; 2];
    type Step = AdamStep;
    type Memory = ();

    #[inline(always)]
    fn proximal(&self) -> bool {
        true
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![
            Hyperparameter::new("beta1", &mut self.beta1, 0.0, NEARLY_ONE),
            Hyperparameter::new("beta2", &mut self.beta2, 0.0, NEARLY_ONE),
            Hyperparameter::new("epsilon", &mut self.epsilon, 1e-30, 1.0),
        ]
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_length(0.007, mean_square)
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> AdamStep {
        self.step_at(clock)
    }

    #[inline(always)]
    fn step<V: Real>(&self, step: &AdamStep, w: V, g: V, [m, v]: &mut [V; 2]) -> V {
        *m = average(self.beta1, *m, g);
        *v = average(self.beta2, *v, g * g);
        let root = v.sqrt().mul_add(V::of(step.scale), V::of(self.epsilon));
        (V::of(-step.rate) / root).mul_add(*m, w)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, step: &AdamStep, [_, v]: &[V; 2]) -> V {
        V::of(step.rate) / v.sqrt().mul_add(V::of(step.scale), V::of(self.epsilon))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_step_has_the_length_of_the_rate() {
        let step = Adam::DEFAULT.prepare(&Clock { rate: 0.1, step: 1, steps: 1 }, &());
        for g in [1e-3, 1.0, -1e3] {
            assert!((Adam::DEFAULT.step(&step, 0.0f32, g, &mut [0.0; 2]).abs() - 0.1).abs() < 1e-4);
        }
    }
}
