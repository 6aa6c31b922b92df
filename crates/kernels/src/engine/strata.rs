//! Workers that never share a row of parameters: cells of the ratings in an order that any number of them keeps to the bit.
//!
//! A turn is ready when its users and its items have had all of theirs before it, and a worker takes the first that is ready. So what a
//! cell reads and writes is the same as if one worker took all turns one after the other, and blocks of items pass from worker to worker
//! (as in NOMAD: Yun et al. 2014) with no meeting of all between two strata. With more blocks than workers hardly anyone waits, even where
//! one of them has lost its core to another program for a while. Rates, noise and counts follow from the turn, not from who takes it.
//!
//! # Memory ordering
//! Who ends a turn counts it for its users and items by `Release`, and who finds a turn ready reads that by `Acquire`: so it sees their
//! rows as they were left. The first turn that nobody has taken waits only for such as somebody has: someone can always go on.
use super::{Counters, Counts, Engine, Epoch, Follow, LOOK, Task, hogwild::follow, messages::SLEEP, partitioned::Stops, threads};
use crate::{params::Finish, schedule::Moment, strata::Turn};
use crossbeam_channel::unbounded;
use crossbeam_utils::{Backoff, CachePadded};
use hogwild_base::{Result, threads::Pool};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{
            AtomicBool, AtomicUsize,
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

/// How many turns ahead of the first that nobody has taken a worker looks.
const AHEAD: usize = 512;

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
        let last_turn = |(_, taken): &&(usize, Taken)| taken.iter().map(|&(turn, _)| turn).max();
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
    /// The last turn with examples.
    last: usize,
    /// By turn: whether somebody has taken it. All before the first one have been.
    taken: Vec<AtomicBool>,
    first: CachePadded<AtomicUsize>,
    /// How many turns each block of users, and each of items, has had.
    had: [Vec<CachePadded<AtomicUsize>>; 2],
}

impl<'a> Turns<'a> {
    fn new(epoch: &'a Epoch<'a>, counters: &'a Counters) -> Turns<'a> {
        let (mut sum, mut last) = (0, 0);
        let of = |(number, turn)| {
            let (before, examples) = (sum, epoch.plan.examples(turn));
            sum += examples;
            last = if examples > 0 { number } else { last };
            before
        };
        let before = epoch.plan.turns.iter().enumerate().map(of).collect();
        let none = |side: usize| {
            let blocks = epoch.plan.turns.iter().map(|turn| turn.blocks[side] + 1).max().unwrap_or(0);
            (0..blocks).map(|_| CachePadded::default()).collect()
        };
        let taken = epoch.plan.turns.iter().map(|_| AtomicBool::new(false)).collect();
        Turns { epoch, counters, before, last, taken, first: CachePadded::default(), had: [none(0), none(1)] }
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
        while let Some((number, turn)) = self.next() {
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
            for side in 0..2 {
                self.had[side][turn.blocks[side]].store(turn.before[side] + 1, Release);
            }
        }
        taken
    }

    /// Takes the first turn that is ready, and waits where none is yet; none when all are taken, or the work is to stop.
    fn next(&self) -> Option<(usize, &Turn)> {
        let turns = &self.epoch.plan.turns;
        let backoff = Backoff::new();
        loop {
            let mut first = self.first.load(Relaxed);
            while self.taken.get(first)?.load(Relaxed) {
                first += 1;
            }
            self.first.fetch_max(first, Relaxed);
            for (number, turn) in turns.iter().enumerate().skip(first).take(AHEAD) {
                // Whoever takes the last one takes no more, so that its clock is that of the last step, by which a model is finished.
                let may = number != self.last || number == first;
                if may && !self.taken[number].load(Relaxed) && self.is_ready(turn) && !self.taken[number].swap(true, Relaxed) {
                    return Some((number, turn));
                }
            }
            if self.counters.stop.load(Relaxed) {
                return None;
            }
            // Whoever has them may have lost its core to another program, for milliseconds.
            if backoff.is_completed() { thread::sleep(SLEEP) } else { backoff.snooze() }
        }
    }

    /// Whether its users and its items have had their turns before.
    fn is_ready(&self, turn: &Turn) -> bool {
        (0..2).all(|side| self.had[side][turn.blocks[side]].load(Acquire) == turn.before[side])
    }
}
