//! The kinds of data.

use crate::Format;

/// What a data set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Labelled sparse rows.
    Sparse,
    /// Users' ratings of items.
    Ratings,
}

impl Kind {
    /// The name in a packed file's metadata.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sparse => "sparse",
            Kind::Ratings => "ratings",
        }
    }
}

impl From<Format> for Kind {
    fn from(format: Format) -> Kind {
        match format {
            Format::Svmlight => Kind::Sparse,
            Format::Ratings => Kind::Ratings,
        }
    }
}
