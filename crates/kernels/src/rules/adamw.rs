//! AdamW (Loshchilov & Hutter, ICLR 2019, algorithm 2): [`Adam`] with the decay of weights apart from the gradient: `w <- w (1 -
//! rate decay)` before the step.
//!
//! On sparse data a weight decays when its feature occurs, so rare features decay little; `l2`, which is exact in expectation, is
//! another thing.
use super::{Adam, Clock, UpdateRule, adam::AdamStep, shared::by_length};
use crate::simd::Real;
use bytemuck::{Pod, Zeroable};
use hogwild_base::Hyperparameter;

/// AdamW with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// Adam's settings.
    pub adam: Adam,
    /// Per step and unit of rate, 0 or more.
    pub weight_decay: f32,
}

impl AdamW {
    /// Adam's, and a decay of 0.01 (PyTorch's).
    pub const DEFAULT: AdamW = AdamW { adam: Adam::DEFAULT, weight_decay: 0.01 };
}

/// What a step of AdamW needs.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub struct AdamWStep {
    adam: AdamStep,
    kept: f32,
}

impl UpdateRule for AdamW {
    type State<V: Real> = [V; 2];
    type Step = AdamWStep;
    type Memory = ();

    #[inline(always)]
    fn proximal(&self) -> bool {
        true
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        let mut hyperparameters = self.adam.hyperparameters();
        hyperparameters.push(Hyperparameter::new("weight-decay", &mut self.weight_decay, 0.0, 1e6));
        hyperparameters
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_length(0.007, mean_square)
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> AdamWStep {
        AdamWStep { adam: self.adam.step_at(clock), kept: 1.0 - clock.rate * self.weight_decay }
    }

    #[inline(always)]
    fn step<V: Real>(&self, step: &AdamWStep, w: V, g: V, state: &mut [V; 2]) -> V {
        self.adam.step(&step.adam, w * V::of(step.kept), g, state)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, step: &AdamWStep, state: &[V; 2]) -> V {
        self.adam.rate(&step.adam, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_gradient_only_the_decay_remains() {
        let step = AdamW::DEFAULT.prepare(&Clock { rate: 0.5, step: 1, steps: 1 }, &());
        assert_eq!(AdamW::DEFAULT.step(&step, 2.0f32, 0.0, &mut [0.0; 2]), 2.0 * (1.0 - 0.5 * 0.01));
    }
}
