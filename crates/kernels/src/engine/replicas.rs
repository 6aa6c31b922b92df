//! Replicas of the model, each trained by an engine of its own on its part of the data, that exchange with a centre.
//!
//! A replica goes through some examples (a round) and then exchanges: asynchronously, whenever it is there, one at a time. The replicas are
//! dealt out to the threads. One thread takes them in turn, in an order drawn from the seed anew for every turn: then a run repeats to the
//! bit, whatever number of replicas it has, and shows what so many machines would learn.
use super::{Counters, Counts, Engine, Epoch, Follow, LOOK, Task, hogwild::follow, threads};
use crate::{
    order::Plan,
    params::{Between, Finish, Parameters, Side},
    schedule::Moment,
    seeds::Stream,
};
use crossbeam_channel::unbounded;
use hogwild_base::{Result, threads::Pool};
use rand::seq::SliceRandom;
use std::{
    ops::Add,
    sync::{Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::Instant,
};

/// Replicas with the centre that the model is made of.
pub struct Replicas<'r> {
    /// Of the centre: its parameters are what is trained.
    task: &'r Task<'r>,
    replicas: Vec<Replica<'r>>,
    /// Examples of a round.
    every: u64,
    /// None: all take turns on the calling thread.
    pool: Option<Pool>,
    /// Who exchanged last.
    last: usize,
}

struct Replica<'r> {
    engine: Box<dyn Engine + 'r>,
    side: Side<'r>,
}

impl<'r> Replicas<'r> {
    /// `parts`: a replica's engine and the parameters that it trains; `every`: examples between two exchanges of a replica.
    ///
    /// # Errors
    /// When there is too little memory, or the system refuses threads.
    pub fn new(
        task: &'r Task<'r>,
        parts: Vec<(Box<dyn Engine + 'r>, &'r Parameters)>,
        between: Between,
        every: u64,
    ) -> Result<Replicas<'r>> {
        let replica = |(engine, parameters): (Box<dyn Engine + 'r>, &'r Parameters)| {
            Ok(Replica { engine, side: Side::new(task.set, task.parameters, parameters, between)? })
        };
        let replicas = parts.into_iter().map(replica).collect::<Result<_>>()?;
        Ok(Replicas { task, replicas, every, pool: threads::pool(task)?, last: 0 })
    }
}

/// Some replicas, each with its number and its part of an epoch.
type Hand<'a, 'r> = Vec<(usize, &'a mut Replica<'r>, Plan)>;

impl Engine for Replicas<'_> {
    fn epoch(&mut self, epoch: &Epoch<'_>, follower: &mut Follow<'_>) -> (Counts, u64) {
        let (n, threads) = (self.replicas.len(), self.task.threads);
        // Replica `i` goes to thread `i % threads`. All begin with what the others have learnt by now.
        let mut hands: Vec<Hand<'_, '_>> = (0..threads).map(|_| Vec::new()).collect();
        for (number, replica) in self.replicas.iter_mut().enumerate() {
            replica.side.take_over();
            hands[number % threads].push((number, replica, epoch.plan.part(number, n)));
        }
        let counters = &Counters::begun(follower);
        let turns = &Turns { every: self.every, seed: self.task.seed, epoch, counters, last: Mutex::new(self.last) };
        let counts = match self.pool.as_ref().and_then(Pool::threads) {
            None => hands.into_iter().enumerate().fold(Counts::default(), |sum, (thread, hand)| sum + turns.take(thread, hand, follower)),
            Some(pool) => {
                let (done, over) = unbounded();
                let hands: Vec<_> = hands.into_iter().map(|hand| Mutex::new(Some(hand))).collect();
                let all = pool.in_place_scope(|scope| {
                    // The channel is closed when the last thread has ended, in whatever way.
                    scope.spawn_broadcast(move |_, context| {
                        let thread = context.index();
                        let hand = lock(&hands[thread]).take().unwrap_or_default();
                        let _ = done.send(turns.take(thread, hand, &mut |_| false)); // the other end waits for it
                    });
                    follow(threads, &over, counters, follower)
                });
                all.into_iter().fold(Counts::default(), Counts::add)
            }
        };
        self.last = *lock(&turns.last);
        (counts, counts.examples)
    }

    /// By the replica that turned last: all step alike, and the centre has their weights.
    fn finish(&self) -> Finish<'_> {
        self.replicas[self.last].engine.finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the threads of an epoch share.
struct Turns<'a> {
    every: u64,
    seed: u64,
    epoch: &'a Epoch<'a>,
    counters: &'a Counters,
    /// Whoever holds it exchanges, and leaves its number.
    last: Mutex<usize>,
}

impl Turns<'_> {
    /// Has a thread's replicas take turns until their parts are through.
    fn take(&self, thread: usize, mut hand: Hand<'_, '_>, follower: &mut Follow<'_>) -> Counts {
        let mut random = Stream::Turns { epoch: self.epoch.number, thread }.random(self.seed);
        let (mut sum, mut asked, mut round) = (Counts::default(), Instant::now(), 0);
        while !hand.is_empty() {
            hand.shuffle(&mut random);
            hand.retain_mut(|(number, replica, plan)| {
                let goes_on = plan.open(self.every) && !self.counters.stop.load(Relaxed);
                if goes_on {
                    sum = sum
                        + self.turn(*number, replica, plan, round, &mut |examples| {
                            if asked.elapsed() >= LOOK {
                                self.counters.stop.fetch_or(follower(examples), Relaxed);
                                asked = Instant::now();
                            }
                        });
                }
                goes_on
            });
            round += 1;
        }
        sum
    }

    /// A round of one replica, and its exchange. `ask` is told how many examples have begun.
    fn turn(&self, number: usize, replica: &mut Replica<'_>, plan: &Plan, round: u64, ask: &mut dyn FnMut(u64)) -> Counts {
        let before = self.counters.examples.load(Relaxed);
        let start = Moment { step: self.epoch.start.step + before, ..self.epoch.start };
        let part = Epoch { number: self.epoch.number, start, plan, round };
        let (counts, _) = replica.engine.epoch(&part, &mut |examples| {
            ask(before + examples);
            self.counters.stop.load(Relaxed)
        });
        self.counters.examples.fetch_add(counts.examples, Relaxed);
        if !counts.loss.is_finite() {
            self.counters.stop.store(true, Relaxed);
        }
        let mut last = lock(&self.last);
        replica.side.exchange();
        *last = number;
        counts
    }
}
