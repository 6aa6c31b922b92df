//! The runs: one worker as `train` has it, and so many virtual ones; and what was found of each.
use super::{SimulateArgs, Watching, finished, machine::Machine, roofline::Roofline, train};
use crate::cli::{bench::limit::Work, interrupt::Interrupted};
use hogwild::{AnyData, AnyFamily, Ended, Exchanged, Outcome, Parallel, Settings, Shared, Simulated, Threads, data::Data, simulate};
use indicatif::ProgressBar;
use std::{sync::atomic::AtomicBool, time::Instant};

/// What all runs have.
pub struct Run<'a> {
    pub args: &'a SimulateArgs,
    pub family: &'static dyn AnyFamily,
    pub data: &'a Data,
    pub valid: Option<&'a Data>,
    pub bar: &'a ProgressBar,
    pub stop: &'a AtomicBool,
}

/// What was found of so many workers.
pub struct Found {
    pub workers: usize,
    pub outcome: Outcome,
    /// Why there are fewer epochs than asked for.
    pub diverged: bool,
    /// Of the simulation, or of one worker's training.
    pub seconds: f64,
    /// Of virtual workers.
    pub shared: Option<Shared>,
    pub plain: Option<Shared>,
    pub exchanges: Option<Exchanged>,
    pub slowest: f64,
    /// None: this machine has one core, and nobody said how fast another hands lines over.
    pub roofline: Option<Roofline>,
}

impl Run<'_> {
    /// Says what is being done.
    pub fn tell(&self, what: &str) {
        self.bar.set_message(what.to_string());
        self.bar.tick();
    }

    fn watching(&self, what: String, settings: &Settings) -> Watching<'_> {
        Watching { bar: self.bar, what, epochs: settings.epochs, stop: self.stop }
    }

    /// One worker trains.
    pub fn alone(&self, settings: &Settings) -> anyhow::Result<Outcome> {
        let of_all = Settings { search_threads: Some(Threads::all().count()), threads: 1, ..settings.clone() };
        // What is said of a way is not said of one worker.
        let settings = match settings.parallel {
            Parallel::Auto | Parallel::Hogwild => Settings { parallel: Parallel::Hogwild, ..of_all },
            _ => Settings {
                parallel: Parallel::Hogwild,
                elasticity: None,
                exchange_every: None,
                parts: None,
                in_flight: None,
                servers: None,
                push_every: None,
                fetch_every: None,
                warm_start_examples: 0,
                ..of_all
            },
        };
        let mut watch = self.watching("one worker".into(), &settings);
        finished(train(self.family, self.data, self.valid.map(AnyData::from), &settings, &mut watch, self.stop)?)
    }

    /// So many virtual workers train.
    pub fn virtually(&self, settings: &Settings, count: usize, alone: &Found, machine: &Machine, work: &Work) -> anyhow::Result<Found> {
        let (began, workers) = (Instant::now(), self.args.virtual_workers(count));
        let mut watch = self.watching(format!("{count} virtual workers"), settings);
        let valid = self.valid.map(AnyData::from);
        let Simulated { outcome, shared, plain, exchanges, speeds, slowest } =
            simulate(self.family, self.data, valid, settings, &workers, &mut watch, self.stop)?;
        let diverged = match outcome.ended {
            Ended::Interrupted => return Err(Interrupted("").into()),
            Ended::DataLost(error) => return Err(error.into()),
            Ended::Diverged(_) => true,
            _ => false,
        };
        let outcome = Outcome { ended: Ended::Finished, ..outcome };
        let seconds = began.elapsed().as_secs_f64();
        let numbers = alone.outcome.epochs.first().map_or(1, |epoch| epoch.nonzeros) as f64;
        let exchanged = exchanges.map(|exchanges| 1e9 * exchanges.seconds * exchanges.an_epoch / numbers);
        // What parts wait for each other's messages is not known.
        let is_known = settings.parallel != Parallel::Partitioned;
        let roofline =
            if is_known { Roofline::new(machine, work, alone.nanoseconds(), count, speeds, shared.as_ref(), exchanged) } else { None };
        Ok(Found { workers: count, outcome, diverged, seconds, shared, plain, exchanges, slowest, roofline })
    }
}

impl Found {
    /// Whether a graph was cut, which is judged by itself.
    pub fn is_of_graph(&self) -> bool {
        self.outcome.valid().is_some_and(|valid| valid.cut.is_some())
    }

    pub fn alone(outcome: Outcome, machine: &Machine, work: &Work) -> Found {
        let seconds = outcome.epochs.iter().map(|epoch| epoch.seconds).sum();
        let nothing = Found {
            workers: 1,
            outcome,
            diverged: false,
            seconds,
            shared: None,
            plain: None,
            exchanges: None,
            slowest: 1.0,
            roofline: None,
        };
        let roofline = Roofline::new(machine, work, nothing.nanoseconds(), 1, 1.0, None, None);
        Found { roofline, ..nothing }
    }

    /// What an epoch takes for a nonzero, at best.
    pub fn nanoseconds(&self) -> f64 {
        let epochs = self.outcome.epochs.iter().map(|epoch| 1e9 * epoch.seconds / epoch.nonzeros.max(1) as f64);
        epochs.fold(f64::INFINITY, f64::min)
    }

    /// Held-out loss after each epoch.
    pub fn losses(&self) -> Vec<f64> {
        self.outcome.epochs.iter().filter_map(|epoch| epoch.valid.map(|valid| valid.loss)).collect()
    }

    /// The least of them.
    pub fn best(&self) -> f64 {
        self.losses().into_iter().fold(f64::INFINITY, f64::min)
    }
}
