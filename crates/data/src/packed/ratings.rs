//! Users' ratings of items.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use safetensors::Dtype;
use serde_json::{Value, json};

use super::super::Ids;
use super::super::layout::BLOCK;
use super::labels::Labels;
use super::spread::Spread;
use super::store::{Place, Reading, Store};
use crate::kind::is_bad;
use crate::text::Progress;
use hogwild_base::{Result, threads};

/// Users' ratings of items, in the order of the text.
#[derive(Debug)]
pub struct Ratings {
    pub(super) store: Store,
    user: Place,
    item: Place,
    rating: Place,
    user_count: Place,
    item_count: Place,
    users: usize,
    items: usize,
    labels: Labels,
}

impl Ratings {
    /// Checks a file, unless it is known what a check `found`.
    pub(super) fn of(mut store: Store, found: Option<&Value>, progress: Progress<'_>) -> Result<Ratings> {
        let user = store.tensor("user", Dtype::U32)?;
        if user.count == 0 {
            return Err(store.bad("holds no ratings"));
        }
        if user.count >= u32::MAX as usize {
            return Err(store.bad(format!("holds {} ratings, and 4294967294 are the most; split it", user.count)));
        }
        let item = store.sized("item", Dtype::U32, user.count)?;
        let rating = store.sized("rating", Dtype::F32, user.count)?;
        let (users, user_count) = store.id_count("user")?;
        let (items, item_count) = store.id_count("item")?;
        let known = found.and_then(|found| Labels::from_json(&found["ratings"]));
        store.trusted = known.is_some();
        let labels = match known {
            Some(known) => known,
            None => check(&store, rating, &[("user", user, users), ("item", item, items)], progress)?,
        };
        Ok(Ratings { store, user, item, rating, user_count, item_count, users, items, labels })
    }

    /// What the check found, for its stamp.
    pub(super) fn found(&self) -> Value {
        json!({ "ratings": self.labels.to_json() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.store.path
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
        self.rating.count
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
        self.store.is_unlabelled()
    }

    /// Whether a row of the text could not be read, and merely keeps its place.
    pub fn is_bad(&self, row: usize) -> bool {
        self.rating_cells().get(row).is_some_and(|bits| is_bad(bits.load(Relaxed)))
    }

    /// Who rated. Each was below [`users`](Self::users) when the file was opened.
    pub fn user_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.user)
    }

    /// What was rated. Each was below [`items`](Self::items) when the file was opened.
    pub fn item_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.item)
    }

    /// The ratings, as the bits of `f32`.
    pub fn rating_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.rating)
    }

    /// The user's own names of the users.
    pub fn user_ids(&self) -> Result<Ids> {
        self.store.ids("user")
    }

    /// The user's own names of the items.
    pub fn item_ids(&self) -> Result<Ids> {
        self.store.ids("item")
    }

    /// How many ratings each user gave, falling.
    pub fn user_counts(&self) -> Result<Vec<u64>> {
        self.store.numbers(self.user_count, 0, self.user_count.count)
    }

    /// How many ratings each item has, falling.
    pub fn item_counts(&self) -> Result<Vec<u64>> {
        self.store.numbers(self.item_count, 0, self.item_count.count)
    }

    /// Whether the file no longer holds what it did when opened. It is read for that if its time of modification is another.
    pub fn changed(&self) -> bool {
        self.store.changed()
    }

    /// # Errors
    /// When a part of the file could not be read through the mapping.
    pub fn whole(&self) -> Result<()> {
        self.store.whole()
    }
}

/// Checks ids and ratings; gives how the ratings are.
fn check(store: &Store, rating: Place, ids: &[(&str, Place, usize)], progress: Progress<'_>) -> Result<Labels> {
    let finite = [("rating", rating)];
    let finite = if store.is_unlabelled() { &finite[..0] } else { &finite };
    store.verify(finite, ids, &Reading::new(store, 0, progress))?;
    const GROUP: usize = BLOCK / 4;
    let groups: Vec<Result<Labels>> = threads::map(rating.count.div_ceil(GROUP), |group| {
        let first = group * GROUP;
        let cells = store.words(rating, first, GROUP.min(rating.count - first))?;
        store.passed(rating.bytes(first..first + cells.len()));
        Ok(Labels::of(first, &cells))
    });
    groups.into_iter().try_fold(Labels::NONE, |all, group| Ok(all.join(group?)))
}
