//! Wide rows: a user's or an item's factors with the weight beside them.
use super::{Hogwild, load_state, put, put_cells, store_state};
use crate::{
    params::{
        Aiding,
        learner::{self, Observed},
        table::{ROW_STATE, vectors},
    },
    rules::{ForRule, State, UpdateRule},
    simd::{Isa, LANES, Real, Vector},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// The state of vector `i` of the `n` of a wide row.
#[inline(always)]
pub(crate) fn wide_state<R: UpdateRule, I: Isa>(isa: I, cells: &[[AtomicF32; LANES]], n: usize, i: usize) -> R::State<I::V> {
    let mut state = R::State::splat(I::V::of(0.0));
    for (k, s) in state.as_mut().iter_mut().enumerate() {
        *s = isa.load(&cells[n * (1 + k) + i]);
    }
    state
}

/// The step of a wide row by a rule that is not row-wise.
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
            let mut state = wide_state::<R, I>(isa, cells, n, i);
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
            put_cells(cells, sums, 1, &numbers, weight);
        }
    }
}

/// Stores the weight beside a wide row, likewise.
#[inline(always)]
fn store_beside(cell: &AtomicF32, sums: Option<&[AtomicF32; LANES]>, w: f32, weight: f32) {
    match sums {
        None => cell.store(w, Relaxed),
        Some(sums) => put(cell, w, &sums[0], weight),
    }
}

impl<'t, R: UpdateRule, I: Isa, A: Aiding> Hogwild<'t, R, I, A> {
    /// The cells of a wide row of `n` vectors of weights, and its tail.
    #[inline(always)]
    pub(crate) fn wide_row(&self, place: u32, n: usize) -> (&'t [[AtomicF32; LANES]], &'t [AtomicF32; LANES]) {
        let (place, n) = (place as usize, vectors(&self.rule, n));
        let row = &self.wide[place..place + n + 1];
        (row, &row[n])
    }

    /// A wide row's step with clipping and noise before it. What lies behind the row's width stays 0.
    #[inline(always)]
    pub(crate) fn step_row_adjusted(&mut self, row: u32, gradient: &[I::V], beside: f32) {
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
        self.step_row_as_is(row, changed, squares.sum(), beside);
        self.room = room;
    }

    #[inline(always)]
    pub(crate) fn step_row_as_is(&mut self, row: u32, gradient: &[I::V], square: f32, beside: f32) {
        let (isa, rule, n) = (self.isa, self.rule, gradient.len());
        let (cells, tail) = self.wide_row(row, n);
        let sums = if A::ON { self.wide_sums.get(row as usize..).unwrap_or(&[]) } else { &[] };
        let weight = self.adjuster.weight_of_now;
        if rule.rowwise() {
            let (mut row_state, mut state) = (load_state::<R>(&tail[ROW_STATE..]), load_state::<R>(&tail[1..]));
            let (scale, scale_beside) = (rule.row_scale(&self.step, &row_state), rule.row_scale(&self.step, &state));
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
        rule.with(&self.step, StepRow { isa, observed: self.learner.observed(), cells, tail, gradient, beside, sums, weight });
    }
}
