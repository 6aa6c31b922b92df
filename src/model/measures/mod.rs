//! Metrics by name, for whoever asks for more than [`Metrics`]: which ones fit a model, and what each is.
//!
//! A model of two classes has precision, recall, F1 and, where it predicts probabilities, Brier score and calibration error; a model of
//! numbers has the pinball loss of any quantile and the deviance of any power; one of several classes has means over classes (macro) and
//! over all labels (micro). Every example counts by its weight.
mod numbers;
mod reliability;

pub use reliability::{Reliability, ReliabilityBin};

use super::{
    class_scores::{ClassCounts, ClassScores},
    mean::{mean_of, sum_of},
    metrics::Metrics,
    score::Scored,
    trained::TrainedModel,
};
use hogwild_base::{Error, Result};
use hogwild_kernels::loss::{Loss, Metric, Predicts};

/// A metric that fits a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// One that every evaluation has.
    Usual(Metric),
    Of(Of, Part),
    Brier,
    CalibrationError,
    Rmse,
    Mae,
    R2,
    Pinball(f64),
    Deviance(f64),
}

/// What of counts is told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Of {
    /// Class +1.
    Positive,
    /// All labels of all classes together.
    Micro,
    /// The mean over classes.
    Macro,
}

/// Which ratio of counts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Precision,
    Recall,
    F1,
}

impl Part {
    const ALL: [(&'static str, Part); 3] = [("precision", Part::Precision), ("recall", Part::Recall), ("f1", Part::F1)];

    fn of(self, counts: &ClassCounts) -> f64 {
        match self {
            Part::Precision => counts.precision(),
            Part::Recall => counts.recall(),
            Part::F1 => counts.f1(),
        }
    }
}

impl Measure {
    /// A metric by its name: `auc`, `pinball:0.9`.
    ///
    /// # Errors
    /// One that there is not, or not for this model: those that there are are named.
    pub fn parse(text: &str, model: &TrainedModel) -> Result<Measure> {
        let bad = |problem: String| Err(Error::BadSetting { setting: "metrics", value: text.into(), problem });
        let fitting = fitting(model);
        let (name, number) = text.split_once(':').map_or((text, None), |(name, number)| (name, Some(number)));
        let Some(&(_, kind)) = fitting.iter().find(|(known, _)| known == name) else {
            let names: Vec<String> = fitting.into_iter().map(|(name, kind)| name + kind.setting()).collect();
            return bad(format!("is no metric of this model, which has {}", names.join(", ")));
        };
        let number = match number.map(str::parse::<f64>) {
            None => None,
            Some(Ok(number)) => Some(number),
            Some(Err(_)) => return bad("has no number behind the colon".into()),
        };
        let kind = match (kind, number) {
            (kind, None) => kind,
            (Kind::Pinball(_), Some(tau)) if tau > 0.0 && tau < 1.0 => Kind::Pinball(tau),
            (Kind::Pinball(_), _) => return bad("is of a quantile between 0 and 1".into()),
            (Kind::Deviance(_), Some(power)) if power == 0.0 || (1.0..=3.0).contains(&power) => Kind::Deviance(power),
            (Kind::Deviance(_), _) => return bad("is of a power from 1 (Poisson) to 3, 2 being gamma, or of 0 (squares)".into()),
            (_, Some(_)) => return bad("has nothing to be set; leave out what is behind the colon".into()),
        };
        Ok(Measure { name: text.into(), kind })
    }

    /// As it was asked for.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is of these scores of the model; none where it is not defined, as the AUC of one class alone. `usual`: their
    /// [`metrics`](Scored::metrics).
    pub fn of(&self, loss: Loss, scored: &Scored, usual: &Metrics) -> Option<f64> {
        if scored.scores.iter().any(|(score, _)| !score.is_finite()) {
            return Some(f64::NAN);
        }
        let (scores, weights) = (&scored.scores, scored.weights.as_slice());
        let mean = |f: &(dyn Fn(f64, f64) -> f64 + Sync)| {
            mean_of(scores.len(), weights, |i| Some(f(loss.predict(scores[i].0).into(), scores[i].1.into())))
        };
        match self.kind {
            Kind::Usual(metric) => usual.get(metric),
            Kind::Of(Of::Positive, part) => Some(part.of(&of_positive(scored))),
            Kind::Of(Of::Micro, part) => Some(part.of(&scored.classes.as_ref()?.all_counts(weights))),
            Kind::Of(Of::Macro, part) => scored.classes.as_ref().map(|classes| over_classes(classes, weights, part)),
            Kind::Brier => Some(mean(&|p, y| (p - f64::from(u8::from(y > 0.0))).powi(2))),
            Kind::CalibrationError => Reliability::of(loss, scored, reliability::BINS).map(|bins| bins.error()),
            Kind::Rmse => Some(mean(&|p, y| (p - y).powi(2)).sqrt()),
            Kind::Mae => Some(mean(&|p, y| (p - y).abs())),
            Kind::R2 => numbers::r2(mean(&|_, y| y), &mean),
            Kind::Pinball(tau) => Some(mean(&|p, y| (tau * (y - p)).max((tau - 1.0) * (y - p)))),
            Kind::Deviance(power) => numbers::deviance(power, &mean),
        }
    }
}

impl Kind {
    /// What may stand behind the name.
    fn setting(self) -> &'static str {
        match self {
            Kind::Pinball(_) => "[:TAU]",
            Kind::Deviance(_) => "[:POWER]",
            _ => "",
        }
    }
}

/// The metrics of a model, by name.
fn fitting(model: &TrainedModel) -> Vec<(String, Kind)> {
    let usual = |metric: Metric| (metric.name().to_owned(), Kind::Usual(metric));
    let of = |prefix: &'static str, of: Of| Part::ALL.map(|(name, part)| (format!("{prefix}{name}"), Kind::Of(of, part)));
    let named = |name: &str, kind| (name.to_owned(), kind);
    let (loss, predicts) = (model.loss, model.loss.meaning().predicts);
    if let Some(classes) = model.ids("class") {
        let several = model.has_several_labels();
        let has_probabilities = !several && (model.family == "softmax" || predicts == Predicts::Probability);
        let mut all = vec![usual(Metric::Loss)];
        all.extend((!several && (model.family == "softmax" || loss == Loss::Logistic)).then(|| usual(Metric::Logloss)));
        all.push(usual(Metric::Accuracy));
        all.extend((!several && classes.len() > 5).then(|| usual(Metric::Top5)));
        all.extend(several.then(|| of("micro-", Of::Micro)).into_iter().flatten());
        all.extend(of("macro-", Of::Macro));
        all.extend(has_probabilities.then(|| named("ece", Kind::CalibrationError)));
        return all;
    }
    let mut all: Vec<(String, Kind)> = loss.metrics().iter().copied().map(usual).collect();
    if loss.is_classification() {
        all.extend(of("", Of::Positive));
        if predicts == Predicts::Probability {
            all.extend([named("brier", Kind::Brier), named("ece", Kind::CalibrationError)]);
        }
        return all;
    }
    let tau = if let Loss::Quantile(quantile) = loss { f64::from(quantile.tau) } else { 0.5 };
    // What a loss has of its own goes first; a deviance of the loss is one of a power too.
    let others = [("rmse", Kind::Rmse), ("mae", Kind::Mae), ("r2", Kind::R2), ("pinball", Kind::Pinball(tau))];
    all.extend(
        others
            .map(|(name, kind)| named(name, kind))
            .into_iter()
            .filter(|(name, _)| loss.metrics().iter().all(|metric| metric.name() != name)),
    );
    let power = match loss {
        Loss::Poisson => 1.0,
        Loss::Tweedie(tweedie) => f64::from(tweedie.power),
        _ => 0.0,
    };
    all.retain(|(name, _)| name != "deviance");
    all.push(named("deviance", Kind::Deviance(power)));
    all
}

/// How well class +1 is told.
fn of_positive(scored: &Scored) -> ClassCounts {
    let scores = &scored.scores;
    let [examples, predicted, right] = sum_of(scores.len(), |i| {
        let ((z, y), weight) = (scores[i], scored.weight(i));
        let of = |is: bool| if is { weight } else { 0.0 };
        [of(y > 0.0), of(z > 0.0), of(y > 0.0 && z > 0.0)]
    });
    ClassCounts { examples, predicted, right }
}

/// The mean over the classes that occur, as labels or predictions.
fn over_classes(classes: &ClassScores, weights: &[f32], part: Part) -> f64 {
    let counts = classes.by_class(weights);
    let occur: Vec<f64> = counts.iter().filter(|counts| counts.examples + counts.predicted > 0.0).map(|counts| part.of(counts)).collect();
    occur.iter().sum::<f64>() / occur.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(loss: &str) -> TrainedModel {
        let ids = ["a"].into_iter().collect();
        crate::LinearModel { ids: &ids, bias: 0.0, weights: &[0.0], unit_rows: false }.trained(Loss::parse(loss).unwrap())
    }

    fn value(loss: &str, name: &str, scores: &[(f32, f32)], weights: &[f32]) -> f64 {
        let model = model(loss);
        let scored = Scored { scores: scores.to_vec(), weights: weights.to_vec(), ..Scored::default() };
        let usual = scored.metrics(model.loss);
        Measure::parse(name, &model).unwrap().of(model.loss, &scored, &usual).unwrap()
    }

    #[test]
    fn counts_of_two_classes_by_weights() {
        let scores = [(1.0, 1.0), (2.0, -1.0), (-1.0, 1.0), (-2.0, -1.0), (3.0, 1.0)];
        assert_eq!(value("hinge", "precision", &scores, &[]), 2.0 / 3.0);
        assert_eq!(value("hinge", "recall", &scores, &[1.0, 1.0, 3.0, 1.0, 2.0]), 0.5);
        assert_eq!(value("hinge", "f1", &scores, &[]), 2.0 / 3.0);
        // A probability of a half for one of each class.
        let half = [(0.0, 1.0), (0.0, -1.0)];
        assert_eq!((value("logistic", "brier", &half, &[]), value("logistic", "ece", &half, &[])), (0.25, 0.0));
        assert_eq!(value("logistic", "ece", &half, &[3.0, 1.0]), 0.25);
    }

    #[test]
    fn numbers_by_quantile_and_power() {
        let scores = [(1.0, 4.0), (3.0, 1.0)];
        assert_eq!(value("squared", "pinball:0.9", &scores, &[]), f64::midpoint(0.9 * 3.0, 0.1 * 2.0));
        assert_eq!(value("squared", "pinball", &scores, &[]), value("squared", "mae", &scores, &[]) / 2.0);
        assert_eq!(value("quantile", "rmse", &scores, &[]), 6.5f64.sqrt());
        assert_eq!(value("squared", "deviance", &scores, &[]), 6.5);
        assert!((value("squared", "r2", &scores, &[]) - (1.0 - 6.5 / 2.25)).abs() < 1e-12);
        for (loss, name) in [("poisson", "deviance"), ("tweedie:power=1.5", "deviance:1.5")] {
            let scored = Scored { scores: vec![(0.3, 2.0), (-1.0, 0.0)], ..Scored::default() };
            let loss_of_model = Loss::parse(loss).unwrap();
            let own = scored.metrics(loss_of_model).deviance.unwrap();
            assert!((value(loss, name, &scored.scores, &[]) - own).abs() < 1e-6, "{loss}");
        }
        assert_eq!(value("squared", "deviance:1", &[(2.0, 2.0)], &[]), 0.0);
        assert_eq!(value("squared", "deviance:2", &[(2.0, 2.0)], &[]), 0.0);
        assert!((value("squared", "deviance:2", &[(1.0, 2.0)], &[]) - 2.0 * (1.0 - 2f64.ln())).abs() < 1e-12);
        let negative = Scored { scores: vec![(-1.0, 2.0)], ..Scored::default() };
        let measure = Measure::parse("deviance:1", &model("squared")).unwrap();
        assert_eq!(measure.of(Loss::Squared, &negative, &negative.metrics(Loss::Squared)), None);
    }

    #[test]
    fn unfit_names_are_refused_with_those_that_fit() {
        for (loss, name, has) in [
            ("squared", "auc", "loss, rmse, mae, r2, pinball[:TAU], deviance[:POWER]"),
            ("hinge", "ece", "loss, auc, accuracy, precision, recall, f1"),
            ("logistic", "rmse", "loss, logloss, auc, accuracy, precision, recall, f1, brier, ece"),
        ] {
            let refused = Measure::parse(name, &model(loss)).unwrap_err().to_string();
            assert!(refused.contains(&format!("is no metric of this model, which has {has}")), "{refused}");
        }
        for wrong in ["pinball:1", "pinball:x", "deviance:0.5", "mae:2"] {
            assert!(Measure::parse(wrong, &model("squared")).is_err(), "{wrong}");
        }
    }
}
