//! The order of examples: units shuffled each epoch, blocks inside a unit shuffled, examples inside a block shuffled.
//!
//! A unit is what stays together for locality (a few rows of the file, a tile of ratings); a block is what passes between two
//! exchanges: many small units from all over the file, or a part of a large one. Blocks of neighbouring rows would be of one label in a
//! file sorted by label (as the IMDB reviews are), and rules without memory of their gradients would run after each. All of it follows from seed and epoch, and one thread visits units in the order of the plan, so that a run repeats
//! to the bit. Workers take units from an atomic counter: who is faster takes more.
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{
    ops::Range,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The units of one epoch.
pub(crate) struct Plan {
    units: Vec<(u64, Range<u32>)>,
    /// How many units are taken at once.
    together: usize,
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
        // Small units make a block together, so that it is a sample of the whole file.
        let longest = units.iter().map(|unit| unit.1.len()).max().unwrap_or(0).max(1);
        let block = block.max(1);
        Plan { units, together: (block as usize / longest).max(1), block, next: AtomicUsize::new(0) }
    }

    /// The next unit's blocks (or the block that the next units make), in their order, or none when the epoch is over. Relaxed: the
    /// counter hands out numbers, no data.
    fn take(&self) -> Option<Blocks> {
        let first = self.next.fetch_add(self.together, Relaxed);
        let units = self.units.get(first..self.units.len().min(first.saturating_add(self.together)))?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(units.first()?.0);
        let cut = |unit: &Range<u32>| {
            let end = unit.end;
            unit.clone().step_by(self.block as usize).map(move |start| start..end.min(start.saturating_add(self.block)))
        };
        let mut ranges: Vec<_> = units.iter().flat_map(|(_, unit)| cut(unit)).collect();
        ranges.shuffle(&mut random);
        Some(Blocks { ranges, together: self.together, random })
    }
}

/// What of blocks was taken at once.
struct Blocks {
    ranges: Vec<Range<u32>>,
    /// How many ranges make a block.
    together: usize,
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
            if unit.ranges.is_empty() {
                self.unit = self.plan.take();
                continue;
            }
            let rest = unit.ranges.len().saturating_sub(unit.together);
            self.positions.extend(unit.ranges.drain(rest..).flatten().filter(|&p| keep(p)));
            if self.shuffle {
                self.positions[before..].shuffle(&mut unit.random);
            }
            if self.positions.len() > before {
                return;
            }
        }
    }
}
