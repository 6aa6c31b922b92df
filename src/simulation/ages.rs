//! How old weights are: how many updates by others a weight lacks, that a score has read, when its own step comes.
//!
//! Of a shared slot these are the updates between the score and the step. A worker's private copy lacks what others have not handed over
//! yet, and what they have since the worker's last exchange.
use super::copies::{Copies, Exchanges};
use hogwild_kernels::engine::Trace;

pub(super) struct Ages {
    pub mean: f64,
    /// What one of a hundred exceeds.
    pub of_a_hundred: f64,
}

/// What copies hold of each other's updates, counted.
struct Counted<'a> {
    copies: &'a Copies,
    /// By slot: updates by all.
    all: Vec<u32>,
    /// By held slot: updates handed over.
    shared: Vec<u32>,
    /// By worker and held slot: updates that the copy has, and how many of those are its own and not handed over.
    has: Vec<u32>,
    own: Vec<u32>,
    exchanges: Vec<Exchanges>,
}

impl Counted<'_> {
    fn at(&self, worker: usize, slot: usize) -> Option<usize> {
        (slot < self.copies.held).then(|| worker * self.copies.held + slot)
    }

    /// Updates that a worker sees of a slot.
    fn seen(&self, worker: usize, slot: usize) -> u32 {
        self.at(worker, slot).map_or_else(|| self.all[slot], |at| self.has[at])
    }

    fn step(&mut self, worker: usize, slot: usize) {
        self.all[slot] += 1;
        if let Some(at) = self.at(worker, slot) {
            self.has[at] += 1;
            self.own[at] += 1;
        }
    }

    fn end(&mut self, worker: usize) {
        let lines = self.copies.end(&mut self.exchanges[worker]);
        for slot in 0..(lines * self.copies.a_line).min(self.copies.held) {
            let at = worker * self.copies.held + slot;
            self.shared[slot] += std::mem::take(&mut self.own[at]);
            self.has[at] = self.shared[slot];
        }
    }
}

pub(super) fn of(trace: &Trace, copies: &Copies) -> Ages {
    let slots = trace.slots.iter().max().map_or(0, |&slot| slot as usize + 1);
    let held = copies.workers * copies.held;
    let mut counted = Counted {
        copies,
        all: vec![0; slots],
        shared: vec![0; copies.held],
        has: vec![0; held],
        own: vec![0; held],
        exchanges: vec![Exchanges::default(); copies.workers],
    };
    let mut seen = vec![0; trace.slots.len()];
    let mut ages: Vec<u32> = Vec::with_capacity(trace.slots.len());
    for &(visit, is_step) in &trace.events {
        let visit = &trace.visits[visit as usize];
        let (worker, first) = (visit.worker as usize, visit.first as usize);
        for (seen, &slot) in seen[first..].iter_mut().zip(trace.slots_of(visit)) {
            if is_step {
                ages.push(counted.all[slot as usize] - *seen);
                counted.step(worker, slot as usize);
            } else {
                *seen = counted.seen(worker, slot as usize);
            }
        }
        if is_step {
            counted.end(worker);
        }
    }
    let mean = ages.iter().map(|&age| age as f64).sum::<f64>() / ages.len().max(1) as f64;
    let at = (ages.len() * 99 / 100).min(ages.len().saturating_sub(1));
    let of_a_hundred = if ages.is_empty() { 0.0 } else { *ages.select_nth_unstable(at).1 as f64 };
    Ages { mean, of_a_hundred }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Copies = Copies { workers: 2, held: 0, every: 1, a_line: 8 };

    #[test]
    fn updates_between_score_and_step_are_counted() {
        let mut trace = Trace::default();
        let a = trace.begin(0, 0, &[0, 5]);
        let b = trace.begin(1, 1, &[0, 9]);
        trace.end(a, 2);
        let c = trace.begin(0, 2, &[0, 9]);
        trace.end(b, 3);
        trace.end(c, 4);
        // The step of b lacks that of a to slot 0; that of c lacks both of b.
        let ages = of(&trace, &PLAIN);
        assert_eq!((ages.mean, ages.of_a_hundred), (3.0 / 6.0, 1.0));
    }

    #[test]
    fn one_worker_has_seen_everything() {
        let mut trace = Trace::default();
        for example in 0..50 {
            let visit = trace.begin(0, example, &[0, 1, 20]);
            trace.end(visit, example);
        }
        for held in [0, 2] {
            assert_eq!(of(&trace, &Copies { workers: 1, held, ..PLAIN }).mean, 0.0);
        }
    }

    #[test]
    fn a_copy_lacks_what_was_not_exchanged() {
        let mut trace = Trace::default();
        for example in 0..4 {
            let visit = trace.begin(example % 2, example as u64, &[0]);
            trace.end(visit, example as u64);
        }
        // One after the other: nothing is missed where slots are shared.
        assert_eq!(of(&trace, &PLAIN).mean, 0.0);
        // Worker 0 hands over its first; worker 1 has not that one, hands over, and has both; then 0 lacks that of 1, and 1 that of 0.
        let copies = Copies { workers: 2, held: 1, every: 1, a_line: 8 };
        assert_eq!(of(&trace, &copies).mean, (0.0 + 1.0 + 1.0 + 1.0) / 4.0);
        // Without an exchange: 0, 1, 1, 2.
        assert_eq!(of(&trace, &Copies { every: 9, ..copies }).mean, 1.0);
    }
}
