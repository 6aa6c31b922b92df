//! A table of slots: weights with the rule's state, shared by all workers.
//!
//! Behind the shared slots each worker has its private copies of the first few and one slot that takes what is written to empty lanes, so
//! that every lane of every block has a place, all reached alike.
use super::{
    Finish,
    cells::Cells,
    layout::{SlotLayout, SlotWidth},
};
use crate::{
    rules::Layout,
    simd::{InstructionSet, Isa, Job, LANES, Real, Vector, dispatch_formula},
};
use atomic_float::AtomicF32;
use hogwild_base::Result;
use std::{ops::Range, sync::atomic::Ordering::Relaxed};

/// One table of a model's parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TableShape {
    /// How many slots it has.
    pub slots: usize,
    /// Weights of a slot.
    pub width: SlotWidth,
    /// How many slots, from the first, each worker holds privately.
    pub private: usize,
}

impl TableShape {
    /// Slots of one weight, none held privately.
    pub fn single(slots: usize) -> TableShape {
        TableShape { slots, width: SlotWidth::One, private: 0 }
    }

    /// Slots of `width` weights with one more beside them.
    pub fn rows(slots: usize, width: usize) -> TableShape {
        TableShape { slots, width: SlotWidth::Row(width), private: 0 }
    }

    /// The same of features; `packed` where rule and width leave room for it.
    pub fn feature_rows(slots: usize, weights: usize, packed: bool) -> TableShape {
        TableShape { slots, width: SlotWidth::FeatureRow { weights, packed }, private: 0 }
    }

    /// Weights of a slot, but for the one beside them.
    pub(super) fn weights(&self) -> usize {
        match self.width {
            SlotWidth::One => 1,
            SlotWidth::Row(weights) | SlotWidth::FeatureRow { weights, .. } => weights,
        }
    }

    /// The first slot that belongs to worker number `worker`. Workers share no cache line; of slots of one weight no pair of them either.
    pub(super) fn first_private(&self, worker: usize) -> usize {
        match self.width {
            // A slot has lines of its own; the last takes what is written to empty lanes.
            SlotWidth::Row(_) | SlotWidth::FeatureRow { .. } => self.slots + worker * (self.private + 1),
            SlotWidth::One => {
                let own = (self.private.next_multiple_of(LANES) + 1).next_multiple_of(2 * LANES);
                self.slots.next_multiple_of(2 * LANES) + worker * own
            }
        }
    }

    /// Bytes of a table for so many workers.
    pub(super) fn bytes(&self, rule: &Layout, workers: usize) -> u64 {
        let slot = SlotLayout::of(rule, self.width).stride * size_of::<f32>();
        (self.first_private(workers) as u64).saturating_mul(slot as u64)
    }
}

/// The weights of slots of many, times a number, and those beside, where they are asked for.
struct Weights<'a> {
    cells: &'a [AtomicF32],
    stride: usize,
    weights: usize,
    times: f32,
    tail: Option<usize>,
}

impl Job for Weights<'_> {
    type Output = (Vec<f32>, Vec<f32>);

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> (Vec<f32>, Vec<f32>) {
        let Weights { cells, stride, weights, times, tail } = self;
        let (count, times) = (cells.len() / stride * weights, I::V::of(times));
        let mut besides = vec![0.0; if tail.is_some() { cells.len() / stride } else { 0 }];
        // Whole vectors are stored; what is too much of one goes where the next slot's come, or behind the last.
        let mut all = vec![0.0; count + LANES];
        for (number, slot) in cells.chunks_exact(stride).enumerate() {
            for (i, vector) in slot.as_chunks().0[..weights.div_ceil(LANES)].iter().enumerate() {
                let to = &mut all[number * weights + i * LANES..].as_chunks_mut().0[0];
                (isa.load(vector) * times).store(to);
            }
            if let Some(tail) = tail {
                besides[number] = slot[tail].load(Relaxed);
            }
        }
        all.truncate(count);
        (all, besides)
    }
}

/// Whether cells are all finite. (One by one this took 7% of an epoch of factorization machines, criteo.)
struct AreFinite<'a>(&'a [AtomicF32]);

impl Job for AreFinite<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> bool {
        let (whole, rest) = self.0.as_chunks();
        // What is not finite makes 0 times it NaN.
        let (zero, mut sums) = (I::V::of(0.0), [I::V::of(0.0); 4]);
        for (i, cells) in whole.iter().enumerate() {
            sums[i % 4] = zero.mul_add(isa.load(cells), sums[i % 4]);
        }
        let [a, b, c, d] = sums;
        rest.iter().fold(((a + b) + (c + d)).sum() == 0.0, |all, cell| all & cell.load(Relaxed).is_finite())
    }
}

/// What is kept beside the numbers of each slot, in as many cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    #[default]
    Nothing,
    /// The sums that averages of the weights come from.
    Averages,
    /// The sums of the gradients since they were last handed on, and of their squares.
    Gradients,
}

/// A table's cells.
pub struct Table {
    pub(super) shape: TableShape,
    pub(super) layout: SlotLayout,
    cells: Cells,
    /// What is kept beside, laid out as the cells are.
    beside: Option<Cells>,
    kind: Beside,
}

impl Table {
    /// A table of zeros.
    pub(super) fn new(shape: TableShape, rule: &Layout, workers: usize, kind: Beside) -> Result<Table> {
        let layout = SlotLayout::of(rule, shape.width);
        let cells = || Cells::new(shape.first_private(workers), layout.stride);
        Ok(Table { shape, layout, cells: cells()?, beside: (kind != Beside::Nothing).then(cells).transpose()?, kind })
    }

    /// Makes all as it was when new, but for sums of changes: weights zero, the rule's state at its beginning.
    pub(super) fn reset(&self, rule: &Layout) {
        let SlotLayout { stride, part, state, tail, row_state, .. } = self.layout;
        let initial = &rule.initial[..rule.state];
        let fill = |cells: &[AtomicF32], x: f32| cells.iter().for_each(|cell| cell.store(x, Relaxed));
        for slot in self.cells().chunks_exact(stride) {
            fill(&slot[..part], 0.0);
            for (k, &x) in initial[..state].iter().enumerate() {
                fill(&slot[self.layout.state(0, k)..][..part], x);
            }
            if let Some(tail) = tail.map(|tail| &slot[tail..]) {
                tail[0].store(0.0, Relaxed);
                for (k, &x) in initial.iter().enumerate() {
                    tail[1 + k].store(x, Relaxed);
                    if rule.rowwise {
                        tail[row_state + k].store(x, Relaxed);
                    }
                }
            }
        }
    }

    /// The cells of all slots, private ones behind the shared ones.
    #[inline(always)]
    pub(super) fn cells(&self) -> &[AtomicF32] {
        self.cells.cells()
    }

    /// Of averages: where a weight is, here is the sum of its weighted changes (see `transforms`). Empty without averaging.
    pub(super) fn sums(&self) -> &[AtomicF32] {
        self.kept(Beside::Averages)
    }

    /// Of gradients: see `accrued`. Empty where they are not summed.
    pub(super) fn accrued(&self) -> &[AtomicF32] {
        self.kept(Beside::Gradients)
    }

    /// Adds the gradient of a slot of one weight, and its square, to the sums beside it.
    #[cfg(test)]
    pub(crate) fn accrue(&self, slot: usize, sums: [f32; 2]) {
        let cells = &self.accrued()[slot * self.layout.stride..];
        cells.iter().zip(sums).for_each(|(cell, sum)| cell.store(cell.load(Relaxed) + sum, Relaxed));
    }

    fn kept(&self, kind: Beside) -> &[AtomicF32] {
        self.beside.as_ref().filter(|_| self.kind == kind).map_or(&[], Cells::cells)
    }

    /// How many slots the model has.
    pub fn slots(&self) -> usize {
        self.shape.slots
    }

    /// The weights of some slots as a model is to have them, one slot after the other.
    ///
    /// # Panics
    /// When there are no such slots.
    pub fn weights(&self, slots: Range<usize>, finish: &Finish<'_>) -> impl Iterator<Item = f32> {
        let SlotLayout { stride, weights, .. } = self.layout;
        let cells = self.cells()[slots.start * stride..slots.end * stride].chunks_exact(stride);
        (slots.start..).zip(cells).flat_map(move |(slot, cells)| {
            let sum = move |i: usize| self.sum(slot * stride + i);
            let state = move |i: usize, k: usize| cells[self.layout.state(i, k)].load(Relaxed);
            (0..weights).map(move |i| finish.weight(cells[i].load(Relaxed), || sum(i), |k| state(i, k)))
        })
    }

    /// The weights of all slots. Where they are to be as they lie, they are copied row by row: one by one they took a seventh of an epoch of
    /// factorization machines (criteo).
    pub fn all_weights(&self, finish: &Finish<'_>) -> Vec<f32> {
        self.weights_of(0..self.slots(), finish)
    }

    /// The same of some slots.
    ///
    /// # Panics
    /// When there are no such slots.
    pub fn weights_of(&self, slots: Range<usize>, finish: &Finish<'_>) -> Vec<f32> {
        if !finish.is_nothing() {
            return self.weights(slots, finish).collect();
        }
        let SlotLayout { stride, weights, tail, .. } = self.layout;
        let cells = &self.shared()[slots.start * stride..slots.end * stride];
        if tail.is_some() {
            return dispatch_formula(InstructionSet::best(), Weights { cells, stride, weights, times: 1.0, tail: None }).0;
        }
        cells.chunks_exact(stride).flat_map(|slot| &slot[..weights]).map(|cell| cell.load(Relaxed)).collect()
    }

    /// The weights of all slots, times a number, and the weights beside: in one pass, where they are to be as they lie.
    ///
    /// # Panics
    /// When slots have none beside.
    pub fn weights_and_besides(&self, times: f32, finish: &Finish<'_>) -> (Vec<f32>, Vec<f32>) {
        let SlotLayout { stride, weights, tail, .. } = self.layout;
        assert!(tail.is_some(), "slots of many weights");
        if !finish.is_nothing() {
            let all = self.weights(0..self.slots(), finish).map(|weight| times * weight).collect();
            return (all, (0..self.slots()).map(|slot| self.beside(slot, finish)).collect());
        }
        dispatch_formula(InstructionSet::best(), Weights { cells: self.shared(), stride, weights, times, tail })
    }

    /// The weight beside a slot's, likewise; 0 where there is none.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn beside(&self, slot: usize, finish: &Finish<'_>) -> f32 {
        self.layout.tail.map_or(0.0, |tail| {
            let start = slot * self.layout.stride + tail;
            let tail = &self.cells()[start..];
            finish.weight(tail[0].load(Relaxed), || self.sum(start), |k| tail[1 + k].load(Relaxed))
        })
    }

    fn sum(&self, cell: usize) -> f32 {
        self.sums()[cell].load(Relaxed)
    }

    /// Gives all weights a first value, but for those beside.
    pub fn set_weights(&self, mut weight: impl FnMut() -> f32) {
        for slot in self.cells().chunks_exact(self.layout.stride).take(self.shape.slots) {
            slot[..self.layout.weights].iter().for_each(|cell| cell.store(weight(), Relaxed));
        }
    }

    /// Sets the weights beside those of all shared slots, where there are such.
    pub fn set_besides(&self, mut weight: impl FnMut() -> f32) {
        let Some(tail) = self.layout.tail else { return };
        self.shared().chunks_exact(self.layout.stride).for_each(|slot| slot[tail].store(weight(), Relaxed));
    }

    /// All shared numbers, weights with the rule's state: what a run may go on from by [`set_numbers`](Self::set_numbers).
    pub fn numbers(&self) -> Vec<f32> {
        self.shared().iter().map(|cell| cell.load(Relaxed)).collect()
    }

    /// Puts such numbers back, of a table of this shape under the same rule; gives whether they are as many as they are to be. If not, nothing
    /// is changed.
    pub fn set_numbers(&self, numbers: &[f32]) -> bool {
        let cells = self.shared();
        let fits = cells.len() == numbers.len();
        cells.iter().zip(numbers).filter(|_| fits).for_each(|(cell, &x)| cell.store(x, Relaxed));
        fits
    }

    fn shared(&self) -> &[AtomicF32] {
        &self.cells()[..self.shape.slots * self.layout.stride]
    }

    /// Whether every shared number is finite.
    pub(super) fn is_finite(&self) -> bool {
        dispatch_formula(InstructionSet::best(), AreFinite(self.shared()))
    }
}
