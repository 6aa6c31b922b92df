//! Ratings in a packed file: where their tensors are, and the check of them.

use super::{GROUP, Home, Ratings};
use crate::{
    labels::Labels,
    layout::names,
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
        let weight = if store.has(names::WEIGHT) { Some(store.sized(names::WEIGHT, Dtype::F32, user.count)?) } else { None };
        let (users, user_count) = store.id_count("user")?;
        let (items, item_count) = store.id_count("item")?;
        let known = found.and_then(|found| Labels::from_json(&found["ratings"]));
        store.trusted = known.is_some();
        let labels = match known {
            Some(known) => known,
            None => check(&store, (rating, weight), &[("user", user, users), ("item", item, items)], progress)?,
        };
        let (user, item, rating) = (store.cells(user), store.cells(item), store.cells(rating));
        let weight = weight.map(|weight| store.cells(weight));
        let home = Home::File(Box::new(InFile { store, user_count, item_count }));
        Ok(Ratings { user, item, rating, weight, users, items, labels, home })
    }

    /// What the check found, for its record.
    pub(crate) fn found(&self) -> Value {
        json!({ "ratings": self.labels.to_json() })
    }
}

/// Checks ids, ratings and their weights; gives how the ratings are.
fn check(store: &Store, (rating, weight): (Place, Option<Place>), ids: &[(&str, Place, usize)], progress: &dyn Progress) -> Result<Labels> {
    let given = (!store.is_unlabelled()).then_some(("rating", rating));
    let finite: Vec<_> = given.into_iter().chain(weight.map(|weight| (names::WEIGHT, weight))).collect();
    store.verify(&finite, ids, &Reading::new(store, 0, progress))?;
    let groups: Vec<Result<Labels>> = threads::map(rating.count.div_ceil(GROUP), |group| {
        let first = group * GROUP;
        let cells = store.words(rating, first, GROUP.min(rating.count - first))?;
        let weights = weight.map_or(Ok(Vec::new()), |weight| store.words(weight, first, cells.len()))?;
        if let Some(at) = weights.iter().position(|&bits| f32::from_bits(bits) <= 0.0) {
            return Err(store.bad(format!("the weight of rating {} is not above 0", first + at)));
        }
        store.passed(rating.bytes(first..first + cells.len()));
        Ok(Labels::of(first, &cells))
    });
    groups.into_iter().try_fold(Labels::NONE, |all, group| Ok(all.join(group?)))
}
