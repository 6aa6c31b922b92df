//! Logistic loss, `ln(1 + e^(-yz))`: logistic regression (Cox 1958). The minimiser of the mean is the log-odds of +1.
//!
//! Labels are two classes; the score goes through the logit link to the probability of +1.
use super::{Labels, Meaning, Objective};
use crate::simd::{
    Real,
    math::{exp, ln_1p, sigmoid},
};

/// `ln(1 + e^(-yz))`, y = +1 or -1: logistic regression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Logistic;

impl Objective for Logistic {
    fn meaning(&self) -> Meaning {
        Meaning::PROBABILITY
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        let margin = y * z;
        ln_1p(exp(-margin.abs())) + V::of(0.0).max(-margin) // ln(1 + e^-margin) without overflow
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        -y * sigmoid(-y * z)
    }

    /// The log-odds of +1.
    fn best_constant(&self, labels: &Labels<'_>) -> f32 {
        // One more of either class than there were, where one is missing: of few examples that says little.
        let least = 1.0 / (labels.count() + 2.0);
        let p = labels.share_positive().clamp(least.min(0.5), 1.0 - least.min(0.5));
        (p / (1.0 - p)).ln() as f32
    }
}
