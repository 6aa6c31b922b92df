//! Which cache lines pass from core to core.
//!
//! Each worker has a core with a cache of its own, where whatever it has touched stays until another core writes it. A line passes when a
//! worker reads or steps it that another has written since. To write a line that one has read is part of the same hand-over, as it is in
//! what `bench` measures. Private copies never pass; an exchange reads the shared lines, and writes those whose copies have changed.
use super::copies::{Copies, Exchanges};
use hogwild_kernels::engine::{Placement, Trace};

/// Lines that have passed, counted.
#[derive(Debug, PartialEq)]
pub(super) struct Lines {
    /// By scores and steps.
    pub passed: u64,
    /// By exchanges.
    pub exchanged: u64,
    /// Of the line that passed most.
    pub hottest: u64,
}

/// Who has which lines.
struct Caches {
    /// Words of 64 workers for a line.
    words: usize,
    /// By line: who has it as it is.
    has: Vec<u64>,
    /// By line: whether anybody has written it.
    written: Vec<bool>,
    /// By line: how often it has passed.
    passed: Vec<u32>,
}

impl Caches {
    fn new(lines: usize, workers: usize) -> Caches {
        let words = workers.div_ceil(64);
        Caches { words, has: vec![0; lines * words], written: vec![false; lines], passed: vec![0; lines] }
    }

    /// A worker has a line; whether it passes.
    fn fetch(&mut self, worker: usize, line: usize) -> bool {
        let word = &mut self.has[line * self.words + worker / 64];
        let had = *word >> (worker % 64) & 1 == 1;
        *word |= 1 << (worker % 64);
        let passes = !had && self.written[line];
        self.passed[line] += passes as u32;
        passes
    }

    /// A worker writes a line: nobody else has it any more. Whether it passes.
    fn write(&mut self, worker: usize, line: usize) -> bool {
        let passes = self.fetch(worker, line);
        let words = &mut self.has[line * self.words..][..self.words];
        words.fill(0);
        words[worker / 64] = 1 << (worker % 64);
        self.written[line] = true;
        passes
    }
}

pub(super) fn of(trace: &Trace, copies: &Copies, placement: &Placement) -> Lines {
    let last = trace.slots.iter().max().map_or(0, |&slot| slot as usize);
    let mut caches = Caches::new(last / placement.a_line + 1 + copies.lines(), copies.workers);
    let mut exchanges = vec![Exchanges::default(); copies.workers];
    // By worker and held line: whether the copy has changed.
    let mut changed = vec![false; copies.workers * copies.lines()];
    let mut lines = Lines { passed: 0, exchanged: 0, hottest: 0 };
    for &(visit, is_step) in &trace.events {
        let visit = &trace.visits[visit as usize];
        let worker = visit.worker as usize;
        for &slot in trace.slots_of(visit) {
            let line = slot as usize / placement.a_line;
            if (slot as usize) < copies.held {
                changed[worker * copies.lines() + line] |= is_step;
            } else {
                let passes = if is_step { caches.write(worker, line) } else { caches.fetch(worker, line) };
                lines.passed += passes as u64 * placement.lines as u64;
            }
        }
        if is_step {
            for line in 0..copies.end(&mut exchanges[worker]) {
                let has_changed = std::mem::take(&mut changed[worker * copies.lines() + line]);
                let passes = if has_changed { caches.write(worker, line) } else { caches.fetch(worker, line) };
                lines.exchanged += passes as u64;
            }
        }
    }
    lines.hottest = caches.passed.iter().max().map_or(0, |&passed| passed as u64);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACED: Placement = Placement { held: 0, a_line: 8, lines: 1, reuses: false, together: 16 };
    const PLAIN: Copies = Copies { workers: 2, held: 0, every: 1, a_line: 8 };

    fn visit(trace: &mut Trace, worker: usize, slots: &[u32]) {
        let visit = trace.begin(worker, 0, slots);
        trace.end(visit, 0);
    }

    #[test]
    fn a_line_passes_when_another_has_written_it() {
        let mut trace = Trace::default();
        visit(&mut trace, 0, &[0, 7, 8]); // two lines that nobody has
        visit(&mut trace, 0, &[0, 7, 8]); // and that it has now
        visit(&mut trace, 1, &[1]); // one of them passes to worker 1,
        visit(&mut trace, 0, &[0, 9]); // and back; the other has stayed
        assert_eq!(of(&trace, &PLAIN, &PLACED), Lines { passed: 2, exchanged: 0, hottest: 2 });
    }

    #[test]
    fn a_line_written_between_score_and_step_passes_twice() {
        let mut trace = Trace::default();
        visit(&mut trace, 1, &[0]);
        let mine = trace.begin(0, 0, &[0]); // passes to worker 0,
        visit(&mut trace, 1, &[0]); // is written by worker 1, which has it still,
        trace.end(mine, 1); // and passes again
        assert_eq!(of(&trace, &PLAIN, &PLACED).passed, 2);
        // A row of three lines passes as a whole.
        assert_eq!(of(&trace, &PLAIN, &Placement { a_line: 1, lines: 3, ..PLACED }).passed, 6);
    }

    #[test]
    fn private_copies_pass_by_exchanges_alone() {
        let mut trace = Trace::default();
        for example in 0..8 {
            visit(&mut trace, example % 2, &[0, 3]);
        }
        let copies = Copies { held: 8, every: 2, ..PLAIN };
        // Workers exchange after two examples of their own, in turn: 0, 1, 0, 1. The first has the line to itself.
        assert_eq!(of(&trace, &copies, &Placement { held: 8, ..PLACED }), Lines { passed: 0, exchanged: 3, hottest: 3 });
        assert_eq!(of(&trace, &PLAIN, &PLACED), Lines { passed: 7, exchanged: 0, hottest: 7 });
    }
}
