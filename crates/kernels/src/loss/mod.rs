//! Losses l(z, y) of a score `z` and a label `y`: value and slope, pure functions that test one another, and what both mean.
//!
//! A loss is a file with an [`Objective`]: formula, paper, settings, what labels and scores mean to it. `losses!` lists them once. The enum
//! [`Loss`], names, the parser, metrics, and how labels are standardised follow from that. A user's own loss is an [`OwnLoss`].
//!
//! No loop is compiled for one loss alone: each matches on the loss once an example, which is predicted, and the work is per feature.
//! Short formulas (`in_loops`) are inlined there. The others are called: inlined they would be half as much code again as all loops.
mod epsilon_insensitive;
mod focal;
mod hinge;
mod huber;
mod labels;
mod log_cosh;
mod logistic;
mod meaning;
mod modified_huber;
mod own;
mod poisson;
mod quantile;
mod squared;
mod squared_hinge;
mod tweedie;

pub use epsilon_insensitive::EpsilonInsensitive;
pub use focal::Focal;
pub use hinge::Hinge;
pub use huber::Huber;
pub use labels::{Labels, Taken};
pub use log_cosh::LogCosh;
pub use logistic::Logistic;
pub use meaning::{Link, Meaning, Metric, Predicts, Standardise};
pub use modified_huber::ModifiedHuber;
pub use own::OwnLoss;
pub use poisson::Poisson;
pub use quantile::Quantile;
pub use squared::Squared;
pub use squared_hinge::SquaredHinge;
pub use tweedie::Tweedie;

use crate::simd::{F32x16, LANES, Line, Quarters, Real, Vector, math::exp, pairs};
use hogwild_base::{Error, Hyperparameter, Result, hyperparameter};

/// A loss of one score and one label, as the losses here write it; a user's own is an [`OwnLoss`], which no loop is compiled for.
pub trait Objective: Copy {
    /// What labels and scores mean to it, and which metrics its models have.
    fn meaning(&self) -> Meaning;

    /// What may be set, by name.
    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        Vec::new()
    }

    /// The loss of score `z` for label `y`; labels of two classes are +1 and -1.
    fn value<V: Real>(&self, z: V, y: V) -> V;

    /// The derivative of [`value`](Self::value) by `z`; at a kink, the side towards zero.
    ///
    /// Of single numbers alone: it stands between a score and the steps that wait for it, and looks up where formulas would take longer.
    fn slope(&self, z: f32, y: f32) -> f32;

    /// The unit deviance of score `z` for label `y`: twice what the loss is above that of the best score for the label. In double precision,
    /// as it is a small difference of large numbers.
    fn deviance(&self, z: f64, y: f64) -> f64 {
        2.0 * self.value(z as f32, y as f32) as f64
    }

    /// The constant score that loses least on these labels, from which training starts.
    fn best_constant(&self, labels: &Labels<'_>) -> f32 {
        labels.lowest(|z, y| self.slope(z, y))
    }
}

macro_rules! losses {
    (
        $dollar:tt
        without_settings { $($plain:ident $plain_name:literal)* }
        with_settings { $($set:ident $set_name:literal)* }
        in_loops { $($short:pat => $loss:expr,)* }
    ) => {
        /// What is minimised: the one list of losses.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Loss {
            $(#[doc = concat!("[`", stringify!($plain), "`](struct@", stringify!($plain), "), named `", $plain_name, "`.")] $plain,)*
            $(#[doc = concat!("[`", stringify!($set), "`](struct@", stringify!($set), "), named `", $set_name, "`.")] $set($set),)*
            /// A user's own, by the library alone.
            Own(OwnLoss),
            /// [`AS_GIVEN`](Self::AS_GIVEN).
            #[doc(hidden)]
            AsGiven,
        }

        /// `with_loss!(loss, l => expression, own => other)` runs the expression with the concrete loss as `l`, or the other one.
        macro_rules! with_loss {
            ($dollar loss:expr, $dollar l:ident => $dollar body:expr, $dollar own:ident => $dollar other:expr) => {
                match $dollar loss {
                    $(Loss::$plain => {
                        let $dollar l = $crate::loss::$plain;
                        $dollar body
                    })*
                    $(Loss::$set($dollar l) => $dollar body,)*
                    Loss::Own($dollar own) => $dollar other,
                    Loss::AsGiven => {
                        let $dollar own = $crate::loss::own::AS_GIVEN;
                        $dollar other
                    }
                }
            };
        }

        impl Loss {
            /// The derivative of [`value`](Self::value) by `z`; at a kink, the side towards zero.
            #[inline(always)]
            pub fn slope(self, z: f32, y: f32) -> f32 {
                match self {
                    $($short => $loss.slope(z, y),)*
                    loss => loss.slope_by_call(z, y),
                }
            }

            /// The sum of the losses of many scores.
            #[inline(always)]
            pub(crate) fn total<V: Vector>(self, scores: &[f32], labels: &[f32]) -> f64 {
                match self {
                    $($short => total::<V>($loss, scores, labels),)*
                    loss => loss.total_by_call(scores, labels),
                }
            }

            /// Every loss with its default settings.
            pub const ALL: [Loss; [$($plain_name,)* $($set_name),*].len()] = [$(Loss::$plain,)* $(Loss::$set($set::DEFAULT)),*];

            /// The name that `--loss` takes; a user's own loss brings its name.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Loss::$plain => $plain_name,)*
                    $(Loss::$set(_) => $set_name,)*
                    Loss::Own(own) => own.name,
                    Loss::AsGiven => own::AS_GIVEN.name,
                }
            }

            /// What may be set, by name.
            pub fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
                match self {
                    $(Loss::$set(loss) => loss.hyperparameters(),)*
                    _ => Vec::new(),
                }
            }
        }

        $(impl From<$plain> for Loss {
            fn from(_: $plain) -> Loss {
                Loss::$plain
            }
        })*
        $(impl From<$set> for Loss {
            fn from(loss: $set) -> Loss {
                Loss::$set(loss)
            }
        })*
    };
}
losses! { $
    without_settings {
        Logistic "logistic"
        Hinge "hinge"
        SquaredHinge "squared-hinge"
        ModifiedHuber "modified-huber"
        Squared "squared"
        LogCosh "log-cosh"
        Poisson "poisson"
    }
    with_settings {
        Focal "focal"
        Huber "huber"
        EpsilonInsensitive "epsilon-insensitive"
        Quantile "quantile"
        Tweedie "tweedie"
    }
    in_loops {
        Loss::Logistic => Logistic,
        Loss::Hinge => Hinge,
        Loss::SquaredHinge => SquaredHinge,
        Loss::Squared => Squared,
        Loss::Huber(huber) => huber,
        Loss::Quantile(quantile) => quantile,
    }
}

// Behind `with_loss!`, which it calls.
mod weighted;
pub(crate) use weighted::weighted_total;

impl From<OwnLoss> for Loss {
    fn from(loss: OwnLoss) -> Loss {
        Loss::Own(loss)
    }
}

impl Loss {
    /// What is minimised where a model gives its loss as the score, less that of a constant, which stands for the label.
    pub const AS_GIVEN: Loss = Loss::AsGiven;

    /// Reads `NAME` or `NAME:SETTING=VALUE`.
    ///
    /// # Errors
    /// Names what is not known or out of range, and what would be.
    pub fn parse(text: &str) -> Result<Loss> {
        let (name, values) = text.split_once(':').unwrap_or((text, ""));
        let mut loss = Self::ALL.into_iter().find(|loss| loss.name() == name).ok_or_else(|| Error::BadSetting {
            setting: "loss",
            value: text.into(),
            problem: format!("there are {}", Self::ALL.map(|loss| loss.name()).join(", ")),
        })?;
        hyperparameter::set_all("loss", &mut loss.hyperparameters(), values)?;
        Ok(loss)
    }

    /// Whether all settings are in their ranges.
    ///
    /// # Errors
    /// Names the first that is not.
    pub fn check(&self) -> Result<()> {
        match self {
            Loss::Own(own) => own.check(),
            Loss::AsGiven => Ok(()),
            _ => Self::parse(&self.to_string()).map(|_| ()),
        }
    }

    /// What labels and scores mean to it.
    pub fn meaning(self) -> Meaning {
        with_loss!(self, loss => loss.meaning(), own => own.meaning)
    }

    /// Whether labels are two classes, +1 and -1.
    pub fn is_classification(self) -> bool {
        self.meaning().predicts != Predicts::Number
    }

    /// The metrics that models of it have, in the order to show them.
    pub fn metrics(self) -> &'static [Metric] {
        self.meaning().metrics
    }

    /// The loss of score `z` for label `y`.
    #[inline]
    pub fn value(self, z: f32, y: f32) -> f32 {
        with_loss!(self, loss => loss.value(z, y), own => (own.value)(z, y))
    }

    #[inline(never)]
    fn slope_by_call(self, z: f32, y: f32) -> f32 {
        with_loss!(self, loss => loss.slope(z, y), own => own.slope(z, y))
    }

    #[inline(never)]
    fn total_by_call(self, scores: &[f32], labels: &[f32]) -> f64 {
        if let Loss::AsGiven = self {
            // By a call for each score this was a tenth of an epoch of a graph cut.
            return scores.iter().zip(labels).map(|(&z, &y)| (z + y) as f64).sum();
        }
        with_loss!(self, loss => total::<F32x16>(loss, scores, labels), own => own.total(scores, labels))
    }

    /// The unit deviance of score `z` for label `y`: twice what the loss is above the least at that label.
    pub fn deviance(self, z: f32, y: f32) -> f64 {
        with_loss!(self, loss => loss.deviance(z as f64, y as f64), own => 2.0 * (own.value)(z, y) as f64)
    }

    /// The slopes of four scores, each of which fills a quarter with its label.
    #[inline(always)]
    pub(crate) fn slopes<V: Quarters>(self, z: V, y: V) -> V {
        if let Loss::Squared = self {
            return z - y;
        }
        let [mut scores, mut labels] = [Line([0.0; LANES]); 2];
        z.spill(&mut scores);
        y.spill(&mut labels);
        let mut slopes = [0.0; 4];
        for j in 0..4 {
            slopes[j] = self.slope(scores.0[4 * j], labels.0[4 * j]);
        }
        V::spread(slopes)
    }

    /// The slopes of eight scores with their labels; of the other lanes any.
    #[inline(always)]
    pub(crate) fn slopes_of_eight<V: Vector>(self, z: V, y: V) -> V {
        match self {
            Loss::Logistic => return -y / (V::of(1.0) + exp(y * z)),
            Loss::Squared => return z - y,
            _ => {}
        }
        let [mut scores, mut labels] = [Line([0.0; LANES]); 2];
        z.store(&mut scores.0);
        y.store(&mut labels.0);
        for k in 0..LANES / 2 {
            scores.0[k] = self.slope(scores.0[k], labels.0[k]);
        }
        V::load(&scores.0)
    }

    /// The constant score that loses least on these labels.
    pub fn best_constant(self, labels: &Labels<'_>) -> f32 {
        with_loss!(self, loss => loss.best_constant(labels), own => labels.lowest(own.slope))
    }

    /// What the user is told of a score: a probability for logistic, the score itself for most others.
    pub fn predict(self, z: f32) -> f32 {
        self.meaning().link.predict(z)
    }

    /// The score that predicts the mean of what these scores predict: for logistic the log-odds of the mean probability.
    pub fn mean_score(self, scores: impl Iterator<Item = f32> + Clone) -> f32 {
        self.meaning().link.mean_score(scores)
    }
}

/// The sum of the losses of many scores; by pieces, so that a long list loses no digits. Plain loops: what a closure handed to `map` holds
/// is compiled without the instruction set that the worker has entered (20 ns an example).
#[inline(always)]
fn total<V: Vector>(loss: impl Objective, scores: &[f32], labels: &[f32]) -> f64 {
    let mut total = 0.0;
    for (scores, labels) in pairs(scores.chunks(4096), labels.chunks(4096)) {
        let ((scores, last_scores), (labels, last_labels)) = (scores.as_chunks(), labels.as_chunks());
        let mut sums = V::of(0.0);
        for (z, y) in pairs(scores, labels) {
            sums = sums + loss.value(V::load(z), V::load(y));
        }
        let mut sum = sums.sum();
        for (&z, &y) in pairs(last_scores, last_labels) {
            sum += loss.value(z, y);
        }
        total += sum as f64;
    }
    total
}

/// Text that [`Loss::parse`] reads; of a user's own loss `own:NAME`, which it does not read.
impl std::fmt::Display for Loss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Loss::Own(_) | Loss::AsGiven => write!(f, "{}{}", OwnLoss::PREFIX, self.name()),
            _ => write!(f, "{}{}", self.name(), hyperparameter::show(&self.clone().hyperparameters())),
        }
    }
}

#[cfg(test)]
mod tests;
