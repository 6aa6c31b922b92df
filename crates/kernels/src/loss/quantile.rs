//! Quantile or pinball loss (Koenker & Bassett 1978): with `d = y - z`, `tau d` where `d >= 0`, `(tau - 1) d` below. The minimiser of the
//! mean is the `tau` quantile of the labels: `tau` of them are at most the score.
//!
//! Labels are numbers, standardised by median and median absolute deviation; the score is the number.
use super::{Meaning, Metric, Objective, Standardise};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// `tau (y - z)` below the label, `(1 - tau) (z - y)` above it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// Which quantile, between 0 and 1.
    pub tau: f32,
}

impl Quantile {
    /// The median.
    pub const DEFAULT: Quantile = Quantile { tau: 0.5 };
}

impl Objective for Quantile {
    fn meaning(&self) -> Meaning {
        Meaning { standardise: Standardise::Median, power: 1, metrics: &[Metric::Loss, Metric::Mae], ..Meaning::NUMBER }
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("tau", &mut self.tau, 0.001, 0.999)]
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        let above = y - z;
        (V::of(self.tau) * above).max(V::of(self.tau - 1.0) * above)
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        if z < y {
            -self.tau
        } else if z > y {
            1.0 - self.tau
        } else {
            z - y // 0, or NaN
        }
    }
}
