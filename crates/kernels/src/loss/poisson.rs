//! Poisson loss, of counts: `e^z - y z`, the negative log-likelihood of a Poisson distribution of mean `e^z` (Nelder & Wedderburn 1972).
//! The minimiser of the mean is the logarithm of the labels' mean.
//!
//! Labels are numbers from 0 up, and stay as they are; the score goes through the log link to the mean.
use super::{Labels, Link, Meaning, Metric, Objective, Standardise};
use crate::simd::{Real, math::exp};

/// `e^z - y z`: the mean of counts, by its logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Poisson;

/// Of both losses of a mean by its logarithm.
pub(super) const MEAN_BY_LOGARITHM: Meaning = Meaning {
    link: Link::Log,
    standardise: Standardise::No,
    least_label: 0.0,
    metrics: &[Metric::Loss, Metric::Deviance, Metric::Rmse, Metric::Mae],
    ..Meaning::NUMBER
};

impl Objective for Poisson {
    fn meaning(&self) -> Meaning {
        MEAN_BY_LOGARITHM
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        exp_or_line(z) - y * z
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        slope_of_exp(z) - y
    }

    fn deviance(&self, z: f64, y: f64) -> f64 {
        let of_label = if y > 0.0 { y * (y.ln() - z) } else { 0.0 };
        2.0 * (of_label - (y - z.exp()))
    }

    fn best_constant(&self, labels: &Labels<'_>) -> f32 {
        log_of_mean(labels)
    }
}

/// Where the exponential goes on as a straight line, so that no score is too far out for its loss to be a number.
const STRAIGHT: f32 = 60.0;

/// `e^x`, and beyond 60 its tangent there.
#[inline(always)]
pub(super) fn exp_or_line<V: Real>(x: V) -> V {
    let near = V::of(STRAIGHT).min(x);
    exp(near) * (V::of(1.0) + (x - near))
}

/// The derivative of that.
#[inline(always)]
pub(super) fn slope_of_exp(x: f32) -> f32 {
    exp(Real::min(STRAIGHT, x))
}

/// The logarithm of the labels' mean; where all are 0, of what one part in their number would be.
pub(super) fn log_of_mean(labels: &Labels<'_>) -> f32 {
    let mean = labels.mean(f64::from);
    (if mean > 0.0 { mean } else { 1.0 / (labels.count() + 1.0) }).ln() as f32
}
