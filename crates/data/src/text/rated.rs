//! The ratings of a chunk, in flat arrays. One of weight 0 is left out before anything of it is counted.

use std::ops::Range;

use crate::Kind;
use crate::kind::BAD;
use crate::text::codes::{Codes, Id};
use crate::text::collector::{Collector, How};
use crate::text::sink::RatingSink;

/// Who rated what, used again for the next chunk.
#[derive(Default)]
pub(crate) struct Rated {
    pub(crate) users: Codes,
    pub(crate) items: Codes,
    pub(crate) ratings: Vec<f32>,
    /// How much each counts; none while all count alike.
    pub(crate) weights: Vec<f32>,
    /// How many of weight 0 were left out.
    left_out: u64,
}

impl RatingSink for Rated {
    #[inline(always)]
    fn rating(&mut self, user: Id<'_>, item: Id<'_>, rating: f32) {
        self.users.push(user);
        self.items.push(item);
        self.ratings.push(rating);
    }

    fn weighted_rating(&mut self, user: Id<'_>, item: Id<'_>, rating: f32, weight: f32) {
        if weight != 1.0 || !self.weights.is_empty() {
            self.weights.resize(self.ratings.len(), 1.0);
            self.weights.push(weight);
        }
        self.rating(user, item, rating);
    }

    fn leave_out(&mut self) {
        self.left_out += 1;
    }
}

impl Collector for Rated {
    const KIND: Kind = Kind::Ratings;

    fn clear(&mut self, _: &How) {
        self.users.clear();
        self.items.clear();
        self.ratings.clear();
        self.weights.clear();
        self.left_out = 0;
    }

    /// A rating is given whole.
    fn cut(&mut self) {}

    fn push_bad(&mut self) {
        self.weighted_rating(Id::Number(0), Id::Number(0), BAD, 1.0);
    }

    fn targets(&self) -> &[f32] {
        &self.ratings
    }

    fn headless(&self) -> Option<Range<usize>> {
        None
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }
}
