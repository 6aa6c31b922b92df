//! A simulated run: how long its virtual workers take, and what is recorded of them.
//!
//! Time is virtual and counted in numbers (nonzeros, or the two rows of a rating): a worker of speed 1 takes one unit for each. Workers of
//! one shared copy go by the [baton](super::baton), replicas by the clock of `replicas`. What is made of the records is no business of the
//! engines: they keep a [trace](super::trace) of one shared copy, and counts of what replicas exchange.
use super::{baton::Baton, trace::Trace};
use crate::{params::Parameters, seeds::Stream, simd::LANES};
use rand::RngExt;
use std::{
    ops::Add,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Units of the clock for a number.
const UNITS: f64 = 1024.0;

/// A run by virtual workers, one of which goes at a time.
pub struct Simulation {
    costs: Costs,
    baton: Baton,
    exchanges: Mutex<Exchanges>,
    placement: OnceLock<Placement>,
}

impl Simulation {
    /// `workers`: how many, at least 1; `spread`: sigma of their log-normal times, 0 for equal ones; `delay`: examples that a message takes;
    /// `numbers`: what a mean example has.
    pub fn new(workers: usize, spread: f64, delay: f64, numbers: f64, seed: u64) -> Simulation {
        let mut random = Stream::Speeds.random(seed);
        let speeds: Vec<f64> = (0..workers).map(|_| (spread * normal(&mut random)).exp()).collect();
        let costs = Costs { speeds, numbers, delay: (delay * numbers * UNITS) as u64 };
        Simulation { baton: Baton::new(costs.clone(), seed), costs, exchanges: Mutex::default(), placement: OnceLock::new() }
    }

    /// By what workers of one shared copy go.
    pub(super) fn baton(&self, parameters: &Parameters) -> &Baton {
        self.placement.get_or_init(|| Placement::of(parameters));
        &self.baton
    }

    /// How slots lie; known when workers of one shared copy have begun.
    pub fn placement(&self) -> Option<Placement> {
        self.placement.get().copied()
    }

    /// What workers take.
    pub fn costs(&self) -> &Costs {
        &self.costs
    }

    /// The visits so far, which are recorded anew from now on.
    pub fn take_trace(&self) -> Trace {
        self.baton.take_trace()
    }

    /// How many times one usual worker's speed all have together, if nothing but their own work takes time: less than they are where some
    /// are slow, or have nothing to do at the end of an epoch.
    pub fn speed(&self) -> f64 {
        let (of_replicas, [time, work]) = (self.exchanges(), self.baton.clock());
        (work + of_replicas.work) as f64 / (time + of_replicas.time).max(1) as f64
    }

    /// The exchanges of replicas so far.
    pub fn exchanges(&self) -> Exchanges {
        *self.lock()
    }

    /// Counts exchanges of replicas.
    pub(super) fn count(&self, more: Exchanges) {
        let mut all = self.lock();
        *all = *all + more;
    }

    /// Whether messages are under way for some time.
    pub fn is_late(&self) -> bool {
        self.costs.delay > 0
    }

    fn lock(&self) -> MutexGuard<'_, Exchanges> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number of the standard normal distribution (Box & Muller 1958).
fn normal(random: &mut impl RngExt) -> f64 {
    let [a, b]: [f64; 2] = [1.0 - random.random::<f64>(), random.random()];
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

/// How long things take.
#[derive(Clone)]
pub struct Costs {
    /// By worker: how much longer than usual it takes.
    pub speeds: Vec<f64>,
    /// Numbers of a mean example.
    pub numbers: f64,
    /// How long a message is under way.
    pub(super) delay: u64,
}

impl Costs {
    /// How many workers there are.
    pub fn workers(&self) -> usize {
        self.speeds.len()
    }

    /// How long a worker takes for so many numbers.
    pub fn of(&self, worker: usize, numbers: f64) -> u64 {
        (UNITS * self.speeds[worker] * numbers) as u64
    }

    /// How long a usual worker takes for so many numbers.
    pub(super) fn usual(&self, numbers: f64) -> u64 {
        (UNITS * numbers) as u64
    }

    /// How long a message is under way.
    pub(super) fn delay(&self) -> u64 {
        self.delay
    }
}

/// How the slots of a run lie, and which of them workers hold privately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// How many of the first slots (of rows, places) each worker holds privately.
    pub held: usize,
    /// Slots of a cache line, and lines of a slot: one of the two is 1.
    pub a_line: usize,
    /// See above.
    pub lines: usize,
    /// Whether what was read for the score serves for the step too.
    pub reuses: bool,
    /// Slots that are read and stepped at once.
    pub together: usize,
}

impl Placement {
    fn of(parameters: &Parameters) -> Placement {
        let (held, cells) = parameters.held();
        let reuses = parameters.shape.workers == 1 || parameters.shape.rare;
        // A row's slots are told by places, and a place counts the sixteen cells of a line.
        if cells > LANES / 2 {
            let lines = cells / LANES;
            return Placement { held: held * lines, a_line: 1, lines, reuses: false, together: 1 };
        }
        Placement { held, a_line: LANES / cells, lines: 1, reuses, together: LANES }
    }
}

/// What replicas have exchanged.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exchanges {
    /// How many exchanges there were.
    pub count: u64,
    /// Slots of which a replica had changed a number.
    pub slots: u64,
    /// Numbers of those slots.
    pub numbers: u64,
    /// Bytes of the messages that had them.
    pub bytes: u64,
    /// Seconds that all exchanges took here: of what is found the one thing that is not drawn from the seed.
    pub seconds: f64,
    /// Virtual time of all epochs, and what one usual worker would have taken.
    pub(super) time: u64,
    pub(super) work: u64,
}

impl Add for Exchanges {
    type Output = Exchanges;

    fn add(self, other: Exchanges) -> Exchanges {
        let (count, slots, numbers) = (self.count + other.count, self.slots + other.slots, self.numbers + other.numbers);
        let (time, work, bytes) = (self.time + other.time, self.work + other.work, self.bytes + other.bytes);
        Exchanges { count, slots, numbers, bytes, seconds: self.seconds + other.seconds, time, work }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_workers_take_one_time_and_others_spread_about_it() {
        let of = |spread| Simulation::new(2000, spread, 0.0, 10.0, 7).costs.speeds;
        assert!(of(0.0).iter().all(|&speed| speed == 1.0));
        let logs: Vec<f64> = of(0.5).iter().map(|speed| speed.ln()).collect();
        let mean = logs.iter().sum::<f64>() / 2000.0;
        let sigma = (logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 2000.0).sqrt();
        assert!(mean.abs() < 0.05 && (sigma - 0.5).abs() < 0.03, "{mean} {sigma}");
    }
}
