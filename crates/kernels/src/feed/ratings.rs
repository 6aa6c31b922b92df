//! Ratings, copied into memory in the order in which they are trained on.
use super::Feed;
use crate::{
    models::{Factorization, Pair, WeightedPair, Width},
    params::Places,
    simd::Isa,
    targets::Targets,
};
use std::ops::Range;

/// One rating, with dictionary numbers (items counted from behind the users).
#[derive(Clone, Copy, Debug)]
pub struct Rating {
    /// Whose rating of what it is.
    pub pair: Pair,
    /// The target.
    pub value: f32,
}

/// Ratings, copied into tiles once, and shuffled within the tile then; or all in the order of the file.
pub struct RatingFeed {
    /// The ratings in the order in which they lie.
    pub ratings: Vec<Rating>,
    /// How much each counts, by a mean of 1; none where all count alike. Ratings in flight have no weights.
    pub weights: Option<Vec<f32>>,
    /// Positions that stay together when an epoch is shuffled.
    pub units: Vec<Range<u32>>,
    /// How ratings became targets.
    pub targets: Targets,
    /// How units are cut into groups, where four ratings are in flight.
    pub quads: Option<Quads>,
}

/// Groups of ratings without a common row.
pub struct Quads {
    /// By unit: how many groups of four, three, two and one rating it consists of, in this order.
    pub sizes: Vec<[u32; 4]>,
    /// The rows of each block of users, and of each block of items.
    pub blocks: [Vec<Range<u32>>; 2],
    /// Which side is cut finer: 0 for users, 1 for items.
    pub fine: usize,
    /// By block of the other side: eight rows of nobody, for the lanes that a group of fewer than four leaves.
    pub nobody: Vec<Range<u32>>,
}

impl RatingFeed {
    /// Puts places among the parameters for row numbers, of rows of so many vectors.
    pub fn set_places(&mut self, stride: u32) {
        for Rating { pair, .. } in &mut self.ratings {
            (pair.user, pair.item) = (pair.user * stride, pair.item * stride);
        }
        if let Some(Quads { blocks, nobody, .. }) = &mut self.quads {
            for rows in blocks.iter_mut().flatten().chain(nobody) {
                *rows = rows.start * stride..rows.end * stride;
            }
        }
    }
}

impl<W: Width> Feed<Factorization<W>> for RatingFeed {
    /// They lie in the order of a shuffle.
    const SHUFFLE: bool = false;
    /// They lie ready.
    const AHEAD: usize = 0;

    fn fetched(&self) -> usize {
        12
    }

    fn longest(&self) -> usize {
        2
    }

    fn room(&self, _noise: u64) -> WeightedPair {
        Pair { user: 0, item: 0 }.into()
    }

    fn chooses(&self) -> bool {
        false
    }

    #[inline(always)]
    fn keeps(&self, _position: u32) -> bool {
        true
    }

    #[inline(always)]
    fn read<I: Isa>(&self, _isa: I, position: u32, example: &mut WeightedPair, _places: &impl Places<I>) -> f32 {
        let rating = &self.ratings[position as usize];
        example.pair = rating.pair;
        // Whoever has no weights pays nothing: the 1 stays.
        if let Some(weights) = &self.weights {
            example.weight = weights[position as usize];
        }
        rating.value
    }

    #[inline(always)]
    fn prefetch_place<I: Isa>(&self, _isa: I, _position: u32) {} // they are read in their order, which the processor sees

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, _isa: I, position: u32, places: &impl Places<I>) {
        let pair = self.ratings[position as usize].pair;
        places.prefetch_row(pair.user, W::VECTORS);
        places.prefetch_row(pair.item, W::VECTORS);
    }

    fn weighs(&self) -> bool {
        self.weights.is_some()
    }

    #[inline(always)]
    fn weight(&self, position: u32, _target: f32) -> f32 {
        self.weights.as_ref().map_or(1.0, |weights| weights[position as usize])
    }

    #[inline(always)]
    fn size(&self, _pair: &WeightedPair) -> u64 {
        1
    }
}
