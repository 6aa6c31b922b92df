//! Replicas of the model, each trained by an engine of its own on its part of the data, that exchange with a centre.
//!
//! A replica goes through some examples (a round) and then exchanges: asynchronously, whenever it is there, one at a time. The replicas are
//! dealt out to the threads. One thread takes them in turn, in an order drawn from the seed anew for every turn: then a run repeats to the
//! bit, whatever number of replicas it has, and shows what so many machines would learn.
use super::{Counters, Counts, Engine, Epoch, Follow, LOOK, Task, hogwild::follow};
use crate::{
    order::Plan,
    params::{Between, Finish, Parameters, Side},
    schedule::Moment,
    seeds::Stream,
};
use crossbeam_channel::unbounded;
use hogwild_base::Result;
use rand::seq::SliceRandom;
use std::{
    panic::resume_unwind,
    sync::{Mutex, PoisonError, atomic::Ordering::Relaxed},
    thread,
    time::Instant,
};

/// Replicas with the centre that the model is made of.
pub struct Replicas<'r> {
    /// Of the centre: its parameters are what is trained.
    task: &'r Task<'r>,
    replicas: Vec<Replica<'r>>,
    /// Examples of a round.
    every: u64,
}

struct Replica<'r> {
    engine: Box<dyn Engine + 'r>,
    side: Side<'r>,
}

impl<'r> Replicas<'r> {
    /// `parts`: a replica's engine and the parameters that it trains; `every`: examples between two exchanges of a replica.
    ///
    /// # Errors
    /// When there is too little memory.
    pub fn new(
        task: &'r Task<'r>,
        parts: Vec<(Box<dyn Engine + 'r>, &'r Parameters)>,
        between: Between,
        every: u64,
    ) -> Result<Replicas<'r>> {
        let replica = |(engine, parameters): (Box<dyn Engine + 'r>, &'r Parameters)| {
            Ok(Replica { engine, side: Side::new(task.set, task.parameters, parameters, between)? })
        };
        Ok(Replicas { task, replicas: parts.into_iter().map(replica).collect::<Result<_>>()?, every })
    }
}

/// A replica with its part of an epoch.
type Hand<'a, 'r> = Vec<(&'a mut Replica<'r>, &'a Plan)>;

impl Engine for Replicas<'_> {
    fn epoch(&mut self, epoch: &Epoch<'_>, follower: &mut Follow<'_>) -> (Counts, u64) {
        let (n, seed) = (self.replicas.len(), self.task.seed);
        let threads = self.task.threads.clamp(1, n);
        let plans: Vec<Plan> = (0..n).map(|number| epoch.plan.part(number, n)).collect();
        // All begin with what the others have learnt by now.
        self.replicas.iter_mut().for_each(|replica| replica.side.take_over());
        // Each thread has every so manieth replica.
        let mut hands: Vec<Hand<'_, '_>> = (0..threads).map(|_| Vec::new()).collect();
        for (number, of) in self.replicas.iter_mut().zip(&plans).enumerate() {
            hands[number % threads].push(of);
        }
        let counters = &Counters::begun(follower);
        let turns = &Turns { every: self.every, seed, epoch, counters, centre: Mutex::new(()) };
        let (done, over) = unbounded();
        let counts = thread::scope(|scope| {
            let mut hands = hands.into_iter().enumerate();
            let first = hands.next();
            let others: Vec<_> = hands
                .map(|(thread, hand)| {
                    let done = done.clone();
                    scope.spawn(move || {
                        let counts = turns.take(thread, hand, &mut |_| false);
                        let _ = done.send(()); // the other end waits for it
                        counts
                    })
                })
                .collect();
            drop(done); // closed when the last thread has ended, in whatever way
            let mine = first.map(|(thread, hand)| turns.take(thread, hand, follower)).unwrap_or_default();
            follow(others.len(), &over, counters, follower);
            others.into_iter().fold(mine, |sum, other| sum + other.join().unwrap_or_else(|panic| resume_unwind(panic)))
        });
        (counts, counts.examples)
    }

    /// All replicas step alike; the centre has their weights.
    fn finish(&self) -> Finish<'_> {
        self.replicas[0].engine.finish()
    }
}

/// What the threads of an epoch share.
struct Turns<'a> {
    every: u64,
    seed: u64,
    epoch: &'a Epoch<'a>,
    counters: &'a Counters,
    /// Whoever holds it exchanges.
    centre: Mutex<()>,
}

impl Turns<'_> {
    /// Has a thread's replicas take turns until their parts are through.
    fn take(&self, thread: usize, mut hand: Hand<'_, '_>, follower: &mut Follow<'_>) -> Counts {
        let mut random = Stream::Turns { epoch: self.epoch.number, thread }.random(self.seed);
        let (mut sum, mut last) = (Counts::default(), Instant::now());
        while !hand.is_empty() && !self.counters.stop.load(Relaxed) {
            hand.shuffle(&mut random);
            hand.retain_mut(|(replica, plan)| {
                let open = plan.open(self.every);
                if open && !self.counters.stop.load(Relaxed) {
                    sum = sum + self.turn(replica, plan);
                }
                open
            });
            if last.elapsed() >= LOOK {
                let stop = follower(self.counters.examples.load(Relaxed));
                self.counters.stop.fetch_or(stop, Relaxed);
                last = Instant::now();
            }
        }
        sum
    }

    /// A round of one replica, and its exchange.
    fn turn(&self, replica: &mut Replica<'_>, plan: &Plan) -> Counts {
        let step = self.epoch.start.step + self.counters.examples.load(Relaxed);
        let round = Epoch { number: self.epoch.number, start: Moment { step, ..self.epoch.start }, plan };
        let (counts, _) = replica.engine.epoch(&round, &mut |_| self.counters.stop.load(Relaxed));
        self.counters.examples.fetch_add(counts.examples, Relaxed);
        if !counts.loss.is_finite() {
            self.counters.stop.store(true, Relaxed);
        }
        let _one = self.centre.lock().unwrap_or_else(PoisonError::into_inner);
        replica.side.exchange();
        counts
    }
}
