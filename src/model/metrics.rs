//! Held-out metrics: what a list of (score, target) says, each example counting by its weight.
use super::cut::CutMetrics;
use super::mean::mean_of;
use super::ranking::RankingMetrics;
use hogwild_base::threads;
use hogwild_kernels::loss::{Loss, Metric};

/// Metrics of a model on a data set; those that the loss has no use for are None.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// How many examples.
    pub examples: u64,
    /// Mean of the loss trained with.
    pub loss: f64,
    /// Mean of `-ln p(label)`; of losses that predict probabilities.
    pub logloss: Option<f64>,
    /// Area under the ROC curve, ties counted half; two classes only, and only where both occur.
    pub auc: Option<f64>,
    /// Share of examples with the score on the label's side, or of several classes with exactly those that are predicted.
    pub accuracy: Option<f64>,
    /// Share of examples whose class is among the five most probable; of more than five classes.
    pub top5: Option<f64>,
    /// F1 of all labels of all classes together; of examples with any number of classes.
    pub micro_f1: Option<f64>,
    /// Mean of the F1 of the classes that occur, as labels or predictions; of several classes.
    pub macro_f1: Option<f64>,
    /// Mean unit deviance; of losses that are likelihoods of a mean.
    pub deviance: Option<f64>,
    /// Root of the mean squared error; real-valued targets only.
    pub rmse: Option<f64>,
    /// Mean absolute error; real-valued targets only.
    pub mae: Option<f64>,
    /// How good lists of items are; of models that rank, whose `loss` here is what NDCG lacks to 1.
    pub ranking: Option<RankingMetrics>,
    /// What the edges of a graph cost; of cuts, whose `loss` here is the objective.
    pub cut: Option<CutMetrics>,
}

impl Metrics {
    /// From scores and targets as the loss takes them, which counts `unit` of them as 1: so Huber loss with a delta of 1 changes from
    /// squares to absolute values at `unit`. Errors are those of what a score predicts. `weights`: how much each counts; none where all count
    /// alike.
    pub fn new(loss: Loss, unit: f32, scored: &[(f32, f32)], weights: &[f32]) -> Metrics {
        let mean = |f: &(dyn Fn(f32, f32) -> f64 + Sync)| mean_of(scored.len(), weights, |i| Some(f(scored[i].0, scored[i].1)));
        let has = |metric: Metric| metric.is_of(loss);
        let miss = |z: f32, y: f32| loss.predict(z) as f64 - y as f64;
        let mean_loss = |loss: Loss| mean(&|z, y| loss.value(z / unit, y / unit) as f64);
        let own = mean_loss(loss);
        Metrics {
            loss: (unit as f64).powi(loss.meaning().power) * own,
            logloss: has(Metric::Logloss).then(|| if loss == Loss::Logistic { own } else { mean_loss(Loss::Logistic) }),
            auc: if has(Metric::Auc) { auc(scored, weights) } else { None },
            accuracy: has(Metric::Accuracy).then(|| mean(&|z, y| ((z > 0.0) == (y > 0.0)) as u8 as f64)),
            deviance: has(Metric::Deviance).then(|| mean(&|z, y| loss.deviance(z, y))),
            rmse: has(Metric::Rmse).then(|| mean(&|z, y| miss(z, y).powi(2)).sqrt()),
            mae: has(Metric::Mae).then(|| mean(&|z, y| miss(z, y).abs())),
            ..Metrics::none(scored.len() as u64)
        }
    }

    /// None, of so many examples.
    pub(super) fn none(examples: u64) -> Metrics {
        Metrics {
            examples,
            loss: 0.0,
            logloss: None,
            auc: None,
            accuracy: None,
            top5: None,
            micro_f1: None,
            macro_f1: None,
            deviance: None,
            rmse: None,
            mae: None,
            ranking: None,
            cut: None,
        }
    }

    /// Of lists of items.
    pub(super) fn of_ranking(ranking: RankingMetrics) -> Metrics {
        Metrics { loss: 1.0 - ranking.ndcg, ranking: Some(ranking), ..Metrics::none(ranking.users) }
    }

    /// Of a cut.
    pub(super) fn of_cut(cut: CutMetrics) -> Metrics {
        Metrics { loss: cut.objective, cut: Some(cut), ..Metrics::none(cut.edges) }
    }

    /// One of them, where there is such.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Loss => Some(self.loss),
            Metric::Logloss => self.logloss,
            Metric::Auc => self.auc,
            Metric::Accuracy => self.accuracy,
            Metric::Top5 => self.top5,
            Metric::MicroF1 => self.micro_f1,
            Metric::MacroF1 => self.macro_f1,
            Metric::Deviance => self.deviance,
            Metric::Rmse => self.rmse,
            Metric::Mae => self.mae,
            Metric::Recall => self.ranking.map(|ranking| ranking.recall),
            Metric::Precision => self.ranking.map(|ranking| ranking.precision),
            Metric::Ndcg => self.ranking.map(|ranking| ranking.ndcg),
            Metric::Map => self.ranking.map(|ranking| ranking.map),
            Metric::Mrr => self.ranking.map(|ranking| ranking.mrr),
            Metric::Objective => self.cut.map(|cut| cut.objective),
            Metric::Cut => self.cut.map(|cut| cut.cut),
        }
    }

    /// The metrics that there are, by name, in the order to show them; a loss that is the log-loss, or
    /// follows from the NDCG, or is the objective of a cut, is not shown twice.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let shown = |metric: &Metric| {
            *metric != Metric::Loss
                || self.logloss.is_none_or(|logloss| logloss.to_bits() != self.loss.to_bits())
                    && self.ranking.is_none()
                    && self.cut.is_none()
        };
        Metric::ALL.into_iter().filter(shown).filter_map(|metric| Some((metric.name(), self.get(metric)?)))
    }
}

/// The share of (positive, negative) pairs in the right order, each as much as the product of both weights: from the negatives below each
/// positive (Mann & Whitney 1947).
fn auc(scored: &[(f32, f32)], weights: &[f32]) -> Option<f64> {
    let weight = |i: usize| weights.get(i).copied().unwrap_or(1.0);
    let mut sorted: Vec<(f32, f32, f32)> = scored.iter().enumerate().map(|(i, &(z, y))| (z, y, weight(i))).collect();
    threads::in_call(|| threads::sort_unstable_by(&mut sorted, |a, b| a.0.total_cmp(&b.0)));
    let (mut below, mut positives, mut right) = (0.0, 0.0, 0.0);
    for ties in sorted.chunk_by(|a, b| a.0 == b.0) {
        let [mut plus, mut minus] = [0.0; 2];
        for &(_, label, weight) in ties {
            *(if label > 0.0 { &mut plus } else { &mut minus }) += weight as f64;
        }
        right += plus * (below + minus / 2.0);
        (below, positives) = (below + minus, positives + plus);
    }
    (positives > 0.0 && below > 0.0).then(|| right / (positives * below))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        OwnLoss,
        loss::{Huber, Link, Meaning, Quantile, Standardise},
    };

    #[test]
    fn auc_counts_pairs() {
        assert_eq!(auc(&[(0.1, -1.0), (0.2, 1.0), (0.3, -1.0), (0.4, 1.0)], &[]), Some(0.75));
        assert_eq!(auc(&[(0.5, -1.0), (0.5, 1.0)], &[]), Some(0.5));
        assert_eq!(auc(&[(0.5, 1.0)], &[]), None);
    }

    #[test]
    fn an_example_of_weight_two_is_two_examples() {
        let scored = [(0.3, 1.0), (-1.0, -1.0), (0.3, -1.0), (2.0, 1.0), (-0.5, 1.0)];
        let weights = [1.0, 2.0, 3.0, 1.0, 2.0];
        let repeated: Vec<_> = scored.iter().zip(weights).flat_map(|(&one, weight)| vec![one; weight as usize]).collect();
        for loss in [Loss::Logistic, Loss::Squared] {
            let (one, other) = (Metrics::new(loss, 1.0, &scored, &weights), Metrics::new(loss, 1.0, &repeated, &[]));
            for metric in Metric::ALL {
                let close = one.get(metric).zip(other.get(metric)).is_none_or(|(a, b)| (a - b).abs() < 1e-12);
                assert!(close && one.get(metric).is_some() == other.get(metric).is_some(), "{metric:?} {one:?} {other:?}");
            }
        }
    }

    #[test]
    fn rmse_and_mae_of_two() {
        let m = Metrics::new(Loss::Squared, 1.0, &[(1.0, 4.0), (2.0, 1.0)], &[]);
        assert_eq!((m.rmse, m.mae, m.auc), (Some(5f64.sqrt()), Some(2.0), None));
    }

    #[test]
    fn a_loss_is_in_the_unit_of_the_labels() {
        let (scored, quantile) = ([(1.0, 4.0), (2.0, 1.0)], Quantile { tau: 0.75 }.into());
        for unit in [1.0, 2.0, 1024.0] {
            let m = Metrics::new(quantile, unit, &scored, &[]);
            assert_eq!((m.loss, m.mae, m.rmse), ((0.75 * 3.0 + 0.25) / 2.0, Some(2.0), None), "{unit}");
        }
        let huber = Huber { delta: 2.0 }.into();
        assert_eq!([1.0, 0.25].map(|unit| Metrics::new(huber, unit, &scored, &[]).loss), [(4.0 + 0.5) / 2.0, (1.375 + 0.375) / 2.0]);
    }

    #[test]
    fn errors_and_log_losses_are_of_predictions() {
        let meaning = Meaning { link: Link::Log, standardise: Standardise::No, ..Meaning::NUMBER };
        let own = |meaning| Loss::Own(OwnLoss { name: "own", value: |z, y| z - y, slope: |_, _| 1.0, meaning });
        let m = Metrics::new(own(meaning), 1.0, &[(0.0, 3.0), (0.0, 1.0)], &[]);
        assert_eq!((m.loss, m.mae), (-2.0, Some(1.0)));
        // Of a probability that was learnt by another loss both are shown.
        let m = Metrics::new(own(Meaning::PROBABILITY), 1.0, &[(0.0, 1.0)], &[]);
        assert!((m.logloss.unwrap() - std::f64::consts::LN_2).abs() < 1e-6);
        assert_eq!(m.named().map(|(name, _)| name).collect::<Vec<_>>(), ["loss", "logloss", "accuracy"]);
    }
}
