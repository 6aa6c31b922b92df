//! Squared hinge loss, `max(0, 1 - yz)^2 / 2`: the support vector machine with squared slack (L2-SVM: Hsieh et al. 2008).
//!
//! Labels are two classes; the sign of the score is the class.
use super::{Labels, Meaning, Objective};
use crate::simd::Real;

/// `max(0, 1 - yz)^2 / 2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquaredHinge;

impl Objective for SquaredHinge {
    fn meaning(&self) -> Meaning {
        Meaning::CLASS
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        let short = V::of(0.0).max(V::of(1.0) - y * z);
        short * short * V::of(0.5)
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        // -y (1 - yz) = z - y, as y is +1 or -1
        if y * z < 1.0 { z - y } else { 0.0 }
    }

    /// The mean class.
    fn best_constant(&self, labels: &Labels<'_>) -> f32 {
        (2.0 * labels.share_positive() - 1.0) as f32
    }
}
