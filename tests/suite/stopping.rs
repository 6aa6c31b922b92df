//! Early stopping: when a run ends, which epoch's model it keeps, and what is refused.
use crate::support::{
    data::open,
    either_kind::{both, defaults, train},
};
use hogwild::{Ended, Loss, Metric, Rule, Schedule, Settings, data::Data, loss::Huber};

/// Settings under which the held-out loss soon gets worse again.
fn overfitting(data: &Data) -> Settings {
    let rate = if matches!(data, Data::Rows(_)) { 3.0 } else { 0.3 };
    Settings { lr: Some(rate), l2: 0.0, schedule: Schedule::Constant, epochs: 60, ..defaults(data) }
}

/// The number, from 1, of the epoch that is best by the metric, the first of equals.
fn best(outcome: &hogwild::Outcome, metric: Metric) -> usize {
    let value = |i: usize| outcome.epochs[i].valid.unwrap().get(metric).unwrap() * if metric.rises() { -1.0 } else { 1.0 };
    (0..outcome.epochs.len()).min_by(|&a, &b| value(a).total_cmp(&value(b))).unwrap() + 1
}

#[test]
fn the_best_epochs_model_is_kept_and_the_run_ends_when_patience_does() {
    let folder = tempfile::tempdir().unwrap();
    for (data, test) in &both(folder.path()) {
        let metrics: &[Metric] = if matches!(data, Data::Rows(_)) {
            &[Metric::Loss, Metric::Logloss, Metric::Auc, Metric::Accuracy]
        } else {
            &[Metric::Loss, Metric::Rmse, Metric::Mae]
        };
        for &metric in metrics {
            let settings = Settings { patience: Some(3), stop_metric: Some(metric), ..overfitting(data) };
            let outcome = train(data, Some(test), &settings, None).unwrap();
            let best = best(&outcome, metric);
            assert!(matches!(outcome.ended, Ended::StoppedEarly) && outcome.best == Some(best), "{metric:?}: {:?}", outcome.ended);
            assert!(best > 1 && outcome.epochs.len() == best + 3, "{metric:?}: epoch {best} of {}", outcome.epochs.len());
            // It is the very model that a run of so many epochs ends with.
            let kept = outcome.model.unwrap().score(test).unwrap();
            let short = train(data, None, &Settings { epochs: best, ..overfitting(data) }, None).unwrap();
            assert_eq!(kept.scores, short.model.unwrap().score(test).unwrap().scores, "{metric:?}");
        }
    }
}

#[test]
fn a_run_that_finishes_keeps_its_best_too_and_without_patience_its_last() {
    let folder = tempfile::tempdir().unwrap();
    for (data, test) in &both(folder.path()) {
        let short = Settings { epochs: 20, ..overfitting(data) };
        let outcome = train(data, Some(test), &Settings { patience: Some(20), ..short.clone() }, None).unwrap();
        let loss = |epoch: usize| outcome.epochs[epoch - 1].valid.unwrap().loss;
        let best = best(&outcome, Metric::Loss);
        assert!(matches!(outcome.ended, Ended::Finished) && outcome.best == Some(best) && best < 20, "{best}");
        let kept = |outcome: &hogwild::Outcome| outcome.model.as_ref().unwrap().score(test).unwrap().metrics(short.loss).loss;
        assert_eq!(kept(&outcome), loss(best));
        let without = train(data, Some(test), &short, None).unwrap();
        assert_eq!((kept(&without), without.best), (loss(20), None));
    }
}

#[test]
fn small_gains_are_kept_but_do_not_keep_the_run_going() {
    let folder = tempfile::tempdir().unwrap();
    let [(data, test), _] = &both(folder.path());
    let settings = Settings { patience: Some(2), min_delta: 0.01, ..defaults(data) };
    let outcome = train(data, Some(test), &Settings { epochs: 60, ..settings }, None).unwrap();
    let losses: Vec<f64> = outcome.epochs.iter().map(|e| e.valid.unwrap().loss).collect();
    let n = losses.len();
    // Each of the last two gained something, but less than that.
    assert!(n < 60 && losses[n - 3] - losses[n - 2] < 0.01 && losses[n - 2] - losses[n - 1] < 0.01, "{losses:?}");
    assert!(losses[n - 1] < losses[n - 2] && outcome.best == Some(n) && matches!(outcome.ended, Ended::StoppedEarly), "{losses:?}");
}

#[test]
fn every_rule_keeps_its_best_on_two_threads_with_a_share_held_out() {
    let folder = tempfile::tempdir().unwrap();
    for (data, _) in &both(folder.path()) {
        for rule in Rule::ALL {
            let (lr, schedule) = (Some(rule.default_rate(10.0)), Schedule::Constant);
            let settings = Settings { rule, lr, schedule, threads: 2, holdout: 0.2, patience: Some(1), epochs: 6, ..defaults(data) };
            let outcome = train(data, None, &settings, None).unwrap();
            assert_eq!(outcome.best, Some(best(&outcome, Metric::Loss)), "{rule}");
        }
    }
}

#[test]
fn interrupted_and_diverged_runs_keep_their_best() {
    let folder = tempfile::tempdir().unwrap();
    let [(data, test), _] = &both(folder.path());
    let settings = Settings { patience: Some(9), ..overfitting(data) };
    let outcome = train(data, Some(test), &settings, Some(3)).unwrap();
    assert!(matches!(outcome.ended, Ended::Interrupted) && outcome.epochs.len() == 4 && outcome.epochs[3].valid.is_none());
    let best_of_three = (1..=3).min_by(|&a, &b| {
        let loss = |epoch: usize| outcome.epochs[epoch - 1].valid.unwrap().loss;
        loss(a).total_cmp(&loss(b))
    });
    assert_eq!(outcome.best, best_of_three);
    // Interrupted before anything was evaluated: there is a model all the same.
    let outcome = train(data, Some(test), &settings, Some(0)).unwrap();
    assert!(outcome.best.is_none() && outcome.model.is_some());

    // A rate that rises until it is too much.
    let schedule = Schedule::OneCycle { warmup: 1.0, divide: 1e6, end: 1.0 };
    let rising = Settings { loss: Loss::Squared, rule: Rule::named("sgd").unwrap(), lr: Some(50.0), schedule, epochs: 20, ..settings };
    let outcome = train(data, Some(test), &Settings { patience: Some(20), ..rising }, None).unwrap();
    assert!(matches!(outcome.ended, Ended::Diverged(_)), "{:?}", outcome.ended);
    assert_eq!(outcome.best, Some(best(&outcome, Metric::Loss)));
    assert!(outcome.model.unwrap().score(test).unwrap().metrics(Loss::Squared).loss.is_finite());
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let [(data, test), (ratings, _)] = &both(folder.path());
    let some = Settings { patience: Some(2), ..defaults(data) };
    let metric = |metric| Settings { stop_metric: Some(metric), ..some.clone() };
    for (settings, held_out, parts) in [
        (some.clone(), false, ["`patience` 2", "`valid` or `holdout`"]),
        (Settings { patience: Some(0), ..some.clone() }, true, ["`patience` 0", "from 1"]),
        (Settings { min_delta: -1.0, ..some.clone() }, true, ["`min_delta` -1", "from 0"]),
        (Settings { min_delta: f64::NAN, ..some.clone() }, true, ["`min_delta` NaN", "from 0"]),
        (Settings { patience: None, min_delta: 0.1, ..some.clone() }, true, ["`min_delta` 0.1", "`patience`"]),
        (Settings { patience: None, ..metric(Metric::Auc) }, true, ["`stop_metric` auc", "`patience`"]),
        (metric(Metric::Rmse), true, ["`stop_metric` rmse", "logistic loss has loss, logloss, auc, accuracy"]),
        (Settings { loss: Loss::Hinge, ..metric(Metric::Logloss) }, true, ["logloss", "hinge loss has loss, auc, accuracy"]),
        (Settings { loss: Loss::Huber(Huber::DEFAULT), ..metric(Metric::Auc) }, true, ["auc", "huber loss has loss, rmse, mae"]),
    ] {
        let message = train(data, held_out.then_some(test), &settings, None).unwrap_err().to_string();
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }
    let message = train(ratings, None, &Settings { patience: Some(1), ..defaults(ratings) }, None).unwrap_err().to_string();
    assert!(message.contains("`valid` or `holdout`"), "{message}");
    // Of one class there is no area under a curve.
    let one = open(folder.path(), "one.svm", &"+1 1:1\n".repeat(20));
    let message = train(data, Some(&one), &metric(Metric::Auc), None).unwrap_err().to_string();
    assert!(message.contains("of one class"), "{message}");
}
