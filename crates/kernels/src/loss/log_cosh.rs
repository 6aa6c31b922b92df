//! Log-cosh loss: `ln cosh(z - y)`, squares near the label and absolute values far from it, smooth everywhere.
//!
//! Labels are numbers, standardised by median and median absolute deviation; the score is the number.
use super::{Meaning, Objective, Standardise};
use crate::simd::{
    Real,
    math::{exp, ln_1p, sigmoid},
};

/// `ln cosh(z - y)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogCosh;

impl Objective for LogCosh {
    fn meaning(&self) -> Meaning {
        Meaning { standardise: Standardise::Median, ..Meaning::NUMBER }
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        let d = (z - y).abs();
        d + ln_1p(exp(V::of(-2.0) * d)) - V::of(std::f32::consts::LN_2)
    }

    /// `tanh(z - y)`.
    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        2.0 * sigmoid(2.0 * (z - y)) - 1.0
    }
}
