//! Reading ahead: examples are read some turns before theirs, so that the processor has something to do while it waits for others.
//!
//! A worker's loop sees the example at hand. What comes is fetched in three stages, each of which reads what the one before it, some turns
//! earlier, has asked for: where an example lies, the example itself, and (when it is read) its parameters.
use super::Feed;
use crate::{
    models::Model,
    params::Places,
    simd::{Isa, pairs},
};

/// Room for the examples that a feed reads ahead, and the one at hand.
const RING: usize = 4;

/// One worker's examples: the one at hand, and those read ahead of it.
pub(crate) struct ExampleReader<'f, F, M: Model> {
    feed: &'f F,
    ring: [M::Example; RING],
    labels: [f32; RING],
    /// Examples before the one at hand.
    turn: usize,
    /// How many examples of the block to come stand in the ring.
    ready: usize,
    /// How many turns ahead examples are asked for.
    fetched: usize,
}

/// The positions that a turn deals with: the example at hand, and those that are read, asked for, and located ahead of it.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    now: u32,
    near: u32,
    middle: u32,
    far: u32,
}

impl Turn {
    /// The position of the example at hand.
    #[inline(always)]
    pub fn position(self) -> u32 {
        self.now
    }
}

impl<'f, F: Feed<M>, M: Model> ExampleReader<'f, F, M> {
    /// `noise`: see [`Feed::room`].
    pub fn new(feed: &'f F, noise: u64) -> Self {
        const { assert!(F::AHEAD < RING) };
        let (ring, fetched) = (std::array::from_fn(|_| feed.room(noise)), feed.fetched());
        ExampleReader { feed, ring, labels: [0.0; RING], turn: 0, ready: 0, fetched }
    }

    /// How many positions behind a block are to be known.
    pub fn reach(&self) -> usize {
        2 * self.fetched
    }

    /// Begins a block of `n` examples. Of the positions the first `known`, at least `n`, are those of the order to come; behind the block
    /// lie as many as [`reach`](Self::reach) says.
    #[inline(always)]
    pub fn begin<I: Isa>(&mut self, isa: I, (positions, known): (&[u32], usize), n: usize, places: &impl Places<I>) {
        // At the start, and where a short block has ended what was known of the order.
        for (i, &position) in positions[..known].iter().enumerate().take(F::AHEAD).skip(self.ready) {
            self.read(isa, self.turn + i, position, places);
        }
        self.ready = F::AHEAD.min(known - n);
    }

    /// The turns of a block of `n` examples.
    #[inline(always)]
    pub fn turns<'p>(&self, positions: &'p [u32], n: usize) -> impl Iterator<Item = Turn> + use<'p, 'f, F, M> {
        let from = |ahead: usize| &positions[ahead..][..n];
        let looks = pairs(pairs(from(0), from(F::AHEAD)), pairs(from(self.fetched), from(2 * self.fetched)));
        looks.map(|((&now, &near), (&middle, &far))| Turn { now, near, middle, far })
    }

    /// Has the turn's example at hand; gives its label.
    #[inline(always)]
    pub fn take<I: Isa>(&mut self, isa: I, turn: Turn, places: &impl Places<I>) -> f32 {
        if F::AHEAD == 0 {
            self.read(isa, 0, turn.now, places);
        }
        self.labels[self.at_hand()]
    }

    /// The example at hand.
    #[inline(always)]
    pub fn example(&self) -> &M::Example {
        &self.ring[self.at_hand()]
    }

    /// Reads and asks for what comes. To be called between the score and its use: the processor has this to do while it waits for the sum.
    #[inline(always)]
    pub fn look_ahead<I: Isa>(&mut self, isa: I, turn: Turn, places: &impl Places<I>) {
        self.feed.prefetch_place(isa, turn.far);
        self.feed.prefetch_example(isa, turn.middle, places);
        if F::AHEAD > 0 {
            self.read(isa, self.turn + F::AHEAD, turn.near, places);
        }
    }

    /// Ends the turn.
    #[inline(always)]
    pub fn end(&mut self) {
        self.turn += 1;
    }

    #[inline(always)]
    fn at_hand(&self) -> usize {
        if F::AHEAD > 0 { self.turn % RING } else { 0 }
    }

    #[inline(always)]
    fn read<I: Isa>(&mut self, isa: I, turn: usize, position: u32, places: &impl Places<I>) {
        let slot = turn % RING;
        self.labels[slot] = self.feed.read(isa, position, &mut self.ring[slot], places);
    }
}
