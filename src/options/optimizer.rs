//! How gradients move weights: the update rule, its learning rate, and how many examples a step goes by.
use super::{RuleFacts, Settings, option::bad};
use crate::{Batch, Result, Rule, Schedule};

group! { $ "Update rule and learning rate";
    /// How gradients move weights: the update rule.
    rule: Rule = Rule::Adagrad(Adagrad::DEFAULT), ratings Rule::AdagradRowwise(AdagradRowwise::DEFAULT) => {
        value: "NAME",
        is_logged: false,
    }

    /// Learning rate. auto: some 15 rates try the run on a sample of the training data, in about a fifth of its time, of ratings up to half
    /// (small data: a tenth of a second or two); with synchronous batches it is the rule's default. A run that diverges at a rate so found, or loses
    /// more than a constant prediction, starts again at a third.
    lr: Option<f32> = None => {
        value: "auto|RATE",
        by_default: ["auto", "auto"],
        must_be: "a number above 0; try 0.1",
        within: |s| s.lr.is_none_or(|lr| lr > 0.0 && lr.is_finite()),
    }

    /// How the learning rate goes over the run: a name, or name:setting=value,...
    // Of ratings: ml10m, rank 32, has RMSE .8359 at best; at a constant rate .8360 at best, and rising after epoch 4.
    schedule: Schedule = Schedule::Constant, ratings Schedule::Linear => { value: "NAME", details: Some(schedules), }

    /// Examples a step: 1 is Hogwild!; N or full steps by the mean gradient of N or of all examples, with the same bits on any number of
    /// threads. By `parallel` partitioned every example still steps, and N are scored together. With `parallel` partitioned each example still is a step, and N of them are scored before they step.
    batch: Batch = Batch::One => {
        value: "N|full",
        must_be: "a number of examples, at least 1, or full; try 64",
        within: |s| s.batch != Batch::Size(0),
    }

    /// Multiply the batch by this after every epoch, up to all examples, in place of a falling rate.
    batch_growth: f64 = 1.0 => {
        value: "FACTOR",
        must_be: "from 1 to 1e6; try 2",
        within: |s| (1.0..=1e6).contains(&s.batch_growth),
    }
}

/// Every schedule as it may be written, with the defaults of its settings.
fn schedules() -> String {
    Schedule::ALL.map(|schedule| format!("  {schedule}")).join("\n")
}

fn check(s: &Settings, rule: &RuleFacts<'_>) -> Result<()> {
    if let Schedule::CosineCycles { cycles } = s.schedule
        && cycles.fract() != 0.0
    {
        return bad("schedule", s.schedule, "has cycles, which are to be a whole number");
    }
    // With snapshots, the reason is one of theirs.
    if s.schedule != Schedule::Constant && !rule.takes_schedules && s.snapshots.is_none() {
        return bad("schedule", s.schedule, format!("does not go with `rule` {}, whose weights follow from sums at one rate", rule.name));
    }
    if s.batch_growth != 1.0 && !matches!(s.batch, Batch::Size(_)) {
        let problem = "goes with batches of a size that can grow; give `batch` a number above 1, or leave it out";
        return bad("batch_growth", s.batch_growth, problem);
    }
    Ok(())
}

impl Settings {
    /// Chooses the schedule where none is given: that of snapshots, or one that the rule takes.
    pub fn choose_schedule(&mut self) {
        if !self.rule.takes_schedules() {
            self.schedule = Schedule::Constant;
        } else if let Some(snapshots) = self.snapshots {
            self.schedule = Schedule::CosineCycles { cycles: snapshots as f32 };
        }
    }
}
