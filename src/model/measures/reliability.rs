//! How far probabilities are what they say: predictions in bins, each with what was predicted and what came (Murphy & Winkler 1977), and the
//! expected calibration error, the mean distance of both (Naeini, Cooper & Hauskrecht 2015). Bins are of equal width.
use crate::model::{class_scores::ClassScores, score::Scored};
use hogwild_kernels::loss::{Loss, Predicts};

/// As many as Guo et al. (2017) take.
pub(super) const BINS: usize = 15;

/// Predicted probabilities beside what came, bin by bin.
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    /// All bins, from 0 to 1; those that no prediction lies in too.
    pub bins: Vec<ReliabilityBin>,
}

/// Predictions of one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ReliabilityBin {
    /// The least probability of the bin.
    pub from: f64,
    /// The largest.
    pub to: f64,
    /// How much its examples count, each by its weight.
    pub examples: f64,
    /// The mean prediction; 0 where there is none.
    pub predicted: f64,
    /// The share that came true; 0 where there is no prediction.
    pub observed: f64,
}

impl Reliability {
    /// Of scores of a model: of two classes the probability of +1, of several that of the predicted class, which is right or not. None
    /// where the loss predicts no probabilities, or an example has any number of classes.
    pub fn of(loss: Loss, scored: &Scored, bins: usize) -> Option<Reliability> {
        let one: &dyn Fn(usize) -> (f64, bool) = match &scored.classes {
            Some(classes) if classes.has_probabilities() => &|i| of_predicted(classes, i),
            None if loss.meaning().predicts == Predicts::Probability => {
                &|i| scored.scores.get(i).map_or((0.0, false), |&(z, y)| (f64::from(loss.predict(z)), y > 0.0))
            }
            _ => return None,
        };
        let bins = bins.max(1);
        let mut sums = vec![[0.0; 3]; bins];
        for i in 0..scored.scores.len() {
            let ((p, is_true), weight) = (one(i), scored.weight(i));
            let [all, predicted, observed] = &mut sums[((p * bins as f64) as usize).min(bins - 1)];
            (*all, *predicted, *observed) = (*all + weight, *predicted + weight * p, *observed + if is_true { weight } else { 0.0 });
        }
        let edge = |i: usize| i as f64 / bins as f64;
        let bin = |(i, [examples, predicted, observed]): (usize, [f64; 3])| {
            let mean = |sum: f64| if examples > 0.0 { sum / examples } else { 0.0 };
            ReliabilityBin { from: edge(i), to: edge(i + 1), examples, predicted: mean(predicted), observed: mean(observed) }
        };
        Some(Reliability { bins: sums.into_iter().enumerate().map(bin).collect() })
    }

    /// The expected calibration error: how far predictions are from what came, in the mean over all examples.
    pub fn error(&self) -> f64 {
        let all: f64 = self.bins.iter().map(|bin| bin.examples).sum();
        let far: f64 = self.bins.iter().map(|bin| bin.examples * (bin.predicted - bin.observed).abs()).sum();
        if all > 0.0 { far / all } else { 0.0 }
    }
}

/// The probability of the class that an example is said to have, and whether it has it.
fn of_predicted(classes: &ClassScores, example: usize) -> (f64, bool) {
    let Some(&class) = classes.predicted(example).first() else { return (0.0, false) };
    let p = classes.probabilities(example).get(class as usize).copied().unwrap_or(0.0);
    (p.into(), classes.own(example).contains(&class))
}
