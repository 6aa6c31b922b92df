//! The order of examples: units shuffled each epoch, blocks inside a unit shuffled, examples inside a block shuffled.
//!
//! A unit is what stays together for locality (a block of the file's rows, a tile of ratings); a block is what passes between two
//! exchanges. All of it follows from seed and epoch, and one thread visits units in the order of the plan, so that a run repeats
//! to the bit. Workers take units from an atomic counter: who is faster takes more.
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The units of one epoch.
pub(crate) struct Plan {
    units: Vec<(u64, Range<u32>)>,
    block: u32,
    next: AtomicUsize,
}

impl Plan {
    /// `units`: consecutive positions each; `block`: examples between exchanges.
    pub fn new(units: &[Range<u32>], block: u32, seed: u64, epoch: usize) -> Plan {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ (epoch as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut units: Vec<_> = units.iter().map(|unit| (0, unit.clone())).collect();
        units.shuffle(&mut random);
        for unit in &mut units {
            unit.0 = random.random();
        }
        Plan { units, block: block.max(1), next: AtomicUsize::new(0) }
    }

    /// The next unit's blocks, in their order, or none when the epoch is over. Relaxed: the counter hands out numbers, no data.
    fn take(&self) -> Option<Blocks> {
        let (seed, range) = self.units.get(self.next.fetch_add(1, Relaxed))?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(*seed);
        let mut starts: Vec<u32> = range.clone().step_by(self.block as usize).collect();
        starts.shuffle(&mut random);
        Some(Blocks { starts, end: range.end, block: self.block, random })
    }
}

/// The blocks of one unit.
struct Blocks {
    starts: Vec<u32>,
    end: u32,
    block: u32,
    random: Xoshiro256PlusPlus,
}

/// A worker's examples: the positions of the block at hand and, behind them, those of the next, so that what is to come can be
/// fetched in time.
pub(crate) struct Queue<'a> {
    plan: &'a Plan,
    shuffle: bool,
    unit: Option<Blocks>,
    positions: Vec<u32>,
    /// How many positions are of the block at hand.
    now: usize,
}

impl<'a> Queue<'a> {
    /// `shuffle`: whether examples inside a block are shuffled.
    pub fn new(plan: &'a Plan, shuffle: bool) -> Queue<'a> {
        Queue { plan, shuffle, unit: plan.take(), positions: Vec::new(), now: 0 }
    }

    /// Goes on to the next block of positions that `keep` accepts; returns how many they are, 0 at the end.
    #[inline(always)]
    pub fn advance(&mut self, keep: impl Fn(u32) -> bool) -> usize {
        self.positions.drain(..self.now);
        if self.positions.is_empty() {
            self.append(&keep);
        }
        self.now = self.positions.len();
        self.append(&keep);
        self.now
    }

    /// The positions of the block at hand, then the next block's.
    pub fn positions(&self) -> &[u32] {
        &self.positions
    }

    /// Appends the next block that is not empty.
    fn append(&mut self, keep: &impl Fn(u32) -> bool) {
        let before = self.positions.len();
        while let Some(unit) = &mut self.unit {
            let Some(start) = unit.starts.pop() else {
                self.unit = self.plan.take();
                continue;
            };
            self.positions.extend((start..unit.end.min(start.saturating_add(unit.block))).filter(|&p| keep(p)));
            if self.shuffle {
                self.positions[before..].shuffle(&mut unit.random);
            }
            if self.positions.len() > before {
                return;
            }
        }
    }
}
