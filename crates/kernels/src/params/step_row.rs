//! Steps of slots of many weights: a user's or an item's factors with the weight beside them.
#![allow(unsafe_code)]
use super::{
    Transforming,
    averaged::{put, put_weight},
    kept,
    layout::{state_len, vectors},
    learner::{self, Observed},
    step_now::StepNow,
    view::{Reading, load_state, row_state, state_of, store_state},
};
use crate::{
    rules::{ForRule, Numbers, UpdateRule},
    simd::{Isa, LANES, Line, MOST, Real, Vector, copy, pairs},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// Rows whose squared lengths are summed by one tree.
const TOGETHER: usize = 4;

/// The step of a slot of many weights by a rule that is not row-wise.
struct StepRow<'s, I: Isa> {
    isa: I,
    observed: &'s mut Observed<I::V>,
    cells: &'s [[AtomicF32; LANES]],
    tail: &'s [AtomicF32],
    gradient: &'s [I::V],
    beside: f32,
    /// Of the row's weighted changes, where there are averages.
    sums: &'s [[AtomicF32; LANES]],
    weight: f32,
    /// Of a rule that revises: what is kept of the row.
    kept: Option<&'s [[I::V; MOST]]>,
}

impl<I: Isa> ForRule for StepRow<'_, I> {
    #[inline(always)]
    fn run<R: UpdateRule>(self, rule: &R, step: &R::Step) {
        let StepRow { isa, observed, cells, tail, gradient, beside, sums, weight, kept } = self;
        let n = gradient.len();
        let mut state = load_state(rule, &tail[1..]);
        let read = if rule.revises() { kept::beside::<R, _>(kept, n) } else { None };
        let (w, seen) = learner::step(rule, step, tail[0].load(Relaxed), beside, &mut state, &read);
        observed.add_one(rule, seen);
        store_beside(&tail[0], sums.get(vectors(rule, n)).map(|tail| &tail[0]), w, weight);
        store_state(rule, state, &tail[1..]);
        for (i, &g) in gradient.iter().enumerate() {
            let mut state = row_state::<R, I>(isa, rule, cells, n, i);
            let read = if rule.revises() { kept::vector::<R, _>(kept, i) } else { None };
            let (w, seen) = learner::step(rule, step, isa.load(&cells[i]), g, &mut state, &read);
            observed.add(rule, seen);
            store_weights(isa, &cells[i], sums.get(i), w, weight);
            for (k, &s) in state.as_ref()[..state_len(rule)].iter().enumerate() {
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
fn store_beside(cell: &AtomicF32, sum: Option<&AtomicF32>, w: f32, weight: f32) {
    match sum {
        None => cell.store(w, Relaxed),
        Some(sum) => put_weight(cell, w, sum, weight),
    }
}

impl<R: UpdateRule, I: Isa, A: Transforming> StepNow<'_, R, I, A> {
    /// A slot's step with clipping and noise before it. What lies behind the row's width stays 0.
    #[inline(always)]
    pub(super) fn step_row_adjusted(&mut self, read: &Reading<'_, R, I>, row: u32, gradient: &[I::V], beside: f32) {
        let n = gradient.len();
        let mut room = std::mem::take(&mut self.room);
        let changed = &mut room[..n];
        copy(gradient, changed);
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
        let accrues = A::ACCRUES || A::ON && self.accrued.is_on();
        if rule.rowwise() {
            let (mut row_state, mut state) = (load_state(&rule, &tail[read.row_state..]), load_state(&rule, &tail[1..]));
            let squares = [Real::max(square, 0.0) * self.part, beside * beside];
            let (w, before) = (tail[0].load(Relaxed), state);
            let [mut scale, scale_beside] = rule.step_rowwise(step, squares, [&mut row_state, &mut state]);
            if accrues {
                scale = self.accrued.hold(isa, row, (cells, read.vector_behind(row, n)), scale, beside);
            }
            let mut after = Real::mul_add(-scale_beside, beside, w);
            if read.of_features {
                state = before;
                after = rule.step(step, w, beside, &mut state);
            }
            // A packed slot's tail is stored anew as it was; what changes there follows.
            for i in 0..gradient.len() {
                let (cells, g) = (&cells[i], gradient[i]);
                store_weights(isa, cells, sums.get(i), I::V::of(-scale).mul_add(g, isa.load(cells)), weight);
            }
            store_beside(&tail[0], read.beside(sums, n), after, weight);
            store_state(&rule, row_state, &tail[read.row_state..]);
            store_state(&rule, state, &tail[1..]);
            return;
        }
        if accrues {
            self.accrued.add_row(read, row, gradient, beside);
        }
        if R::ERASED && !rule.learns() && !rule.revises() {
            self.call(read); // steps that wait have their numbers where this one's go
            self.step_row_erased(read, (cells, tail), gradient, beside, sums);
            return;
        }
        let kept = if rule.revises() { self.kept.row(row, n) } else { None };
        rule.with(step, StepRow { isa, observed: self.learner.observed(), cells, tail, gradient, beside, sums, weight, kept });
    }

    /// The step of a row-wise rule where the gradient is a vector times a factor, without room for the product; the weight beside stays.
    #[inline(always)]
    pub(super) fn step_row_scaled(
        &mut self,
        read: &Reading<'_, R, I>,
        place: u32,
        factor: f32,
        (gradient, square): (&[[f32; LANES]], f32),
    ) {
        let (isa, rule) = (read.isa, read.rule);
        let (cells, tail) = read.row(place, gradient.len());
        let mut row_state = load_state(&rule, &tail[read.row_state..]);
        let scale = rule.step_by_rows(&read.step, Real::max(factor * factor * square, 0.0) * self.part, &mut row_state);
        let (scale, factor) = (I::V::of(-scale), I::V::of(factor));
        for i in 0..gradient.len() {
            isa.store(scale.mul_add(factor * I::V::load(&gradient[i]), isa.load(&cells[i])), &cells[i]);
        }
        store_state(&rule, row_state, &tail[read.row_state..]);
    }

    /// The steps of some rows with gradients of their own: sixteen roots and quotients are worked out at once.
    #[inline(always)]
    pub(super) fn step_each_together(
        &mut self,
        read: &Reading<'_, R, I>,
        (places, n): (&Line<u32>, usize),
        factors: &[f32; LANES],
        (gradients, vectors): (&[I::V], usize),
        (squares, besides): (&Line<f32>, I::V),
    ) {
        read.check_rows(places, vectors);
        let (isa, at) = (read.isa, read.tails(places, vectors));
        let mut tails = read.load_tails(&at);
        // One number of state, as has each rule that scales many rows at once.
        let [mut state_beside, mut state] = [state_of::<R, _>(&tails[1..2]), state_of::<R, _>(&tails[2..3])];
        let squares = I::V::load(factors) * I::V::load(factors) * I::V::load(&squares.0);
        let scales = self.scales_of_rows(read, &mut state, squares);
        tails[0] = read.rule.step(&read.step, tails[0], besides, &mut state_beside);
        (tails[1], tails[2]) = (state_beside.as_ref()[0], state.as_ref()[0]);
        for i in 0..n {
            let cells = read.row(places.0[i], vectors).0;
            let (scale, factor) = (I::V::of(-scales[i]), I::V::of(factors[i]));
            for k in 0..vectors {
                isa.store(scale.mul_add(factor * gradients[i * vectors + k], isa.load(&cells[k])), &cells[k]);
            }
        }
        // Behind the weights: what lies in their last vector was stored with them as it was.
        read.store_tails(&at, tails);
    }

    /// The steps of some rows against a sum without themselves. Scales go by the states before, so that each row's gradient, its squared
    /// length and its step are one pass.
    #[inline(always)]
    pub(super) fn step_against_together(
        &mut self,
        read: &Reading<'_, R, I>,
        (places, n): (&Line<u32>, usize),
        values: &[f32; LANES],
        (sum, by): (&[I::V], f32),
        rows: &[I::V],
        besides: I::V,
    ) {
        let (isa, vectors, x) = (read.isa, sum.len(), I::V::load(values));
        read.check_rows(places, vectors);
        let at = read.tails(places, vectors);
        let mut tails = read.load_tails(&at);
        let [mut state_beside, mut state] = [state_of::<R, _>(&tails[1..2]), state_of::<R, _>(&tails[2..3])];
        let [mut scales, mut own, mut squares] = [Line([0.0; LANES]); 3];
        (-read.rule.step_by_rows(&read.step, I::V::of(0.0), &mut state_of::<R, _>(&tails[2..3]))).store(&mut scales.0);
        (-(I::V::of(by) * x)).store(&mut own.0);
        tails[0] = read.rule.step(&read.step, tails[0], besides, &mut state_beside);
        let mut first = 0;
        while first < n {
            let mut sums = [I::V::of(0.0); TOGETHER];
            for j in 0..TOGETHER {
                let i = first + j;
                if i >= n {
                    break;
                }
                // SAFETY: the place was just checked.
                let cells = unsafe { read.weights_at(places.0[i], vectors) };
                let (scale, own, x) = (I::V::of(scales.0[i]), I::V::of(own.0[i]), I::V::of(values[i]));
                for k in 0..vectors {
                    let g = own.mul_add(rows[i * vectors + k], sum[k]);
                    sums[j] = g.mul_add(g, sums[j]);
                    isa.store(scale.mul_add(x * g, isa.load(&cells[k])), &cells[k]);
                }
            }
            copy(&I::V::sums_of_four(sums), &mut squares.0[first..]);
            first += TOGETHER;
        }
        let squares = (x * x * I::V::load(&squares.0)).max(I::V::of(0.0)) * I::V::of(self.part);
        read.rule.step_by_rows(&read.step, squares, &mut state);
        (tails[1], tails[2]) = (state_beside.as_ref()[0], state.as_ref()[0]);
        read.store_tails(&at, tails);
    }

    /// What multiplies the gradients of sixteen rows, which have these squared lengths, by their states, which then move.
    #[inline(always)]
    pub(super) fn scales_of_rows(&self, read: &Reading<'_, R, I>, state: &mut R::State<I::V>, squares: I::V) -> [f32; LANES] {
        let squares = squares.max(I::V::of(0.0)) * I::V::of(self.part);
        let mut scales = [0.0; LANES];
        read.rule.step_by_rows(&read.step, squares, state).store(&mut scales);
        scales
    }

    /// The steps of some rows by their scales: row `i` has `factors[i]` times the gradient.
    #[inline(always)]
    pub(super) fn step_rows_together(
        &mut self,
        read: &Reading<'_, R, I>,
        (places, n): (&Line<u32>, usize),
        (scales, factors): (&[f32; LANES], &[f32; LANES]),
        gradient: &[I::V],
    ) {
        let (isa, vectors) = (read.isa, gradient.len());
        read.check_rows(places, vectors);
        for i in 0..n {
            // SAFETY: the place was just checked.
            let cells = unsafe { read.weights_at(places.0[i], vectors) };
            let (scale, factor) = (I::V::of(-scales[i]), I::V::of(factors[i]));
            for k in 0..vectors {
                isa.store(scale.mul_add(factor * gradient[k], isa.load(&cells[k])), &cells[k]);
            }
        }
    }

    /// The step of a rule that is called: once, for all vectors and, as one more of them, the weight beside.
    #[inline(always)]
    fn step_row_erased(
        &mut self,
        read: &Reading<'_, R, I>,
        (cells, tail): (&[[AtomicF32; LANES]], &[AtomicF32]),
        gradient: &[I::V],
        beside: f32,
        sums: &[[AtomicF32; LANES]],
    ) {
        let (isa, rule, n) = (read.isa, &read.rule, gradient.len());
        let (weight, state_len) = (self.adjuster.weight_of_now, state_len(rule));
        if self.called.len() <= n {
            self.called.resize(n + 1, Numbers::ZERO);
        }
        let called = &mut self.called[..n + 1];
        for (i, (numbers, &g)) in pairs(&mut *called, gradient).enumerate() {
            numbers.set(isa.load(&cells[i]), g);
            for k in 0..state_len {
                numbers.set_state(k, isa.load(&cells[n * (1 + k) + i]));
            }
        }
        called[n].set(tail[0].load(Relaxed), beside);
        for k in 0..state_len {
            called[n].set_state(k, tail[1 + k].load(Relaxed));
        }
        rule.step_all(&read.step, I::V::SET, called);
        for (i, numbers) in called[..n].iter().enumerate() {
            store_weights(isa, &cells[i], sums.get(i), numbers.weights(), weight);
            for k in 0..state_len {
                isa.store(numbers.state_number(k), &cells[n * (1 + k) + i]);
            }
        }
        store_beside(&tail[0], sums.get(vectors(rule, n)).map(|tail| &tail[0]), called[n].weights(), weight);
        for k in 0..state_len {
            tail[1 + k].store(called[n].state_number(k), Relaxed);
        }
    }
}
