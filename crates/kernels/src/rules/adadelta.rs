//! Adadelta (Zeiler, arXiv 1212.5701, 2012, algorithm 1): steps in the units of the weights, by the ratio of two running averages:
//! `v <- rho v + (1-rho) g^2`, `d = sqrt(a + epsilon) / sqrt(v + epsilon) g`, `a <- rho a + (1-rho) d^2`, `w <- w - rate d`.
//!
//! On sparse data both averages move when the feature occurs. The paper has no rate: 1.
use super::{
    Clock, UpdateRule,
    shared::{NEARLY_ONE, average, by_square},
};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// Adadelta with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adadelta {
    /// `rho`, from 0 to below 1.
    pub decay: f32,
    /// Under both roots, above 0: what the first steps go by.
    pub epsilon: f32,
}

impl Adadelta {
    /// `rho` of 0.95 and epsilon of 1e-6, as in the paper's experiments.
    pub const DEFAULT: Adadelta = Adadelta { decay: 0.95, epsilon: 1e-6 };
}

impl UpdateRule for Adadelta {
    /// The averages of squared gradients and of squared steps.
    type State<V: Real> = [V; 2];
    type Step = f32;
    type Memory = ();

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("decay", &mut self.decay, 0.0, NEARLY_ONE), Hyperparameter::new("epsilon", &mut self.epsilon, 1e-30, 1.0)]
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_square(5.0, mean_square)
    }

    fn initial(&self) -> [f32; 2] {
        [0.0; 2]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rate: &f32, w: V, g: V, [squares, steps]: &mut [V; 2]) -> V {
        let epsilon = V::of(self.epsilon);
        *squares = average(self.decay, *squares, g * g);
        let d = ((*steps + epsilon) / (*squares + epsilon)).sqrt() * g;
        *steps = average(self.decay, *steps, d * d);
        V::of(-rate).mul_add(d, w)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_step_by_hand() {
        let rule = Adadelta { decay: 0.5, epsilon: 0.5 };
        let (mut state, rate) = ([0.0f32; 2], 1.0);
        assert_eq!(rule.step(&rate, 0.0, 1.0, &mut state), -(0.5f32.sqrt()));
        assert!((state[0] - 0.5).abs() < 1e-7 && (state[1] - 0.25).abs() < 1e-6);
    }
}
