//! Gradients summed while they step: what a replica hands to its parameter servers.
//!
//! A push has the sum of the gradients and, beside it, the sum of their squares: without it a server would take many gradients for one large
//! one, and Adagrad's rate would die (Dean et al. 2012 leave open which it is). Where the sums lie:
//! - Under Adagrad, of slots of one weight: in the slot itself, see [`Summing`](crate::rules::Summing).
//! - Under a row-wise rule, of rows: nowhere. A row's weights all step by one rate, `w <- w - rate g`. While that rate is held, the sum of the
//!   gradients is how far the row has moved, divided by it. So the rate is held until it has changed by a tenth, and the room beside has
//!   `r = G + w / rate`, of which `G = r - w / rate` comes back at any time: `r` is touched when the rate changes alone, which is seldom. What is
//!   lost is rounding of the weights, as they have anyway. The sums of squares are what the states have grown by, as under Adagrad. The row's
//!   last vector has room for what they were, and for the sum of the gradients of the weight beside.
//! - Else: in the room beside, laid out as the slot. The sum of its gradients lies where the weight does, the sum of their squares where the
//!   first number of state does.
#![allow(unsafe_code)]
use super::{
    layout::{ROW_STATE, state_len, vectors},
    view::Reading,
};
use crate::{
    rules::UpdateRule,
    simd::{Isa, LANES, Line, MOST, Real},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// Where in the last vector of a row, under a row-wise rule, the sum of the gradients of the weight beside lies.
pub(super) const GRADIENT_BESIDE: usize = 8;
/// What the states of the weight beside and of the row were when the first of the gradients came that were not pushed yet.
pub(super) const BEFORE_BESIDE: usize = 9;
pub(super) const BEFORE: usize = 10;
/// The rate that is held; 0: none, as the row has not moved since the last push.
pub(super) const HELD: usize = 11;

/// By how much a rate changes before it is held anew.
const CHANGE: f32 = 1.1;
/// Rates below move no weight, and one over them may be infinite.
const LEAST: f32 = 1e-30;

/// The room beside a worker's slots: of one weight each, and of many. Both empty where gradients are not summed there.
#[derive(Clone, Copy)]
pub(super) struct Accrued<'t> {
    pub cells: &'t [AtomicF32],
    pub rows: &'t [[AtomicF32; LANES]],
}

#[inline(always)]
fn add(cell: &AtomicF32, more: f32) {
    cell.store(cell.load(Relaxed) + more, Relaxed);
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

    /// Adds the gradient of a row, and that of the weight beside it.
    #[inline(always)]
    pub fn add_row<R: UpdateRule, I: Isa>(&self, read: &Reading<'_, R, I>, place: u32, gradient: &[I::V], beside: f32) {
        let (isa, rule, n) = (read.isa, &read.rule, gradient.len());
        let row = &self.rows[place as usize..place as usize + vectors(rule, n) + 1];
        let (cells, tail) = (row, &row[row.len() - 1]);
        for i in 0..n {
            isa.store(isa.load(&cells[i]) + gradient[i], &cells[i]);
            if state_len(rule) > 0 {
                isa.store(gradient[i].mul_add(gradient[i], isa.load(&cells[n + i])), &cells[n + i]);
            }
        }
        add(&tail[0], beside);
        add(&tail[1], beside * beside);
    }

    /// Of a row under a row-wise rule that is about to step by `rate`, with its states as they are yet: gives the rate that it is to step
    /// by, and adds to the sum of the weight beside. `row`: its vectors, and the last one.
    #[inline(always)]
    pub fn hold<I: Isa>(
        &self,
        isa: I,
        place: u32,
        (row, tail): (&[[AtomicF32; LANES]], &[AtomicF32; LANES]),
        rate: f32,
        beside: f32,
    ) -> f32 {
        let n = row.len();
        add(&tail[GRADIENT_BESIDE], beside);
        let held = tail[HELD].load(Relaxed);
        if rate < LEAST || rate < CHANGE * held && held < CHANGE * rate {
            return held;
        }
        // Of a replica's workers that come here together one changes the sums, or they would count twice.
        if let Err(other) = tail[HELD].compare_exchange(held, rate, Relaxed, Relaxed) {
            return other;
        }
        if held == 0.0 {
            tail[BEFORE_BESIDE].store(tail[1].load(Relaxed), Relaxed);
            tail[BEFORE].store(tail[ROW_STATE].load(Relaxed), Relaxed);
        }
        // `r` goes from one rate to the other with `G` as it is.
        let change = 1.0 / rate - if held > 0.0 { 1.0 / held } else { 0.0 };
        let room = &self.rows[place as usize..place as usize + n];
        for i in 0..n {
            let before = if held > 0.0 { isa.load(&room[i]) } else { I::V::of(0.0) };
            isa.store(I::V::of(change).mul_add(isa.load(&row[i]), before), &room[i]);
        }
        rate
    }
}
