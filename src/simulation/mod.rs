//! What many workers would learn, by virtual workers: a run in which one worker goes at a time, in an order that follows from the seed.
//!
//! The run goes by the engines of training themselves, and keeps records of a sample: who read and stepped which slots when. What the
//! records say is found apart from it, by pure passes over them: how old the weights are that a score reads (`ages`), which cache lines
//! pass between cores (`lines`), which updates overlapping steps lose (`lost`). Each of them knows which slots workers hold privately, and
//! can be asked what would be if they held none.
mod ages;
mod copies;
mod lines;
mod lost;

use crate::{
    AnyData, AnyFamily, Batch, Error, Outcome, Parallel, Result, Settings, Watch, Window,
    train::{Follower, Start, run},
};
use copies::Copies;
use hogwild_base::threads;
use hogwild_kernels::engine::{Placement, Simulation, Trace};
use std::sync::atomic::AtomicBool;

/// The most virtual workers.
const MOST: usize = 1024;

/// Virtual workers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Workers {
    /// How many, at least 1: threads of one shared copy, or replicas.
    pub count: usize,
    /// Sigma of their log-normal times for an example, 0 for equal ones.
    pub spread: f64,
    /// Of replicas: how long their changes are under way to the centre, in examples of one of them.
    pub delay: u32,
}

impl Workers {
    /// # Errors
    /// Names the first setting that virtual workers can't have.
    pub fn check(&self, settings: &Settings) -> Result<()> {
        let bad = |setting: &'static str, value: String, problem: &str| Err(Error::BadSetting { setting, value, problem: problem.into() });
        let Workers { count, spread, delay } = *self;
        if !(1..=MOST).contains(&count) {
            return bad("workers", count.to_string(), "must be from 1 to 1024");
        }
        if !(0.0..=3.0).contains(&spread) {
            return bad("spread", spread.to_string(), "must be from 0 to 3; try 0.5");
        }
        let parallel = settings.way();
        if delay > 0 && parallel == Parallel::Hogwild {
            return bad("delay", delay.to_string(), "is of messages, and workers on one shared copy send none; use `parallel` mean");
        }
        if delay > 0 && parallel == Parallel::Downpour {
            return bad(
                "delay",
                delay.to_string(),
                "is of exchanges with a centre; by `parallel` downpour give `fetch_every`, or use mean",
            );
        }
        if let Some(parts) = settings.parts {
            return bad("parts", parts.to_string(), "is what `workers` says here; leave it out");
        }
        if parallel == Parallel::Partitioned && (delay > 0 || spread > 0.0) {
            let (setting, value) = if delay > 0 { ("delay", delay.to_string()) } else { ("spread", spread.to_string()) };
            return bad(setting, value, "changes nothing of what parts learn, as they wait for each other; leave it out");
        }
        if settings.parallel == Parallel::Synchronous {
            return bad("parallel", parallel.name().into(), "learns the same with any number of workers: `hogwild train` shows it");
        }
        if settings.batch != Batch::One {
            return bad("batch", settings.batch.to_string(), "is gone through by workers that wait for each other; leave it out");
        }
        Ok(())
    }
}

/// What a simulated run gave.
#[derive(Debug)]
pub struct Simulated {
    /// As of training.
    pub outcome: Outcome,
    /// Of workers of one shared copy: what they do to each other, with the slots that they hold privately.
    pub shared: Option<Shared>,
    /// The same where the same workers in the same order would hold none: the paper's Hogwild!
    pub plain: Option<Shared>,
    /// Of replicas.
    pub exchanges: Option<Exchanged>,
    /// How many times one usual worker's speed all have together, if nothing but their own work took time: less than they are where some
    /// are slow, or have nothing to do at the end of an epoch.
    pub speeds: f64,
    /// How much longer than usual the slowest takes.
    pub slowest: f64,
}

/// What workers of one shared copy do to each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shared {
    /// Slots that each worker holds privately.
    pub hot_rows: usize,
    /// Updates by others that a weight lacks when it is stepped: the mean over nonzeros, and what one of a hundred exceeds.
    pub mean_age: f64,
    /// See above.
    pub age_99: f64,
    /// The share of updates that others overwrite: of all, and of the slot that most are of.
    pub lost: f64,
    /// See above.
    pub lost_of_hottest: f64,
    /// Cache lines that pass from core to core for each nonzero: by steps and scores, and by exchanges of private slots.
    pub lines: f64,
    /// See above.
    pub exchange_lines: f64,
    /// The same of the line that passes most, by whatever.
    pub hottest_line: f64,
}

/// What replicas exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exchanged {
    /// Exchanges of all replicas in an epoch.
    pub an_epoch: f64,
    /// Slots that a replica has changed since its last exchange, by the mean.
    pub rows: f64,
    /// Bytes that name those and hold their numbers: by servers those of the messages, else four each.
    pub bytes: f64,
    /// Seconds that an exchange took here, by the mean: the one figure that is measured.
    pub seconds: f64,
}

/// Trains by virtual workers. As [`train`](crate::train) otherwise: `settings` say all but how many workers or replicas there are. The
/// result follows from settings and data to the bit.
///
/// # Errors
/// As for [`train`](crate::train); settings that virtual workers can't have.
pub fn simulate<'d>(
    family: &dyn AnyFamily,
    data: impl Into<AnyData<'d>>,
    valid: Option<AnyData<'d>>,
    settings: &Settings,
    workers: &Workers,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Simulated> {
    workers.check(settings)?;
    // Where it is left open, workers share one copy: of parts there is nothing to foretell.
    let settings = &Settings { parallel: settings.way(), ..settings.clone() };
    let (data, &Workers { count, spread, delay }) = (data.into(), workers);
    // Parts learn the same whoever works on them; those of ratings go by the data.
    let parts = match data {
        AnyData::Rows(_) if settings.parallel == Parallel::Partitioned => Some(count),
        _ => settings.parts,
    };
    let threads = if settings.parallel == Parallel::Hogwild { count } else { 1 };
    let replicas = settings.parallel.has_replicas().then_some(count);
    let search_threads = settings.search_threads.or(Some(threads::count()));
    let settings = Settings { threads, replicas, parts, search_threads, pin: false, window: Window::Off, ..settings.clone() };
    // The bias is one more.
    let numbers = data.numbers() as f64 / data.examples().max(1) as f64 + 1.0;
    let simulation = Simulation::new(count, spread, delay.into(), numbers, settings.seed);
    let ran = threads::in_call(|| run(family, data, valid, &settings, Start::Simulated(&simulation), &mut Follower::new(watch, stop)));
    let outcome = ran.map_err(of_workers)?;
    let slowest = simulation.costs().speeds.iter().copied().fold(0.0, f64::max);
    let speeds = if settings.parallel == Parallel::Partitioned { count as f64 } else { simulation.speed() };
    let mut simulated = Simulated { shared: None, plain: None, exchanges: None, speeds, slowest, outcome };
    if let Some(placement) = simulation.placement() {
        let trace = simulation.take_trace();
        let every = simulated.outcome.settings.exchange_every as usize;
        let of = |held: usize| {
            let placement = Placement { held, reuses: placement.reuses && held == placement.held, ..placement };
            shared(&trace, &simulation, placement, every)
        };
        (simulated.shared, simulated.plain) = (Some(of(placement.held)), Some(of(0)));
    }
    let exchanges = simulation.exchanges();
    if exchanges.count > 0 {
        let count = exchanges.count as f64;
        simulated.exchanges = Some(Exchanged {
            an_epoch: count / simulated.outcome.epochs.len().max(1) as f64,
            rows: exchanges.slots as f64 / count,
            bytes: exchanges.bytes as f64 / count,
            seconds: exchanges.seconds / count,
        });
    }
    Ok(simulated)
}

/// What the system refuses is told by the number that was asked for.
fn of_workers(error: Error) -> Error {
    match error {
        Error::BadSetting { setting: "threads" | "replicas", value, problem } => Error::BadSetting { setting: "workers", value, problem },
        other => other,
    }
}

/// What a trace says of workers that hold slots as told.
fn shared(trace: &Trace, simulation: &Simulation, placement: Placement, every: usize) -> Shared {
    let costs = simulation.costs();
    let copies = Copies { workers: costs.workers(), held: placement.held, every, a_line: placement.a_line };
    let (ages, lines, lost) = (ages::of(trace, &copies), lines::of(trace, &copies, &placement), lost::of(trace, costs, &placement));
    let slots = trace.slots.len().max(1) as f64;
    Shared {
        hot_rows: placement.held / placement.lines,
        mean_age: ages.mean,
        age_99: ages.of_a_hundred,
        lost: lost.all,
        lost_of_hottest: lost.hottest,
        lines: lines.passed as f64 / slots,
        exchange_lines: lines.exchanged as f64 / slots,
        hottest_line: lines.hottest as f64 / slots,
    }
}
