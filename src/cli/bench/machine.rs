//! What the machine can do, by threads: how fast memory is read in order, how many lines come from random places, what it costs when
//! two cores write one line in turn; and how large its caches are, which decides where parameters come from.
use super::{
    array::{Array, READING, Random, best, cores, handover, together},
    table::{Table, mebibytes, millions},
};
use crate::cli::environment;
use hogwild::InstructionSet;
use serde_json::{Value, json};
use std::sync::atomic::AtomicBool;

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
    pub fn here() -> Caches {
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

/// What so many threads can do.
#[derive(Clone)]
pub struct Rates {
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

impl Rates {
    fn measure(threads: usize, cached: &Array, far: &Array, stop: &AtomicBool) -> anyhow::Result<Rates> {
        let sequential = best(READING, stop, |take| together(threads, take, |worker, until| far.in_order(worker, threads, until)))?;
        let handover = if (2..=cores()).contains(&threads) { Some(handover(threads, stop)?) } else { None };
        Ok(Rates { threads, sequential, handover, cached: cached.random(threads, stop)?, far: far.random(threads, stop)? })
    }

    fn best_of(&mut self, again: Rates) {
        self.sequential = self.sequential.max(again.sequential);
        self.handover = self.handover.zip(again.handover).map(|(a, b)| a.min(b));
        self.cached = self.cached.best_of(again.cached);
        self.far = self.far.best_of(again.far);
    }

    pub fn json(&self) -> Value {
        json!({
            "threads": self.threads, "sequential_bytes_per_second": self.sequential,
            "handover_ns": self.handover.map(|seconds| 1e9 * seconds), "random": [self.cached.json(), self.far.json()],
        })
    }
}

pub struct Machine {
    pub cores: usize,
    pub caches: Caches,
    /// By threads: the best of what was measured so far.
    pub rates: Vec<Rates>,
    cached: Array,
    far: Array,
}

impl Machine {
    pub fn measure(threads: &[usize], tell: &dyn Fn(&str), stop: &AtomicBool) -> anyhow::Result<Machine> {
        let caches = Caches::here();
        tell("the machine: filling memory");
        let cached = Array::new(caches.last / 2, stop)?;
        // 2^25 rows of eight bytes, or more where there is more cache.
        let far = Array::new((4 * caches.last).clamp(8 << 25, 8 << 28), stop)?;
        tell("the machine");
        let rates = threads.iter().map(|&threads| Rates::measure(threads, &cached, &far, stop)).collect::<anyhow::Result<_>>()?;
        Ok(Machine { cores: cores(), caches, rates, cached, far })
    }

    /// Measures all again and keeps the better: a limit is what the machine can do at its best, also beside others that use it.
    pub fn again(&mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        for rates in &mut self.rates {
            rates.best_of(Rates::measure(rates.threads, &self.cached, &self.far, stop)?);
        }
        Ok(())
    }

    pub fn json(&self) -> Value {
        json!({
            "cores": self.cores, "instruction_set": instruction_set(),
            "os": std::env::consts::OS, "architecture": std::env::consts::ARCH,
            "caches": { "near_bytes": self.caches.near, "last_bytes": self.caches.last, "known": self.caches.known },
            "speeds": self.rates.iter().map(Rates::json).collect::<Vec<_>>(),
        })
    }

    pub fn text(&self) -> String {
        let set = instruction_set();
        let Caches { near, last, known } = self.caches;
        let mut text = format!(
            "machine: {} cores, {set}; caches ({} the system): {} level 2, {} last level\n",
            self.cores,
            if known { "told by" } else { "assumed, not told by" },
            mebibytes(near),
            mebibytes(last)
        );
        let mut table = Table::new(&["threads", "read GB/s", "hand-over ns"]);
        for rates in &self.rates {
            let handover = rates.handover.map_or("-".into(), |seconds| format!("{:.0}", 1e9 * seconds));
            table.row([rates.threads.to_string(), format!("{:.1}", rates.sequential / 1e9), handover]);
        }
        text += &table.text();
        text += "random lines, M/s\n";
        let all = self.rates.iter().map(|rates| rates.cached).chain(self.rates.iter().map(|rates| rates.far));
        text += &random_table(all).text();
        text += "(first look; measured again beside each set, the better counts)\n";
        if let Some(rates) = self.rates.iter().find(|rates| rates.threads > self.cores) {
            text += &format!("{} threads and more take turns on {} cores and are not pinned\n", rates.threads, self.cores);
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
    for Random { bytes, threads, dependent, independent } in all {
        table.row([mebibytes(bytes), threads.to_string(), millions(dependent), millions(independent)]);
    }
    table
}

/// The instruction set that workers have.
fn instruction_set() -> &'static str {
    environment::instruction_set().map_or("unknown", |set| set.unwrap_or_else(InstructionSet::best).name())
}
