//! Synchronous batches: gradients are summed at parameters that stand still, then each touched row takes one step.
//!
//! With `n` examples a batch, a step goes by the mean gradient `g = 1/n sum_i g_i(w)`, all at the same `w` (Robbins & Monro 1951 for
//! `n = 1`, Cauchy 1847 for all). A batch is cut into shards, each with [`Gradients`] of its own, which [`Summing`](super::Summing) adds to; [`Merge`]
//! adds those of one shard to another's, and [`Step`](super::Step) lets the rule step. Every sum has one order, whoever computes it: any number of
//! threads gives the same bits. Sums are single numbers of 24 bits: of a feature that a shard has in 10^7 examples, smaller ones begin to
//! be lost.
//!
//! Sums are as long as the parameters, so that adding is a gather and a scatter; which rows were touched is listed as they come, so
//! that all else goes by those (looking for them among the sums took five times as long as summing, in batches of 32 on criteo).
#![allow(unsafe_code)]
use super::{Shape, table::Table};
use crate::simd::{Isa, Job, LANES, Line, MOST, Real};
use atomic_float::AtomicF32;
use hogwild_base::{Result, memory};

/// Gradients of a shard, summed. Atomics, as all cells that vectors are moved to and from. Whoever reads a sum leaves zero: it is in the
/// near cache then.
pub struct Gradients {
    /// By narrow row, and one for empty lanes.
    pub(super) narrow: Table,
    /// The same of L1's lambdas, where there is L1.
    pub(super) l1: Option<Table>,
    pub(super) narrow_touched: Touched,
    /// By wide row: vectors of factors, and one whose first number is of the weight beside them.
    pub(super) wide: Table,
    pub(super) wide_touched: Touched,
    /// Vectors of sums a wide row.
    pub(super) stride: usize,
}

impl Gradients {
    /// `l1`: whether lambdas of L1 are summed too.
    pub fn new(shape: &Shape, l1: bool) -> Result<Gradients> {
        let bytes = (Self::cells(shape) * size_of::<f32>() + (shape.narrow + shape.wide) * size_of::<[u32; 2]>()) as u64;
        memory::ask(bytes, || "the sums of a batch's gradients".into(), "use --batch 1, fewer features or a smaller --rank")?;
        let mut narrow_touched = Touched::new(shape.narrow + 1);
        narrow_touched.is[shape.narrow] = true; // the row for empty lanes is never listed
        Ok(Gradients {
            narrow: Table::new(shape.narrow + 1, 1)?,
            l1: l1.then(|| Table::new(shape.narrow + 1, 1)).transpose()?,
            narrow_touched,
            wide: Table::new(shape.wide, wide_vectors(shape) * LANES)?,
            wide_touched: Touched::new(shape.wide),
            stride: wide_vectors(shape),
        })
    }

    /// How many numbers they hold.
    pub fn cells(shape: &Shape) -> usize {
        shape.narrow + 1 + shape.wide * wide_vectors(shape) * LANES
    }

    /// Narrow rows, then wide rows that were touched.
    pub fn touched(&self) -> [&[u32]; 2] {
        [self.narrow_touched.rows(), self.wide_touched.rows()]
    }

    /// The row for empty lanes.
    #[inline(always)]
    pub(super) fn empty(&self) -> u32 {
        self.narrow.cells().len() as u32 - 1
    }

    #[inline(always)]
    pub(super) fn wide_row(&self, row: u32) -> &[[AtomicF32; LANES]] {
        &self.wide.cells().as_chunks().0[row as usize * self.stride..][..self.stride]
    }
}

/// Vectors of sums a wide row.
fn wide_vectors(shape: &Shape) -> usize {
    shape.width.div_ceil(LANES) + 1
}

/// A set of rows, listed in the order in which they came.
pub(super) struct Touched {
    is: Vec<bool>,
    /// Longer by one than there are rows.
    rows: Vec<u32>,
    n: usize,
}

impl Touched {
    fn new(rows: usize) -> Touched {
        Touched { is: vec![false; rows], rows: vec![0; rows + 1], n: 0 }
    }

    fn rows(&self) -> &[u32] {
        &self.rows[..self.n]
    }

    /// Without a branch: whether a row is new is anyone's guess.
    #[inline(always)]
    pub(super) fn insert(&mut self, row: u32) {
        let is = &mut self.is[row as usize];
        self.rows[self.n] = row;
        self.n += !*is as usize;
        *is = true;
    }

    pub(super) fn clear(&mut self) {
        for &row in &self.rows[..self.n] {
            self.is[row as usize] = false;
        }
        self.n = 0;
    }
}

/// Adds to the sums of sixteen narrow rows.
///
/// # Safety
/// The rows are within the table.
#[inline(always)]
pub(super) unsafe fn add<I: Isa>(isa: I, narrow: &Table, rows: &Line<u32>, more: I::V) {
    // SAFETY: the caller's.
    unsafe {
        let mut sums: [I::V; MOST] = isa.gather(narrow.cells(), rows, 1);
        sums[0] = sums[0] + more;
        isa.scatter(sums, narrow.cells(), rows, 1);
    }
}

/// Sixteen listed narrow rows, or fewer; the other lanes are the row for empty ones.
#[inline(always)]
pub(super) fn line(some: &[u32], empty: u32) -> Line<u32> {
    let mut rows = Line([empty; LANES]);
    rows.0[..some.len()].copy_from_slice(some);
    rows
}

/// Takes away the sums of sixteen narrow rows.
#[inline(always)]
pub(super) fn take<I: Isa>(isa: I, narrow: &Table, rows: &Line<u32>) -> I::V {
    for &row in &rows.0 {
        assert!((row as usize) < narrow.cells().len(), "rows of other sums");
    }
    // SAFETY: the rows are within the table, as just seen.
    unsafe {
        let gathered: [I::V; MOST] = isa.gather(narrow.cells(), rows, 1);
        isa.scatter([I::V::of(0.0); MOST], narrow.cells(), rows, 1);
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
pub struct Merge<'a> {
    pub into: &'a mut Gradients,
    pub from: &'a Gradients,
}

impl Job for Merge<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Merge { into, from } = self;
        let same = |a: &Table, b: &Table| a.cells().len() == b.cells().len();
        assert!(same(&into.narrow, &from.narrow) && into.stride == from.stride, "sums of other parameters");
        let [narrow, wide] = from.touched();
        for some in narrow.chunks(LANES) {
            let rows = line(some, from.empty());
            // SAFETY: the rows are within the one table, as `take` has seen, and so within the other, which is as long.
            unsafe { add(isa, &into.narrow, &rows, take(isa, &from.narrow, &rows)) };
            if let (Some(into), Some(from)) = (&into.l1, &from.l1) {
                // SAFETY: likewise.
                unsafe { add(isa, into, &rows, take(isa, from, &rows)) };
            }
            for &row in some {
                into.narrow_touched.insert(row);
            }
        }
        for &row in wide {
            for (to, from) in into.wide_row(row).iter().zip(from.wide_row(row)) {
                isa.store(isa.load(to) + take_vector(isa, from), to);
            }
            into.wide_touched.insert(row);
        }
    }
}
