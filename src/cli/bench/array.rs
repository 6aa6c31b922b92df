//! Memory, read and written by so many threads, pinned as training pins them.
//!
//! Everything is plain loads of a private mapping, with huge pages advised as for parameters. A measurement is the best of a few short
//! takes: what disturbs it only makes it slower.
use super::{interrupted, machine::mebibytes};
use anyhow::Context;
use crossbeam::utils::CachePadded;
use memmap2::MmapMut;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use std::{
    hint::black_box,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Bytes of a cache line, and numbers in it.
const LINE: usize = 64;
const NUMBERS: usize = LINE / size_of::<u64>();
const TAKE: Duration = Duration::from_millis(50);
const TAKES: usize = 3;

/// Lines a second from random places of an array, all threads together.
#[derive(Clone, Copy)]
pub struct Random {
    pub bytes: usize,
    pub threads: usize,
    /// Each thread waits for a line to learn where the next one is.
    pub dependent: f64,
    /// Places are known ahead.
    pub independent: f64,
}

/// Cores that threads can be pinned to.
pub fn cores() -> usize {
    core_affinity::get_core_ids().map_or(1, |ids| ids.len().max(1))
}

impl Random {
    /// The better of two measurements of the same.
    pub fn best_of(self, again: Random) -> Random {
        let (dependent, independent) = (self.dependent.max(again.dependent), self.independent.max(again.independent));
        Random { dependent, independent, ..self }
    }
}

/// Lines, each of which begins with the numbers of two others: two cycles through all of them, in random orders.
pub struct Array(MmapMut);

const CYCLES: usize = 2;

impl Array {
    pub fn new(bytes: usize) -> anyhow::Result<Array> {
        let lines = bytes.div_ceil(LINE).max(16);
        let mut map = MmapMut::map_anon(lines * LINE).with_context(|| format!("no memory for an array of {}", mebibytes(bytes)))?;
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage); // as the parameters' table has it; without, all works, only slower
        let numbers: &mut [u64] = bytemuck::cast_slice_mut(&mut map);
        let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
        for cycle in 0..CYCLES {
            (0..lines).for_each(|line| numbers[line * NUMBERS + cycle] = line as u64);
            // Sattolo's shuffle: a single cycle.
            for line in (1..lines).rev() {
                numbers.swap(line * NUMBERS + cycle, random.random_range(0..line) * NUMBERS + cycle);
            }
        }
        Ok(Array(map))
    }

    fn numbers(&self) -> &[u64] {
        bytemuck::cast_slice(&self.0)
    }

    pub fn random(&self, threads: usize, stop: &AtomicBool) -> anyhow::Result<Random> {
        let dependent = best(stop, || together(threads, |worker, until| self.chained(worker, threads, until)))?;
        let independent = best(stop, || together(threads, |worker, until| self.scattered(worker, until)))?;
        Ok(Random { bytes: self.0.len(), threads, dependent, independent })
    }

    /// Reads a worker's part over and over; returns bytes.
    pub fn in_order(&self, worker: usize, threads: usize, until: Instant) -> u64 {
        let numbers = self.numbers();
        let part = &numbers[numbers.len() / threads * worker..][..numbers.len() / threads];
        let mut bytes = 0;
        for piece in part.chunks(1 << 17).cycle() {
            black_box(piece.iter().fold(0u64, |sum, x| sum.wrapping_add(*x)));
            bytes += size_of_val(piece) as u64;
            if Instant::now() >= until {
                break;
            }
        }
        bytes
    }

    /// Follows one cycle, then the other, and so on: one alone would find nothing in a cache that is a little too small, which has just
    /// lost what comes next. Returns lines.
    fn chained(&self, worker: usize, threads: usize, until: Instant) -> u64 {
        let numbers = self.numbers();
        let (mut line, mut lines) = (numbers.len() / NUMBERS / threads * worker, 0);
        while Instant::now() < until {
            for cycle in 0..CYCLES {
                (0..512).for_each(|_| line = numbers[line * NUMBERS + cycle] as usize);
                lines += 512;
            }
        }
        black_box(line);
        lines
    }

    /// Goes by eight generators at once, so that none of them is waited for; returns lines.
    fn scattered(&self, worker: usize, until: Instant) -> u64 {
        let numbers = self.numbers();
        let of = (numbers.len() / NUMBERS) as u64;
        let mut states: [u64; 8] = std::array::from_fn(|i| ((worker * 8 + i) as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (mut sum, mut lines) = (0u64, 0);
        while Instant::now() < until {
            for _ in 0..512 {
                for state in &mut states {
                    *state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
                    sum = sum.wrapping_add(numbers[(((*state >> 32) * of) >> 32) as usize * NUMBERS]);
                }
            }
            lines += 512 * states.len() as u64;
        }
        black_box(sum);
        lines
    }
}

/// Seconds a hand-over of a line between two cores; several pairs, each with a line of its own, at once.
pub fn handover(threads: usize, stop: &AtomicBool) -> anyhow::Result<f64> {
    const END: u64 = u64::MAX;
    let pairs = threads / 2;
    let rate = best(stop, || {
        let lines: Vec<_> = (0..pairs).map(|_| CachePadded::new(AtomicU64::new(0))).collect();
        together(threads, |worker, until| {
            // An odd one out has no partner.
            let (Some(line), side) = (lines.get(worker / 2), worker as u64 % 2) else { return 0 };
            let mut turn = side;
            loop {
                // Relaxed: the number itself is all that passes.
                let now = line.load(Relaxed);
                if now == END {
                    return 0; // its partner has counted
                }
                if now != turn {
                    continue;
                }
                if side == 0 && turn.is_multiple_of(512) && Instant::now() >= until {
                    line.store(END, Relaxed);
                    return turn;
                }
                line.store(turn + 1, Relaxed);
                turn += 2;
            }
        })
    })?;
    Ok(pairs as f64 / rate)
}

/// The best of a few takes.
pub fn best(stop: &AtomicBool, take: impl Fn() -> f64) -> anyhow::Result<f64> {
    let mut most = 0.0;
    for _ in 0..TAKES {
        interrupted(stop)?;
        most = take().max(most);
    }
    Ok(most)
}

/// Lets threads work for a take, begun together; `job` is given worker and end, and returns how much it did. What all do a second.
pub fn together(threads: usize, job: impl Fn(usize, Instant) -> u64 + Sync) -> f64 {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let (start, job) = (&Barrier::new(threads), &job);
    thread::scope(|scope| {
        let workers = (0..threads).map(|worker| {
            let core = cores.get(worker).copied().filter(|_| threads <= cores.len());
            scope.spawn(move || {
                core.map(core_affinity::set_for_current);
                start.wait();
                let began = Instant::now();
                let done = job(worker, began + TAKE);
                done as f64 / began.elapsed().as_secs_f64()
            })
        });
        let workers: Vec<_> = workers.collect(); // all of them, before the first is waited for
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|e| std::panic::resume_unwind(e))).sum()
    })
}
