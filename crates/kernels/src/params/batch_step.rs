//! The step of a batch: each touched slot steps once, by the mean gradient.
use super::{
    Aided, Parameters, Places, Weights,
    gradients::{Gradients, line, take, take_vector},
    replica::Reads,
    step_now::Stepping,
};
use crate::{
    aids::Adjuster,
    rules::{Clock, UpdateRule},
    simd::{Integers, Isa, Job, LANES, Line, Real, Vector},
};
use std::sync::atomic::Ordering::Relaxed;

/// One step of each of some touched rows by the mean gradient, whose sums are taken.
pub struct Step<'a, R: UpdateRule> {
    pub rule: R,
    pub memory: &'a R::Memory,
    pub clock: &'a Clock,
    pub adjuster: Adjuster,
    pub parameters: &'a Parameters,
    pub sums: &'a Gradients,
    /// Narrow rows, wide rows.
    pub rows: [&'a [u32]; 2],
    /// Examples in the batch.
    pub examples: usize,
}

impl<R: UpdateRule> Job for Step<'_, R> {
    /// Gradients of what the rule has observed.
    type Output = [f32; 2];

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> [f32; 2] {
        let reads = Reads::shared(self.parameters);
        let mut view = Stepping::<_, _, Aided>::new(isa, self.rule, self.memory.clone(), self.adjuster, self.parameters, reads, 1);
        view.begin(self.clock);
        let (examples, [narrow, wide]) = (I::V::of(self.examples as f32), self.rows);
        for some in narrow.chunks(LANES) {
            let rows = line(some, self.sums.empty());
            let gradient = take(isa, &self.sums.narrow, &rows) / examples;
            let mut places = Line([0; LANES]);
            view.place(I::U::load(&rows), &mut places); // the slot for empty lanes is the same one
            view.gather(0, &places);
            match &self.sums.l1 {
                Some(l1) => view.step(0, &places, gradient, Some(take(isa, l1, &rows) / examples)),
                None => view.step(0, &places, gradient, None),
            }
        }
        let mut gradient = vec![I::V::of(0.0); self.sums.stride - 1];
        for &row in wide {
            let (factors, tail) = self.sums.wide_row(row).split_at(gradient.len());
            let mut squares = I::V::of(0.0);
            for (g, sum) in gradient.iter_mut().zip(factors) {
                *g = take_vector(isa, sum) / examples;
                squares = g.mul_add(*g, squares);
            }
            let beside = tail[0][0].swap(0.0, Relaxed) / self.examples as f32;
            view.step_row(self.parameters.wide_place(row), &gradient, squares.sum(), beside);
        }
        view.observed()
    }
}
