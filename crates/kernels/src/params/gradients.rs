//! Synchronous batches: gradients are summed at parameters that stand still, then each touched row takes one step.
//!
//! With `n` examples a batch, a step goes by the mean gradient `g = 1/n sum_i g_i(w)`, all at the same `w` (Robbins & Monro 1951 for
//! `n = 1`, Cauchy 1847 for all). A batch is cut into shards, each with [`Gradients`] of its own, which [`Summing`](super::Summing) adds to;
//! [`Merge`] adds those of one shard to another's, and [`Step`](super::Step) lets the rule step. Every sum has one order, whoever
//! computes it: any number of threads gives the same bits. Sums are single numbers of 24 bits: of a feature that a shard has in 10^7
//! examples, smaller ones begin to be lost.
//!
//! Sums are as long as the parameters, so that adding is a gather and a scatter; which rows were touched is listed as they come, so
//! that all else goes by those (looking for them among the sums took five times as long as summing, in batches of 32 on criteo).
#![allow(unsafe_code)]
use super::{Shape, cells::Cells, layout::SlotWidth, table::TableShape};
use crate::simd::{Isa, Job, LANES, Line, MOST, Real, copy, pairs};
use atomic_float::AtomicF32;
use hogwild_base::{Result, memory};

/// Gradients of a shard, summed. Atomics, as all cells that vectors are moved to and from. Whoever reads a sum leaves zero: it is in the
/// near cache then.
pub(crate) struct Gradients {
    /// By table of the parameters.
    tables: Vec<Sums>,
}

impl Gradients {
    /// `l1`: whether lambdas of L1 are summed too.
    pub fn new(shape: &Shape, l1: bool) -> Result<Gradients> {
        let slots: usize = shape.tables.iter().map(|table| table.slots).sum();
        let bytes = (Self::cells(shape) * size_of::<f32>() + slots * size_of::<[u32; 2]>()) as u64;
        memory::ask(bytes, || "the sums of a batch's gradients".into(), "use `batch` 1, fewer features or a smaller `rank`")?;
        Ok(Gradients { tables: shape.tables.iter().map(|table| Sums::new(table, l1)).collect::<Result<_>>()? })
    }

    /// How many numbers they hold.
    pub fn cells(shape: &Shape) -> usize {
        shape.tables.iter().map(|table| (table.slots + 1) * stride(table)).sum()
    }

    /// By table, the slots that were touched.
    pub fn touched(&self) -> impl Iterator<Item = &[u32]> {
        self.tables.iter().map(|sums| sums.touched.slots())
    }

    /// The sums of a table.
    #[inline(always)]
    pub(super) fn table(&self, number: usize) -> &Sums {
        &self.tables[number]
    }

    #[inline(always)]
    pub(super) fn table_mut(&mut self, number: usize) -> &mut Sums {
        &mut self.tables[number]
    }

    /// Forgets which slots were touched, when all sums have been taken.
    pub(super) fn clear(&mut self) {
        self.tables.iter_mut().for_each(|sums| sums.touched.clear());
    }
}

/// Numbers of sums a slot: of one weight one; of many, vectors of them and one whose first number is of the weight beside.
fn stride(table: &TableShape) -> usize {
    match table.width {
        SlotWidth::One => 1,
        SlotWidth::Row(weights) | SlotWidth::FeatureRow { weights, .. } => weights.next_multiple_of(LANES) + LANES,
    }
}

/// The sums of one table, by slot, and those of empty lanes.
pub(super) struct Sums {
    pub cells: Cells,
    /// The same of L1's lambdas, where there is L1; of slots of one weight.
    pub lambdas: Option<Cells>,
    pub touched: Touched,
    /// Numbers of sums a slot.
    stride: usize,
}

impl Sums {
    fn new(table: &TableShape, l1: bool) -> Result<Sums> {
        let (slots, stride) = (table.slots + 1, stride(table));
        let mut touched = Touched::new(slots);
        touched.is[table.slots] = true; // the slot for empty lanes is never listed
        let lambdas = (l1 && stride == 1).then(|| Cells::new(slots, 1)).transpose()?;
        Ok(Sums { cells: Cells::new(slots, stride)?, lambdas, touched, stride })
    }

    /// The slot for empty lanes.
    #[inline(always)]
    pub fn empty(&self) -> u32 {
        (self.cells.cells().len() / self.stride) as u32 - 1
    }

    /// Vectors of a slot of many weights, but for the one of the weight beside.
    #[inline(always)]
    pub fn vectors(&self) -> usize {
        self.stride / LANES - 1
    }

    /// The sums of a slot of many weights.
    #[inline(always)]
    pub fn row(&self, slot: u32) -> &[[AtomicF32; LANES]] {
        let vectors = self.stride / LANES;
        &self.cells.cells().as_chunks().0[slot as usize * vectors..][..vectors]
    }
}

/// A set of slots, listed in the order in which they came.
pub(super) struct Touched {
    is: Vec<bool>,
    /// Longer by one than there are slots.
    slots: Vec<u32>,
    n: usize,
}

impl Touched {
    fn new(slots: usize) -> Touched {
        Touched { is: vec![false; slots], slots: vec![0; slots + 1], n: 0 }
    }

    fn slots(&self) -> &[u32] {
        &self.slots[..self.n]
    }

    /// Without a branch: whether a slot is new is anyone's guess.
    #[inline(always)]
    pub(super) fn insert(&mut self, slot: u32) {
        let is = &mut self.is[slot as usize];
        self.slots[self.n] = slot;
        self.n += !*is as usize;
        *is = true;
    }

    pub(super) fn clear(&mut self) {
        for &slot in &self.slots[..self.n] {
            self.is[slot as usize] = false;
        }
        self.n = 0;
    }
}

/// Adds to the sums of sixteen slots of one weight.
///
/// # Safety
/// The slots are within the table.
#[inline(always)]
pub(super) unsafe fn add<I: Isa>(isa: I, sums: &Cells, slots: &Line<u32>, more: I::V) {
    // SAFETY: the caller's.
    unsafe {
        let mut sixteen: [I::V; MOST] = isa.gather(sums.cells(), slots, 1);
        sixteen[0] = sixteen[0] + more;
        isa.scatter(sixteen, sums.cells(), slots, 1);
    }
}

/// Sixteen listed slots, or fewer; the other lanes are the slot for empty ones.
#[inline(always)]
pub(super) fn line(some: &[u32], empty: u32) -> Line<u32> {
    let mut slots = Line([empty; LANES]);
    copy(some, &mut slots.0);
    slots
}

/// Takes away the sums of sixteen slots of one weight.
#[inline(always)]
pub(super) fn take<I: Isa>(isa: I, sums: &Cells, slots: &Line<u32>) -> I::V {
    for &slot in &slots.0 {
        assert!((slot as usize) < sums.cells().len(), "slots of other sums");
    }
    // SAFETY: the slots are within the table, as just seen.
    unsafe {
        let gathered: [I::V; MOST] = isa.gather(sums.cells(), slots, 1);
        isa.scatter([I::V::of(0.0); MOST], sums.cells(), slots, 1);
        gathered[0]
    }
}

/// The same of a vector.
#[inline(always)]
pub(super) fn take_vector<I: Isa>(isa: I, sum: &[AtomicF32; LANES]) -> I::V {
    let taken = isa.load(sum);
    isa.store(I::V::of(0.0), sum);
    taken
}

/// Adds the sums of `from`, which are taken, to those of `into`.
pub(crate) struct Merge<'a> {
    pub into: &'a mut Gradients,
    pub from: &'a Gradients,
}

impl Job for Merge<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        for (into, from) in pairs(&mut self.into.tables, &self.from.tables) {
            let same = |a: &Cells, b: &Cells| a.cells().len() == b.cells().len();
            assert!(same(&into.cells, &from.cells) && into.stride == from.stride, "sums of other parameters");
            if from.stride == 1 {
                merge_singles(isa, into, from);
            } else {
                merge_rows(isa, into, from);
            }
        }
    }
}

#[inline(always)]
fn merge_singles<I: Isa>(isa: I, into: &mut Sums, from: &Sums) {
    for some in from.touched.slots().chunks(LANES) {
        let slots = line(some, from.empty());
        // SAFETY: the slots are within the one table, as `take` has seen, and so within the other, which is as long.
        unsafe { add(isa, &into.cells, &slots, take(isa, &from.cells, &slots)) };
        if let (Some(into), Some(from)) = (&into.lambdas, &from.lambdas) {
            // SAFETY: likewise.
            unsafe { add(isa, into, &slots, take(isa, from, &slots)) };
        }
        for &slot in some {
            into.touched.insert(slot);
        }
    }
}

#[inline(always)]
fn merge_rows<I: Isa>(isa: I, into: &mut Sums, from: &Sums) {
    for &slot in from.touched.slots() {
        for (to, from) in pairs(into.row(slot), from.row(slot)) {
            isa.store(isa.load(to) + take_vector(isa, from), to);
        }
        into.touched.insert(slot);
    }
}
