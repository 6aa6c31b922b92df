//! Squared loss, `(z - y)^2 / 2`: least squares (Legendre 1805). The minimiser of the mean is the mean label.
//!
//! Labels are numbers, standardised by mean and standard deviation; the score is the number.
use super::{Labels, Meaning, Objective};
use crate::simd::Real;

/// `(z - y)^2 / 2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Squared;

impl Objective for Squared {
    fn meaning(&self) -> Meaning {
        Meaning::NUMBER
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        (z - y) * (z - y) * V::of(0.5)
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        z - y
    }

    /// The mean, which is 0 by its standardisation.
    fn best_constant(&self, _: &Labels<'_>) -> f32 {
        0.0
    }
}
