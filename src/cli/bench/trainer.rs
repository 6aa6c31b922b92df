//! The trainer as a user has it, through the library: seconds an epoch by threads, with hot rows and without, and the
//! held-out loss of each variant beside one thread's.
//!
//! Speed is measured on all of the data, in rounds that go through all variants (A B A B), so that what disturbs the machine disturbs
//! them alike; a variant counts by the median of its epochs. Loss is that of as many epochs as `hogwild train` runs, a tenth of the data
//! held out.
use hogwild::{
    AnyData, AnyFamily, Ended, Outcome, Settings,
    data::{Data, Kind},
    train,
};
use std::sync::atomic::AtomicBool;

const HELD_OUT: f64 = 0.1;
/// With fewer examples, a tenth of them may be none, and says nothing anyway.
const LEAST: u64 = 100;
/// What a run takes at least, so that starting its threads does not count.
const RUN: f64 = 0.1;

/// What is measured beside one another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variant {
    pub threads: usize,
    /// Whether each worker copies hot rows, as many as the trainer finds right.
    pub hot: bool,
}

/// How long a variant takes.
pub struct Timing {
    pub variant: Variant,
    /// Parameter rows that each worker copies.
    pub hot_rows: usize,
    /// An epoch's, by the median.
    pub seconds: f64,
    /// Of its middle half, from shortest to longest, as a share of the median: large on a machine that others use.
    pub spread: f64,
}

/// What a variant's model is worth after the first and the last epoch.
pub struct HeldOut {
    pub variant: Variant,
    pub hot_rows: usize,
    pub first: f64,
    pub last: f64,
}

pub struct Trainer<'a> {
    pub name: String,
    pub data: &'a Data,
    pub family: &'static dyn AnyFamily,
    /// Without threads and hot rows; the rate is known after [`begin`](Self::begin).
    pub settings: Settings,
    pub rounds: usize,
    /// Is told what is being measured.
    pub tell: &'a dyn Fn(&str),
    pub stop: &'a AtomicBool,
}

impl Trainer<'_> {
    /// Tells what is being measured.
    pub fn say(&self, what: &str) {
        (self.tell)(&format!("{}: {what}", self.name));
    }

    pub fn examples(&self) -> u64 {
        AnyData::from(self.data).examples()
    }

    /// One thread first; then several, with hot rows and without. Factorization has none.
    pub fn variants(&self, threads: &[usize]) -> Vec<Variant> {
        let several = threads.iter().filter(|&&threads| threads > 1);
        let of = |&threads: &usize| match self.data {
            Data::Rows(_) => vec![Variant { threads, hot: true }, Variant { threads, hot: false }],
            Data::Ratings(_) => vec![Variant { threads, hot: false }],
        };
        std::iter::once(Variant { threads: 1, hot: false }).chain(several.flat_map(of)).collect()
    }

    /// The settings of a variant.
    pub fn settings(&self, variant: Variant) -> Settings {
        let linear = AnyData::from(self.data).kind() == Kind::Sparse;
        Settings { threads: variant.threads, hot_rows: (linear && !variant.hot).then_some(0), ..self.settings.clone() }
    }

    fn train(&self, settings: &Settings) -> anyhow::Result<Outcome> {
        finished(train(self.family, self.data, None, settings, &mut (), self.stop)?)
    }

    /// Trains on one thread: finds the rate, where none is given, and warms all up.
    pub fn begin(&mut self) -> anyhow::Result<Outcome> {
        self.say("learning rate");
        let alone = self.settings(Variant { threads: 1, hot: false });
        let holdout = if self.examples() < LEAST || self.family.cuts() { 0.0 } else { HELD_OUT };
        let outcome = self.train(&Settings { holdout, ..alone })?;
        self.settings.lr = Some(outcome.settings.lr);
        Ok(outcome)
    }

    /// Seconds an epoch of each variant, one thread's as [`begin`](Self::begin) has seen it.
    pub fn timings(&self, variants: &[Variant], begun: &Outcome) -> anyhow::Result<Vec<Timing>> {
        let epochs = long_enough(begun);
        let mut found: Vec<(Vec<f64>, usize)> = vec![Default::default(); variants.len()];
        for round in 1..=self.rounds {
            for (variant, (seconds, hot_rows)) in variants.iter().zip(&mut found) {
                self.say(&format!("speed, {} threads, round {round} of {}", variant.threads, self.rounds));
                let outcome = self.train(&Settings { epochs, ..self.settings(*variant) })?;
                seconds.extend(outcome.epochs.iter().map(|epoch| epoch.seconds));
                *hot_rows = outcome.settings.hot_rows;
            }
        }
        let timing = |(&variant, (mut all, hot_rows)): (&Variant, (Vec<f64>, usize))| {
            let (seconds, n) = (median(&mut all), all.len() - 1);
            Timing { variant, hot_rows, seconds, spread: (all[3 * n / 4] - all[n / 4]) / seconds }
        };
        Ok(variants.iter().zip(found).map(timing).collect())
    }

    /// Held-out losses of each variant; none where the data are too few, and of cuts, which hold nothing out. One thread repeats itself, and is what [`begin`](Self::begin)
    /// gave.
    pub fn held_out(&self, variants: &[Variant], begun: &Outcome) -> anyhow::Result<Vec<HeldOut>> {
        if self.examples() < LEAST || self.family.cuts() {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for &variant in variants {
            let (mut firsts, mut lasts, mut hot_rows) = (Vec::new(), Vec::new(), 0);
            let mut see = |outcome: &Outcome| {
                let mut losses = outcome.epochs.iter().filter_map(|epoch| epoch.valid.map(|valid| valid.loss));
                firsts.extend(losses.next());
                lasts.extend(losses.next_back().or(firsts.last().copied()));
                hot_rows = outcome.settings.hot_rows;
            };
            if variant.threads == 1 {
                see(begun);
            } else {
                for run in 1..=self.repeats() {
                    self.say(&format!("held-out loss, {} threads, run {run} of {}", variant.threads, self.repeats()));
                    see(&self.train(&Settings { holdout: HELD_OUT, ..self.settings(variant) })?);
                }
            }
            found.push(HeldOut { variant, hot_rows, first: median(&mut firsts), last: median(&mut lasts) });
        }
        Ok(found)
    }

    /// How often held-out loss, which chance has a part in, is measured.
    fn repeats(&self) -> usize {
        self.rounds.min(3)
    }
}

/// As many epochs as make a run long enough.
pub fn long_enough(begun: &Outcome) -> usize {
    let epoch = median(&mut begun.epochs.iter().map(|epoch| epoch.seconds).collect::<Vec<_>>());
    (RUN / epoch.max(1e-9)).ceil().clamp(1.0, 1000.0) as usize
}

/// A run that went to its end.
pub fn finished(outcome: Outcome) -> anyhow::Result<Outcome> {
    match outcome.ended {
        Ended::Diverged(error) | Ended::DataLost(error) => Err(error.into()),
        Ended::Interrupted => Err(super::Interrupted("").into()),
        _ => Ok(outcome),
    }
}

/// The middle one, or the mean of the two in the middle; NaN of none. Sorts them.
pub fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    let n = all.len();
    if n == 0 { f64::NAN } else { (all[(n - 1) / 2] + all[n / 2]) / 2.0 }
}
