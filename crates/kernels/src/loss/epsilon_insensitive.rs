//! Epsilon-insensitive loss of support vector regression (Vapnik 1995): `max(0, |z - y| - epsilon)`. What is near enough costs nothing.
//!
//! Labels are numbers, standardised by median and median absolute deviation; the score is the number.
use super::{Labels, Meaning, Metric, Objective, Standardise};
use crate::simd::Real;
use hogwild_base::Hyperparameter;

/// `|z - y|` beyond `epsilon`, 0 within.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpsilonInsensitive {
    /// Half the width of the tube, 0 or more. Training takes standardised labels (see `Settings::standardize`), so that 1 is 1.4826 times
    /// their median absolute deviation.
    pub epsilon: f32,
}

impl EpsilonInsensitive {
    /// A tenth.
    pub const DEFAULT: EpsilonInsensitive = EpsilonInsensitive { epsilon: 0.1 };
}

impl Objective for EpsilonInsensitive {
    fn meaning(&self) -> Meaning {
        Meaning { standardise: Standardise::Median, power: 1, metrics: &[Metric::Loss, Metric::Mae], ..Meaning::NUMBER }
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("epsilon", &mut self.epsilon, 0.0, 1e6)]
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        V::of(0.0).max((z - y).abs() - V::of(self.epsilon))
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        let d = z - y;
        if d > self.epsilon {
            1.0
        } else if d < -self.epsilon {
            -1.0
        } else {
            d * 0.0 // 0, or NaN
        }
    }

    /// The median, which is 0 by its standardisation.
    fn best_constant(&self, _: &Labels<'_>) -> f32 {
        0.0
    }
}
