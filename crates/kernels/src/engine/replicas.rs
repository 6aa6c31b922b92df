//! Replicas of the model, each trained by an engine of its own on its part of the data, that exchange with a centre.
//!
//! A replica goes through some examples (a round) and then exchanges: asynchronously, whenever it is there, one at a time. The replicas are
//! dealt out to the threads. One thread takes them in turn, in an order drawn from the seed anew for every turn: then a run repeats to the
//! bit, whatever number of replicas it has, and shows what so many machines would learn.
use super::{
    Counters, Counts, Engine, Epoch, Follow, LOOK, Simulation, Task,
    clocked::{self, Post},
    hogwild::follow,
    threads,
};
use crate::{
    order::Plan,
    params::{self, Between, Finish, Parameters, Side},
    schedule::Moment,
    seeds::Stream,
};
use crossbeam_channel::unbounded;
use hogwild_base::{Result, threads::Pool};
use rand::seq::SliceRandom;
use std::{
    cell::RefCell,
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
    /// By what virtual replicas go.
    simulation: Option<&'r Simulation>,
}

struct Replica<'r> {
    engine: Box<dyn Engine + 'r>,
    side: Side<'r>,
    /// Of a virtual one.
    post: Option<Post<'r>>,
}

impl<'r> Replicas<'r> {
    /// `parts`: a replica's engine, the parameters that it trains, and where changes of theirs are under way, those that carry them (only
    /// of virtual replicas); `every`: examples between two exchanges of a replica.
    ///
    /// # Errors
    /// When there is too little memory, or the system refuses threads.
    pub fn new(
        task: &'r Task<'r>,
        parts: Vec<(Box<dyn Engine + 'r>, &'r Parameters, Option<&'r Parameters>)>,
        between: Between,
        every: u64,
    ) -> Result<Replicas<'r>> {
        let replica = |(engine, own, letter): (Box<dyn Engine + 'r>, &'r Parameters, Option<&'r Parameters>)| {
            let side = Side::new(task.set, task.parameters, letter.unwrap_or(own), between)?;
            if letter.is_some() {
                params::copy(task.parameters, own);
            }
            Ok(Replica { engine, side, post: task.simulation.map(|_| Post::new(own, letter)) })
        };
        let replicas = parts.into_iter().map(replica).collect::<Result<_>>()?;
        Ok(Replicas { task, replicas, every, pool: threads::pool(task)?, last: 0, simulation: task.simulation })
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
            let joins = replica.side.take_over();
            replica.post.iter_mut().for_each(|post| post.take_over(joins));
            hands[number % threads].push((number, replica, epoch.plan.part(number, n)));
        }
        let counters = &Counters::begun(follower);
        let turns = &Turns { every: self.every, seed: self.task.seed, epoch, counters, last: Mutex::new(self.last) };
        let counts = match (self.pool.as_ref().and_then(Pool::threads), self.simulation) {
            (None, Some(simulation)) => turns.by_clock(simulation, hands.pop().unwrap_or_default(), follower),
            (None, None) => {
                hands.into_iter().enumerate().fold(Counts::default(), |sum, (thread, hand)| sum + turns.take(thread, hand, follower))
            }
            (Some(pool), _) => {
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

    /// Has virtual replicas train as their clocks say.
    fn by_clock(&self, simulation: &Simulation, hand: Hand<'_, '_>, follower: &mut Follow<'_>) -> Counts {
        let mut asked = Instant::now();
        let ask = RefCell::new(|examples| {
            if asked.elapsed() >= LOOK {
                self.counters.stop.fetch_or(follower(examples), Relaxed);
                asked = Instant::now();
            }
        });
        let at_work = |(number, replica, plan)| AtWork { turns: self, number, replica, plan, ask: &ask };
        let mut workers: Vec<_> = hand.into_iter().map(at_work).collect();
        clocked::take(simulation, self.epoch.number, self.seed, &mut workers)
    }

    /// A round of one replica, and its exchange. `ask` is told how many examples have begun.
    fn turn(&self, number: usize, replica: &mut Replica<'_>, plan: &Plan, round: u64, ask: &mut dyn FnMut(u64)) -> Counts {
        let counts = self.train(replica, plan, round, ask);
        let mut last = lock(&self.last);
        replica.side.exchange();
        *last = number;
        counts
    }

    /// A round of one replica.
    fn train(&self, replica: &mut Replica<'_>, plan: &Plan, round: u64, ask: &mut dyn FnMut(u64)) -> Counts {
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
        counts
    }
}

/// A virtual replica in an epoch.
struct AtWork<'a, 'r> {
    turns: &'a Turns<'a>,
    number: usize,
    replica: &'a mut Replica<'r>,
    plan: Plan,
    /// Is told how many examples have begun.
    ask: &'a RefCell<dyn FnMut(u64) + 'a>,
}

impl<'r> clocked::Worker<'r> for AtWork<'_, 'r> {
    fn number(&self) -> usize {
        self.number
    }

    fn train(&mut self, round: u64) -> Option<Counts> {
        if !self.plan.open(self.turns.every) || self.turns.counters.stop.load(Relaxed) {
            return None;
        }
        Some(self.turns.train(self.replica, &self.plan, round, &mut *self.ask.borrow_mut()))
    }

    fn side(&mut self) -> (&mut Side<'r>, &mut Post<'r>) {
        let Replica { side, post, .. } = &mut *self.replica;
        (side, post.as_mut().expect("a virtual replica has a post"))
    }

    fn exchanged(&self) {
        *lock(&self.turns.last) = self.number;
    }
}
