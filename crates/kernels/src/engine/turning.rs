//! A model whose workers take turns: any other model, with the [baton](super::baton) given away between score and steps.
//!
//! So a simulated run goes by the inner loop itself, unchanged: the loop calls a model, and this one waits. It is compiled for portable code
//! alone, with rules whose type is erased, as speed is not what it is for: two loops more.
use super::baton::{Baton, Ticket};
use crate::{
    feed::Feed,
    models::{
        Candidates, Cut, Edge, Factorization, FactorizationMachine, FieldAware, Linear, Model, Multiclass, Ranking, Row, WeightedPair,
    },
    params::{Places, Weights},
    simd::{Isa, LANES, Vector},
};

/// A model that tells which slots an example has.
pub(super) trait Touches: Model {
    /// Puts their numbers, or places, in place of what was there.
    fn touched(&self, x: &Self::Example, slots: &mut Vec<u32>);
}

impl Touches for Linear {
    fn touched(&self, x: &Row, slots: &mut Vec<u32>) {
        slots.clear();
        // The bias is behind the features.
        slots.extend((0..=x.features).map(|i| x.blocks[i / LANES].rows.0[i % LANES]));
    }
}

impl Touches for FactorizationMachine {
    /// The rows of factors, which are most of what it has.
    fn touched(&self, x: &Row, slots: &mut Vec<u32>) {
        slots.clear();
        slots.extend(self.places(x));
    }
}

impl Touches for FieldAware {
    fn touched(&self, x: &Row, slots: &mut Vec<u32>) {
        slots.clear();
        slots.extend(self.places(x));
    }
}

impl Touches for Multiclass {
    fn touched(&self, x: &Row, slots: &mut Vec<u32>) {
        slots.clear();
        slots.extend(self.places(x));
    }
}

impl Touches for Factorization {
    fn touched(&self, x: &WeightedPair, slots: &mut Vec<u32>) {
        slots.clear();
        slots.extend([x.pair.user, x.pair.item]);
    }
}

impl Touches for Ranking {
    fn touched(&self, x: &Candidates, slots: &mut Vec<u32>) {
        slots.clear();
        slots.push(x.user);
        slots.extend(&x.items);
    }
}

impl Touches for Cut {
    /// Those that it may move.
    fn touched(&self, x: &Edge, slots: &mut Vec<u32>) {
        slots.clear();
        slots.extend(x.nodes.iter().zip(x.fixed).filter(|(_, fixed)| !fixed).map(|(node, _)| node));
    }
}

#[derive(Clone)]
pub(super) struct Turning<'a, M> {
    pub model: M,
    pub baton: &'a Baton,
}

/// The model's own room, and the worker's turn.
pub(super) struct Room<'a, S> {
    of_model: S,
    ticket: Ticket<'a>,
}

impl<'a, M: Touches> Model for Turning<'a, M> {
    type Example = M::Example;
    type Scratch<V: Vector> = Room<'a, M::Scratch<V>>;
    const VECTORS: bool = false;
    const FIRST_ROW: Option<u32> = M::FIRST_ROW;

    /// Called before a worker takes its first examples: they are taken in turn too.
    fn scratch<V: Vector>(&self, longest: usize) -> Self::Scratch<V> {
        Room { of_model: self.model.scratch(longest), ticket: self.baton.come() }
    }

    #[inline(always)]
    fn score<W: Weights>(&self, x: &M::Example, weights: &mut W, room: &mut Self::Scratch<W::V>) -> f32 {
        self.model.score(x, weights, &mut room.of_model)
    }

    #[inline(always)]
    fn gradient_square<V: Vector>(&self, x: &M::Example, room: &Self::Scratch<V>) -> f32 {
        self.model.gradient_square(x, &room.of_model)
    }

    #[inline(always)]
    fn backward<W: Weights>(&self, x: &M::Example, slope: f32, weights: &mut W, room: &mut Self::Scratch<W::V>) {
        self.model.touched(x, &mut room.ticket.slots);
        room.ticket.pause();
        self.model.backward(x, slope, weights, &mut room.of_model);
    }
}

/// Examples of the model itself.
pub(super) struct Turned<'a, F>(pub &'a F);

impl<M: Touches, F: Feed<M>> Feed<Turning<'_, M>> for Turned<'_, F> {
    const SHUFFLE: bool = F::SHUFFLE;
    const AHEAD: usize = F::AHEAD;

    fn fetched(&self) -> usize {
        Feed::<M>::fetched(self.0)
    }

    fn longest(&self) -> usize {
        Feed::<M>::longest(self.0)
    }

    fn room(&self, noise: u64) -> M::Example {
        Feed::<M>::room(self.0, noise)
    }

    fn chooses(&self) -> bool {
        Feed::<M>::chooses(self.0)
    }

    #[inline(always)]
    fn keeps(&self, position: u32) -> bool {
        Feed::<M>::keeps(self.0, position)
    }

    #[inline(always)]
    fn read<I: Isa>(&self, isa: I, position: u32, example: &mut M::Example, places: &impl Places<I>) -> f32 {
        Feed::<M>::read(self.0, isa, position, example, places)
    }

    #[inline(always)]
    fn prefetch_place<I: Isa>(&self, isa: I, position: u32) {
        Feed::<M>::prefetch_place(self.0, isa, position);
    }

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32, places: &impl Places<I>) {
        Feed::<M>::prefetch_example(self.0, isa, position, places);
    }

    fn weighs(&self) -> bool {
        Feed::<M>::weighs(self.0)
    }

    #[inline(always)]
    fn weight(&self, position: u32, target: f32) -> f32 {
        Feed::<M>::weight(self.0, position, target)
    }

    #[inline(always)]
    fn size(&self, example: &M::Example) -> u64 {
        Feed::<M>::size(self.0, example)
    }
}
