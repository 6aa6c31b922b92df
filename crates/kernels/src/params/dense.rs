//! The most frequent slots as vectors of a worker's own: weights and state lie in whole vectors while a block of examples is trained, and
//! where all else has them between two blocks.
#![allow(unsafe_code)]
use super::{Places, PlainLoop, step_now::Stepping, view::state_of};
use crate::{
    rules::UpdateRule,
    simd::{Integers, Isa, LANES, Line, MOST, Real, copy},
};

/// Weights and states of the first slots.
pub(crate) struct Dense<V> {
    /// By vector: where its slots lie, and what they have.
    vectors: Vec<(Line<u32>, [V; MOST])>,
}

impl<V: Real> Dense<V> {
    /// Room for so many vectors; slots that the parameters have not are empty lanes.
    pub fn new<R: UpdateRule, I: Isa<V = V>>(view: &Stepping<'_, R, I, PlainLoop>, vectors: usize) -> Dense<V> {
        let of = |vector: usize| {
            let mut places = Line([0; LANES]);
            view.place(I::U::load(&Line(std::array::from_fn(|i| (vector * LANES + i) as u32))), &mut places);
            (places, [V::of(0.0); MOST])
        };
        Dense { vectors: (0..vectors).map(of).collect() }
    }

    /// Takes over what the slots have.
    #[inline(always)]
    pub fn take<R: UpdateRule, I: Isa<V = V>>(&mut self, view: &Stepping<'_, R, I, PlainLoop>) {
        for (places, cells) in &mut self.vectors {
            *cells = view.reading().gather(places);
        }
    }

    /// Puts it back.
    #[inline(always)]
    pub fn put<R: UpdateRule, I: Isa<V = V>>(&self, view: &Stepping<'_, R, I, PlainLoop>) {
        let read = view.reading();
        for (places, cells) in &self.vectors {
            read.check(places);
            // SAFETY: the places were checked.
            unsafe { read.isa.scatter(*cells, read.cells, places, read.stride()) };
        }
    }

    /// The weights of a vector.
    #[inline(always)]
    pub fn weights(&self, vector: usize) -> V {
        self.vectors[vector].1[0]
    }

    /// Steps a vector by a sum of gradients, and of their squares.
    #[inline(always)]
    pub fn step<R: UpdateRule, I: Isa<V = V>>(&mut self, view: &Stepping<'_, R, I, PlainLoop>, vector: usize, gradient: V, squares: V) {
        let read = view.reading();
        let cells = &mut self.vectors[vector].1;
        let mut state = state_of::<R, _>(&cells[1..]);
        let before = state;
        cells[0] = read.rule.step_summed(&read.step, cells[0], gradient, squares, &mut state, &before);
        copy(state.as_ref(), &mut cells[1..]);
    }
}
