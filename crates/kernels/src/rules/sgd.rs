//! Stochastic gradient descent (Robbins & Monro 1951): `w <- w - rate g`.
//!
//! It keeps no state, so a feature that does not occur simply stays.
use super::{Clock, UpdateRule, shared::by_square};
use crate::simd::Real;

/// Plain stochastic gradient descent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd;

impl Sgd {
    /// It has no settings.
    pub const DEFAULT: Sgd = Sgd;
}

impl UpdateRule for Sgd {
    type State<V: Real> = [V; 0];
    type Step = f32;
    type Memory = ();
    #[inline(always)]
    fn proximal(&self) -> bool {
        true
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        by_square(0.25, mean_square)
    }

    fn finishes(&self) -> bool {
        false
    }

    fn initial(&self) -> [f32; 0] {
        []
    }

    #[inline(always)]
    fn prepare(&self, clock: &Clock, _memory: &()) -> f32 {
        clock.rate
    }

    #[inline(always)]
    fn step<V: Real>(&self, &rate: &f32, w: V, g: V, []: &mut [V; 0]) -> V {
        V::of(-rate).mul_add(g, w)
    }

    #[inline(always)]
    fn rate<V: Real>(&self, &rate: &f32, []: &[V; 0]) -> V {
        V::of(rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_steps_by_hand() {
        let w = [2.0, -4.0, 1.0].iter().fold(1.0, |w, &g| Sgd.step(&0.5, w, g, &mut []));
        assert_eq!(w, 1.0 - 1.0 + 2.0 - 0.5);
    }
}
