//! A user's own loss: two functions and what they mean. It trains on all threads like those listed here, and no loop is compiled for it.
use super::{Link, Meaning, Predicts, Standardise};
use hogwild_base::{Error, Result};

/// A loss of one's own: value and slope as functions, called once an example, and what labels and scores mean to them.
///
/// A model file keeps its name alone. `TrainedModel::open` refuses such a file and says so; `TrainedModel::open_with` takes the loss.
///
/// ```
/// use hogwild::{Loss, OwnLoss, Settings, loss::Meaning};
/// /// ln cosh (z - y): squares near the label, absolute values far from it.
/// const LOG_COSH: OwnLoss = OwnLoss {
///     name: "log-cosh",
///     value: |z, y| (z - y).abs() + (-2.0 * (z - y).abs()).exp().ln_1p() - std::f32::consts::LN_2,
///     slope: |z, y| (z - y).tanh(),
///     meaning: Meaning::NUMBER,
/// };
/// let settings = Settings { loss: Loss::Own(LOG_COSH), ..Settings::default() };
/// # assert_eq!(settings.loss.value(1.0, 1.0), 0.0);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OwnLoss {
    /// What messages, logs and model files call it.
    pub name: &'static str,
    /// The loss of a score and a label: a standardised one, unless [`Meaning::standardise`] says no; +1 or -1 of two classes.
    pub value: fn(f32, f32) -> f32,
    /// Its derivative by the score. It is best if it never falls: then training starts at the constant that loses least.
    pub slope: fn(f32, f32) -> f32,
    /// What labels and scores mean.
    pub meaning: Meaning,
}

impl OwnLoss {
    /// What stands before the name in a model file.
    pub const PREFIX: &'static str = "own:";

    /// The slope. Out of the worker's loop, which keeps its registers for the losses that are compiled into it.
    #[cold]
    #[inline(never)]
    pub(super) fn slope(&self, z: f32, y: f32) -> f32 {
        (self.slope)(z, y)
    }

    /// The sum of the losses of many scores.
    #[cold]
    #[inline(never)]
    pub(super) fn total(&self, scores: &[f32], labels: &[f32]) -> f64 {
        scores.iter().zip(labels).map(|(&z, &y)| (self.value)(z, y) as f64).sum()
    }

    /// Whether what it says of itself fits together.
    pub(super) fn check(&self) -> Result<()> {
        let Meaning { predicts, link, standardise, .. } = self.meaning;
        let problem = match (predicts, link, standardise) {
            (Predicts::Probability, Link::Identity | Link::Log, _) => "predicts probabilities, whose link is Logit",
            (Predicts::Class | Predicts::Probability, _, Standardise::Mean | Standardise::Median) => {
                "takes classes, which are not standardised; give Standardise::No"
            }
            (Predicts::Number, Link::Logit | Link::Log, Standardise::Mean | Standardise::Median) => {
                "has a link, which takes labels as they are; give Standardise::No"
            }
            _ => return Ok(()),
        };
        Err(Error::BadSetting { setting: "loss", value: format!("{}{}", Self::PREFIX, self.name), problem: problem.into() })
    }
}

/// What [`AS_GIVEN`](super::Loss::AS_GIVEN) is, written as a loss of one's own.
pub(super) const AS_GIVEN: OwnLoss = OwnLoss {
    name: "as given",
    value: |z, y| z + y,
    slope: |_, _| 1.0,
    meaning: Meaning { standardise: Standardise::No, ..Meaning::NUMBER },
};

impl PartialEq for OwnLoss {
    fn eq(&self, other: &OwnLoss) -> bool {
        let is_same = std::ptr::fn_addr_eq(self.value, other.value) && std::ptr::fn_addr_eq(self.slope, other.slope);
        is_same && self.name == other.name && self.meaning == other.meaning
    }
}
