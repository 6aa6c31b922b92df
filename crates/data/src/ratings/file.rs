//! Ratings in a packed file: where their tensors are, and the check of them.

use super::{GROUP, Home, Ratings};
use crate::{
    labels::Labels,
    store::{Place, Reading, Store},
};
use hogwild_base::{Progress, Result, threads};
use safetensors::Dtype;
use serde_json::{Value, json};

/// Ratings in a file.
#[derive(Debug)]
pub(super) struct InFile {
    pub store: Store,
    user_count: Place,
    item_count: Place,
}

impl InFile {
    pub fn user_counts(&self) -> Result<Vec<u64>> {
        self.store.numbers(self.user_count, 0, self.user_count.count)
    }

    pub fn item_counts(&self) -> Result<Vec<u64>> {
        self.store.numbers(self.item_count, 0, self.item_count.count)
    }
}

impl Ratings {
    /// Checks a file, unless it is known what a check `found`.
    pub(crate) fn in_store(mut store: Store, found: Option<&Value>, progress: &dyn Progress) -> Result<Ratings> {
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
        let (user, item, rating) = (store.cells(user), store.cells(item), store.cells(rating));
        let home = Home::File(Box::new(InFile { store, user_count, item_count }));
        Ok(Ratings { user, item, rating, users, items, labels, home })
    }

    /// What the check found, for its record.
    pub(crate) fn found(&self) -> Value {
        json!({ "ratings": self.labels.to_json() })
    }
}

/// Checks ids and ratings; gives how the ratings are.
fn check(store: &Store, rating: Place, ids: &[(&str, Place, usize)], progress: &dyn Progress) -> Result<Labels> {
    let finite = [("rating", rating)];
    let finite = if store.is_unlabelled() { &finite[..0] } else { &finite };
    store.verify(finite, ids, &Reading::new(store, 0, progress))?;
    let groups: Vec<Result<Labels>> = threads::map(rating.count.div_ceil(GROUP), |group| {
        let first = group * GROUP;
        let cells = store.words(rating, first, GROUP.min(rating.count - first))?;
        store.passed(rating.bytes(first..first + cells.len()));
        Ok(Labels::of(first, &cells))
    });
    groups.into_iter().try_fold(Labels::NONE, |all, group| Ok(all.join(group?)))
}
