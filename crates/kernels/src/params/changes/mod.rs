//! What replicas and parameter servers send to each other of a table's slots.
//!
//! A replica [takes](take) what its gradients have come to out of its own table; a server steps the centre's slots by it ([`Apply`]). A server
//! [copies](fetch) slots as they are; a replica puts them in the place of its own. Only slots that have changed travel, as the bytes of a
//! [`Section`]. Slots belong to servers by blocks of them.
#![allow(unsafe_code)]
mod apply;
mod fetch;
mod section;
mod take;

use super::{layout::SlotLayout, table::Table};
use crate::simd::{InstructionSet, Isa, Job, LANES, Line, MOST, Vector, dispatch};
pub(crate) use apply::Apply;
use atomic_float::AtomicF32;
pub(crate) use section::Section;
use section::{Record, Writer};
use std::ops::Range;

/// Sixteens that belong to a server together: some kB, which processors fetch ahead of their turn.
const BLOCK: usize = 64;
/// So many sixteens ahead cells are asked for.
const AHEAD: usize = 8;

/// Which slots belong to a server: every `of`-th block of 1,024, beginning with number `server`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owned {
    pub server: usize,
    pub of: usize,
}

impl Owned {
    /// How many blocks so many slots are.
    pub fn blocks(slots: usize) -> usize {
        slots.div_ceil(BLOCK * LANES)
    }

    /// How many of so many slots are its own, in whole sixteens.
    pub fn count(self, all: usize) -> usize {
        self.sixteens(all).count() * LANES
    }

    #[inline(always)]
    fn sixteens(self, all: usize) -> Sixteens {
        Sixteens { next: self.server * BLOCK, end: all.div_ceil(LANES), skip: (self.of - 1) * BLOCK }
    }

    #[inline(always)]
    fn slots(self, all: usize) -> Slots {
        Slots { now: 0..0, all, sixteens: self.sixteens(all) }
    }

    /// The number of one of its slots among them.
    #[inline(always)]
    pub fn number(self, slot: usize) -> usize {
        const SLOTS: usize = BLOCK * LANES;
        slot / SLOTS / self.of * SLOTS + slot % SLOTS
    }

    fn has(self, slot: usize) -> bool {
        slot / LANES / BLOCK % self.of == self.server
    }
}

/// The sixteens of a server.
struct Sixteens {
    next: usize,
    end: usize,
    /// Those of others between two of its blocks.
    skip: usize,
}

impl Iterator for Sixteens {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let sixteen = self.next;
        self.next = if (sixteen + 1).is_multiple_of(BLOCK) { sixteen + 1 + self.skip } else { sixteen + 1 };
        (sixteen < self.end).then_some(sixteen)
    }
}

/// The slots of a server.
struct Slots {
    /// Those of the sixteen at hand.
    now: Range<usize>,
    all: usize,
    sixteens: Sixteens,
}

impl Iterator for Slots {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        if self.now.start == self.now.end {
            let first = self.sixteens.next()? * LANES;
            self.now = first..self.all.min(first + LANES);
        }
        let slot = self.now.start;
        self.now.start += 1;
        Some(slot)
    }
}

/// Moves between a table and messages: one job, as each is compiled for every instruction set.
pub(crate) enum Move<'a> {
    /// Takes what the server's slots have come to out of the table: for a push.
    Take(Owned, &'a mut Vec<u8>),
    /// Copies the server's slots that were changed by push number `from` or later; by number among them, which changed each last.
    Copy { owned: Owned, changed: &'a [u32], from: u32, to: &'a mut Vec<u8> },
    /// Puts what was copied in the place of the table's own.
    Put(&'a Section<'a>),
}

impl Move<'_> {
    /// Moves; gives how many slots and numbers were written.
    pub fn run(self, set: InstructionSet, table: &Table) -> [u64; 2] {
        dispatch(set, Of { table, what: self })
    }
}

struct Of<'a> {
    table: &'a Table,
    what: Move<'a>,
}

impl Job for Of<'_> {
    type Output = [u64; 2];

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> [u64; 2] {
        let table = self.table;
        let cells = sent(&table.layout);
        match self.what {
            Move::Take(owned, to) => {
                let mut writer = Writer::new(to, cells);
                match &table.layout {
                    SlotLayout { tail: None, .. } => take::narrow(isa, table, owned, &mut writer),
                    SlotLayout { rowwise: true, .. } => take::rowwise(isa, table, owned, &mut writer),
                    _ => take::rows(table, owned, &mut writer),
                }
                writer.end()
            }
            Move::Copy { owned, changed, from, to } => {
                let mut writer = Writer::new(to, cells);
                fetch::copy(isa, table, owned, (changed, from), &mut writer);
                writer.end()
            }
            Move::Put(section) => {
                fetch::put(isa, table, section);
                [0; 2]
            }
        }
    }
}

/// How many numbers of a slot are sent: those that the centre has. A replica may have sums beside.
fn sent(layout: &SlotLayout) -> usize {
    if layout.sums { layout.stride / 2 } else { layout.stride }
}

/// Whether a cell of the room beside a slot has a sum of gradients; the others have what was read.
fn is_sum(layout: &SlotLayout, cell: usize) -> bool {
    match layout.tail {
        None => cell < 2,
        Some(tail) if cell >= tail => cell < tail + 2,
        Some(_) => cell < 2 * layout.part,
    }
}

/// The numbers of sixteen neighbouring slots of one weight. Sixteens are mostly asked for in their order, so later ones are on their way.
#[inline(always)]
fn load_sixteen<I: Isa>(isa: I, cells: &[AtomicF32], sixteen: usize, stride: usize) -> [I::V; MOST] {
    for line in 0..stride {
        if let Some(cell) = cells.get(((sixteen + AHEAD) * stride + line) * LANES) {
            isa.prefetch(cell);
        }
    }
    let places = neighbours(cells, sixteen, stride);
    // SAFETY: the places are within the cells, as `neighbours` has seen.
    unsafe { isa.gather(cells, &places, stride) }
}

/// Stores them.
#[inline(always)]
fn store_sixteen<I: Isa>(isa: I, numbers: [I::V; MOST], cells: &[AtomicF32], sixteen: usize, stride: usize) {
    let places = neighbours(cells, sixteen, stride);
    // SAFETY: as above; cells may be written through a shared reference.
    unsafe { isa.scatter(numbers, cells, &places, stride) };
}

/// Where sixteen neighbouring slots lie. A table has room for whole sixteens.
///
/// # Panics
/// When the cells are of fewer slots.
#[inline(always)]
fn neighbours(cells: &[AtomicF32], sixteen: usize, stride: usize) -> Line<u32> {
    let first = sixteen * LANES;
    assert!(stride <= MOST && (first + LANES) * stride <= cells.len(), "slots of another table");
    // Places count two cells where slots have more.
    let apart = if stride > 2 { 2 } else { 1 };
    let mut places = Line([0; LANES]);
    for i in 0..LANES {
        places.0[i] = ((first + i) * apart) as u32;
    }
    places
}

/// Which of sixteen slots, of the first `of`, have a number other than 0.
#[inline(always)]
fn lanes<V: Vector>(numbers: V, of: usize) -> u32 {
    let mut line = [0.0; LANES];
    numbers.store(&mut line);
    let mut lanes = 0;
    for i in 0..LANES {
        lanes |= ((line[i] != 0.0) as u32) << i;
    }
    lanes & first(of)
}

/// The lanes of the first of sixteen slots.
#[inline(always)]
fn first(slots: usize) -> u32 {
    if slots < LANES { (1 << slots) - 1 } else { 0xffff }
}
