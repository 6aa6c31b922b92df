//! What a worker sees of the parameters: it reads slots where its replica has them ([`Reading`]), and its steps go where [`Steps`] says.
//!
//! Reading happens in two phases: `gather` reads weights for the score, and the step reads weight and state again, applies the rule and
//! stores at once (see `step_now`), or adds to a sum (see `sum`).
#![allow(unsafe_code)]
mod one_by_one;
mod rows;
mod state;

pub(crate) use one_by_one::add_one_by_one;
pub(super) use one_by_one::{each, one_by_one, times};
pub(crate) use state::{load_state, row_state, state_of, store_state};

use super::{
    Parameters, Places, SlotWidth, Weights,
    layout::{self, HALF, stride},
    replica::Reads,
};
use crate::{
    rules::{Layout, State, UpdateRule},
    simd::{Integers, Isa, LANES, Line, MOST, Vector},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// So many of the most frequent slots are taken to be in a near cache.
const NEAR: u32 = 4096;
/// The same of slots of many weights: so many vectors of them, a quarter of a second-level cache or less.
const NEAR_VECTORS: usize = 4096;
/// With more slots of one weight they are asked for ahead of their turn.
const LARGE: usize = 1 << 19;

/// Where a worker's steps go.
pub(crate) trait Steps<R: UpdateRule, I: Isa> {
    /// Is told what was gathered as block `block`: weights and state.
    fn gathered(&mut self, read: &Reading<'_, R, I>, block: usize, cells: &[I::V; MOST]);
    /// Is told, under a rule that revises, which row of how many vectors is gathered.
    fn gathered_row(&mut self, read: &Reading<'_, R, I>, place: u32, vectors: usize);
    /// See [`Weights::step`].
    fn step(&mut self, read: &Reading<'_, R, I>, block: usize, places: &Line<u32>, gradient: I::V, l1: Option<I::V>);
    /// See [`Weights::step_row`].
    fn step_row(&mut self, read: &Reading<'_, R, I>, place: u32, gradient: &[I::V], square: f32, beside: f32);
    /// See [`Weights::step_each`].
    #[inline(always)]
    fn step_each(
        &mut self,
        read: &Reading<'_, R, I>,
        slots: (&Line<u32>, usize),
        factors: &[f32; LANES],
        gradients: (&mut [I::V], usize),
        squares: &Line<f32>,
        besides: I::V,
    ) {
        each(self, read, slots, factors, gradients, squares, besides);
    }
    /// See [`Weights::step_row_times`].
    #[inline(always)]
    fn step_row_times(&mut self, read: &Reading<'_, R, I>, place: u32, factor: f32, gradient: (&[[f32; LANES]], f32), room: &mut [I::V]) {
        times(self, read, place, factor, gradient, room);
    }
    /// See [`Weights::step_rows`].
    #[inline(always)]
    fn step_rows(
        &mut self,
        read: &Reading<'_, R, I>,
        slots: (&Line<u32>, usize),
        _singles: &Line<u32>,
        factors: &[f32; LANES],
        gradient: (&[I::V], f32),
        room: &mut [I::V],
    ) {
        one_by_one(self, read, slots, factors, gradient, room);
    }
}

/// The parameters as a worker reads them.
pub(crate) struct Reading<'t, R: UpdateRule, I: Isa> {
    pub isa: I,
    pub rule: R,
    /// The step at hand.
    pub step: R::Step,
    /// The cells of slots of one weight, and where they are read.
    pub cells: &'t [AtomicF32],
    pub reads: Reads,
    /// The cells of slots of many weights.
    rows: &'t [[AtomicF32; LANES]],
    row_cells: &'t [AtomicF32],
    /// Vectors of such a slot.
    pub row_stride: usize,
    /// Vectors of it behind its weights and their state: 1, or 0 where it is packed; and what a packed one's last vector is multiplied by.
    behind: usize,
    of_weights: I::V,
    /// Whether such slots are of features: the weight beside then steps as a slot of one weight.
    pub of_features: bool,
    /// The last place of such a slot, and the number of the last cell of all.
    last_row: u32,
    last_row_cell: u32,
    large: bool,
    /// How many slots of many weights are near.
    near: u32,
    /// Of a rule whose type is erased, as it was when all was checked.
    stride: usize,
}

impl<'t, R: UpdateRule, I: Isa> Reading<'t, R, I> {
    pub fn new(isa: I, rule: R, step: R::Step, parameters: &'t Parameters, reads: Reads) -> Self {
        assert!(parameters.is_for(&Layout::of(&rule)), "parameters laid out for another rule");
        let (single, row) = (parameters.table(parameters.single()), parameters.row().map(|row| parameters.table(row)));
        let (cells, row_cells) = (single.cells(), row.map_or(&[][..], |row| row.cells()));
        let rows = row_cells.as_chunks().0;
        let stride = stride(&rule);
        assert!(stride <= MOST && stride.is_power_of_two(), "a rule has at most three numbers of state");
        assert!(cells.len() >= (reads.scratch_slot as usize + 1) * stride, "slots of other parameters");
        let row_stride = row.map_or(1, |row| row.layout.stride / LANES);
        let behind = !row.is_some_and(|row| row.layout.is_packed()) as usize;
        let of_features = row.is_some_and(|row| matches!(row.shape.width, SlotWidth::FeatureRow { .. }));
        let of_weights = I::V::load(&std::array::from_fn(|lane| if lane < HALF { 1.0 } else { 0.0 }));
        let near = (NEAR_VECTORS / row_stride) as u32;
        let large = single.slots() > LARGE;
        // Without rows there is no place, as no row has 0 vectors.
        let (row_stride, last_row) = match rows.len().checked_sub(row_stride) {
            Some(last) => (row_stride, last.min(u32::MAX as usize) as u32),
            None => (0, 0),
        };
        let last_row_cell = (rows.len() * LANES).saturating_sub(1).min(u32::MAX as usize) as u32;
        Reading {
            isa,
            rule,
            step,
            cells,
            reads,
            rows,
            row_cells,
            row_stride,
            behind,
            of_weights,
            of_features,
            last_row,
            last_row_cell,
            large,
            near,
            stride,
        }
    }

    /// Cells a slot of one weight.
    #[inline(always)]
    pub fn stride(&self) -> usize {
        if R::ERASED { self.stride } else { stride(&self.rule) }
    }

    /// Cells of a slot that are copied: a number that the compiler knows, so as many as there may be where it does not know the stride.
    #[inline(always)]
    pub fn copied(&self) -> usize {
        if R::ERASED { MOST } else { self.stride() }
    }

    /// Cells that a place counts, as `Isa::gather` has it: two where a slot has two or more.
    #[inline(always)]
    pub fn unit(&self) -> usize {
        self.stride().min(2)
    }

    /// A slot's place.
    #[inline(always)]
    pub fn place(&self, slot: u32) -> u32 {
        if self.stride() > 2 { slot * 2 } else { slot }
    }

    /// Places are of this view. They are taken from where the feed has put them some examples ago, and not copied: narrow loads from a line
    /// that was just stored whole wait for it (criteo on one thread: 5%).
    #[inline(always)]
    pub fn check(&self, places: &Line<u32>) {
        assert!(I::U::of(self.place(self.reads.scratch_slot)).none_below(I::U::load(places)), "not places of this view");
    }

    /// The slots of sixteen places.
    #[inline(always)]
    pub fn slots(&self, places: &Line<u32>) -> Line<u32> {
        let mut slots = *places;
        if self.stride() > 2 {
            for slot in &mut slots.0 {
                *slot /= 2;
            }
        }
        slots
    }

    /// Weights and state of sixteen slots.
    #[inline(always)]
    pub fn gather(&self, places: &Line<u32>) -> [I::V; MOST] {
        self.check(places);
        // SAFETY: the places are within the table, as just seen, for `new` has seen that the slot for empty lanes is; nobody else writes to
        // the borrowed line.
        unsafe { self.isa.gather(self.cells, places, self.stride()) }
    }

    #[inline(always)]
    fn weights(&self, cells: &[I::V; MOST]) -> I::V {
        if self.rule.reads() { self.rule.read(&self.step, cells[0], &state_of::<R, _>(&cells[1..])) } else { cells[0] }
    }

    #[inline(always)]
    fn gather_row(&self, place: u32, out: &mut [I::V]) -> f32 {
        let (n, (cells, tail)) = (out.len(), self.row(place, out.len()));
        for i in 0..n {
            let mut weights = self.isa.load(&cells[i]);
            if self.rule.reads() {
                weights = self.rule.read(&self.step, weights, &row_state::<R, I>(self.isa, &self.rule, cells, n, i));
            }
            out[i] = if i + 1 == n { self.last_weights(weights) } else { weights };
        }
        let beside = tail[0].load(Relaxed);
        if self.rule.reads() { self.rule.read(&self.step, beside, &load_state(&self.rule, &tail[1..])) } else { beside }
    }
}

/// What a worker sees of the parameters: `S` says where its steps go.
pub(crate) struct View<'t, R: UpdateRule, I: Isa, S> {
    pub(super) read: Reading<'t, R, I>,
    pub(super) steps: S,
}

impl<'t, R: UpdateRule, I: Isa, S> View<'t, R, I, S> {
    /// How it reads.
    #[inline(always)]
    pub fn reading(&self) -> &Reading<'t, R, I> {
        &self.read
    }

    /// The weights of sixteen slots for a score alone: steps that follow gather anew.
    #[inline(always)]
    pub fn weigh(&self, places: &Line<u32>) -> I::V {
        self.read.weights(&self.read.gather(places))
    }
}

impl<R: UpdateRule, I: Isa, S> Places<I> for View<'_, R, I, S> {
    /// Held slots in the private copy, others where they are, empty lanes in the scratch slot.
    #[inline(always)]
    fn place(&self, slots: I::U, places: &mut Line<u32>) {
        let mut at = self.read.reads.lie(slots);
        if self.read.stride() > 2 {
            at = at.plus(at);
        }
        at.store(places);
        // The most frequent ones are near anyway.
        if self.read.large && !I::U::of(NEAR).none_below(slots) {
            self.read.isa.prefetch_rows(self.read.cells, places, self.read.stride());
        }
    }

    #[inline(always)]
    fn prefetch_row(&self, place: u32, vectors: usize) {
        let vectors = if vectors > 0 { layout::vectors(&self.read.rule, vectors) + self.read.behind } else { self.read.row_stride };
        for i in 0..vectors {
            self.read.isa.prefetch(self.read.rows.as_ptr().wrapping_add(place as usize + i));
        }
    }

    #[inline(always)]
    fn near_slots(&self) -> u32 {
        self.read.near
    }

    #[inline(always)]
    fn prefetch_slot(&self, slot: u32, vectors: usize) {
        let first = slot as usize * self.read.row_stride;
        if first >= self.read.rows.len() {
            return; // a feature without a row
        }
        for i in 0..if vectors > 0 { vectors } else { self.read.row_stride } {
            self.read.isa.prefetch(self.read.rows.as_ptr().wrapping_add(first + i));
        }
    }
}

impl<R: UpdateRule, I: Isa, S: Steps<R, I>> Weights for View<'_, R, I, S> {
    type V = I::V;

    #[inline(always)]
    fn gather(&mut self, block: usize, places: &Line<u32>) -> I::V {
        let cells = self.read.gather(places);
        self.steps.gathered(&self.read, block, &cells);
        self.read.weights(&cells)
    }

    #[inline(always)]
    fn step(&mut self, block: usize, places: &Line<u32>, gradient: I::V, l1: Option<I::V>) {
        self.steps.step(&self.read, block, places, gradient, l1);
    }

    #[inline(always)]
    fn gather_row(&mut self, place: u32, out: &mut [I::V]) -> f32 {
        if self.read.rule.revises() {
            self.steps.gathered_row(&self.read, place, out.len());
        }
        self.read.gather_row(place, out)
    }

    #[inline(always)]
    fn row_place(&self, place: u32) -> u32 {
        self.read.reads.row(place)
    }

    #[inline(always)]
    fn row_places(&self, slots: &Line<u32>, (first, rows, stride): (u32, u32, u32), places: &mut Line<u32>) {
        let row = I::U::load(slots).plus(I::U::of(first.wrapping_neg()));
        let shared = row.less(I::U::of(rows), row, I::U::of(rows)).times(I::U::of(stride));
        self.read.reads.rows(shared).store(places);
    }

    #[inline(always)]
    fn gather_weights(&mut self, place: u32, out: &mut [I::V]) {
        if self.read.rule.revises() || self.read.rule.reads() {
            self.gather_row(place, out);
            return;
        }
        let cells = self.read.row(place, out.len()).0;
        let n = out.len();
        for i in 0..n {
            let weights = self.read.isa.load(&cells[i]);
            out[i] = if i + 1 == n { self.read.last_weights(weights) } else { weights };
        }
    }

    #[inline(always)]
    fn add_rows(&mut self, (places, n): (&Line<u32>, usize), factors: &[f32; LANES], sums: [&mut [I::V]; 2], room: &mut [I::V]) {
        if self.read.rule.revises() || self.read.rule.reads() {
            return add_one_by_one(self, (places, n), factors, sums, room, &mut [].chunks_exact_mut(1));
        }
        self.read.add_rows((places, n), factors, sums);
    }

    #[inline(always)]
    fn set_row(&mut self, place: u32, row: &[I::V]) {
        let cells = self.read.row(place, row.len()).0;
        for i in 0..row.len() {
            self.read.isa.store(row[i], &cells[i]);
        }
    }

    #[inline(always)]
    fn rate(&self) -> f32 {
        self.read.rule.rate(&self.read.step, &R::State::<f32>::splat(0.0))
    }

    #[inline(always)]
    fn step_row(&mut self, place: u32, gradient: &[I::V], square: f32, beside: f32) {
        self.steps.step_row(&self.read, place, gradient, square, beside);
    }

    #[inline(always)]
    fn step_each(
        &mut self,
        slots: (&Line<u32>, usize),
        factors: &[f32; LANES],
        gradients: (&mut [I::V], usize),
        squares: &Line<f32>,
        besides: I::V,
    ) {
        self.steps.step_each(&self.read, slots, factors, gradients, squares, besides);
    }

    #[inline(always)]
    fn step_row_times(&mut self, place: u32, factor: f32, gradient: (&[[f32; LANES]], f32), room: &mut [I::V]) {
        self.steps.step_row_times(&self.read, place, factor, gradient, room);
    }

    #[inline(always)]
    fn step_rows(
        &mut self,
        slots: (&Line<u32>, usize),
        singles: &Line<u32>,
        factors: &[f32; LANES],
        gradient: (&[I::V], f32),
        room: &mut [I::V],
    ) {
        self.steps.step_rows(&self.read, slots, singles, factors, gradient, room);
    }
}
