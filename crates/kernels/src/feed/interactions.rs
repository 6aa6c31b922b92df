//! Interactions of users with items, in the order in which they are trained on, each with negatives that are drawn as it is read.
use super::{
    Feed,
    negatives::{Negatives, noise_of},
};
use crate::{
    models::{Candidates, Ranking, Width},
    params::Places,
    simd::Isa,
};
use std::ops::Range;

/// Interactions, copied into tiles once, and shuffled within the tile then; or all in the order of the file.
pub struct InteractionFeed {
    /// User and item of each, by number, in the order in which they lie.
    pub pairs: Vec<[u32; 2]>,
    /// How much each counts, by a mean of 1; none where all count alike.
    pub weights: Option<Vec<f32>>,
    /// Positions that stay together when an epoch is shuffled.
    pub units: Vec<Range<u32>>,
    /// What negatives come from.
    pub negatives: Negatives,
    /// How many users there are: the rows of items are behind theirs.
    pub users: u32,
    /// Vectors of a row of parameters.
    pub stride: u32,
    /// What the loss takes for a label: 1 of pairs, 0 where the model gives its loss as the score.
    pub label: f32,
}

impl InteractionFeed {
    #[inline(always)]
    fn of_user(&self, user: u32) -> u32 {
        user * self.stride
    }

    #[inline(always)]
    fn of_item(&self, item: u32) -> u32 {
        (self.users + item) * self.stride
    }
}

impl<W: Width> Feed<Ranking<W>> for InteractionFeed {
    /// They lie in the order of a shuffle.
    const SHUFFLE: bool = false;
    /// Time for the rows of negatives to come.
    const AHEAD: usize = 3;

    fn fetched(&self) -> usize {
        12
    }

    fn longest(&self) -> usize {
        2
    }

    fn room(&self, noise: u64) -> Candidates {
        let room = self.negatives.count() + 1;
        Candidates { items: Vec::with_capacity(room), corrections: Vec::with_capacity(room), noise, ..Candidates::default() }
    }

    fn chooses(&self) -> bool {
        false
    }

    #[inline(always)]
    fn keeps(&self, _position: u32) -> bool {
        true
    }

    #[inline(always)]
    fn read<I: Isa>(&self, _isa: I, position: u32, example: &mut Candidates, places: &impl Places<I>) -> f32 {
        let [user, item] = self.pairs[position as usize];
        let noise = noise_of(example.noise, position);
        if let Some(weights) = &self.weights {
            example.weight = weights[position as usize];
        }
        let Candidates { user: of_user, items, corrections, .. } = example;
        items.clear();
        corrections.clear();
        *of_user = self.of_user(user);
        items.push(self.of_item(item));
        self.negatives.draw(user, noise, items);
        let all = self.negatives.corrections();
        for place in &mut items[1..] {
            if !all.is_empty() {
                corrections.push(all[*place as usize]);
            }
            *place = self.of_item(*place);
            places.prefetch_row(*place, W::VECTORS);
        }
        self.label
    }

    /// Interactions are read in their order, which the processor sees; where the user's items start is asked for.
    #[inline(always)]
    fn prefetch_place<I: Isa>(&self, isa: I, position: u32) {
        isa.prefetch(self.negatives.start(self.pairs[position as usize][0]));
    }

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32, places: &impl Places<I>) {
        let [user, item] = self.pairs[position as usize];
        for line in self.negatives.lines(user) {
            isa.prefetch(line);
        }
        places.prefetch_row(self.of_user(user), W::VECTORS);
        places.prefetch_row(self.of_item(item), W::VECTORS);
    }

    fn weighs(&self) -> bool {
        self.weights.is_some()
    }

    #[inline(always)]
    fn weight(&self, position: u32, _target: f32) -> f32 {
        self.weights.as_ref().map_or(1.0, |weights| weights[position as usize])
    }

    #[inline(always)]
    fn size(&self, example: &Candidates) -> u64 {
        example.items.len() as u64
    }
}
