//! Memory, read and written by so many threads, pinned as training pins them: where they are as many as cores.
//!
//! Arrays are read by plain loads; a hand-over is relaxed loads and stores of one atomic. Huge pages are advised as for parameters. A
//! measurement is the best of a few short takes: what disturbs it only makes it slower.
use super::{interrupted, table::mebibytes};
use anyhow::Context;
use crossbeam_utils::{CachePadded, sync::WaitGroup};
use hogwild::memory;
use memmap2::MmapMut;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// Bytes of a cache line, and numbers in it.
const LINE: usize = 64;
const NUMBERS: usize = LINE / size_of::<u64>();

/// How long a measurement's takes are, and how many.
#[derive(Clone, Copy)]
pub struct Takes(Duration, usize);

pub const READING: Takes = Takes(Duration::from_millis(50), 3);
/// Many short ones: where one of two threads loses its core, the other waits all that while, and the take is worth nothing.
const HANDING_OVER: Takes = Takes(Duration::from_millis(10), 15);

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
    /// Of so many bytes, or half of the memory that there is.
    pub fn new(bytes: usize, stop: &AtomicBool) -> anyhow::Result<Array> {
        let room = memory::available().map_or(usize::MAX, |bytes| usize::try_from(bytes / 2).unwrap_or(usize::MAX));
        let bytes = bytes.min(room);
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
                if line.is_multiple_of(1 << 16) {
                    interrupted(stop)?;
                }
                numbers.swap(line * NUMBERS + cycle, random.random_range(0..line) * NUMBERS + cycle);
            }
        }
        Ok(Array(map))
    }

    fn numbers(&self) -> &[u64] {
        bytemuck::cast_slice(&self.0)
    }

    pub fn random(&self, threads: usize, stop: &AtomicBool) -> anyhow::Result<Random> {
        let dependent = best(READING, stop, |take| together(threads, take, |worker, until| self.chained(worker, threads, until)))?;
        let independent = best(READING, stop, |take| together(threads, take, |worker, until| self.scattered(worker, until)))?;
        Ok(Random { bytes: self.0.len(), threads, dependent, independent })
    }

    /// Reads a worker's part over and over; returns bytes.
    pub fn in_order(&self, worker: usize, threads: usize, until: Instant) -> u64 {
        read(self.numbers(), worker, threads, until)
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
    let rate = best(HANDING_OVER, stop, |take| {
        let lines: Vec<_> = (0..pairs).map(|_| CachePadded::new(AtomicU64::new(0))).collect();
        together(threads, take, |worker, until| {
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

/// The best of a few takes, each of which is told how long it may last.
pub fn best(takes: Takes, stop: &AtomicBool, take: impl Fn(Duration) -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    let mut most = 0.0;
    for _ in 0..takes.1 {
        interrupted(stop)?;
        most = take(takes.0)?.max(most);
    }
    Ok(most)
}

/// Lets threads work for a take, begun together; `job` is given worker and end, and returns how much it did. What all do a second.
pub fn together(threads: usize, take: Duration, job: impl Fn(usize, Instant) -> u64 + Sync) -> anyhow::Result<f64> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let (start, given_up, job) = (WaitGroup::new(), &AtomicBool::new(false), &job);
    thread::scope(|scope| {
        let spawn = |worker: usize| {
            let core = cores.get(worker).copied().filter(|_| threads > 1 && threads == cores.len());
            let start = start.clone();
            thread::Builder::new().spawn_scoped(scope, move || {
                core.map(core_affinity::set_for_current);
                start.wait();
                if given_up.load(Relaxed) {
                    return 0.0; // some may never come
                }
                let began = Instant::now();
                let done = job(worker, began + take);
                done as f64 / began.elapsed().as_secs_f64()
            })
        };
        // All of them, before the first is waited for.
        let workers: Result<Vec<_>, _> = (0..threads).map(spawn).collect();
        given_up.store(workers.is_err(), Relaxed);
        drop(start);
        let workers = workers.with_context(|| format!("--threads {threads}: the system starts no more threads; give fewer"))?;
        Ok(workers.into_iter().map(|worker| worker.join().unwrap_or_else(|e| std::panic::resume_unwind(e))).sum())
    })
}
/// Reads a worker's part of some numbers over and over; returns bytes.
pub fn read(numbers: &[u64], worker: usize, workers: usize, until: Instant) -> u64 {
    let part = &numbers[numbers.len() / workers * worker..][..numbers.len() / workers];
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
