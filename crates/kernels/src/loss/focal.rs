//! Focal loss (Lin, Goyal, Girshick, He & Dollár, "Focal loss for dense object detection", ICCV 2017): with `p` the probability of the true
//! label, `-(1 - p)^gamma ln p`. Examples that are right anyway count little, so that the few of a rare class are heard.
//!
//! Labels are two classes; the score goes through the logit link. What it gives is nearer to a half than the true probability.
use super::{Meaning, Objective};
use crate::simd::{
    Real,
    math::{exp, ln_1p, sigmoid},
};
use hogwild_base::Hyperparameter;

/// `-(1 - p)^gamma ln p`, of the probability `p` of the true label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Focal {
    /// How much less examples count that are right anyway, 0 or more; 0 is logistic loss.
    pub gamma: f32,
}

impl Focal {
    /// As the paper recommends.
    pub const DEFAULT: Focal = Focal { gamma: 2.0 };
}

/// `ln(1 + e^x)`.
#[inline(always)]
fn softplus<V: Real>(x: V) -> V {
    ln_1p(exp(-x.abs())) + V::of(0.0).max(x)
}

impl Objective for Focal {
    fn meaning(&self) -> Meaning {
        Meaning::PROBABILITY
    }

    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        vec![Hyperparameter::new("gamma", &mut self.gamma, 0.0, 10.0)]
    }

    #[inline(always)]
    fn value<V: Real>(&self, z: V, y: V) -> V {
        let margin = y * z;
        exp(V::of(-self.gamma) * softplus(margin)) * softplus(-margin)
    }

    #[inline(always)]
    fn slope(&self, z: f32, y: f32) -> f32 {
        let margin = y * z;
        let (p, rest) = (sigmoid(margin), sigmoid(-margin));
        y * exp(-self.gamma * softplus(margin)) * (-self.gamma * p * softplus(-margin) - rest)
    }
}
