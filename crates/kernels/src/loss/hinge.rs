//! Hinge loss, `max(0, 1 - yz)`: the linear support vector machine (Cortes & Vapnik 1995).
//!
//! Labels are two classes; the sign of the score is the class.
use super::{Labels, Meaning, Objective};
use crate::simd::Real;

/// `max(0, 1 - yz)`: the linear support vector machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hinge;

impl Objective for Hinge {
    fn meaning(&self) -> Meaning {
        Meaning::CLASS
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        V::of(0.0).max(V::of(1.0) - y * z)
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        if y * z < 1.0 { -y } else { 0.0 }
    }

    /// The larger class.
    fn best_constant(&self, labels: &Labels<'_>) -> f32 {
        1f32.copysign(labels.share_positive() as f32 - 0.5)
    }
}
