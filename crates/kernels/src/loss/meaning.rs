//! What a loss's labels and scores mean: what is predicted, through which link, how labels are standardised, which metrics there are.
//!
//! Whatever differs from loss to loss elsewhere (checks of labels, classes, predictions, ensembles, metrics) asks here, and not for a name.

/// What a loss predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Predicts {
    /// One of two classes, by the sign of the score. Labels are +1 and -1.
    Class,
    /// The probability of class +1. Labels are +1 and -1.
    Probability,
    /// A number.
    Number,
}

/// How a score becomes a prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// The score is the prediction.
    Identity,
    /// `1 / (1 + e^-z)`: the score is the log-odds.
    Logit,
    /// `e^z`: the score is the logarithm.
    Log,
}

/// How labels become what is learnt, so that their unit does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standardise {
    /// They stay as they are.
    No,
    /// Less their mean, over their standard deviation.
    Mean,
    /// Less their median, over 1.4826 times the median absolute deviation from it.
    Median,
}

/// What labels and scores mean to a loss. [`CLASS`](Self::CLASS), [`PROBABILITY`](Self::PROBABILITY) and [`NUMBER`](Self::NUMBER) are the usual ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Meaning {
    /// What is predicted.
    pub predicts: Predicts,
    /// How a score becomes a prediction. [`Logit`](Link::Logit) is that of probabilities.
    pub link: Link,
    /// How labels are standardised. Only a loss of the difference `z - y` can have them so, as labels are shifted and scaled.
    pub standardise: Standardise,
    /// Of standardised labels: by which power of the labels' unit the loss grows. 2 for squares, 1 for absolute values.
    pub power: i32,
    /// The least label that it takes.
    pub least_label: f32,
    /// The metrics of its models, in the order to show them.
    pub metrics: &'static [Metric],
}

impl Meaning {
    /// A class by the sign of the score.
    pub const CLASS: Meaning = Meaning {
        predicts: Predicts::Class,
        link: Link::Identity,
        standardise: Standardise::No,
        power: 2,
        least_label: f32::NEG_INFINITY,
        metrics: &[Metric::Loss, Metric::Auc, Metric::Accuracy],
    };
    /// The probability of a class, of which the score is the log-odds.
    pub const PROBABILITY: Meaning = Meaning {
        predicts: Predicts::Probability,
        link: Link::Logit,
        metrics: &[Metric::Loss, Metric::Logloss, Metric::Auc, Metric::Accuracy],
        ..Meaning::CLASS
    };
    /// A number, which is the score; labels are standardised by their mean.
    pub const NUMBER: Meaning = Meaning {
        predicts: Predicts::Number,
        link: Link::Identity,
        standardise: Standardise::Mean,
        power: 2,
        least_label: f32::NEG_INFINITY,
        metrics: &[Metric::Loss, Metric::Rmse, Metric::Mae],
    };
}

impl Link {
    /// The prediction of a score.
    pub fn predict(self, z: f32) -> f32 {
        match self {
            Link::Identity => z,
            Link::Logit => crate::simd::math::sigmoid(z),
            Link::Log => crate::simd::math::exp(z),
        }
    }

    /// The score that predicts the mean of what these scores predict.
    pub fn mean_score(self, scores: impl Iterator<Item = f32> + Clone) -> f32 {
        let sum = |f: &dyn Fn(f64) -> f64| scores.clone().map(|z| f(z as f64)).sum::<f64>();
        match self {
            Link::Identity => (sum(&|z| z) / sum(&|_| 1.0)) as f32,
            Link::Logit => {
                // Both sides are summed, as a probability near 1 says nothing of what it lacks; at 700 neither is 0 yet.
                let p = |z: f64| 1.0 / (1.0 + (-z.clamp(-700.0, 700.0)).exp());
                (sum(&p).ln() - sum(&|z| p(-z)).ln()) as f32
            }
            Link::Log => {
                // Beside the largest, so that nothing overflows.
                let largest = scores.clone().fold(f32::NEG_INFINITY, f32::max) as f64;
                (largest + (sum(&|z| (z - largest).exp()) / sum(&|_| 1.0)).ln()) as f32
            }
        }
    }
}

/// One of the held-out metrics, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Mean of the loss trained with.
    Loss,
    /// Mean of `-ln p(label)`.
    Logloss,
    /// Area under the ROC curve.
    Auc,
    /// Share of examples with the score on the label's side.
    Accuracy,
    /// Share of examples whose class is among the five most probable.
    Top5,
    /// F1 of all labels of all classes together.
    MicroF1,
    /// Mean of the classes' F1.
    MacroF1,
    /// Mean unit deviance: twice what the loss is above the least that its label allows.
    Deviance,
    /// Root of the mean squared error.
    Rmse,
    /// Mean absolute error.
    Mae,
    /// Share of the held-out items that are among a user's first 20.
    Recall,
    /// Share of a user's first 20 items that were held out.
    Precision,
    /// Normalised discounted cumulative gain of a user's first 20 items.
    Ndcg,
    /// Mean average precision of those.
    Map,
    /// Mean reciprocal rank of the first held-out item among those.
    Mrr,
    /// What all edges of a graph cost by the shares of its nodes.
    Objective,
    /// What the edges cost whose ends have other labels.
    Cut,
}

impl Metric {
    /// Every metric, in the order to show them.
    pub const ALL: [Metric; 17] = [
        Metric::Loss,
        Metric::Logloss,
        Metric::Auc,
        Metric::Accuracy,
        Metric::Top5,
        Metric::MicroF1,
        Metric::MacroF1,
        Metric::Deviance,
        Metric::Rmse,
        Metric::Mae,
        Metric::Recall,
        Metric::Precision,
        Metric::Ndcg,
        Metric::Map,
        Metric::Mrr,
        Metric::Objective,
        Metric::Cut,
    ];

    /// The name that `--stop-metric` takes.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Loss => "loss",
            Metric::Logloss => "logloss",
            Metric::Auc => "auc",
            Metric::Accuracy => "accuracy",
            Metric::Top5 => "top5",
            Metric::MicroF1 => "micro-f1",
            Metric::MacroF1 => "macro-f1",
            Metric::Deviance => "deviance",
            Metric::Rmse => "rmse",
            Metric::Mae => "mae",
            Metric::Recall => "recall@20",
            Metric::Precision => "precision@20",
            Metric::Ndcg => "ndcg@20",
            Metric::Map => "map@20",
            Metric::Mrr => "mrr@20",
            Metric::Objective => "objective",
            Metric::Cut => "cut",
        }
    }

    /// Whether more is better.
    pub fn rises(self) -> bool {
        matches!(self, Metric::Auc | Metric::Accuracy) || self.is_of_classes() || self.is_of_ranking()
    }

    /// Whether it is of models of several classes alone, whatever their loss.
    pub fn is_of_classes(self) -> bool {
        matches!(self, Metric::Top5 | Metric::MicroF1 | Metric::MacroF1)
    }

    /// Whether it is of lists of items, which models of implicit feedback rank.
    pub fn is_of_ranking(self) -> bool {
        matches!(self, Metric::Recall | Metric::Precision | Metric::Ndcg | Metric::Map | Metric::Mrr)
    }

    /// Whether it is of cuts of graphs.
    pub fn is_of_cuts(self) -> bool {
        matches!(self, Metric::Objective | Metric::Cut)
    }

    /// Whether models of that loss have it.
    pub fn is_of(self, loss: super::Loss) -> bool {
        loss.metrics().contains(&self)
    }
}
