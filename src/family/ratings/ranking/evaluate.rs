//! How good a model's lists of items are, by interactions that it was not trained on: the ids of data become numbers of the model.
use crate::{
    family::ratings::{FactorModel, Factors},
    model::{ByUser, RankingMetrics, TrainedModel, Vectors, ranking_metrics},
};
use hogwild_base::{Error, Result, threads};
use hogwild_data::{Ids, Ratings, is_bad};
use std::{collections::HashMap, sync::atomic::Ordering::Relaxed};

/// What an evaluation says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluated {
    /// Means over the users.
    pub metrics: RankingMetrics,
    /// How many users the model does not know: their lists go by the biases of items alone.
    pub unknown_users: u64,
    /// How many items the model does not know: they are never found.
    pub unknown_items: u64,
}

/// Ranks all items for each user of the data, but for those that the user has in `seen` (the training data, as a rule), and holds the first `k`
/// against the data. Rows whose value is 0 or less count for nothing.
///
/// # Errors
/// When the model is not one of users and items, is an ensemble, or dictionaries cannot be read.
pub fn evaluate_ranking(model: &TrainedModel, data: &Ratings, seen: &[&Ratings], k: usize) -> Result<Evaluated> {
    let bad = |value: &str, problem: &str| Err(Error::BadSetting { setting: "model", value: value.into(), problem: problem.into() });
    let [member] = &model.members[..] else {
        return bad(model.family, "is an ensemble, whose members have a list each; take one of one model");
    };
    let Some(FactorModel { users, items, factors }) = FactorModel::new(model, member) else {
        return bad(model.family, "has no users and items to rank");
    };
    let mut numbering = Numbering::new(users, items);
    let held = numbering.held_out(data)?;
    let mut pairs = Vec::new();
    for data in seen {
        pairs.extend(numbering.pairs(data, |_| true)?);
    }
    let (seen, of_users) = (ByUser::new(numbering.all_users(), &pairs), ByUser::new(numbering.all_users(), &held.pairs));
    let metrics = threads::in_call(|| ranking_metrics(&vectors(&factors), &seen, &of_users, k));
    Ok(Evaluated { metrics, unknown_users: held.unknown_users, unknown_items: held.unknown_items })
}

/// What a factor model ranks by.
pub(super) fn vectors<'a>(factors: &Factors<'a>) -> Vectors<'a> {
    Vectors { rank: factors.rank, users: factors.user_factor, items: factors.item_factor, item_bias: factors.item_bias }
}

/// Numbers of users and items: a model's own, and behind those one for each that it does not know, the same in all data.
pub(super) struct Numbering<'a> {
    users: Side<'a>,
    items: Side<'a>,
}

/// Users, or items.
struct Side<'a> {
    known: &'a Ids,
    others: HashMap<String, u32>,
}

/// What is to be found.
pub(super) struct HeldOut {
    pub pairs: Vec<(u32, u32)>,
    pub unknown_users: u64,
    pub unknown_items: u64,
}

impl<'a> Numbering<'a> {
    pub fn new(users: &'a Ids, items: &'a Ids) -> Numbering<'a> {
        let side = |known| Side { known, others: HashMap::new() };
        Numbering { users: side(users), items: side(items) }
    }

    /// The interactions of data, and how many of their users and items are not known. Values of 0 or less are no interactions.
    pub fn held_out(&mut self, data: &Ratings) -> Result<HeldOut> {
        let pairs = self.pairs(data, |value| !matches!(value, value if value <= 0.0))?; // one that is not given is NaN
        let [unknown_users, unknown_items] = [&self.users, &self.items].map(|side| side.others.len() as u64);
        Ok(HeldOut { pairs, unknown_users, unknown_items })
    }

    /// The pairs of data whose values `count`.
    pub fn pairs(&mut self, data: &Ratings, count: impl Fn(f32) -> bool) -> Result<Vec<(u32, u32)>> {
        let (users, items) = (self.users.numbers(&data.user_ids()?), self.items.numbers(&data.item_ids()?));
        let cells = data.user_cells().iter().zip(data.item_cells()).zip(data.rating_cells());
        let pair = |user: u32, item: u32| Some((*users.get(user as usize)?, *items.get(item as usize)?));
        let pairs = cells
            .filter(|(_, value)| !is_bad(value.load(Relaxed)) && count(f32::from_bits(value.load(Relaxed))))
            .filter_map(|((user, item), _)| pair(user.load(Relaxed), item.load(Relaxed)))
            .collect();
        data.whole().map(|()| pairs)
    }

    /// How many users have numbers.
    pub fn all_users(&self) -> usize {
        self.users.known.len() + self.users.others.len()
    }
}

impl Side<'_> {
    fn numbers(&mut self, ids: &Ids) -> Vec<u32> {
        let mut numbers = ids.translate(self.known);
        for (i, number) in numbers.iter_mut().enumerate().filter(|(_, number)| **number == u32::MAX) {
            let next = (self.known.len() + self.others.len()).min(u32::MAX as usize - 1) as u32;
            *number = *self.others.entry(ids.name(i)).or_insert(next);
        }
        numbers
    }
}
