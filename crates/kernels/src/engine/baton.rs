//! Virtual workers: threads of which one goes at a time, in an order that follows from the seed.
//!
//! Whoever goes has the baton. A worker gives it away between an example's score and its steps, until the example's time has passed on its
//! virtual clock. Who is due first gets it, and the seed decides between two who are due at once. So between a worker's score and its steps
//! the others take as many steps as so many cores would, on any machine and always the same ones. All begin together, when the last of
//! them has come, at random points of an example: rows of one length would else be stepped in lock-step.
//!
//! # Memory ordering
//! The turn is stored with `Release` and loaded with `Acquire`: whoever gets the baton sees all that was stored before.
use super::{simulation::Costs, trace::Trace};
use crate::seeds::Stream;
use hogwild_base::threads;
use rand::{RngExt, rngs::Xoshiro256PlusPlus};
use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, Thread},
};

const NOBODY: usize = usize::MAX;

pub(super) struct Baton {
    costs: Costs,
    /// Who may go.
    turn: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    /// Who waits: when they are due, what decides between two, and their numbers.
    due: BinaryHeap<Reverse<(u64, u64, usize)>>,
    /// By worker; all of them have come when none is missing.
    threads: Vec<Option<Thread>>,
    now: u64,
    /// What one usual worker would have taken for all that was done.
    work: u64,
    random: Xoshiro256PlusPlus,
    trace: Trace,
}

impl Baton {
    pub fn new(costs: Costs, seed: u64) -> Baton {
        let threads = vec![None; costs.workers()];
        let random = Stream::Ties.random(seed);
        let state = State { due: BinaryHeap::new(), threads, now: 0, work: 0, random, trace: Trace::default() };
        Baton { costs, turn: AtomicUsize::new(NOBODY), state: Mutex::new(state) }
    }

    /// The trace so far, which begins anew.
    pub fn take_trace(&self) -> Trace {
        std::mem::take(&mut self.lock().trace)
    }

    /// Virtual time so far, and what one usual worker would have taken.
    pub fn clock(&self) -> [u64; 2] {
        let state = self.lock();
        [state.now, state.work]
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until all workers have come and it is this thread's turn.
    pub fn come(&self) -> Ticket<'_> {
        let worker = if self.costs.workers() == 1 { 0 } else { threads::number() };
        let mut state = self.lock();
        state.threads[worker] = Some(thread::current());
        if state.threads.iter().all(Option::is_some) {
            let now = state.now;
            for worker in 0..self.costs.workers() {
                let phase = (state.random.random::<f64>() * self.costs.of(worker, self.costs.numbers) as f64) as u64;
                state.wait(worker, now + phase);
            }
            let first = state.next();
            self.hand_to(first, &state);
        }
        drop(state);
        self.wait_for(worker);
        Ticket { baton: self, worker, slots: Vec::new() }
    }

    fn wait_for(&self, worker: usize) {
        while self.turn.load(Ordering::Acquire) != worker {
            thread::park();
        }
    }

    fn hand_to(&self, worker: usize, state: &State) {
        self.turn.store(worker, Ordering::Release);
        state.threads.get(worker).and_then(Option::as_ref).into_iter().for_each(Thread::unpark);
    }
}

impl State {
    fn wait(&mut self, worker: usize, until: u64) {
        let tie = self.random.random();
        self.due.push(Reverse((until, tie, worker)));
    }

    /// Who is due first, at whose time the clock then stands; nobody where none waits.
    fn next(&mut self) -> usize {
        let Some(Reverse((time, _, worker))) = self.due.pop() else { return NOBODY };
        self.now = time;
        worker
    }
}

/// The right of a worker to go, until it is dropped: at the end of an epoch, or in a panic, it is then the next one's turn.
pub(super) struct Ticket<'a> {
    baton: &'a Baton,
    worker: usize,
    /// Slots of the example at hand.
    pub slots: Vec<u32>,
}

impl Ticket<'_> {
    /// Lets the others go until the example's time has passed.
    #[inline(never)]
    pub fn pause(&mut self) {
        let baton = self.baton;
        let mut state = baton.lock();
        let visit = {
            let now = state.now;
            state.trace.begin(self.worker, now, &self.slots)
        };
        let until = state.now + baton.costs.of(self.worker, self.slots.len() as f64);
        state.work += baton.costs.usual(self.slots.len() as f64);
        state.wait(self.worker, until);
        let next = state.next();
        if next != self.worker {
            baton.hand_to(next, &state);
            drop(state);
            baton.wait_for(self.worker);
            state = baton.lock();
        }
        let now = state.now;
        state.trace.end(visit, now);
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.baton.lock();
        state.threads[self.worker] = None;
        let next = state.next();
        self.baton.hand_to(next, &state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Has workers visit so many examples each, of as many numbers as the worker says; who has stepped, in turn.
    fn steps(speeds: &[f64], delay: u64, seed: u64, numbers: fn(usize) -> usize, panics: Option<usize>) -> Vec<usize> {
        let costs = Costs { speeds: speeds.to_vec(), numbers: 4.0, delay };
        let (baton, order) = (Baton::new(costs, seed), Mutex::new(Vec::new()));
        let pool = hogwild_base::threads::Pool::start(speeds.len(), |_| ()).unwrap();
        let work = |worker: usize| {
            let mut ticket = baton.come();
            for _ in 0..8 {
                ticket.slots.clear();
                ticket.slots.resize(numbers(worker), 0);
                ticket.pause();
                order.lock().unwrap().push(worker);
                assert_ne!(panics, Some(worker), "on purpose");
            }
        };
        pool.threads().unwrap().in_place_scope(|scope| {
            scope.spawn_broadcast(|_, context| {
                let _ = catch_unwind(AssertUnwindSafe(|| work(context.index())));
            });
        });
        order.into_inner().unwrap()
    }

    #[test]
    fn the_order_follows_from_the_seed() {
        let of = |seed| steps(&[1.0; 5], 0, seed, |_| 4, None);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
        // Equal workers with equal examples go round and round.
        let order = of(1);
        assert!(order.chunks(5).all(|round| round == &order[..5]) && order.len() == 40, "{order:?}");
    }

    #[test]
    fn a_worker_of_twice_the_time_steps_half_as_often() {
        for order in [steps(&[1.0, 2.0], 0, 3, |_| 4, None), steps(&[1.0, 1.0], 0, 3, |worker| 4 << worker, None)] {
            let last_of_first = order.iter().rposition(|&worker| worker == 0).unwrap();
            let of_second = order[..last_of_first].iter().filter(|&&worker| worker == 1).count();
            assert!((3..=5).contains(&of_second), "{order:?}");
        }
    }

    #[test]
    fn a_panic_does_not_keep_the_others() {
        let order = steps(&[1.0; 3], 0, 1, |_| 4, Some(1));
        assert_eq!(order.iter().filter(|&&worker| worker == 1).count(), 1);
        assert_eq!(order.len(), 17);
    }
}
