//! Gradients summed beside the weights that they step: what a replica hands to its parameter servers.
//!
//! A slot's room is laid out as the slot. The sum of its gradients lies where the weight does, the sum of their squares where the first number
//! of state does. A row under a row-wise rule has the sum of its mean squares where the row's state lies. Without the squares a server would
//! take many gradients for one large one, and Adagrad's rate would die (Dean et al. 2012 leave open which it is).
#![allow(unsafe_code)]
use super::{
    layout::{ROW_STATE, state_len},
    view::Reading,
};
use crate::{
    rules::UpdateRule,
    simd::{Isa, LANES, Line, MOST, Real},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// The room beside a worker's slots: of one weight each, and of many. Both empty where gradients are not summed.
#[derive(Clone, Copy)]
pub(super) struct Accrued<'t> {
    pub cells: &'t [AtomicF32],
    pub rows: &'t [[AtomicF32; LANES]],
}

impl Accrued<'_> {
    /// Whether gradients are summed.
    #[inline(always)]
    pub fn is_on(&self) -> bool {
        !self.cells.is_empty()
    }

    /// Adds the gradients of sixteen slots of one weight.
    ///
    /// # Safety
    /// The places were [checked](Reading::check), and the room is as long as the cells.
    #[inline(always)]
    pub unsafe fn add<R: UpdateRule, I: Isa>(&self, read: &Reading<'_, R, I>, places: &Line<u32>, gradient: I::V) {
        let stride = read.stride();
        // SAFETY: the caller's.
        let mut sums: [I::V; MOST] = unsafe { read.isa.gather(self.cells, places, stride) };
        sums[0] = sums[0] + gradient;
        sums[1] = gradient.mul_add(gradient, sums[1]);
        // SAFETY: the caller's.
        unsafe { read.isa.scatter(sums, self.cells, places, stride) };
    }

    /// Adds the gradient of a row, of mean square `mean_square`, and that of the weight beside it.
    #[inline(always)]
    pub fn add_row<R: UpdateRule, I: Isa>(&self, read: &Reading<'_, R, I>, place: u32, gradient: &[I::V], mean_square: f32, beside: f32) {
        let (isa, rule, n) = (read.isa, &read.rule, gradient.len());
        let row = &self.rows[place as usize..place as usize + super::layout::vectors(rule, n) + 1];
        let (cells, tail) = (row, &row[row.len() - 1]);
        let add = |cell: &AtomicF32, more: f32| cell.store(cell.load(Relaxed) + more, Relaxed);
        for i in 0..n {
            isa.store(isa.load(&cells[i]) + gradient[i], &cells[i]);
            if !rule.rowwise() && state_len(rule) > 0 {
                isa.store(gradient[i].mul_add(gradient[i], isa.load(&cells[n + i])), &cells[n + i]);
            }
        }
        add(&tail[0], beside);
        add(&tail[1], beside * beside);
        if rule.rowwise() {
            add(&tail[ROW_STATE], mean_square);
        }
    }
}
