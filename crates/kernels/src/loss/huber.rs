//! Huber loss (Huber 1964): with `d = z - y`, `d^2 / 2` where `|d| <= delta`, `delta (|d| - delta / 2)` beyond.
//!
//! Labels are numbers, standardised by median and median absolute deviation, which outliers do not move; the score is the number.
use super::{Labels, Meaning, Objective, Standardise};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// `(z - y)^2 / 2` within `delta` of the label, a straight line beyond.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    /// Where squares end, above 0. Training takes standardised labels (see `Settings::standardize`), so that
    /// 1 is 1.4826 times their median absolute deviation.
    pub delta: f32,
}

impl Huber {
    /// Squares up to 1.
    pub const DEFAULT: Huber = Huber { delta: 1.0 };
}

impl Objective for Huber {
    fn meaning(&self) -> Meaning {
        Meaning { standardise: Standardise::Median, ..Meaning::NUMBER }
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("delta", &mut self.delta, 1e-3, 1e6)]
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        let (delta, half, miss) = (V::of(self.delta), V::of(0.5), (z - y).abs());
        delta.less(miss, delta * (miss - half * delta), miss * miss * half)
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        // In this order a NaN stays one.
        Real::min(self.delta, Real::max(-self.delta, z - y))
    }

    /// The median, which is 0 by its standardisation.
    fn best_constant(&self, _: &Labels<'_>) -> f32 {
        0.0
    }
}
