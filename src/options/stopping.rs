//! How long a run is, when it ends early, and which states of it are kept.
use super::{RuleFacts, Settings, option::bad};
use crate::{Metric, Result, Schedule, model::MOST_MEMBERS};
use serde_json::json;

group! { $ "Length of the run";
    /// Passes over the data; by default 8 by `model` ffm, 100 by bpr, 40 by sampled-softmax, 30 by warp and logistic-mf, 60 by cut.
    epochs: usize = 5, ratings 6 => {
        value: "EPOCHS",
        must_be: "from 1 to 1000000",
        within: |s| (1..=1_000_000).contains(&s.epochs),
    }

    /// Stop after so many epochs in a row without a better held-out metric, and keep the best epoch's model.
    patience: Option<usize> = None => {
        value: "EPOCHS",
        by_default: ["run all epochs", "run all epochs"],
        must_be: "from 1 to 1000000 epochs",
        within: |s| s.patience.is_none_or(|epochs| (1..=1_000_000).contains(&epochs)),
    }

    /// By how much the metric is to get better for `patience`.
    min_delta: f64 = 0.0 => { value: "X", must_be: "from 0 to 1e30; try 1e-4", within: |s| (0.0..=1e30).contains(&s.min_delta), }

    /// The held-out metric that `patience` goes by.
    stop_metric: Option<Metric> = None => {
        value: "METRIC",
        by_default: ["loss", "loss"],
        logged: Some(|s| json!(s.patience.map(|_| s.stop_metric.unwrap_or(Metric::Loss).name()))),
    }

    /// Cut the run into so many cosine cycles and keep the model at the end of each: an ensemble in one file.
    snapshots: Option<usize> = None => {
        value: "M",
        by_default: ["one model", "one model"],
        must_be: "from 2 to 1000; try 5",
        within: |s| s.snapshots.is_none_or(|snapshots| (2..=MOST_MEMBERS).contains(&snapshots)),
    }
}

fn check(s: &Settings, rule: &RuleFacts<'_>) -> Result<()> {
    if let Some(metric) =
        s.stop_metric.filter(|metric| !metric.is_of(s.loss) && !metric.is_of_classes() && !metric.is_of_ranking() && !metric.is_of_cuts())
    {
        let has: Vec<_> = s.loss.metrics().iter().map(|metric| metric.name()).collect();
        return bad("stop_metric", metric.name(), format!("the {} loss has {}", s.loss.name(), has.join(", ")));
    }
    let problem = "says when a run is to stop early; give `patience` too, or leave it out";
    match (s.patience, s.stop_metric) {
        (None, Some(metric)) => return bad("stop_metric", metric.name(), problem),
        (None, None) if s.min_delta > 0.0 => return bad("min_delta", s.min_delta, problem),
        _ => {}
    }
    check_snapshots(s, rule)
}

fn check_snapshots(s: &Settings, rule: &RuleFacts<'_>) -> Result<()> {
    let Some(snapshots) = s.snapshots else { return Ok(()) };
    let own = Schedule::CosineCycles { cycles: snapshots as f32 };
    let problem = if snapshots > s.epochs {
        format!("each is the end of a cycle of at least one epoch, and there are {} epochs; give more `epochs`", s.epochs)
    } else if s.patience.is_some() {
        "runs all its cycles, so it cannot be used together with `patience`; give one of the two".into()
    } else if s.transforms.average.is_some() {
        "keeps the ends of cycles, which an average would run through; leave `average` out".into()
    } else if !rule.takes_schedules {
        format!("goes by a schedule, which `rule` {} does not take; give another rule", rule.name)
    } else if s.schedule != own {
        format!("goes by the schedule {own}, so it cannot be used together with {}; leave `schedule` out", s.schedule)
    } else {
        return Ok(());
    };
    bad("snapshots", snapshots, problem)
}
