//! Packed data: checked once when opened, then read through a mapping.

mod dataset;
mod ratings;
mod store;

use std::path::Path;

use super::Format;
use super::layout::bad;
use crate::Result;
use store::Store;

pub use dataset::{Dataset, Labels};
pub use ratings::Ratings;

/// What a packed file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Labelled sparse rows.
    Sparse,
    /// Users' ratings of items.
    Ratings,
}

impl Kind {
    /// The name in the file's metadata.
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

/// An open packed file.
#[derive(Debug)]
pub enum Packed {
    /// Labelled sparse rows.
    Sparse(Dataset),
    /// Users' ratings of items.
    Ratings(Ratings),
}

impl Packed {
    /// Opens a file and checks all of it, in parallel. A damaged, truncated or foreign file is refused with the reason.
    pub fn open(path: &Path) -> Result<Packed> {
        let store = Store::open(path)?;
        match store.header_text("kind") {
            "sparse" => Dataset::check(store).map(Packed::Sparse),
            "ratings" => Ratings::check(store).map(Packed::Ratings),
            other => Err(bad(path, format!("holds data of an unknown kind, {other:?}"))),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Packed::Sparse(data) => data.path(),
            Packed::Ratings(data) => data.path(),
        }
    }
}
