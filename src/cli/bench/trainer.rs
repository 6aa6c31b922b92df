//! The trainer as a user has it, through the library: seconds an epoch by threads, with private hot rows and without, and the
//! held-out loss of each way beside one thread's.
//!
//! Speed is measured on all of the data, in rounds that go through all ways (A B A B), so that what disturbs the machine disturbs
//! them alike; a way counts by the median of its epochs. Loss is that of as many epochs as `hogwild train` runs, a tenth of the data
//! held out.
use hogwild::{
    Ended, Outcome, Settings,
    data::{Packed, Ratings},
    train_factorization, train_linear,
};
use std::sync::atomic::AtomicBool;

const HELD_OUT: f64 = 0.1;
/// With fewer examples, a tenth of them may be none, and says nothing anyway.
const LEAST: u64 = 100;
/// What a run takes at least, so that starting its threads does not count.
const RUN: f64 = 0.1;

/// A way to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    pub threads: usize,
    /// Whether hot rows are private, as many as the trainer finds right.
    pub private: bool,
}

/// How long a way takes.
pub struct Speed {
    pub way: Way,
    /// Private hot rows.
    pub hot_rows: usize,
    /// An epoch's, by the median.
    pub seconds: f64,
    /// Of its middle half, from shortest to longest, as a share of the median: large on a machine that others use.
    pub spread: f64,
}

/// What a way's model is worth after the first and the last epoch.
pub struct HeldOut {
    pub way: Way,
    pub hot_rows: usize,
    pub first: f64,
    pub last: f64,
}

pub struct Trainer<'a> {
    pub name: String,
    pub data: &'a Packed,
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
        match self.data {
            Packed::Sparse(data) => data.rows() as u64,
            Packed::Ratings(data) => Ratings::len(data) as u64,
        }
    }

    /// One thread first; then several, with private rows and without. Factorization has none.
    pub fn ways(&self, threads: &[usize]) -> Vec<Way> {
        let several = threads.iter().filter(|&&threads| threads > 1);
        let of = |&threads: &usize| match self.data {
            Packed::Sparse(_) => vec![Way { threads, private: true }, Way { threads, private: false }],
            Packed::Ratings(_) => vec![Way { threads, private: false }],
        };
        std::iter::once(Way { threads: 1, private: false }).chain(several.flat_map(of)).collect()
    }

    /// The settings of a way.
    pub fn settings(&self, way: Way) -> Settings {
        let linear = matches!(self.data, Packed::Sparse(_));
        Settings { threads: way.threads, hot_rows: (linear && !way.private).then_some(0), ..self.settings.clone() }
    }

    fn train(&self, settings: &Settings) -> anyhow::Result<Outcome> {
        finished(match self.data {
            Packed::Sparse(data) => train_linear(data, None, settings, &mut (), self.stop),
            Packed::Ratings(data) => train_factorization(data, None, settings, &mut (), self.stop),
        }?)
    }

    /// Trains on one thread: finds the rate, where none is given, and warms all up.
    pub fn begin(&mut self) -> anyhow::Result<Outcome> {
        self.say("learning rate");
        let alone = self.settings(Way { threads: 1, private: false });
        let holdout = if self.examples() < LEAST { 0.0 } else { HELD_OUT };
        let outcome = self.train(&Settings { holdout, ..alone })?;
        self.settings.lr = outcome.settings.lr;
        Ok(outcome)
    }

    /// Seconds an epoch of each way, one thread's as [`begin`](Self::begin) has seen it.
    pub fn speeds(&self, ways: &[Way], begun: &Outcome) -> anyhow::Result<Vec<Speed>> {
        let epoch = median(&mut begun.epochs.iter().map(|epoch| epoch.seconds).collect::<Vec<_>>());
        let epochs = (RUN / epoch.max(1e-9)).ceil().clamp(1.0, 100.0) as usize;
        let mut found: Vec<(Vec<f64>, usize)> = vec![Default::default(); ways.len()];
        for round in 1..=self.rounds {
            for (way, (seconds, hot_rows)) in ways.iter().zip(&mut found) {
                self.say(&format!("speed, {} threads, round {round} of {}", way.threads, self.rounds));
                let outcome = self.train(&Settings { epochs, ..self.settings(*way) })?;
                seconds.extend(outcome.epochs.iter().map(|epoch| epoch.seconds));
                *hot_rows = outcome.settings.hot_rows.unwrap_or(0);
            }
        }
        let speed = |(&way, (mut all, hot_rows)): (&Way, (Vec<f64>, usize))| {
            let (seconds, n) = (median(&mut all), all.len() - 1);
            Speed { way, hot_rows, seconds, spread: (all[3 * n / 4] - all[n / 4]) / seconds }
        };
        Ok(ways.iter().zip(found).map(speed).collect())
    }

    /// Held-out losses of each way; none where the data are too few. One thread repeats itself, and is what [`begin`](Self::begin) gave.
    pub fn held_out(&self, ways: &[Way], begun: &Outcome) -> anyhow::Result<Vec<HeldOut>> {
        if self.examples() < LEAST {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for &way in ways {
            let (mut firsts, mut lasts, mut hot_rows) = (Vec::new(), Vec::new(), 0);
            let mut see = |outcome: &Outcome| {
                let mut losses = outcome.epochs.iter().filter_map(|epoch| epoch.valid.map(|valid| valid.loss));
                firsts.extend(losses.next());
                lasts.extend(losses.next_back().or(firsts.last().copied()));
                hot_rows = outcome.settings.hot_rows.unwrap_or(0);
            };
            if way.threads == 1 {
                see(begun);
            } else {
                for run in 1..=self.repeats() {
                    self.say(&format!("held-out loss, {} threads, run {run} of {}", way.threads, self.repeats()));
                    see(&self.train(&Settings { holdout: HELD_OUT, ..self.settings(way) })?);
                }
            }
            found.push(HeldOut { way, hot_rows, first: median(&mut firsts), last: median(&mut lasts) });
        }
        Ok(found)
    }

    /// How often what chance has a part in is measured.
    pub fn repeats(&self) -> usize {
        self.rounds.min(3)
    }
}

/// A run that went to its end.
pub fn finished(outcome: Outcome) -> anyhow::Result<Outcome> {
    match outcome.ended {
        Ended::Diverged(error) => Err(error.into()),
        Ended::Interrupted => Err(super::Interrupted.into()),
        _ => Ok(outcome),
    }
}

/// The middle one, or the mean of the two in the middle; NaN of none. Sorts them.
pub fn median(all: &mut [f64]) -> f64 {
    all.sort_by(f64::total_cmp);
    let n = all.len();
    if n == 0 { f64::NAN } else { (all[(n - 1) / 2] + all[n / 2]) / 2.0 }
}
