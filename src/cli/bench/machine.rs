//! What the machine can do, by threads, pinned as training pins them: how fast memory is read in order, how many lines come from random
//! places, and what it costs when two cores write one line in turn.
//!
//! Everything is plain loads of a private mapping, with huge pages advised as for parameters. A measurement is the best of a few short
//! takes: what disturbs it only makes it slower.
use super::{interrupted, table::Table};
use anyhow::Context;
use crossbeam::utils::CachePadded;
use memmap2::MmapMut;
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde_json::{Value, json};
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
const TAKE: Duration = Duration::from_millis(100);
const TAKES: usize = 3;

/// Bytes of the caches that decide where parameters come from.
pub struct Caches {
    /// The largest that a core has for itself.
    pub near: usize,
    /// The last one before memory.
    pub last: usize,
    /// Whether the system told them; assumed otherwise.
    pub known: bool,
}

impl Caches {
    fn here() -> Caches {
        let folder = "/sys/devices/system/cpu/cpu0/cache";
        let read = |index: usize, what: &str| std::fs::read_to_string(format!("{folder}/index{index}/{what}")).ok();
        // `size` is as in 1024K.
        let size = |text: String| Some(text.trim().strip_suffix('K')?.parse::<usize>().ok()? << 10);
        let levels = (0..).map_while(|index| Some((index, read(index, "level")?.trim().parse::<u32>().ok()?)));
        let found: Vec<(u32, usize)> = levels.filter_map(|(index, level)| Some((level, size(read(index, "size")?)?))).collect();
        let near = found.iter().filter(|cache| cache.0 == 2).map(|cache| cache.1).max();
        let last = found.iter().max().map(|cache| cache.1);
        match near.zip(last) {
            Some((near, last)) => Caches { near, last, known: true },
            None => Caches { near: 1 << 20, last: 32 << 20, known: false },
        }
    }
}

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

/// What so many threads can do.
pub struct Speed {
    pub threads: usize,
    /// Bytes a second, read in order from memory.
    pub sequential: f64,
    /// Seconds until a line that another core has written has been written in turn; None for one thread, or more than cores.
    pub handover: Option<f64>,
    /// In an array that fills half the last-level cache.
    pub cached: Random,
    /// In one far beyond it.
    pub far: Random,
}

pub struct Machine {
    pub cores: usize,
    pub caches: Caches,
    pub speeds: Vec<Speed>,
}

impl Machine {
    /// `tell` is told what is being measured.
    pub fn measure(threads: &[usize], tell: &dyn Fn(&str), stop: &AtomicBool) -> anyhow::Result<Machine> {
        let caches = Caches::here();
        tell("the machine: filling memory");
        let cached = Array::new(caches.last / 2)?;
        // 2^25 rows of eight bytes, or more where there is more cache.
        let far = Array::new((4 * caches.last).clamp(8 << 25, 8 << 28))?;
        let mut speeds = Vec::new();
        for &threads in threads {
            tell(&format!("the machine: {threads} thread{}", if threads > 1 { "s" } else { "" }));
            let sequential = best(stop, || together(threads, |worker, until| far.in_order(worker, threads, until)))?;
            let handover = if (2..=cores()).contains(&threads) { Some(handover(threads, stop)?) } else { None };
            let (cached, far) = (cached.random(threads, stop)?, far.random(threads, stop)?);
            speeds.push(Speed { threads, sequential, handover, cached, far });
        }
        Ok(Machine { cores: cores(), caches, speeds })
    }

    /// What so many threads, of those measured, can do.
    pub fn speed(&self, threads: usize) -> Option<&Speed> {
        self.speeds.iter().find(|speed| speed.threads == threads)
    }

    pub fn json(&self) -> Value {
        let speed = |speed: &Speed| {
            json!({
                "threads": speed.threads, "sequential_bytes_per_second": speed.sequential,
                "handover_ns": speed.handover.map(|seconds| 1e9 * seconds), "random": [speed.cached.json(), speed.far.json()],
            })
        };
        json!({
            "cores": self.cores, "instruction_set": hogwild::InstructionSet::detect().ok().map(|set| set.name()),
            "os": std::env::consts::OS, "architecture": std::env::consts::ARCH,
            "caches": { "near_bytes": self.caches.near, "last_bytes": self.caches.last, "known": self.caches.known },
            "speeds": self.speeds.iter().map(speed).collect::<Vec<_>>(),
        })
    }

    pub fn text(&self) -> String {
        let set = hogwild::InstructionSet::detect().map_or("unknown", |set| set.name());
        let Caches { near, last, known } = self.caches;
        let mut text = format!(
            "machine: {} cores, {set}; caches {}: {} a core, {} in all\n",
            self.cores,
            if known { "by the system" } else { "not told, assumed" },
            mebibytes(near),
            mebibytes(last)
        );
        let mut table = Table::new(&["threads", "read GB/s", "hand-over ns"]);
        for speed in &self.speeds {
            let handover = speed.handover.map_or("-".into(), |seconds| format!("{:.0}", 1e9 * seconds));
            table.row([speed.threads.to_string(), format!("{:.1}", speed.sequential / 1e9), handover]);
        }
        text += &table.text();
        text += "random lines, M/s\n";
        let all = self.speeds.iter().map(|speed| speed.cached).chain(self.speeds.iter().map(|speed| speed.far));
        text += &random_table(all).text();
        if let Some(speed) = self.speeds.iter().find(|speed| speed.threads > self.cores) {
            text += &format!("{} threads and more take turns on {} cores and are not pinned\n", speed.threads, self.cores);
        }
        text
    }
}

impl Random {
    pub fn json(&self) -> Value {
        let Random { bytes, threads, dependent, independent } = *self;
        json!({ "bytes": bytes, "threads": threads, "dependent_lines_per_second": dependent, "independent_lines_per_second": independent })
    }
}

/// A table of lines a second.
pub fn random_table(all: impl Iterator<Item = Random>) -> Table {
    let mut table = Table::new(&["array", "threads", "dependent", "independent"]);
    let millions = |rate: f64| format!("{:.0}", rate / 1e6);
    for Random { bytes, threads, dependent, independent } in all {
        table.row([mebibytes(bytes), threads.to_string(), millions(dependent), millions(independent)]);
    }
    table
}

pub fn mebibytes(bytes: usize) -> String {
    let size = bytes as f64 / (1 << 20) as f64;
    format!("{size:.*} MiB", if size < 0.1 { 3 } else { (size < 10.0) as usize })
}

/// Cores that threads can be pinned to.
pub fn cores() -> usize {
    core_affinity::get_core_ids().map_or(1, |ids| ids.len().max(1))
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
    fn in_order(&self, worker: usize, threads: usize, until: Instant) -> u64 {
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

    /// Follows one cycle, then the other, and so on: one alone would find nothing in a cache that is a little too small, which has just lost
    /// what comes next. Returns lines.
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
fn handover(threads: usize, stop: &AtomicBool) -> anyhow::Result<f64> {
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
fn best(stop: &AtomicBool, take: impl Fn() -> f64) -> anyhow::Result<f64> {
    let mut most = 0.0;
    for _ in 0..TAKES {
        interrupted(stop)?;
        most = take().max(most);
    }
    Ok(most)
}

/// Lets threads work for a take, begun together; `job` is given worker and end, and returns how much it did. What all do a second.
fn together(threads: usize, job: impl Fn(usize, Instant) -> u64 + Sync) -> f64 {
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
