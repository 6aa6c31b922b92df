//! The step of a batch: each touched slot steps once, by the mean gradient.
use super::{
    FullLoop, Parameters, Places, Weights,
    gradients::{Gradients, Sums, line, take, take_vector},
    replica::Reads,
    step_now::Stepping,
};
use crate::{
    rules::{Clock, UpdateRule},
    simd::{Integers, Isa, Job, LANES, Line, Real, Vector, pairs},
    transforms::Adjuster,
};
use std::sync::atomic::Ordering::Relaxed;

/// One step of each of some touched slots by the mean gradient, whose sums are taken.
pub(crate) struct Step<'a, R: UpdateRule> {
    pub rule: R,
    pub memory: &'a R::Memory,
    pub clock: &'a Clock,
    pub adjuster: Adjuster,
    pub parameters: &'a Parameters,
    pub sums: &'a Gradients,
    /// The number of a table, and some of its touched slots.
    pub table: usize,
    pub slots: &'a [u32],
    /// Examples in the batch.
    pub examples: usize,
}

impl<R: UpdateRule> Job for Step<'_, R> {
    /// Gradients of what the rule has observed.
    type Output = [f32; 2];

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) -> [f32; 2] {
        let reads = Reads::shared(self.parameters);
        let mut view = Stepping::<_, _, FullLoop>::new(isa, self.rule, self.memory.clone(), self.adjuster, self.parameters, reads, 1);
        view.begin(self.clock);
        let (examples, sums) = (I::V::of(self.examples as f32), self.sums.table(self.table));
        if Some(self.table) == self.parameters.row() {
            step_rows(isa, sums, self.slots, self.examples as f32, &mut view);
            return view.observed();
        }
        for some in self.slots.chunks(LANES) {
            let slots = line(some, sums.empty());
            let gradient = take(isa, &sums.cells, &slots) / examples;
            let mut places = Line([0; LANES]);
            view.place(I::U::load(&slots), &mut places); // the slot for empty lanes is the same one
            view.gather(0, &places);
            match &sums.lambdas {
                Some(l1) => view.step(0, &places, gradient, Some(take(isa, l1, &slots) / examples)),
                None => view.step(0, &places, gradient, None),
            }
        }
        view.finish_steps();
        view.observed()
    }
}

/// The steps of slots of many weights.
#[inline(always)]
fn step_rows<R: UpdateRule, I: Isa>(isa: I, sums: &Sums, slots: &[u32], examples: f32, view: &mut Stepping<'_, R, I, FullLoop>) {
    let mut gradient = vec![I::V::of(0.0); sums.vectors()];
    for &slot in slots {
        let (factors, tail) = sums.row(slot).split_at(gradient.len());
        let mut squares = I::V::of(0.0);
        for (g, sum) in pairs(&mut gradient, factors) {
            *g = take_vector(isa, sum) / I::V::of(examples);
            squares = g.mul_add(*g, squares);
        }
        let beside = tail[0][0].swap(0.0, Relaxed) / examples;
        view.step_row(slot * view.read.row_stride as u32, &gradient, squares.sum(), beside);
    }
}
