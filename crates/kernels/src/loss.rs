//! Losses l(z, y) of a score `z` and a label `y`: value, slope and prediction, pure functions that test one another.
//!
//! An enum with one `match` an example is enough: the match is predicted, and the work is per feature.
use crate::simd::{
    Real,
    math::{exp, ln_1p, sigmoid},
};

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// `ln(1 + e^(-yz))`, y = +1 or -1: logistic regression.
    Logistic,
    /// `max(0, 1 - yz)`: the linear support vector machine.
    Hinge,
    /// `max(0, 1 - yz)^2 / 2`.
    SquaredHinge,
    /// `(z - y)^2 / 2`.
    Squared,
    /// `(z - y)^2 / 2` within 1 of the label, `|z - y| - 1/2` beyond (Huber 1964). Training takes standardised labels (see
    /// [`Settings::standardize`](crate::Settings::standardize)), so that 1 is 1.4826 times their median absolute deviation.
    Huber,
}

impl Loss {
    /// Every loss.
    pub const ALL: [Loss; 5] = [Loss::Logistic, Loss::Hinge, Loss::SquaredHinge, Loss::Squared, Loss::Huber];

    /// The name that `--loss` takes.
    pub fn name(self) -> &'static str {
        match self {
            Loss::Logistic => "logistic",
            Loss::Hinge => "hinge",
            Loss::SquaredHinge => "squared-hinge",
            Loss::Squared => "squared",
            Loss::Huber => "huber",
        }
    }

    /// Whether labels are two classes, +1 and -1.
    pub fn is_classification(self) -> bool {
        matches!(self, Loss::Logistic | Loss::Hinge | Loss::SquaredHinge)
    }

    /// The loss of score `z` for label `y`.
    #[inline(always)]
    pub fn value<V: Real>(self, z: V, y: V) -> V {
        let c = V::of;
        match self {
            Loss::Logistic => {
                let m = y * z;
                ln_1p(exp(-m.abs())) + c(0.0).max(-m) // ln(1 + e^-m) without overflow
            }
            Loss::Hinge => c(0.0).max(c(1.0) - y * z),
            Loss::SquaredHinge => {
                let short = c(0.0).max(c(1.0) - y * z);
                short * short * c(0.5)
            }
            Loss::Squared => (z - y) * (z - y) * c(0.5),
            Loss::Huber => {
                let miss = (z - y).abs();
                c(1.0).less(miss, miss - c(0.5), miss * miss * c(0.5))
            }
        }
    }

    /// The derivative of [`value`](Self::value) by `z`; at a kink, the side towards zero.
    #[inline(always)]
    pub fn slope(self, z: f32, y: f32) -> f32 {
        match self {
            Loss::Logistic => -y * sigmoid(-y * z),
            Loss::Hinge if y * z < 1.0 => -y,
            // -y (1 - yz) = z - y, as y is +1 or -1
            Loss::SquaredHinge if y * z < 1.0 => z - y,
            Loss::Hinge | Loss::SquaredHinge => 0.0,
            Loss::Squared => z - y,
            Loss::Huber => (z - y).clamp(-1.0, 1.0),
        }
    }

    /// What the user is told of a score: a probability for logistic, the score itself otherwise.
    pub fn predict(self, z: f32) -> f32 {
        match self {
            Loss::Logistic => sigmoid(z),
            _ => z,
        }
    }

    /// The score that predicts the mean of what these scores predict: for logistic the log-odds of the mean probability.
    pub fn mean_score(self, scores: impl Iterator<Item = f32> + Clone) -> f32 {
        let sum = |f: &dyn Fn(f64) -> f64| scores.clone().map(|z| f(z as f64)).sum::<f64>();
        if self == Loss::Logistic {
            // Both sides are summed, as a probability near 1 says nothing of what it lacks; at 700 neither is 0 yet.
            let p = |z: f64| 1.0 / (1.0 + (-z.clamp(-700.0, 700.0)).exp());
            (sum(&p).ln() - sum(&|z| p(-z)).ln()) as f32
        } else {
            (sum(&|z| z) / sum(&|_| 1.0)) as f32
        }
    }
}

/// What a loss takes a label for.
#[derive(Clone, Copy, Debug)]
pub enum Taken {
    /// The number that it is.
    Number,
    /// +1 for this label, -1 for any other.
    Class(f32),
}

impl Taken {
    /// Of a loss, and of the label that is +1 to a loss of two classes.
    pub fn new(loss: Loss, positive: f32) -> Taken {
        if loss.is_classification() { Taken::Class(positive) } else { Taken::Number }
    }

    /// The target of a label: the number itself, or +1 and -1.
    #[inline(always)]
    pub fn of(self, label: f32) -> f32 {
        match self {
            Taken::Number => label,
            Taken::Class(positive) if label == positive => 1.0,
            Taken::Class(_) => -1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_score_predicts_the_mean() {
        for loss in Loss::ALL {
            let scores = [0.3f32, -2.0, 5.5];
            let mean = scores.iter().map(|&z| loss.predict(z) as f64).sum::<f64>() / 3.0;
            assert!((loss.predict(loss.mean_score(scores.into_iter())) as f64 - mean).abs() < 1e-6, "{}", loss.name());
            // Alike or far out, nothing is lost and nothing is infinite.
            for z in [0.25f32, 40.0, -40.0] {
                assert!((loss.mean_score([z, z].into_iter()) - z).abs() < 1e-5, "{} {z}", loss.name());
            }
            assert!(loss.mean_score([1e4, 1e4].into_iter()).is_finite());
        }
    }
}
