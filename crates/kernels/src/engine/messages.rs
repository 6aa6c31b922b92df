//! Messages between workers: the score of a part, by example.
//!
//! A message is one cell of 64 bits: the example's number and the score. Whoever reads a number that it does not wait for waits. A part's
//! messages lie in a ring that only its worker writes, eight to a cache line: where readers are some examples behind, a line passes once.
//!
//! # Memory ordering
//! Number and score are one cell, so neither is seen without the other. A cell is written again only when all have read it: its writer has
//! by then read messages that each other worker sent after that. `Release` and `Acquire` keep to this order.
use crossbeam_utils::CachePadded;
use hogwild_base::{Result, memory};
use std::{
    hint,
    iter::repeat_with,
    sync::atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    thread,
    time::Duration,
};

/// Cells that are padded together: those of a part share no line, nor a pair of them, with another's.
const PADDED: usize = 16;

/// How often a worker looks for a message before it lets others have the core, and then before it sleeps between looks. Where other
/// programs hold a core, its worker sends nothing for milliseconds. Who sleeps meanwhile has its own core at once when messages come.
/// (imdb_1gram, two threads, two cores among seven busy threads: 8 ns a nonzero, and 10 to 17 ns by yielding.)
const SPINS: u32 = 1024;
const LAST: u32 = SPINS + 16;
pub(super) const SLEEP: Duration = Duration::from_micros(20);

/// The messages of all parts that are on their way.
pub(super) struct Messages {
    cells: Vec<CachePadded<[AtomicU64; PADDED]>>,
    /// Messages of a part's ring: a power of two.
    ring: usize,
    /// What the numbers of an epoch's examples begin behind.
    before: u32,
}

impl Messages {
    /// Of so many parts, that have at most so many examples in flight.
    ///
    /// # Errors
    /// When there is too little memory.
    pub fn new(parts: usize, in_flight: usize) -> Result<Messages> {
        // A worker can be as many ahead of the slowest as are in flight, and messages of as many more wait to be read.
        let ring = (2 * in_flight).next_power_of_two().max(PADDED);
        let bytes = (parts * ring * size_of::<AtomicU64>()) as u64;
        memory::ask(bytes, || format!("the messages of {parts} parts"), "use fewer `parts`, `batch` or `in_flight`")?;
        let cells = repeat_with(|| CachePadded::new([const { AtomicU64::new(0) }; PADDED])).take(parts * ring / PADDED).collect();
        Ok(Messages { cells, ring, before: 0 })
    }

    /// Begins an epoch, at most so many examples after the one before.
    pub fn begin(&mut self, examples: u64) {
        self.before = self.before.wrapping_add(examples as u32).wrapping_add(1);
    }

    #[inline(always)]
    fn cell(&self, part: usize, example: usize) -> (&AtomicU64, u32) {
        let at = part * self.ring + (example & (self.ring - 1));
        (&self.cells[at / PADDED][at % PADDED], self.before.wrapping_add(example as u32).wrapping_add(1))
    }

    /// Sends a part's score of the epoch's example of that number.
    #[inline(always)]
    pub fn send(&self, part: usize, example: usize, score: f32) {
        let (cell, number) = self.cell(part, example);
        cell.store((number as u64) << 32 | score.to_bits() as u64, Release);
    }

    /// The score that a part has sent, as soon as it is there; none where all are to stop.
    #[inline(always)]
    pub fn receive(&self, part: usize, example: usize, stop: &AtomicBool) -> Option<f32> {
        let (cell, number) = self.cell(part, example);
        let message = cell.load(Acquire);
        if (message >> 32) as u32 == number {
            return Some(f32::from_bits(message as u32));
        }
        wait(cell, number, stop)
    }
}

#[cold]
#[inline(never)]
fn wait(cell: &AtomicU64, number: u32, stop: &AtomicBool) -> Option<f32> {
    let mut turn = 0;
    loop {
        let message = cell.load(Acquire);
        if (message >> 32) as u32 == number {
            return Some(f32::from_bits(message as u32));
        }
        if stop.load(Relaxed) {
            return None;
        }
        match turn {
            ..SPINS => hint::spin_loop(),
            SPINS..LAST => thread::yield_now(),
            LAST.. => thread::sleep(SLEEP),
        }
        turn = LAST.min(turn + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_arrives_once_it_is_sent() {
        let (mut messages, go) = (Messages::new(3, 20).unwrap(), AtomicBool::new(false));
        for _epoch in 0..3 {
            messages.begin(1000);
            for example in 0..1000 {
                (0..3).for_each(|part| messages.send(part, example, (example * 3 + part) as f32));
                if example >= 39 {
                    let sums = [0, 1, 2].map(|part| messages.receive(part, example - 39, &go));
                    assert_eq!(sums, [0, 1, 2].map(|part| Some(((example - 39) * 3 + part) as f32)));
                }
            }
        }
        // What was not sent, in this epoch, does not arrive.
        messages.begin(1000);
        assert_eq!(messages.receive(1, 0, &AtomicBool::new(true)), None);
    }

    #[test]
    fn who_waits_is_sent_what_another_thread_sends() {
        let (messages, go) = (&Messages::new(2, 4).unwrap(), &AtomicBool::new(false));
        std::thread::scope(|scope| {
            for part in 0..2 {
                scope.spawn(move || {
                    for example in 0..500 {
                        messages.send(part, example, example as f32);
                        if example >= 3 {
                            assert_eq!(messages.receive(1 - part, example - 3, go), Some((example - 3) as f32));
                        }
                    }
                });
            }
        });
    }
}
