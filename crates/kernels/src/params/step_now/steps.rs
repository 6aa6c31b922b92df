//! The steps themselves: of blocks of slots of one weight, and of slots of many.
#![allow(unsafe_code)]
use super::{StepNow, WAITING, drawn_to_0};
use crate::{
    params::{
        Transforming, kept, learner,
        view::{Reading, Steps, against, each, load_state, one_by_one, one_lane, state_of, store_state, times},
    },
    rules::UpdateRule,
    simd::{Integers, Isa, LANES, Line, MOST, Real, Vector, copy},
};
use std::sync::atomic::Ordering::Relaxed;

/// So few rows step one by one, where others are gathered by sixteen.
const FEW: usize = 4;

impl<R: UpdateRule, I: Isa, A: Transforming> Steps<R, I> for StepNow<'_, R, I, A> {
    const SINGLY: bool = R::BY_ROWS && !A::ON && !A::ACCRUES;

    #[inline(always)]
    fn step_one(&mut self, read: &Reading<'_, R, I>, block: usize, places: &Line<u32>, lane: usize, gradient: f32) {
        if !<Self as Steps<R, I>>::SINGLY {
            return one_lane(self, read, block, places, lane, gradient);
        }
        let cells = &read.cells[places.0[lane] as usize * read.unit()..][..read.stride()];
        let mut state = load_state(&read.rule, &cells[1..]);
        cells[0].store(read.rule.step(&read.step, cells[0].load(Relaxed), gradient, &mut state), Relaxed);
        store_state(&read.rule, state, &cells[1..]);
    }

    #[inline(always)]
    fn gathered(&mut self, read: &Reading<'_, R, I>, block: usize, cells: &[I::V; MOST]) {
        copy(&cells[..read.copied()], &mut self.gathered[block]);
    }

    #[inline(always)]
    fn gathered_row(&mut self, read: &Reading<'_, R, I>, place: u32, vectors: usize) {
        kept::keep(read, place, vectors, &mut self.kept);
    }

    #[inline(always)]
    fn step(&mut self, read: &Reading<'_, R, I>, block: usize, places: &Line<u32>, mut gradient: I::V, l1: Option<I::V>) {
        let rule = &read.rule;
        if A::ON && self.adjuster.active {
            gradient = self.adjusted(read.place(read.reads.scratch_slot), places, gradient);
        }
        let mut cells = [I::V::of(0.0); MOST];
        if self.reuse || I::U::load(places).none_below(I::U::of(read.place(read.reads.own))) {
            read.check(places);
            copy(&self.gathered[block][..read.copied()], &mut cells);
        } else {
            cells = read.gather(places); // which checks
        }
        if A::ON && self.accrued.is_on() {
            // SAFETY: the places were just checked; the room is as long as the cells, as `new` has seen.
            unsafe { self.accrued.add(read, places, gradient) };
        }
        if R::ERASED && !rule.learns() && !rule.revises() {
            let waiting = &mut self.waiting;
            let numbers = &mut self.called[waiting.n];
            numbers.set(cells[0], gradient);
            for k in 1..MOST {
                numbers.set_state(k - 1, cells[k]);
            }
            waiting.places[waiting.n] = *places;
            waiting.l1 |= l1.is_some();
            waiting.thresholds[waiting.n] = l1.unwrap_or(I::V::of(0.0));
            waiting.n += 1;
            if waiting.n == WAITING {
                self.call(read);
            }
            return;
        }
        let mut state = state_of::<R, _>(&cells[1..]);
        // Where what was gathered serves again, nothing has come in since.
        let gathered = if rule.revises() { Some(state_of::<R, _>(&self.gathered[block][1..])) } else { None };
        let (w, observed) = learner::step(rule, &read.step, cells[0], gradient, &mut state, &gathered);
        cells[0] = w;
        self.learner.observed().add(rule, observed);
        if let Some(l1) = l1 {
            cells[0] = drawn_to_0(cells[0], rule.rate(&read.step, &state) * l1);
        }
        let state = state.as_ref();
        copy(state, &mut cells[1..]);
        // SAFETY: the places were checked, by the gathering or else apart.
        unsafe { self.store(read, places, cells) };
    }

    #[inline(always)]
    fn step_row(&mut self, read: &Reading<'_, R, I>, place: u32, gradient: &[I::V], square: f32, beside: f32) {
        if A::ON && self.adjuster.active {
            self.step_row_adjusted(read, place, gradient, beside);
        } else {
            self.step_row_as_is(read, place, gradient, square, beside);
        }
    }

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
        if R::BY_ROWS && !A::ON && !A::ACCRUES && slots.1 > FEW && read.has_near_states() {
            self.step_each_together(read, slots, factors, (gradients.0, gradients.1), (squares, besides));
        } else {
            each(self, read, slots, factors, gradients, squares, besides);
        }
    }

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
        if R::BY_ROWS && !A::ON && !A::ACCRUES && slots.1 > FEW && read.has_near_states() {
            self.step_against_together(read, slots, values, sum, rows.0, besides);
        } else {
            against(self, read, slots, values, sum, rows, besides);
        }
    }

    #[inline(always)]
    fn step_row_times(&mut self, read: &Reading<'_, R, I>, place: u32, factor: f32, gradient: (&[[f32; LANES]], f32), room: &mut [I::V]) {
        if R::BY_ROWS && !A::ON && !A::ACCRUES {
            self.step_row_scaled(read, place, factor, gradient);
        } else {
            times(self, read, place, factor, gradient, room);
        }
    }

    #[inline(always)]
    fn step_rows(
        &mut self,
        read: &Reading<'_, R, I>,
        slots: (&Line<u32>, usize),
        singles: &Line<u32>,
        factors: &[f32; LANES],
        gradient: (&[I::V], f32),
        room: &mut [I::V],
    ) {
        if R::BY_ROWS && !A::ON && !A::ACCRUES {
            // The states of sixteen rows at once: they lie close together, and not in a line of each row.
            let mut states = read.gather(singles);
            let mut state = state_of::<R, _>(&states[1..]);
            let factor = I::V::load(factors);
            let scales = self.scales_of_rows(read, &mut state, factor * factor * I::V::of(gradient.1));
            copy(state.as_ref(), &mut states[1..]);
            // SAFETY: the gathering has checked the places.
            unsafe { read.isa.scatter(states, read.cells, singles, read.stride()) };
            self.step_rows_together(read, slots, (&scales, factors), gradient.0);
        } else {
            one_by_one(self, read, slots, factors, gradient, room);
        }
    }
}
