//! Steps of slots of many weights: a user's or an item's factors with the weight beside them.
use super::{
    Transforming,
    averaged::{put, put_weight},
    layout::{ROW_STATE, vectors},
    learner::{self, Observed},
    step_now::StepNow,
    view::{Reading, load_state, row_state, store_state},
};
use crate::{
    rules::{ForRule, UpdateRule},
    simd::{Isa, LANES, Real, Vector},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// The step of a slot of many weights by a rule that is not row-wise.
struct StepRow<'s, I: Isa> {
    isa: I,
    observed: &'s mut Observed<I::V>,
    cells: &'s [[AtomicF32; LANES]],
    tail: &'s [AtomicF32; LANES],
    gradient: &'s [I::V],
    beside: f32,
    /// Of the row's weighted changes, where there are averages.
    sums: &'s [[AtomicF32; LANES]],
    weight: f32,
}

impl<I: Isa> ForRule for StepRow<'_, I> {
    #[inline(always)]
    fn run<R: UpdateRule>(self, rule: &R, step: &R::Step) {
        let StepRow { isa, observed, cells, tail, gradient, beside, sums, weight } = self;
        let n = gradient.len();
        let mut state = load_state::<R>(&tail[1..]);
        let (w, seen) = learner::step(rule, step, tail[0].load(Relaxed), beside, &mut state);
        observed.add_one(rule, seen);
        store_beside(&tail[0], sums.get(vectors(rule, n)), w, weight);
        store_state::<R>(state, &tail[1..]);
        for (i, &g) in gradient.iter().enumerate() {
            let mut state = row_state::<R, I>(isa, cells, n, i);
            let (w, seen) = learner::step(rule, step, isa.load(&cells[i]), g, &mut state);
            observed.add(rule, seen);
            store_weights(isa, &cells[i], sums.get(i), w, weight);
            for (k, &s) in state.as_ref().iter().enumerate() {
                isa.store(s, &cells[n * (1 + k) + i]);
            }
        }
    }
}

/// Stores a vector of weights, in sight of their average.
#[inline(always)]
fn store_weights<I: Isa>(isa: I, cells: &[AtomicF32; LANES], sums: Option<&[AtomicF32; LANES]>, w: I::V, weight: f32) {
    match sums {
        None => isa.store(w, cells),
        Some(sums) => {
            let mut numbers = [0.0; LANES];
            w.store(&mut numbers);
            put(cells, sums, std::array::from_fn(|i| i), &numbers, weight, |_| true);
        }
    }
}

/// Stores the weight beside a slot's, likewise.
#[inline(always)]
fn store_beside(cell: &AtomicF32, sums: Option<&[AtomicF32; LANES]>, w: f32, weight: f32) {
    match sums {
        None => cell.store(w, Relaxed),
        Some(sums) => put_weight(cell, w, &sums[0], weight),
    }
}

impl<R: UpdateRule, I: Isa, A: Transforming> StepNow<'_, R, I, A> {
    /// A slot's step with clipping and noise before it. What lies behind the row's width stays 0.
    #[inline(always)]
    pub(super) fn step_row_adjusted(&mut self, read: &Reading<'_, R, I>, row: u32, gradient: &[I::V], beside: f32) {
        let n = gradient.len();
        let mut room = std::mem::take(&mut self.room);
        let changed = &mut room[..n];
        changed.copy_from_slice(gradient);
        let mut squares = I::V::of(0.0);
        for (i, g) in changed.iter_mut().enumerate() {
            let mut line = [0.0; LANES];
            g.store(&mut line);
            self.adjuster.adjust(&mut line);
            line[self.width.saturating_sub(i * LANES).min(LANES)..].fill(0.0);
            *g = I::V::load(&line);
            squares = g.mul_add(*g, squares);
        }
        let beside = self.adjuster.adjusted(beside);
        self.step_row_as_is(read, row, changed, squares.sum(), beside);
        self.room = room;
    }

    #[inline(always)]
    pub(super) fn step_row_as_is(&mut self, read: &Reading<'_, R, I>, row: u32, gradient: &[I::V], square: f32, beside: f32) {
        let (isa, rule, step, n) = (read.isa, read.rule, &read.step, gradient.len());
        let (cells, tail) = read.row(row, n);
        let sums = if A::ON { self.row_sums.get(row as usize..).unwrap_or(&[]) } else { &[] };
        let weight = self.adjuster.weight_of_now;
        if rule.rowwise() {
            let (mut row_state, mut state) = (load_state::<R>(&tail[ROW_STATE..]), load_state::<R>(&tail[1..]));
            let (scale, scale_beside) = (rule.row_scale(step, &row_state), rule.row_scale(step, &state));
            store_beside(&tail[0], sums.get(vectors(&rule, n)), Real::mul_add(-scale_beside, beside, tail[0].load(Relaxed)), weight);
            for (i, (cells, &g)) in cells.iter().zip(gradient).enumerate() {
                store_weights(isa, cells, sums.get(i), I::V::of(-scale).mul_add(g, isa.load(cells)), weight);
            }
            rule.row_state(Real::max(square, 0.0) * self.part, &mut row_state);
            rule.row_state(beside * beside, &mut state);
            store_state::<R>(row_state, &tail[ROW_STATE..]);
            store_state::<R>(state, &tail[1..]);
            return;
        }
        rule.with(step, StepRow { isa, observed: self.learner.observed(), cells, tail, gradient, beside, sums, weight });
    }
}
