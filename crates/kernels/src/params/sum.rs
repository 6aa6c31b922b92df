//! Steps that are summed: a shard of a batch, at parameters that stand still.
#![allow(unsafe_code)]
use super::{
    Parameters,
    gradients::{Gradients, Sums, add},
    replica::Reads,
    view::{Reading, Steps, View},
};
use crate::{
    rules::{Clock, UpdateRule},
    simd::{Isa, LANES, Line, MOST, pairs},
};
use std::sync::atomic::Ordering::Relaxed;

/// What a shard sees: parameters to read, sums to add to.
pub(crate) type Summing<'a, R, I> = View<'a, R, I, Sum<'a>>;

pub(crate) struct Sum<'a> {
    sums: &'a mut Gradients,
    /// The tables of slots of one weight, and of many.
    single: usize,
    row: usize,
}

impl<'a, R: UpdateRule, I: Isa> Summing<'a, R, I> {
    /// Begins a shard, when all sums have been taken: weights are read as the step at `clock` is to see them.
    #[inline(always)]
    pub fn new(isa: I, rule: R, memory: &R::Memory, clock: &Clock, parameters: &'a Parameters, sums: &'a mut Gradients) -> Self {
        let read = Reading::new(isa, rule, rule.prepare(clock, memory), parameters, Reads::shared(parameters));
        let (single, row) = (parameters.single(), parameters.row().unwrap_or(parameters.single()));
        assert!(sums.table(single).cells.cells().len() > read.reads.scratch_slot as usize, "sums of other parameters");
        sums.clear();
        View { read, steps: Sum { sums, single, row } }
    }
}

impl<R: UpdateRule, I: Isa> Steps<R, I> for Sum<'_> {
    #[inline(always)]
    fn gathered(&mut self, _read: &Reading<'_, R, I>, _block: usize, _cells: &[I::V; MOST]) {}

    #[inline(always)]
    fn gathered_row(&mut self, _read: &Reading<'_, R, I>, _place: u32, _vectors: usize) {}

    #[inline(always)]
    fn step(&mut self, read: &Reading<'_, R, I>, _block: usize, places: &Line<u32>, gradient: I::V, l1: Option<I::V>) {
        read.check(places);
        let mut slots = *places;
        if read.stride() > 2 {
            for i in 0..LANES {
                slots.0[i] = places.0[i] / read.place(1);
            }
        }
        let Sums { cells, lambdas, touched, .. } = self.sums.table_mut(self.single);
        // SAFETY: each slot is at most the one for empty lanes, as just seen; there are more sums than that, as `new` has seen.
        unsafe { add(read.isa, cells, &slots, gradient) };
        for &slot in &slots.0 {
            touched.insert(slot);
        }
        if let (Some(lambdas), Some(l1)) = (lambdas, l1) {
            // SAFETY: as above; the two tables are of one length.
            unsafe { add(read.isa, lambdas, &slots, l1) };
        }
    }

    #[inline(always)]
    fn step_row(&mut self, read: &Reading<'_, R, I>, place: u32, gradient: &[I::V], _square: f32, beside: f32) {
        let (isa, slot) = (read.isa, place / read.row_stride as u32);
        let sums = self.sums.table_mut(self.row);
        let (factors, tail) = sums.row(slot).split_at(gradient.len());
        for (sum, &g) in pairs(factors, gradient) {
            isa.store(isa.load(sum) + g, sum);
        }
        tail[0][0].store(tail[0][0].load(Relaxed) + beside, Relaxed);
        sums.touched.insert(slot);
    }
}
