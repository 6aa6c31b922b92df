//! What a run is told: all settings with their ranges, checked in one place before any work.
use super::Window;
use crate::{
    Aids, Batch, Error, InstructionSet, Loss, Metric, Normalize, Order, Result, Rule, Schedule, Threads,
    rules::{Adagrad, AdagradRowwise},
};
use hogwild_kernels::engine::Facts;

/// The most models of one file.
pub(crate) const MOST_SNAPSHOTS: usize = 1000;

/// Settings of a training run; `Default` is sensible for linear models, [`Settings::for_ratings`] for factorization.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is minimised.
    pub loss: Loss,
    /// Which of the two labels is +1 to a loss of two classes; of sparse rows. None: the larger.
    pub positive: Option<f32>,
    /// How gradients move weights.
    pub rule: Rule,
    /// Learning rate, above 0. None: chosen by a race of rates that rehearse the run on a sample of the training data, in about a fifth of its
    /// time (and told by [`Watch::race`](crate::Watch::race)); by batches, the rule's default. A run that goes astray at such a rate starts again at a third.
    pub lr: Option<f32>,
    /// What multiplies it in the course of the run.
    pub schedule: Schedule,
    /// Lambda of L2, 0 or more: of `lambda/2 |w|^2` beside the mean loss (linear), per rating (factorization).
    pub l2: f64,
    /// Clipping, noise, L1, averaging.
    pub aids: Aids,
    /// How features are scaled; linear models only. L1 and L2 are of the weights of scaled features.
    pub normalize: Normalize,
    /// In what order examples are visited.
    pub order: Order,
    /// With [`Order::Curriculum`]: after what share of the run, 0 to 1, all examples are admitted; at 1, in the last epoch. None: 0.5.
    pub pace: Option<f32>,
    /// Passes over the data, at least 1.
    pub epochs: usize,
    /// Examples a step. By batches a run gives the same bits on any number of threads.
    pub batch: Batch,
    /// What [`Batch::Size`] is multiplied by after every epoch (rounded, up to all examples), 1 to 1e6.
    pub batch_growth: f64,
    /// Workers, at least 1; all else in a run has as many threads. One is the calling thread.
    pub threads: usize,
    /// Threads of the race of learning rates, at least 1, which finds the same on any number. None: as many as workers.
    pub racers: Option<usize>,
    /// Order, factors' start and held-out rows follow from it.
    pub seed: u64,
    /// Factors a row, 1 to 4096.
    pub rank: usize,
    /// Most frequent rows that each worker holds privately; 0 is plain Hogwild!. None: on several threads those that more than one of
    /// 1,024 examples has, up to 32,768 numbers of weights and state; 0 on one thread and by batches.
    pub hot_rows: Option<usize>,
    /// Examples between two exchanges of the hottest private rows (others every 4th or 16th time), at least 1. None: 64 to 1,024, the more
    /// the more private rows there are to the nonzeros of an example; 4,096 ratings.
    pub exchange_every: Option<u32>,
    /// Whether each worker is pinned to a core, where there are as many workers as cores, and more than one. For a process that has the
    /// machine to itself.
    pub pin: bool,
    /// Share of examples kept out of training and evaluated after every epoch, 0 to 0.9.
    pub holdout: f64,
    /// Early stopping: the run ends after so many epochs in a row, at least 1, without a better held-out metric, and the best epoch's model
    /// is kept. None: every epoch is run, and the last one's model kept.
    pub patience: Option<usize>,
    /// By how much the metric is to get better for an epoch to count, 0 or more.
    pub min_delta: f64,
    /// What is to get better. None: the held-out loss.
    pub stop_metric: Option<Metric>,
    /// A snapshot ensemble: the run is as many cosine cycles, 2 to 1000 and no more than epochs, and the models at their ends are kept as
    /// one. Goes with [`Schedule::CosineCycles`] of as many cycles, and without early stopping. None: one model.
    pub snapshots: Option<usize>,
    /// Whether labels of squared and Huber loss are standardised while they are learnt, and scores start at the constant that loses least; models
    /// are in the labels' unit all the same. Rates, clipping and noise are then of standardised labels, and so is the L2 of factors. Without, labels are
    /// learnt as they are, from a score of 0.
    pub standardize: bool,
    /// How much of the training data is in memory at a time.
    pub window: Window,
    /// None: the best one here, see [`InstructionSet::detect`].
    pub isa: Option<InstructionSet>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            loss: Loss::Logistic,
            positive: None,
            rule: Rule::Adagrad(Adagrad::DEFAULT),
            lr: None,
            schedule: Schedule::Constant,
            l2: 0.0,
            aids: Aids::default(),
            normalize: Normalize::Auto,
            order: Order::Shuffle,
            pace: None,
            epochs: 5,
            batch: Batch::One,
            batch_growth: 1.0,
            threads: Threads::all().count(),
            racers: None,
            seed: 0,
            rank: 32,
            hot_rows: None,
            exchange_every: None,
            pin: false,
            holdout: 0.0,
            patience: None,
            min_delta: 0.0,
            stop_metric: None,
            snapshots: None,
            standardize: true,
            window: Window::Auto,
            isa: None,
        }
    }
}

impl Settings {
    /// The default of `pace`.
    pub(crate) const PACE: f32 = 0.5;

    /// The defaults for matrix factorization: squared loss, row-wise Adagrad, l2 0.02, 6 epochs, a rate that
    /// goes to 0 linearly (ml10m, rank 32: RMSE .8359 at best; at a constant rate .8360 at best, and rising after epoch 4).
    pub fn for_ratings() -> Settings {
        Settings {
            loss: Loss::Squared,
            rule: Rule::AdagradRowwise(AdagradRowwise::DEFAULT),
            l2: 0.02,
            epochs: 6,
            schedule: Schedule::Linear,
            ..Settings::default()
        }
    }

    /// # Errors
    /// The first setting that is out of its range, or does not go with the rule.
    pub fn check(&self) -> Result<()> {
        self.check_for(self.rule.name(), self.rule.takes_l1(), self.rule.takes_schedules())
    }

    /// The same for a rule that may be the user's own.
    pub(crate) fn check_with(&self, facts: &Facts, name: &str) -> Result<()> {
        self.check_for(name, facts.proximal, facts.schedules)
    }

    fn check_for(&self, name: &str, takes_l1: bool, takes_schedules: bool) -> Result<()> {
        let bad = |setting, value: String, problem: &str| Err(Error::BadSetting { setting, value, problem: problem.into() });
        if let Some(lr) = self.lr.filter(|lr| !(*lr > 0.0 && lr.is_finite())) {
            return bad("--lr", lr.to_string(), "must be a number above 0; try 0.1");
        }
        if let Some(positive) = self.positive.filter(|label| !self.loss.is_classification() || !label.is_finite()) {
            let problem = format!("is a label, and of a loss of two classes such as logistic; the {} loss takes numbers", self.loss.name());
            let problem = if positive.is_finite() { problem.as_str() } else { "must be one of the labels, a finite number" };
            return bad("--positive", positive.to_string(), problem);
        }
        if !(0.0..=1e30).contains(&self.l2) {
            return bad("--l2", self.l2.to_string(), "must be from 0 to 1e30; try 1e-5");
        }
        self.aids.check()?;
        if self.aids.l1 > 0.0 && !takes_l1 {
            let others: Vec<_> = Rule::ALL.iter().filter(|rule| rule.takes_l1()).map(|rule| rule.name()).collect();
            let problem = format!("does not go with --rule {name}, but with {}; ftrl has --ftrl-l1", others.join(", "));
            return bad("--l1", self.aids.l1.to_string(), &problem);
        }
        if let Some(average) = self.aids.average.filter(|_| !takes_schedules) {
            let problem = format!("does not go with --rule {name}, whose weights follow from sums; leave it out");
            return bad("--average", average.to_string(), &problem);
        }
        if self.order == Order::Curriculum && self.epochs < 2 {
            return bad("--epochs", self.epochs.to_string(), "must be at least 2 for --order curriculum, which grows from epoch to epoch");
        }
        if let Schedule::CosineCycles { cycles } = self.schedule
            && cycles.fract() != 0.0
        {
            return bad("--schedule", self.schedule.to_string(), "has cycles, which are to be a whole number");
        }
        if let Some(pace) = self.pace.filter(|pace| self.order != Order::Curriculum || !(0.0..=1.0).contains(pace)) {
            let problem =
                if self.order == Order::Curriculum { "must be from 0 to 1; try 0.5" } else { "is of --order curriculum; give both" };
            return bad("--pace", pace.to_string(), problem);
        }
        if self.normalize == Normalize::Online && self.batch != Batch::One {
            return bad("--normalize", "online".into(), "grows its scales from example to example; with --batch use max-abs or std");
        }
        if self.epochs == 0 || self.epochs > 1_000_000 {
            return bad("--epochs", self.epochs.to_string(), "must be from 1 to 1000000");
        }
        if self.threads == 0 || self.threads > 1024 {
            return bad("--threads", self.threads.to_string(), "must be from 1 to 1024");
        }
        if let Some(racers) = self.racers.filter(|racers| !(1..=1024).contains(racers)) {
            return bad("--threads", racers.to_string(), "must be from 1 to 1024");
        }
        if self.rank == 0 || self.rank > 4096 {
            return bad("--rank", self.rank.to_string(), "must be from 1 to 4096; try 32");
        }
        if self.batch == Batch::Size(0) {
            return bad("--batch", "0".into(), "must be a number of examples, at least 1, or full; try 64");
        }
        if !(1.0..=1e6).contains(&self.batch_growth) {
            return bad("--batch-growth", self.batch_growth.to_string(), "must be from 1 to 1e6; try 2");
        }
        if self.batch_growth != 1.0 && !matches!(self.batch, Batch::Size(_)) {
            let value = self.batch_growth.to_string();
            return bad(
                "--batch-growth",
                value,
                "goes with batches of a size that can grow; give --batch a number above 1, or leave it out",
            );
        }
        if let (Some(1..), true) = (self.hot_rows, self.batch != Batch::One) {
            let value = self.hot_rows.unwrap_or(0).to_string();
            return bad("--hot-rows", value, "is of Hogwild! workers, and by batches no row is private; leave it out, or use --batch 1");
        }
        if self.exchange_every == Some(0) {
            return bad("--exchange-every", "0".into(), "must be at least 1; try 256");
        }
        if let Window::Bytes(..Window::LEAST) = self.window {
            return bad("--window", self.window.to_string(), "must be at least 4M; try auto");
        }
        self.check_stopping()?;
        self.check_snapshots(takes_schedules, name)?;
        if self.schedule != Schedule::Constant && !takes_schedules {
            let problem = format!("does not go with --rule {name}, whose weights follow from sums at one rate");
            return bad("--schedule", self.schedule.to_string(), &problem);
        }
        if !(0.0..=0.9).contains(&self.holdout) {
            return bad("--holdout", self.holdout.to_string(), "must be from 0 to 0.9; try 0.1");
        }
        Ok(())
    }

    fn check_stopping(&self) -> Result<()> {
        let bad = |setting, value: String, problem: String| Err(Error::BadSetting { setting, value, problem });
        if let Some(patience) = self.patience.filter(|patience| !(1..=1_000_000).contains(patience)) {
            return bad("--patience", patience.to_string(), "must be from 1 to 1000000 epochs".into());
        }
        if !(0.0..=1e30).contains(&self.min_delta) {
            return bad("--min-delta", self.min_delta.to_string(), "must be from 0 to 1e30; try 1e-4".into());
        }
        if let Some(metric) = self.stop_metric.filter(|metric| !metric.is_of(self.loss)) {
            let has: Vec<_> = Metric::ALL.into_iter().filter(|metric| metric.is_of(self.loss)).map(Metric::name).collect();
            return bad("--stop-metric", metric.name().into(), format!("the {} loss has {}", self.loss.name(), has.join(", ")));
        }
        let problem = || "says when a run is to stop early; give --patience too, or leave it out".to_string();
        match (self.patience, self.stop_metric) {
            (None, Some(metric)) => bad("--stop-metric", metric.name().into(), problem()),
            (None, None) if self.min_delta > 0.0 => bad("--min-delta", self.min_delta.to_string(), problem()),
            _ => Ok(()),
        }
    }

    fn check_snapshots(&self, takes_schedules: bool, rule: &str) -> Result<()> {
        let Some(snapshots) = self.snapshots else { return Ok(()) };
        let own = Schedule::CosineCycles { cycles: snapshots as f32 };
        let problem = if !(2..=MOST_SNAPSHOTS).contains(&snapshots) {
            format!("must be from 2 to {MOST_SNAPSHOTS}; try 5")
        } else if snapshots > self.epochs {
            format!("each is the end of a cycle of at least one epoch, and there are {} epochs; give more --epochs", self.epochs)
        } else if self.patience.is_some() {
            "runs all its cycles, so it cannot be used together with --patience; give one of the two".into()
        } else if self.aids.average.is_some() {
            "keeps the ends of cycles, which an average would run through; leave --average out".into()
        } else if !takes_schedules {
            format!("goes by a schedule, which --rule {rule} does not take; give another rule")
        } else if self.schedule != own {
            format!("goes by the schedule {own}, so it cannot be used together with {}; leave --schedule out", self.schedule)
        } else {
            return Ok(());
        };
        Err(Error::BadSetting { setting: "--snapshots", value: snapshots.to_string(), problem })
    }

    /// Examples a block.
    pub(crate) fn block(&self) -> u32 {
        self.exchange_every.unwrap_or(256)
    }

    /// Workers that share parameters: by batches one hand steps them.
    pub(crate) fn workers(&self) -> usize {
        if self.batch == Batch::One { self.threads } else { 1 }
    }

    /// The threads that a run is given: those of its workers, or of its race.
    pub(super) fn all_threads(&self) -> usize {
        self.threads.max(self.racers.unwrap_or(1))
    }

    pub(crate) fn instruction_set(&self) -> Result<InstructionSet> {
        self.isa.map_or_else(InstructionSet::detect, Ok)
    }

    /// All settings by name, for the log and the model file.
    pub fn describe(&self) -> serde_json::Value {
        self.describe_with(self.rule.name())
    }

    /// The same where the rule has another name, because it is the user's own.
    pub(crate) fn describe_with(&self, rule: &str) -> serde_json::Value {
        let known = (rule == self.rule.name()).then(|| self.rule.to_string());
        let rule_settings = known.as_ref().and_then(|text| text.split_once(':')).map(|(_, settings)| settings);
        serde_json::json!({
            "loss": self.loss.name(), "positive": self.positive, "rule": rule, "rule_settings": rule_settings, "lr": self.lr, "schedule": self.schedule.to_string(), "l2": self.l2, "epochs": self.epochs,
            "normalize": self.normalize.name(), "order": self.order.name(), "pace": self.pace, "batch": self.batch.to_string(), "batch_growth": self.batch_growth,
            "threads": self.threads, "seed": self.seed, "rank": self.rank, "hot_rows": self.hot_rows,
            "exchange_every": self.exchange_every, "clip_value": self.aids.clip_value, "clip_norm": self.aids.clip_norm,
            "noise": self.aids.noise, "noise_decay": self.aids.noise_decay, "l1": self.aids.l1, "average": self.aids.average, "pin": self.pin, "holdout": self.holdout,
            "patience": self.patience, "min_delta": self.min_delta,
            "stop_metric": self.patience.map(|_| self.stop_metric.unwrap_or(Metric::Loss).name()), "snapshots": self.snapshots, "standardize": self.standardize, "window": self.window.to_string(),
        })
    }
}
