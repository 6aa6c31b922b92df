//! Workers that never share a row of parameters: cells of the ratings in an order that any number of them keeps to the bit.
//!
//! Workers take the plan's turns from a counter, each the next. A turn waits until its users and its items have had theirs of every
//! stratum before: so what a cell reads and writes is the same as if one worker took all turns one after the other, and blocks of items
//! pass from worker to worker (as in NOMAD: Yun et al. 2014) with no meeting of all between two strata. With more blocks than workers hardly
//! anyone waits. Rates, noise and counts follow from the turn, not from who takes it.
//!
//! # Memory ordering
//! Who ends a turn counts it for its users and items by `Release`, and who waits for that reads by `Acquire`: so it sees their rows as they
//! were left. No turn waits for a later one, and turns are taken in their order: the earliest that is not over can always go on.
use super::{Counters, Counts, Engine, Epoch, Follow, LOOK, Task, hogwild::follow, messages::SLEEP, partitioned::Stops, threads};
use crate::{params::Finish, schedule::Moment};
use crossbeam_channel::unbounded;
use crossbeam_utils::{Backoff, CachePadded};
use hogwild_base::{Result, threads::Pool};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    thread,
    time::Instant,
};

/// Workers, each with an engine of its own, that all step the task's parameters.
pub struct Strata<'r> {
    task: &'r Task<'r>,
    engines: Vec<Box<dyn Engine + 'r>>,
    /// None: the one worker is the calling thread.
    pool: Option<Pool>,
    /// Who took the last turn.
    last: usize,
}

impl<'r> Strata<'r> {
    /// `engines`: of one worker each, as many as the task has threads.
    ///
    /// # Errors
    /// When the system refuses threads.
    pub fn new(task: &'r Task<'r>, engines: Vec<Box<dyn Engine + 'r>>) -> Result<Strata<'r>> {
        Ok(Strata { task, engines, pool: threads::pool(task)?, last: 0 })
    }
}

/// What a worker has done, by turn.
type Taken = Vec<(usize, Counts)>;

impl Engine for Strata<'_> {
    fn epoch(&mut self, epoch: &Epoch<'_>, follower: &mut Follow<'_>) -> (Counts, u64) {
        let counters = &Counters::begun(follower);
        let turns = &Turns::new(epoch, counters);
        let done: Vec<(usize, Taken)> = match self.pool.as_ref().and_then(Pool::threads) {
            None => vec![(0, turns.take(self.engines[0].as_mut(), follower))],
            Some(pool) => {
                let (done, over) = unbounded();
                let hands: Vec<_> = self.engines.iter_mut().map(|engine| Mutex::new(Some(engine))).collect();
                pool.in_place_scope(|scope| {
                    // The channel is closed when the last worker has ended, in whatever way.
                    scope.spawn_broadcast(move |_, context| {
                        let worker = context.index();
                        let engine = hands[worker].lock().unwrap_or_else(PoisonError::into_inner).take();
                        let taken = engine.map(|engine| turns.take(engine.as_mut(), &mut |_| false));
                        let _ = done.send((worker, taken.unwrap_or_default())); // the other end waits for it
                    });
                    follow(self.task.threads, &over, counters, follower)
                })
            }
        };
        let last_turn = |(_, taken): &&(usize, Taken)| taken.last().map(|&(turn, _)| turn);
        self.last = done.iter().max_by_key(last_turn).map_or(0, |&(worker, _)| worker);
        // Sums in the order of the turns, whoever took them.
        let mut all: Taken = done.into_iter().flat_map(|(_, taken)| taken).collect();
        all.sort_by_key(|&(turn, _)| turn);
        let counts = all.into_iter().fold(Counts::default(), |sum, (_, counts)| sum + counts);
        (counts, counts.examples)
    }

    /// By whoever took the last turn: all step alike.
    fn finish(&self) -> Finish<'_> {
        self.engines[self.last].finish()
    }
}

/// What the workers of an epoch share.
struct Turns<'a> {
    epoch: &'a Epoch<'a>,
    counters: &'a Counters,
    /// Examples before each turn.
    before: Vec<u64>,
    /// The turn to take.
    next: CachePadded<AtomicUsize>,
    /// How many turns each block of users, and each of items, has had.
    users: Vec<CachePadded<AtomicUsize>>,
    items: Vec<CachePadded<AtomicUsize>>,
}

impl<'a> Turns<'a> {
    fn new(epoch: &'a Epoch<'a>, counters: &'a Counters) -> Turns<'a> {
        let mut sum = 0;
        let of = |turn| {
            let before = sum;
            sum += epoch.plan.examples(turn);
            before
        };
        let before = epoch.plan.turns.iter().map(of).collect();
        let none = || (0..epoch.plan.turns.len().isqrt()).map(|_| CachePadded::default()).collect();
        Turns { epoch, counters, before, next: CachePadded::default(), users: none(), items: none() }
    }

    /// Has a worker take turns until there are none.
    fn take(&self, engine: &mut dyn Engine, follower: &mut Follow<'_>) -> Taken {
        let _stops = Stops(self.counters);
        let plan = self.epoch.plan;
        let (mut taken, mut asked) = (Vec::new(), Instant::now());
        let mut ask = |examples| {
            if asked.elapsed() >= LOOK {
                self.counters.stop.fetch_or(follower(examples), Relaxed);
                asked = Instant::now();
            }
            self.counters.stop.load(Relaxed)
        };
        loop {
            let number = self.next.fetch_add(1, Relaxed);
            let Some(turn) = plan.turns.get(number) else {
                return taken;
            };
            let (users, items) = (&self.users[turn.users], &self.items[turn.items]);
            if !self.wait(turn.stratum, [users, items]) {
                return taken;
            }
            if !turn.units.is_empty() {
                let begun = self.counters.examples.load(Relaxed);
                let start = Moment { step: self.epoch.start.step + self.before[number], ..self.epoch.start };
                let part = Epoch { number: self.epoch.number, start, plan: &plan.turn(turn), round: number as u64 };
                let (counts, _) = engine.epoch(&part, &mut |examples| ask(begun + examples));
                self.counters.examples.fetch_add(counts.examples, Relaxed);
                if counts.examples > 0 {
                    taken.push((number, counts));
                }
                if !counts.loss.is_finite() {
                    self.counters.stop.store(true, Relaxed);
                }
                if self.counters.stop.load(Relaxed) {
                    return taken;
                }
            }
            users.store(turn.stratum + 1, Release);
            items.store(turn.stratum + 1, Release);
        }
    }

    /// Waits until both have had so many turns; gives whether the work goes on.
    fn wait(&self, turns: usize, both: [&AtomicUsize; 2]) -> bool {
        let backoff = Backoff::new();
        while both.iter().any(|had| had.load(Acquire) < turns) {
            if self.counters.stop.load(Relaxed) {
                return false;
            }
            // Whoever has them may have lost its core to another program, for milliseconds.
            if backoff.is_completed() { thread::sleep(SLEEP) } else { backoff.snooze() }
        }
        true
    }
}
