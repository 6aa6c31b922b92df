//! Modified Huber loss (Zhang, "Solving large scale linear prediction problems using stochastic gradient descent algorithms", ICML 2004):
//! `max(0, 1 - yz)^2` where `yz >= -1`, `-4 yz` beyond. A squared hinge that outliers do not rule.
//!
//! Labels are two classes; the class is the score's sign.
use super::{Meaning, Objective};
use crate::simd::Real;

/// `max(0, 1 - yz)^2`, a straight line where `yz < -1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ModifiedHuber;

impl Objective for ModifiedHuber {
    fn meaning(&self) -> Meaning {
        Meaning::CLASS
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        let margin = y * z;
        let miss = V::of(0.0).max(V::of(1.0) - margin);
        margin.less(V::of(-1.0), V::of(-4.0) * margin, miss * miss)
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        let margin = y * z;
        if margin < -1.0 { -4.0 * y } else { -2.0 * y * Real::max(0.0, 1.0 - margin) }
    }
}
