//! What a chunk holds, of either kind. The room of one chunk is used again for the next.

use crate::text::collector::Collector;
use crate::text::examples::Examples;
use crate::text::rated::Rated;

/// What a chunk holds: of either kind.
#[allow(clippy::large_enum_variant)] // there is one a chunk
pub(crate) enum Parts {
    Examples(Examples),
    Ratings(Rated),
}

impl Parts {
    /// The labels, or ratings.
    pub(crate) fn targets(&self) -> &[f32] {
        match self {
            Parts::Examples(examples) => examples.targets(),
            Parts::Ratings(rated) => rated.targets(),
        }
    }
}

impl Default for Parts {
    fn default() -> Parts {
        Parts::Examples(Examples::default())
    }
}

impl From<Examples> for Parts {
    fn from(examples: Examples) -> Parts {
        Parts::Examples(examples)
    }
}

impl From<Rated> for Parts {
    fn from(rated: Rated) -> Parts {
        Parts::Ratings(rated)
    }
}

/// Those of an earlier chunk, for their room; new ones where these are of another kind.
impl From<Parts> for Examples {
    fn from(parts: Parts) -> Examples {
        match parts {
            Parts::Examples(examples) => examples,
            Parts::Ratings(_) => Examples::default(),
        }
    }
}

/// Those of an earlier chunk, for their room; new ones where these are of another kind.
impl From<Parts> for Rated {
    fn from(parts: Parts) -> Rated {
        match parts {
            Parts::Ratings(rated) => rated,
            Parts::Examples(_) => Rated::default(),
        }
    }
}
