//! The order of examples: units shuffled each epoch, blocks inside a unit shuffled, examples inside a block shuffled; or as they come.
//!
//! A unit is what stays together for locality (a few rows of the file, a tile of ratings); a block is what passes between two
//! exchanges: many small units from all over the file, or a part of a large one. Blocks of neighbouring rows would be of one label in a
//! file sorted by label (as the IMDB reviews are), and rules without memory of their gradients would run after each. All of it follows
//! from seed and epoch, and one thread visits units in the order of the plan, so that a run repeats to the bit. Workers take units from
//! an atomic counter: who is faster takes more.
use crate::{
    gate::Gate,
    seeds::Stream,
    strata::{self, Bands, Turn},
};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

/// In what order an epoch visits the examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Shuffled anew each epoch.
    Shuffle,
    /// As in the file, by one thread exactly so; several threads take its blocks in turn.
    Sequential,
    /// Shuffled, the easy ones first (Bengio et al. 2009): epochs begin with a fifth of the examples, those of least loss, and admit more
    /// and more.
    Curriculum,
}

impl Order {
    /// Every order.
    pub const ALL: [Order; 3] = [Order::Shuffle, Order::Sequential, Order::Curriculum];

    /// The name that `order` takes.
    pub fn name(self) -> &'static str {
        match self {
            Order::Shuffle => "shuffle",
            Order::Sequential => "sequential",
            Order::Curriculum => "curriculum",
        }
    }
}

/// Examples that are shuffled among each other, where nothing says otherwise.
pub const BLOCK: u32 = 256;

/// The units of one epoch.
pub struct Plan {
    units: Vec<(u64, Range<u32>)>,
    /// Whether all stays as it comes; units are blocks or less then.
    sequential: bool,
    /// By position: whether it is visited. Empty: all are.
    admitted: Arc<[bool]>,
    /// How many units are taken at once.
    together: usize,
    block: u32,
    next: AtomicUsize,
    /// Units that may be taken by now.
    open: AtomicUsize,
    /// Where data larger than memory are visited window by window.
    gate: Option<Gate>,
    /// Turns of cells that share no rows of parameters, where whoever goes through the plan is to keep to them.
    pub(crate) turns: Vec<Turn>,
}

impl Plan {
    /// `units`: consecutive positions each; `admitted`: which of them are visited, all if it is empty; `block`: examples between exchanges.
    pub fn new(units: &[Range<u32>], admitted: Vec<bool>, order: Order, block: u32, seed: u64, epoch: usize) -> Plan {
        Plan::of_groups(units.to_vec(), &[units.len()], admitted, order, block, seed, epoch)
    }

    /// The same with units in groups, given by where each ends: the units of each are shuffled by themselves. Where there are several
    /// groups, no unit is longer than a block, and a block no longer than a group.
    pub fn of_groups(
        units: Vec<Range<u32>>,
        ends: &[usize],
        admitted: Vec<bool>,
        order: Order,
        block: u32,
        seed: u64,
        epoch: usize,
    ) -> Plan {
        let mut random = Stream::Order { epoch }.random(seed);
        let block = block.max(1);
        let sequential = order == Order::Sequential;
        let mut units: Vec<_> = if sequential {
            units.iter().flat_map(|unit| cut(unit, block)).map(|unit| (0, unit)).collect()
        } else {
            units.into_iter().map(|unit| (0, unit)).collect()
        };
        let mut start = 0;
        for &end in ends.iter().filter(|_| !sequential) {
            units[start..end].shuffle(&mut random);
            start = end;
        }
        for unit in &mut units {
            unit.0 = random.random();
        }
        // Small units make a block together, so that it is a sample of the whole file.
        let longest = units.iter().map(|unit| unit.1.len()).max().unwrap_or(0).max(1);
        let group = if let [first, _, ..] = ends { *first } else { units.len() };
        let together = (block as usize / longest).min(group).max(1);
        Plan {
            units,
            sequential,
            admitted: admitted.into(),
            together,
            block,
            next: AtomicUsize::new(0),
            open: AtomicUsize::new(usize::MAX),
            gate: None,
            turns: Vec::new(),
        }
    }

    /// The same of ratings in the cells of a matrix, each of some units: where those of each cell end, the cells of a block of users one
    /// after the other.
    pub fn of_cells(units: Vec<Range<u32>>, ends: &[usize], admitted: Vec<bool>, block: u32, seed: u64, epoch: usize) -> Plan {
        let turns = strata::turns(ends, &mut Stream::Strata { epoch }.random(seed));
        Plan { turns, together: 1, ..Plan::of_groups(units, ends, admitted, Order::Shuffle, block, seed, epoch) }
    }

    /// The same where one side, users or items, is cut finer than the other, which has so many blocks: see `strata`. Each cell is a unit.
    pub fn of_bands(units: Vec<Range<u32>>, (ends, bands): (&[usize], Bands), block: u32, seed: u64, epoch: usize) -> Plan {
        let turns = strata::in_bands(ends, bands, &mut Stream::Strata { epoch }.random(seed));
        Plan { turns, together: 1, ..Plan::of_groups(units, ends, Vec::new(), Order::Shuffle, block, seed, epoch) }
    }

    /// A turn's part of the plan.
    pub(crate) fn turn(&self, turn: &Turn) -> Plan {
        Plan { turns: vec![turn.clone()], ..self.of_units(self.units[turn.units.clone()].to_vec(), usize::MAX) }
    }

    /// How many examples a turn visits.
    pub(crate) fn examples(&self, turn: &Turn) -> u64 {
        let ranges = self.units[turn.units.clone()].iter().map(|(_, range)| range);
        match self.admitted.is_empty() {
            true => ranges.map(|range| range.len() as u64).sum(),
            false => ranges.cloned().flatten().filter(|&position| self.admits(position)).count() as u64,
        }
    }

    /// The same plan, none of which is taken yet: for a worker that goes through all of it.
    pub(crate) fn again(&self) -> Plan {
        self.of_units(self.units.clone(), usize::MAX)
    }

    /// Part `number` of `parts` of what is left of the plan, which nobody is taking from.
    pub(crate) fn part(&self, number: usize, parts: usize) -> Plan {
        let taken = self.next.load(Relaxed).min(self.units.len());
        let mine = |(i, _): &(usize, &(u64, Range<u32>))| i / self.together % parts == number;
        let units = self.units[taken..].iter().enumerate().filter(mine).map(|(_, unit)| unit.clone()).collect();
        self.of_units(units, 0)
    }

    /// A plan of some of the units, of which so many may be taken.
    fn of_units(&self, units: Vec<(u64, Range<u32>)>, open: usize) -> Plan {
        let (next, open, admitted) = (AtomicUsize::new(0), AtomicUsize::new(open), Arc::clone(&self.admitted));
        Plan { units, admitted, next, open, gate: None, turns: Vec::new(), ..*self }
    }

    /// Whether all positions have been taken.
    pub(crate) fn is_through(&self) -> bool {
        self.next.load(Relaxed) >= self.units.len()
    }

    /// Lets about so many more positions be taken, whole units of them; gives whether there were any left.
    pub(crate) fn open(&self, examples: u64) -> bool {
        let before = self.next.load(Relaxed);
        let (mut open, mut sum) = (before, 0);
        while sum < examples && open < self.units.len() {
            sum += self.units[open].1.len() as u64;
            open += 1;
        }
        self.open.store(open.next_multiple_of(self.together.max(1)), Relaxed);
        before < self.units.len()
    }

    /// The same with a gate that workers pass from group to group.
    pub fn with_gate(self, gate: Gate) -> Plan {
        Plan { gate: Some(gate), ..self }
    }

    /// The gate that workers pass, of data larger than memory.
    pub fn gate(&self) -> Option<&Gate> {
        self.gate.as_ref()
    }

    /// Whether a position is visited.
    #[inline(always)]
    pub fn admits(&self, position: u32) -> bool {
        self.admitted.is_empty() || self.admitted.get(position as usize).is_some_and(|&yes| yes)
    }

    /// The next unit's blocks (or the block that the next units make), in their order, or none when the epoch is over. Relaxed: the
    /// counter hands out numbers, no data.
    fn take(&self) -> Option<Blocks> {
        let first = self.next.fetch_update(Relaxed, Relaxed, |next| (next < self.open.load(Relaxed)).then(|| next + self.together)).ok()?;
        let units = self.units.get(first..self.units.len().min(first.saturating_add(self.together)))?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(units.first()?.0);
        if let Some(gate) = &self.gate {
            gate.enter(first + units.len() - 1);
        }
        let mut ranges: Vec<_> = units.iter().flat_map(|(_, unit)| cut(unit, self.block)).collect();
        if !self.sequential {
            ranges.shuffle(&mut random);
        }
        Some(Blocks { ranges, together: self.together, random })
    }
}

/// The blocks of a unit.
fn cut(unit: &Range<u32>, block: u32) -> impl Iterator<Item = Range<u32>> {
    let end = unit.end;
    unit.clone().step_by(block as usize).map(move |start| start..end.min(start.saturating_add(block)))
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
pub struct Queue<'a> {
    plan: &'a Plan,
    shuffle: bool,
    unit: Option<Blocks>,
    /// And then the last one again and again, so that nobody who looks ahead has to ask whether there are more.
    positions: Vec<u32>,
    /// How many positions are of the block at hand, and how many there are in all.
    now: usize,
    known: usize,
    /// How far one looks ahead.
    ahead: usize,
}

impl<'a> Queue<'a> {
    /// `shuffle`: whether examples inside a block are shuffled; `ahead`: how many positions behind each of a block are to be there.
    pub fn new(plan: &'a Plan, shuffle: bool, ahead: usize) -> Queue<'a> {
        Queue { plan, shuffle: shuffle && !plan.sequential, unit: plan.take(), positions: Vec::new(), now: 0, known: 0, ahead }
    }

    /// Goes on to the next block of positions that `keep` accepts (without it, all); returns how many they are, 0 at the end.
    #[inline(always)]
    pub fn advance(&mut self, keep: Option<impl Fn(u32) -> bool>) -> usize {
        self.positions.truncate(self.known);
        self.positions.drain(..self.now);
        if self.positions.is_empty() {
            self.append(&keep);
        }
        self.now = self.positions.len();
        self.append(&keep);
        self.known = self.positions.len();
        if let Some(&last) = self.positions.last() {
            self.positions.resize(self.known + self.ahead, last);
        }
        self.now
    }

    /// The positions of the block at hand, then the next block's (so many in all), then as many as one looks ahead.
    pub fn positions(&self) -> (&[u32], usize) {
        (&self.positions, self.known)
    }

    /// Appends the next block that is not empty.
    fn append(&mut self, keep: &Option<impl Fn(u32) -> bool>) {
        let before = self.positions.len();
        while let Some(unit) = &mut self.unit {
            if unit.ranges.is_empty() {
                self.unit = self.plan.take();
                continue;
            }
            let rest = unit.ranges.len().saturating_sub(unit.together);
            let (plan, ranges) = (self.plan, unit.ranges.drain(rest..));
            match keep {
                // Whole ranges: to ask for each position takes a tenth of the time of a rating.
                None if plan.admitted.is_empty() => ranges.for_each(|range| self.positions.extend(range)),
                None => self.positions.extend(ranges.flatten().filter(|&p| plan.admits(p))),
                Some(keep) => self.positions.extend(ranges.flatten().filter(|&p| keep(p) && plan.admits(p))),
            }
            if self.shuffle {
                self.positions[before..].shuffle(&mut unit.random);
            }
            if self.positions.len() > before {
                return;
            }
        }
    }
}
