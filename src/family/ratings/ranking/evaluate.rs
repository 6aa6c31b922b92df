//! How good a model's lists of items are, by interactions that it was not trained on: the ids of data become numbers of the model.
use crate::{
    family::ratings::{FactorModel, Factors},
    model::{ByUser, RankingMetrics, TrainedModel, Vectors, ranking_metrics},
};
use hogwild_base::{Error, Result, threads};
use hogwild_data::{Ids, Ratings};
use std::sync::atomic::Ordering::Relaxed;

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
    let held = Numbered::of(data, users, items)?;
    let mut pairs = Vec::new();
    for data in seen {
        // What is not known has other numbers than among the held-out interactions.
        pairs.extend(Numbered::of(data, users, items)?.pairs.into_iter().filter(|&(_, item)| (item as usize) < items.len()));
    }
    let seen = ByUser::new(users.len(), &pairs);
    let all = users.len() + held.unknown_users as usize;
    let of_users = ByUser::new(all, &held.pairs);
    let metrics = threads::in_call(|| ranking_metrics(&vectors(&factors), &seen, &of_users, k));
    Ok(Evaluated { metrics, unknown_users: held.unknown_users, unknown_items: held.unknown_items })
}

/// What a factor model ranks by.
pub(super) fn vectors<'a>(factors: &Factors<'a>) -> Vectors<'a> {
    Vectors { rank: factors.rank, users: factors.user_factor, items: factors.item_factor, item_bias: factors.item_bias }
}

/// Interactions in a model's own numbers; what it does not know has numbers behind those.
pub(super) struct Numbered {
    pub pairs: Vec<(u32, u32)>,
    pub unknown_users: u64,
    pub unknown_items: u64,
}

impl Numbered {
    pub fn of(data: &Ratings, users: &Ids, items: &Ids) -> Result<Numbered> {
        let (mut users, unknown_users) = behind(data.user_ids()?.translate(users), users.len());
        let (mut items, unknown_items) = behind(data.item_ids()?.translate(items), items.len());
        let cells = data.user_cells().iter().zip(data.item_cells()).zip(data.rating_cells());
        let counts = |bits: u32| !matches!(f32::from_bits(bits), value if value <= 0.0); // one that is not given is NaN
        let (users, items) = (&mut users, &mut items);
        let pair = |user: u32, item: u32| Some((*users.get(user as usize)?, *items.get(item as usize)?));
        let pairs = cells
            .filter(|(_, value)| counts(value.load(Relaxed)))
            .filter_map(|((user, item), _)| pair(user.load(Relaxed), item.load(Relaxed)))
            .collect();
        data.whole()?;
        Ok(Numbered { pairs, unknown_users, unknown_items })
    }
}

/// Numbers of a model, with those of what it does not know behind all that it does, and how many these are.
fn behind(mut numbers: Vec<u32>, known: usize) -> (Vec<u32>, u64) {
    let mut unknown = 0;
    for number in numbers.iter_mut().filter(|number| **number == u32::MAX) {
        *number = (known as u64 + unknown).min(u32::MAX as u64 - 1) as u32;
        unknown += 1;
    }
    (numbers, unknown)
}
