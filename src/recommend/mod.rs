//! From a model of users and items to answers: which items are best for a user, what is like what, and what a model would say of users
//! that it was not trained on.
//!
//! All of it goes by rows of factors: [`Recommender`] scores items for rows of users, which are the model's own or folded in from ratings,
//! and [`Neighbours`] compares rows with each other. [`seen_items`] are what a user is not to be told again.
mod fold_in;
mod neighbours;
mod recommender;
mod seen;

pub use fold_in::FoldedIn;
pub use neighbours::{Neighbours, Similarity};
pub use recommender::{Ranked, Recommender, UserRows};
pub use seen::seen_items;

use crate::model::{Tensors, TrainedModel};
use hogwild_base::{Error, Result};
use hogwild_data::Ids;
use std::borrow::Cow;

/// The users and items of a model; one that has none is refused.
fn users_and_items(model: &TrainedModel) -> Result<(&Ids, &Ids)> {
    if let (Some(users), Some(items)) = (model.ids("user"), model.ids("item")) {
        return Ok((users, items));
    }
    let problem = "has no users and items; give a model of ratings (mf)".into();
    Err(Error::BadSetting { setting: "model", value: model.family.into(), problem })
}

/// The rows of a tensor of all members, side by side and each times `scale`: products of such rows are sums of the members' products.
fn beside<'a>(members: &'a [Tensors], name: &str, scale: f32) -> Cow<'a, [f32]> {
    if let [member] = members {
        return Cow::Borrowed(member.numbers(name));
    }
    let rows = members.first().and_then(|member| member.get(name)).map_or(0, |tensor| tensor.shape.first().copied().unwrap_or(0));
    let width = |numbers: &[f32]| numbers.len().checked_div(rows).unwrap_or(0);
    let of_row = |row: usize| {
        members.iter().map(|member| member.numbers(name)).flat_map(move |numbers| &numbers[row * width(numbers)..][..width(numbers)])
    };
    Cow::Owned((0..rows).flat_map(of_row).map(|number| scale * number).collect())
}
