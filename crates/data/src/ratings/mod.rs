//! Users' ratings of items: one face for those in a packed file and those in memory, as [`Rows`](crate::Rows) have.

mod file;
mod triples;

use crate::{Ids, cells::Cells, kind::is_bad, labels::Labels, layout::BLOCK, spread::Spread, store::Store};
use file::InFile;
use hogwild_base::Result;
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

pub use triples::IdList;

/// Users' ratings of items, in the order in which they were given.
///
/// They come from a packed file ([`Data::open`](crate::Data::open)) or from memory ([`Ratings::from_triples`]).
#[derive(Debug)]
pub struct Ratings {
    user: Cells<u32>,
    item: Cells<u32>,
    rating: Cells<f32>,
    weight: Option<Cells<f32>>,
    users: usize,
    items: usize,
    labels: Labels,
    home: Home,
}

/// Where ratings lie, with what is seldom asked for.
#[derive(Debug)]
enum Home {
    File(Box<InFile>),
    Memory { users: Side, items: Side },
}

/// What users, or items, are called, and how many ratings each has.
#[derive(Debug)]
struct Side {
    ids: Ids,
    counts: Vec<u64>,
}

/// What errors call ratings that lie in no file.
const IN_MEMORY: &str = "ratings in memory";
/// Ratings are counted by groups of so many, wherever they lie: so their mean has the same bits.
const GROUP: usize = BLOCK / 4;

impl Ratings {
    /// What errors call them: the path of their file, or `ratings in memory`.
    pub fn name(&self) -> &Path {
        self.store().map_or(Path::new(IN_MEMORY), |store| &store.path)
    }

    /// The file, where there is one.
    pub(crate) fn store(&self) -> Option<&Store> {
        match &self.home {
            Home::File(file) => Some(&file.store),
            Home::Memory { .. } => None,
        }
    }

    /// How many different users.
    pub fn users(&self) -> usize {
        self.users
    }

    /// How many different items.
    pub fn items(&self) -> usize {
        self.items
    }

    /// How many ratings.
    pub fn len(&self) -> usize {
        self.rating.len()
    }

    /// Whether there is none; never so for an open file.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How the ratings are, as labels: their spread, and, where they are few, which they are.
    pub fn labels(&self) -> Labels {
        self.labels
    }

    /// How the ratings are spread; those that are not given (in a file for predictions) count for nothing.
    pub fn spread(&self) -> Spread {
        self.labels.spread
    }

    /// The mean rating.
    pub fn mean(&self) -> f64 {
        self.labels.spread.mean
    }

    /// The smallest rating.
    pub fn min(&self) -> f32 {
        self.labels.spread.min
    }

    /// The largest rating.
    pub fn max(&self) -> f32 {
        self.labels.spread.max
    }

    /// Whether some ratings are not given: such a file is for predictions only.
    pub fn is_unlabelled(&self) -> bool {
        self.store().is_some_and(Store::is_unlabelled)
    }

    /// Whether a row of the text could not be read, and merely keeps its place.
    pub fn is_bad(&self, row: usize) -> bool {
        self.rating_cells().get(row).is_some_and(|bits| is_bad(bits.load(Relaxed)))
    }

    /// Who rated. Each was below [`users`](Self::users) when the file was opened.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn user_cells(&self) -> &[AtomicU32] {
        &self.user
    }

    /// What was rated. Each was below [`items`](Self::items) when the file was opened.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn item_cells(&self) -> &[AtomicU32] {
        &self.item
    }

    /// The ratings, as the bits of `f32`.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn rating_cells(&self) -> &[AtomicU32] {
        &self.rating
    }

    /// How much a rating counts: above 0; 1 where all count alike.
    pub fn weight(&self, row: usize) -> f32 {
        let bits = self.weight.as_deref().and_then(|weights| weights.get(row));
        bits.map_or(1.0, |bits| f32::from_bits(bits.load(Relaxed)))
    }

    /// How much each counts, as the bits of `f32`; none where all count alike.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn weight_cells(&self) -> Option<&[AtomicU32]> {
        self.weight.as_deref()
    }

    /// The user's own names of the users.
    pub fn user_ids(&self) -> Result<Ids> {
        match &self.home {
            Home::File(file) => file.store.ids("user"),
            Home::Memory { users, .. } => Ok(users.ids.clone()),
        }
    }

    /// The user's own names of the items.
    pub fn item_ids(&self) -> Result<Ids> {
        match &self.home {
            Home::File(file) => file.store.ids("item"),
            Home::Memory { items, .. } => Ok(items.ids.clone()),
        }
    }

    /// How many ratings each user gave, falling.
    pub fn user_counts(&self) -> Result<Vec<u64>> {
        match &self.home {
            Home::File(file) => file.user_counts(),
            Home::Memory { users, .. } => Ok(users.counts.clone()),
        }
    }

    /// How many ratings each item has, falling.
    pub fn item_counts(&self) -> Result<Vec<u64>> {
        match &self.home {
            Home::File(file) => file.item_counts(),
            Home::Memory { items, .. } => Ok(items.counts.clone()),
        }
    }

    /// Whether the file no longer holds what it did when opened. It is read for that if its time of modification is another.
    pub fn changed(&self) -> bool {
        self.store().is_some_and(Store::changed)
    }

    /// # Errors
    /// When a part of the file could not be read through the mapping.
    pub fn whole(&self) -> Result<()> {
        self.store().map_or(Ok(()), Store::whole)
    }
}
