//! What a model does with the parameters, as a worker sees them: reading goes by `Reading`, steps where `Steps` says.
use super::{Steps, View, add_one_by_one};
use crate::{
    params::Weights,
    rules::{State, UpdateRule},
    simd::{Integers, Isa, LANES, Line, Vector},
};
use std::sync::atomic::Ordering::Relaxed;

impl<R: UpdateRule, I: Isa, S: Steps<R, I>> Weights for View<'_, R, I, S> {
    type V = I::V;

    #[inline(always)]
    fn gather(&mut self, block: usize, places: &Line<u32>) -> I::V {
        let cells = self.read.gather(places);
        self.steps.gathered(&self.read, block, &cells);
        self.read.weights(&cells)
    }

    #[inline(always)]
    fn step(&mut self, block: usize, places: &Line<u32>, gradient: I::V, l1: Option<I::V>) {
        self.steps.step(&self.read, block, places, gradient, l1);
    }

    #[inline(always)]
    fn gather_row(&mut self, place: u32, out: &mut [I::V]) -> f32 {
        if self.read.rule.revises() {
            self.steps.gathered_row(&self.read, place, out.len());
        }
        self.read.gather_row(place, out)
    }

    #[inline(always)]
    fn gather_one(&mut self, block: usize, places: &Line<u32>, lane: usize) -> f32 {
        if S::SINGLY {
            return self.read.cells[places.0[lane] as usize * self.read.unit()].load(Relaxed);
        }
        let mut weights = [0.0; LANES];
        self.gather(block, places).store(&mut weights);
        weights[lane]
    }

    #[inline(always)]
    fn step_one(&mut self, block: usize, places: &Line<u32>, lane: usize, gradient: f32) {
        self.steps.step_one(&self.read, block, places, lane, gradient);
    }

    #[inline(always)]
    fn row_place(&self, place: u32) -> u32 {
        self.read.reads.row(place)
    }

    #[inline(always)]
    fn row_places(&self, slots: &Line<u32>, (first, rows, stride): (u32, u32, u32), places: &mut Line<u32>) {
        let row = I::U::load(slots).plus(I::U::of(first.wrapping_neg()));
        let shared = row.less(I::U::of(rows), row, I::U::of(rows)).times(I::U::of(stride));
        self.read.reads.rows(shared).store(places);
    }

    #[inline(always)]
    fn gather_rows(&mut self, (places, n): (&Line<u32>, usize), (out, vectors): (&mut [I::V], usize), besides: &mut Line<f32>) {
        if !(self.read.rule.revises() || self.read.rule.reads()) {
            return self.read.gather_rows((places, n), (out, vectors), besides);
        }
        *besides = Line([0.0; LANES]);
        for i in 0..n {
            besides.0[i] = self.gather_row(places.0[i], &mut out[i * vectors..][..vectors]);
        }
    }

    #[inline(always)]
    fn faces(&self) -> bool {
        self.read.faces()
    }

    #[inline(always)]
    fn face_places(&self, places: &mut [Line<u32>]) {
        self.read.face_places(places);
    }

    #[inline(always)]
    fn face(
        &mut self,
        own: (u32, usize),
        others: (&[Line<u32>], &[[f32; LANES]]),
        to: &mut [[f32; LANES]],
        _room: &mut [I::V],
    ) -> [I::V; 2] {
        self.read.face(own, others, to)
    }

    #[inline(always)]
    fn gather_weights(&mut self, place: u32, out: &mut [I::V]) {
        if self.read.rule.revises() || self.read.rule.reads() {
            self.gather_row(place, out);
            return;
        }
        let cells = self.read.row(place, out.len()).0;
        let n = out.len();
        for i in 0..n {
            let weights = self.read.isa.load(&cells[i]);
            out[i] = if i + 1 == n { self.read.last_weights(weights) } else { weights };
        }
    }

    #[inline(always)]
    fn add_rows(&mut self, (places, n): (&Line<u32>, usize), factors: &[f32; LANES], sums: [&mut [I::V]; 2], room: &mut [I::V]) {
        if self.read.rule.revises() || self.read.rule.reads() {
            return add_one_by_one(self, (places, n), factors, sums, room, &mut [].chunks_exact_mut(1));
        }
        self.read.add_rows((places, n), factors, sums);
    }

    #[inline(always)]
    fn set_row(&mut self, place: u32, row: &[I::V]) {
        let cells = self.read.row(place, row.len()).0;
        for i in 0..row.len() {
            self.read.isa.store(row[i], &cells[i]);
        }
    }

    #[inline(always)]
    fn rate(&self) -> f32 {
        self.read.rule.rate(&self.read.step, &R::State::<f32>::splat(0.0))
    }

    #[inline(always)]
    fn step_row(&mut self, place: u32, gradient: &[I::V], square: f32, beside: f32) {
        self.steps.step_row(&self.read, place, gradient, square, beside);
    }

    #[inline(always)]
    fn step_each(
        &mut self,
        slots: (&Line<u32>, usize),
        factors: &[f32; LANES],
        gradients: (&mut [I::V], usize),
        squares: &Line<f32>,
        besides: I::V,
    ) {
        self.steps.step_each(&self.read, slots, factors, gradients, squares, besides);
    }

    #[inline(always)]
    fn step_against(
        &mut self,
        slots: (&Line<u32>, usize),
        values: &[f32; LANES],
        sum: (&[I::V], f32),
        rows: (&[I::V], &mut [I::V]),
        besides: I::V,
    ) {
        self.steps.step_against(&self.read, slots, values, sum, rows, besides);
    }

    #[inline(always)]
    fn step_row_times(&mut self, place: u32, factor: f32, gradient: (&[[f32; LANES]], f32), room: &mut [I::V]) {
        self.steps.step_row_times(&self.read, place, factor, gradient, room);
    }

    #[inline(always)]
    fn step_rows(
        &mut self,
        slots: (&Line<u32>, usize),
        singles: &Line<u32>,
        factors: &[f32; LANES],
        gradient: (&[I::V], f32),
        room: &mut [I::V],
    ) {
        self.steps.step_rows(&self.read, slots, singles, factors, gradient, room);
    }
}
