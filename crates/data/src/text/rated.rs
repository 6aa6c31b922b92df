//! The ratings of a chunk, in flat arrays.

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
}

impl RatingSink for Rated {
    #[inline(always)]
    fn rating(&mut self, user: Id<'_>, item: Id<'_>, rating: f32) {
        self.users.push(user);
        self.items.push(item);
        self.ratings.push(rating);
    }
}

impl Collector for Rated {
    const KIND: Kind = Kind::Ratings;

    fn clear(&mut self, _: &How) {
        self.users.clear();
        self.items.clear();
        self.ratings.clear();
    }

    /// A rating is given whole.
    fn cut(&mut self) {}

    fn push_bad(&mut self) {
        self.rating(Id::Number(0), Id::Number(0), BAD);
    }

    fn targets(&self) -> &[f32] {
        &self.ratings
    }

    fn headless(&self) -> Option<Range<usize>> {
        None
    }
}
