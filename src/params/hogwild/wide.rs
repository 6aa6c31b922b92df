//! Wide rows: a user's or an item's factors with the weight beside them.
use super::{Hogwild, load_state, store_state};
use crate::{
    params::{
        Aiding, Isa, LANES, Real, Vector,
        table::{ROW_STATE, vectors},
    },
    rules::{State, UpdateRule},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

impl<'t, R: UpdateRule, I: Isa, A: Aiding> Hogwild<'t, R, I, A> {
    /// The state of vector `i` of the `n` of a wide row.
    #[inline(always)]
    pub(super) fn wide_state(&self, cells: &[[AtomicF32; LANES]], n: usize, i: usize) -> R::State<I::V> {
        let mut state = R::State::splat(I::V::of(0.0));
        for (k, s) in state.as_mut().iter_mut().enumerate() {
            *s = self.isa.load(&cells[n * (1 + k) + i]);
        }
        state
    }

    /// The cells of a wide row of `n` vectors of weights, and its tail.
    #[inline(always)]
    pub(super) fn wide_row(&self, place: u32, n: usize) -> (&'t [[AtomicF32; LANES]], &'t [AtomicF32; LANES]) {
        let (place, n) = (place as usize, vectors::<R>(n));
        let row = &self.wide[place..place + n + 1];
        (row, &row[n])
    }

    /// A wide row's step with clipping and noise before it and the sums for the average after it. Apart from
    /// [`step_row_as_is`](Self::step_row_as_is), so that it costs others nothing but a branch. What lies behind the row's width stays 0.
    #[inline(always)]
    pub(super) fn step_row_aided(&mut self, row: u32, gradient: &[I::V], mut square: f32, mut beside: f32) {
        let n = gradient.len();
        let mut room = std::mem::take(&mut self.room);
        let (changed, before) = room.split_at_mut(n);
        changed.copy_from_slice(gradient);
        if self.adjuster.active {
            let mut squares = I::V::of(0.0);
            for (i, g) in changed.iter_mut().enumerate() {
                let mut line = [0.0; LANES];
                g.store(&mut line);
                self.adjuster.adjust(&mut line);
                line[self.width.saturating_sub(i * LANES).min(LANES)..].fill(0.0);
                *g = I::V::load(&line);
                squares = g.mul_add(*g, squares);
            }
            (square, beside) = (squares.sum(), self.adjuster.adjusted(beside));
        }
        let (cells, tail) = self.wide_row(row, n);
        for (before, cells) in before.iter_mut().zip(cells) {
            *before = self.isa.load(cells);
        }
        let beside_before = tail[0].load(Relaxed);
        self.step_row_as_is(row, changed, square, beside);
        if !self.wide_sums.is_empty() {
            let sums = &self.wide_sums[row as usize..];
            let weight = self.adjuster.weight_of_now;
            for ((sum, cells), &before) in sums.iter().zip(cells).zip(before.iter()) {
                self.isa.store(I::V::of(weight).mul_add(self.isa.load(cells) - before, self.isa.load(sum)), sum);
            }
            let sum = &sums[vectors::<R>(n)][0];
            sum.store(Real::mul_add(weight, tail[0].load(Relaxed) - beside_before, sum.load(Relaxed)), Relaxed);
        }
        self.room = room;
    }

    #[inline(always)]
    pub(super) fn step_row_as_is(&mut self, row: u32, gradient: &[I::V], square: f32, beside: f32) {
        let (isa, rule, n) = (self.isa, self.rule, gradient.len());
        let (cells, tail) = self.wide_row(row, n);
        if R::ROWWISE {
            let (mut row_state, mut state) = (load_state::<R>(&tail[ROW_STATE..]), load_state::<R>(&tail[1..]));
            let (scale, scale_beside) = (rule.row_scale(&self.step, &row_state), rule.row_scale(&self.step, &state));
            tail[0].store(Real::mul_add(-scale_beside, beside, tail[0].load(Relaxed)), Relaxed);
            for (cells, &g) in cells.iter().zip(gradient) {
                isa.store(I::V::of(-scale).mul_add(g, isa.load(cells)), cells);
            }
            rule.row_state(Real::max(square, 0.0) * self.part, &mut row_state);
            rule.row_state(beside * beside, &mut state);
            store_state::<R>(row_state, &tail[ROW_STATE..]);
            store_state::<R>(state, &tail[1..]);
            return;
        }
        let mut state = load_state::<R>(&tail[1..]);
        tail[0].store(self.step_number(tail[0].load(Relaxed), beside, &mut state), Relaxed);
        store_state::<R>(state, &tail[1..]);
        for (i, &g) in gradient.iter().enumerate() {
            let mut state = self.wide_state(cells, n, i);
            let w = Self::step_vector(&rule, &self.step, &mut self.observed, isa.load(&cells[i]), g, &mut state);
            isa.store(w, &cells[i]);
            for (k, &s) in state.as_ref().iter().enumerate() {
                isa.store(s, &cells[n * (1 + k) + i]);
            }
        }
    }
}
