//! Synchronous batches: gradients are summed at parameters that stand still, then each touched row takes one step.
//!
//! With `n` examples a batch, a step goes by the mean gradient `g = 1/n sum_i g_i(w)`, all at the same `w` (Robbins & Monro 1951 for
//! `n = 1`, Cauchy 1847 for all). A batch is cut into shards, each with [`Gradients`] of its own, which [`Summing`] adds to; [`Merge`]
//! adds those of one shard to another's, and [`Step`] lets the rule step. Every sum has one order, whoever computes it: any number of
//! threads gives the same bits. Sums are single numbers of 24 bits: of a feature that a shard has in 10^7 examples, smaller ones begin to
//! be lost.
//!
//! Sums are as long as the parameters, so that adding is a gather and a scatter; which rows were touched is listed as they come, so
//! that all else goes by those (looking for them among the sums took five times as long as summing, in batches of 32 on criteo).
#![allow(unsafe_code)]
use super::{
    Aided, Hogwild, Lean, Parameters, Places, Shape, Weights,
    hogwild::state_of,
    table::{Table, stride},
};
use crate::{
    aids::{Adjuster, Aids},
    rules::{Clock, UpdateRule},
    simd::{Integers, Isa, Job, LANES, Line, MOST, Real, Vector},
};
use atomic_float::AtomicF32;
use hogwild_base::{Result, memory};
use std::sync::atomic::Ordering::Relaxed;

/// Gradients of a shard, summed. Atomics, as all cells that vectors are moved to and from. Whoever reads a sum leaves zero: it is in the
/// near cache then.
pub struct Gradients {
    /// By narrow row, and one for empty lanes.
    narrow: Table,
    /// The same of L1's lambdas, where there is L1.
    l1: Option<Table>,
    narrow_touched: Touched,
    /// By wide row: vectors of factors, and one whose first number is of the weight beside them.
    wide: Table,
    wide_touched: Touched,
    /// Vectors of sums a wide row.
    stride: usize,
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
    fn empty(&self) -> u32 {
        self.narrow.cells().len() as u32 - 1
    }

    #[inline(always)]
    fn wide_row(&self, row: u32) -> &[[AtomicF32; LANES]] {
        &self.wide.cells().as_chunks().0[row as usize * self.stride..][..self.stride]
    }
}

/// Vectors of sums a wide row.
fn wide_vectors(shape: &Shape) -> usize {
    shape.width.div_ceil(LANES) + 1
}

/// A set of rows, listed in the order in which they came.
struct Touched {
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
    fn insert(&mut self, row: u32) {
        let is = &mut self.is[row as usize];
        self.rows[self.n] = row;
        self.n += !*is as usize;
        *is = true;
    }

    fn clear(&mut self) {
        for &row in &self.rows[..self.n] {
            self.is[row as usize] = false;
        }
        self.n = 0;
    }
}

/// What a shard sees: parameters to read, sums to add to.
pub struct Summing<'a, R: UpdateRule, I: Isa> {
    isa: I,
    rule: R,
    step: R::Step,
    /// Reads wide rows.
    view: Hogwild<'a, R, I, Lean>,
    /// The parameters' narrow cells.
    cells: &'a [AtomicF32],
    /// How many narrow rows there are; the number of the row for empty lanes.
    rows: u32,
    /// Vectors of parameters a wide row.
    wide_stride: u32,
    sums: &'a mut Gradients,
}

impl<'a, R: UpdateRule, I: Isa> Summing<'a, R, I> {
    const STRIDE: usize = stride::<R>();

    /// Begins a shard, when all sums have been taken: weights are read as the step at `clock` is to see them.
    #[inline(always)]
    pub fn new(isa: I, rule: R, memory: &R::Memory, clock: &Clock, parameters: &'a Parameters, sums: &'a mut Gradients) -> Self {
        let shape = &parameters.shape;
        let mut view = Hogwild::new(isa, rule, memory.clone(), Adjuster::new(Aids::default(), 0, 0), parameters, 0, 0);
        view.begin(clock);
        let (cells, rows) = (parameters.narrow_cells(), shape.narrow as u32);
        assert!(cells.len() >= (shape.narrow + 1) * Self::STRIDE && sums.narrow.cells().len() > shape.narrow, "sums of other parameters");
        sums.narrow_touched.clear();
        sums.wide_touched.clear();
        Summing { isa, rule, step: rule.prepare(clock, memory), view, cells, rows, wide_stride: parameters.wide_place(1), sums }
    }
}

impl<R: UpdateRule, I: Isa> Places<I> for Summing<'_, R, I> {
    /// Row numbers, by which both parameters and sums are found.
    #[inline(always)]
    fn place(&self, rows: I::U, places: &mut Line<u32>) {
        rows.less(I::U::of(self.rows), rows, I::U::of(self.rows)).store(places);
    }

    #[inline(always)]
    fn prefetch_wide(&self, row: u32, vectors: usize) {
        self.view.prefetch_wide(row * self.wide_stride, vectors);
    }
}

impl<R: UpdateRule, I: Isa> Weights for Summing<'_, R, I> {
    type V = I::V;

    #[inline(always)]
    fn gather(&mut self, _block: usize, rows: &Line<u32>) -> I::V {
        let at = I::U::load(rows);
        assert!(I::U::of(self.rows).none_below(at), "not places of this view");
        let mut twice = Line([0; LANES]);
        let places = if Self::STRIDE > 2 {
            at.plus(at).store(&mut twice);
            &twice
        } else {
            rows
        };
        // SAFETY: the rows are within the table, which has one more than `self.rows`, as `new` has seen; a place is twice the row's
        // number where a row has four cells.
        let gathered = unsafe { self.isa.gather(self.cells, places, Self::STRIDE) };
        if self.rule.reads() { self.rule.read(&self.step, gathered[0], &state_of::<R, _>(&gathered[1..])) } else { gathered[0] }
    }

    #[inline(always)]
    fn step(&mut self, _block: usize, rows: &Line<u32>, gradient: I::V, l1: Option<I::V>) {
        assert!(I::U::of(self.rows).none_below(I::U::load(rows)), "not places of this view");
        let Gradients { narrow, narrow_touched, .. } = &mut *self.sums;
        // SAFETY: each row is at most `self.rows`, as just seen; there are more sums than that.
        unsafe { add(self.isa, narrow, rows, gradient) };
        for &row in &rows.0 {
            narrow_touched.insert(row);
        }
        if let (Some(sums), Some(l1)) = (&self.sums.l1, l1) {
            // SAFETY: as above; the two tables are of one length.
            unsafe { add(self.isa, sums, rows, l1) };
        }
    }

    #[inline(always)]
    fn gather_row(&mut self, row: u32, out: &mut [I::V]) -> f32 {
        self.view.gather_row(row * self.wide_stride, out)
    }

    #[inline(always)]
    fn step_row(&mut self, row: u32, gradient: &[I::V], _square: f32, beside: f32) {
        let (factors, tail) = self.sums.wide_row(row).split_at(gradient.len());
        for (sum, &g) in factors.iter().zip(gradient) {
            self.isa.store(self.isa.load(sum) + g, sum);
        }
        tail[0][0].store(tail[0][0].load(Relaxed) + beside, Relaxed);
        self.sums.wide_touched.insert(row);
    }
}

/// Adds to the sums of sixteen narrow rows.
///
/// # Safety
/// The rows are within the table.
#[inline(always)]
unsafe fn add<I: Isa>(isa: I, narrow: &Table, rows: &Line<u32>, more: I::V) {
    // SAFETY: the caller's.
    unsafe {
        let mut sums: [I::V; MOST] = isa.gather(narrow.cells(), rows, 1);
        sums[0] = sums[0] + more;
        isa.scatter(sums, narrow.cells(), rows, 1);
    }
}

/// Sixteen listed narrow rows, or fewer; the other lanes are the row for empty ones.
#[inline(always)]
fn line(some: &[u32], empty: u32) -> Line<u32> {
    let mut rows = Line([empty; LANES]);
    rows.0[..some.len()].copy_from_slice(some);
    rows
}

/// Takes away the sums of sixteen narrow rows.
#[inline(always)]
fn take<I: Isa>(isa: I, narrow: &Table, rows: &Line<u32>) -> I::V {
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
fn take_vector<I: Isa>(isa: I, sum: &[AtomicF32; LANES]) -> I::V {
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

/// One step of each of some touched rows by the mean gradient, whose sums are taken.
pub struct Step<'a, R: UpdateRule> {
    pub rule: R,
    pub memory: &'a R::Memory,
    pub clock: &'a Clock,
    pub adjuster: Adjuster,
    pub parameters: &'a Parameters,
    pub sums: &'a Gradients,
    /// Narrow rows, wide rows.
    pub rows: [&'a [u32]; 2],
    /// Examples in the batch.
    pub examples: usize,
}

impl<R: UpdateRule> Job for Step<'_, R> {
    /// Gradients of what the rule has observed.
    type Output = [f32; 2];

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> [f32; 2] {
        let mut view = Hogwild::<_, _, Aided>::new(isa, self.rule, self.memory.clone(), self.adjuster, self.parameters, 0, 1);
        view.begin(self.clock);
        let (examples, [narrow, wide]) = (I::V::of(self.examples as f32), self.rows);
        for some in narrow.chunks(LANES) {
            let rows = line(some, self.sums.empty());
            let gradient = take(isa, &self.sums.narrow, &rows) / examples;
            let mut places = Line([0; LANES]);
            view.place(I::U::load(&rows), &mut places); // the row for empty lanes goes nowhere
            view.gather(0, &places);
            match &self.sums.l1 {
                Some(l1) => view.step(0, &places, gradient, Some(take(isa, l1, &rows) / examples)),
                None => view.step(0, &places, gradient, None),
            }
        }
        let mut gradient = vec![I::V::of(0.0); self.sums.stride - 1];
        for &row in wide {
            let (factors, tail) = self.sums.wide_row(row).split_at(gradient.len());
            let mut squares = I::V::of(0.0);
            for (g, sum) in gradient.iter_mut().zip(factors) {
                *g = take_vector(isa, sum) / examples;
                squares = g.mul_add(*g, squares);
            }
            let beside = tail[0][0].swap(0.0, Relaxed) / self.examples as f32;
            view.step_row(self.parameters.wide_place(row), &gradient, squares.sum(), beside);
        }
        view.observed()
    }
}
