//! RMSprop (Hinton, "Neural networks for machine learning", lecture 6e, 2012): `v <- a v + (1-a) g^2`, `w <- w - rate g / (sqrt(v) +
//! epsilon)`.
//!
//! On sparse data the average moves when the feature occurs, so that it is one over the feature's own gradients. Its first, `(1-a)
//! g^2`, makes a first step of `rate / sqrt(1-a)`, ten times the rate, whatever the gradient.
use super::{
    Clock, UpdateRule,
    shared::{NEARLY_ONE, average, by_length},
};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// RMSprop with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rmsprop {
    /// `a`, from 0 to below 1.
    pub decay: f32,
    /// Beside the root, above 0.
    pub epsilon: f32,
}

impl Rmsprop {
    /// `a` of 0.9 (Hinton's), epsilon of 1e-8 (PyTorch's).
    pub const DEFAULT: Rmsprop = Rmsprop { decay: 0.9, epsilon: 1e-8 };
}

impl UpdateRule for Rmsprop {
    type State<V: Real> = [V; 1];
    type Step = f32;
    type Memory = ();

    #[inline(always)]
    fn proximal(&self) -> bool {
        true
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("decay", &mut self.decay, 0.0, NEARLY_ONE), Hyperparameter::new("epsilon", &mut self.epsilon, 1e-30, 1.0)]
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_length(0.007, mean_square)
    }

    fn initial(&self) -> [f32; 1] {
        [0.0]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rate: &f32, w: V, g: V, [squares]: &mut [V; 1]) -> V {
        *squares = average(self.decay, *squares, g * g);
        (V::of(-rate) / (squares.sqrt() + V::of(self.epsilon))).mul_add(g, w)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, &rate: &f32, [squares]: &[V; 1]) -> V {
        V::of(rate) / (squares.sqrt() + V::of(self.epsilon))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_step_does_not_depend_on_the_gradients_length() {
        for g in [1e-3, 1.0, -1e3] {
            let w = Rmsprop::DEFAULT.step(&0.1, 0.0f32, g, &mut [0.0]);
            assert!((w.abs() - 0.1 / 0.1f32.sqrt()).abs() < 1e-4, "{w}");
        }
    }
}
