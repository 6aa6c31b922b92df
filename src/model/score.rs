//! What scoring gives: scores with their targets, and what the model did not know.
use super::{class_scores::ClassScores, cut::CutMetrics, metrics::Metrics, ranking::RankingMetrics};
use hogwild_base::threads;
use hogwild_kernels::loss::Loss;

/// Scores with their targets, in the order of the data, and what was not known to the model.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Score and target of each example.
    pub scores: Vec<(f32, f32)>,
    /// How much each example counts, by its own weight; none where all count alike.
    pub weights: Vec<f32>,
    /// Nonzeros (or users and items) that the model has never seen; they add nothing to a score.
    pub unknown: u64,
    /// What the loss counts as 1, in the unit of scores and targets: see [`TrainedModel::unit`](crate::TrainedModel::unit).
    pub unit: f32,
    /// Of models of several classes: the scores of each. [`scores`](Self::scores) are then losses: what an example loses beside a constant
    /// prediction of its run, and what that loses; of a model by itself the loss, and 0.
    pub classes: Option<ClassScores>,
    /// Of models that rank: how good their lists of items are, which is then all that is known.
    pub ranking: Option<RankingMetrics>,
    /// Of cuts of graphs: what edges cost, which is then all that is known.
    pub cut: Option<CutMetrics>,
}

/// Nothing scored, in the unit 1.
impl Default for Scored {
    fn default() -> Scored {
        Scored { scores: Vec::new(), weights: Vec::new(), unknown: 0, unit: 1.0, classes: None, ranking: None, cut: None }
    }
}

impl Scored {
    /// What they say.
    pub fn metrics(&self, loss: Loss) -> Metrics {
        match (&self.classes, self.ranking, self.cut) {
            (_, _, Some(cut)) => Metrics::of_cut(cut),
            (_, Some(ranking), _) => Metrics::of_ranking(ranking),
            (Some(classes), None, None) => classes.metrics(&self.weights),
            (None, None, None) => Metrics::new(loss, self.unit, &self.scores, &self.weights),
        }
    }

    /// How much an example counts.
    pub(crate) fn weight(&self, example: usize) -> f64 {
        self.weights.get(example).map_or(1.0, |&weight| weight as f64)
    }

    /// What an ensemble says, of what its members do: the scores that predict the mean of their predictions (of probabilities for
    /// logistic, of scores otherwise), in the same order of examples.
    pub fn mean(loss: Loss, mut members: Vec<Scored>) -> Scored {
        if members.len() < 2 {
            return members.pop().unwrap_or_default();
        }
        let classes: Vec<&ClassScores> = members.iter().filter_map(|scored| scored.classes.as_ref()).collect();
        let classes = ClassScores::mean(&classes);
        let loss = if classes.is_some() { Loss::AS_GIVEN } else { loss };
        let of = |i: usize| members.iter().filter_map(move |scored| scored.scores.get(i)).map(|&(z, _)| z);
        let score = |(i, &(_, target)): (usize, &(f32, f32))| (loss.mean_score(of(i)), target);
        let first = &members[0];
        let scores = threads::in_call(|| threads::map(first.scores.len(), |i| score((i, &first.scores[i]))));
        Scored { scores, weights: first.weights.clone(), unknown: first.unknown, unit: first.unit, classes, ..Scored::default() }
    }

    /// With the scores of the examples behind these.
    pub(crate) fn join(mut self, other: Scored) -> Scored {
        if !self.weights.is_empty() || !other.weights.is_empty() {
            self.weights.resize(self.scores.len(), 1.0);
            self.weights.extend(&other.weights);
            self.weights.resize(self.scores.len() + other.scores.len(), 1.0);
        }
        self.scores.extend(other.scores);
        self.unknown += other.unknown;
        match (&mut self.classes, other.classes) {
            (Some(classes), Some(more)) => classes.join(more),
            (classes, more) => *classes = more.or(classes.take()),
        }
        self
    }
}
