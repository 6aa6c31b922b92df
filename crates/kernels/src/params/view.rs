//! What a worker sees of the parameters: it reads slots where its replica has them ([`Reading`]), and its steps go where [`Steps`] says.
//!
//! Reading happens in two phases: `gather` reads weights for the score, and the step reads weight and state again, applies the rule and
//! stores at once (see `step_now`), or adds to a sum (see `sum`).
#![allow(unsafe_code)]
mod face;
mod one_by_one;
mod places;
mod rows;
mod state;
mod weights;

pub(crate) use one_by_one::{add_one_by_one, face_sum};
pub(super) use one_by_one::{against, each, one_by_one, one_lane, times};
pub(crate) use state::{load_state, row_state, state_of, store_state};

use super::{
    Parameters, SlotWidth,
    layout::{HALF, ROW_STATE, stride},
    replica::Reads,
};
use crate::{
    rules::{Layout, UpdateRule},
    simd::{Integers, Isa, LANES, Line, MOST, Vector},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// The same of slots of many weights: so many vectors of them, a quarter of a second-level cache or less.
const NEAR_VECTORS: usize = 4096;
/// With more slots of one weight they are asked for ahead of their turn.
const LARGE: usize = 1 << 19;

/// Where a worker's steps go.
pub(crate) trait Steps<R: UpdateRule, I: Isa> {
    /// Whether a slot of one weight is read, and stepped by [`step_one`](Self::step_one), without its block.
    const SINGLY: bool = false;
    /// See [`Weights::step_one`].
    #[inline(always)]
    fn step_one(&mut self, read: &Reading<'_, R, I>, block: usize, places: &Line<u32>, lane: usize, gradient: f32) {
        one_lane(self, read, block, places, lane, gradient);
    }
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
    /// See [`Weights::step_against`].
    #[inline(always)]
    fn step_against(
        &mut self,
        read: &Reading<'_, R, I>,
        slots: (&Line<u32>, usize),
        values: &[f32; LANES],
        sum: (&[I::V], f32),
        rows: (&[I::V], &mut [I::V]),
        besides: I::V,
    ) {
        against(self, read, slots, values, sum, rows, besides);
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
    /// How far behind the weight beside the state of such a slot begins, under a row-wise rule.
    pub row_state: usize,
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
        let row_state = row.map_or(ROW_STATE, |row| row.layout.row_state);
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
            row_state,
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
