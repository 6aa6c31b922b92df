//! Scoring ratings by biases and factors: parallel, with unknown users and items counted.
use super::weights;
use crate::{
    classes::Classes,
    model::{Axis, Scored, Tensor, Tensors, TrainedModel},
};
use hogwild_base::{Result, threads};
use hogwild_data::{Ids, Ratings, is_bad};
use hogwild_kernels::loss::Loss;
use std::sync::atomic::Ordering::Relaxed;

/// Ratings that one task scores.
const TASK: usize = 8192;

/// Matrix factorization, or a member of an ensemble: a view of its tensors.
#[derive(Clone, Copy, Debug)]
pub struct FactorModel<'a> {
    /// The user's ids, most frequent first.
    pub users: &'a Ids,
    /// The item's ids, most frequent first.
    pub items: &'a Ids,
    /// The numbers.
    pub factors: Factors<'a>,
}

/// The numbers of matrix factorization.
#[derive(Clone, Copy, Debug)]
pub struct Factors<'a> {
    /// The score of an unknown user and item.
    pub mean: f32,
    /// Factors a row.
    pub rank: usize,
    /// One a user.
    pub user_bias: &'a [f32],
    /// One an item.
    pub item_bias: &'a [f32],
    /// `rank` a user.
    pub user_factor: &'a [f32],
    /// `rank` an item.
    pub item_factor: &'a [f32],
}

impl<'a> Factors<'a> {
    /// A view of a model's tensors.
    pub fn new(tensors: &'a Tensors) -> Factors<'a> {
        Factors {
            mean: tensors.number("mean"),
            rank: tensors.get("user_factor").and_then(|factors| factors.shape.last().copied()).unwrap_or(0),
            user_bias: tensors.numbers("user_bias"),
            item_bias: tensors.numbers("item_bias"),
            user_factor: tensors.numbers("user_factor"),
            item_factor: tensors.numbers("item_factor"),
        }
    }

    /// The tensors of such numbers.
    pub fn tensors(&self) -> Tensors {
        let vector = |name, numbers: &[f32]| Tensor { name, shape: vec![numbers.len()], numbers: numbers.to_vec() };
        let matrix = |name, rows: &[f32], numbers: &[f32]| Tensor { name, shape: vec![rows.len(), self.rank], numbers: numbers.to_vec() };
        Tensors(vec![
            vector("mean", &[self.mean]),
            vector("user_bias", self.user_bias),
            matrix("user_factor", self.user_bias, self.user_factor),
            vector("item_bias", self.item_bias),
            matrix("item_factor", self.item_bias, self.item_factor),
        ])
    }

    /// The score of a user and an item by number; what is out of range is unknown and adds nothing.
    pub fn score(&self, user: usize, item: usize) -> f32 {
        let dot = if user < self.user_bias.len() && item < self.item_bias.len() {
            let (p, q) = (&self.user_factor[user * self.rank..][..self.rank], &self.item_factor[item * self.rank..][..self.rank]);
            p.iter().zip(q).map(|(p, q)| p * q).sum()
        } else {
            0.0
        };
        self.mean + self.user_bias.get(user).unwrap_or(&0.0) + self.item_bias.get(item).unwrap_or(&0.0) + dot
    }

    /// Scores translated ratings. An unknown user or item contributes neither bias nor factors, so that the mean remains.
    pub(crate) fn score_all(&self, ratings: &[Translated]) -> Scored {
        let part = |ratings: &[Translated]| {
            let mut part = Scored { scores: Vec::with_capacity(ratings.len()), ..Scored::default() };
            for &(user, item, target) in ratings {
                let (user, item) = (user as usize, item as usize);
                part.unknown += (user >= self.user_bias.len()) as u64 + (item >= self.item_bias.len()) as u64;
                part.scores.push((self.score(user, item), target));
            }
            part
        };
        let tasks: Vec<_> = ratings.chunks(TASK).collect();
        let parts = threads::map(tasks.len(), |i| part(tasks[i]));
        parts.into_iter().fold(Scored::default(), Scored::join)
    }
}

impl<'a> FactorModel<'a> {
    /// A model of such numbers, from wherever they are: of ratings as they are, without settings of a run.
    pub fn trained(&self, loss: Loss) -> TrainedModel {
        let axis = |name, ids: &Ids| Axis { name, ids: ids.clone().into() };
        TrainedModel {
            family: "mf",
            loss,
            unit: 1.0,
            classes: None,
            class_names: Vec::new(),
            unit_rows: false,
            settings: serde_json::Value::Null,
            recipe: None,
            axes: vec![axis("user", self.users), axis("item", self.items)],
            members: vec![self.factors.tensors()],
        }
    }

    /// A member of a factor model.
    pub(crate) fn new(model: &'a TrainedModel, member: &'a Tensors) -> Option<FactorModel<'a>> {
        let (users, items) = (model.ids("user")?, model.ids("item")?);
        Some(FactorModel { users, items, factors: Factors::new(member) })
    }

    /// Scores ratings with any dictionaries. To a loss of two classes rating 1 is +1 and any other -1; other losses take ratings as they
    /// are.
    ///
    /// # Errors
    /// When the dictionaries cannot be read.
    pub fn score_ratings(&self, loss: Loss, data: &Ratings) -> Result<Scored> {
        let translated = translate(data, self.users, self.items, loss)?;
        Ok(Scored { weights: own_weights(data), ..threads::in_call(|| self.factors.score_all(&translated)) })
    }
}

/// How much each rating counts; none where all count alike.
pub(super) fn own_weights(data: &Ratings) -> Vec<f32> {
    weights::of_rows(data, 0..data.len() as u32).unwrap_or_default()
}

/// A rating in a model's own numbers: user, item (`u32::MAX`: unknown), target.
pub(crate) type Translated = (u32, u32, f32);

/// Ratings in a model's own numbers.
pub(crate) fn translate(data: &Ratings, users: &Ids, items: &Ids, loss: Loss) -> Result<Vec<Translated>> {
    let (users, items) = (data.user_ids()?.translate(users), data.item_ids()?.translate(items));
    let of = |map: &[u32], number: u32| map.get(number as usize).copied().unwrap_or(u32::MAX);
    let cells = data.user_cells().iter().zip(data.item_cells()).zip(data.rating_cells());
    let taken = Classes::taken(None, loss);
    let translated = cells
        .map(|((user, item), rating)| {
            if is_bad(rating.load(Relaxed)) {
                return (0, 0, 0.0); // merely keeps its place
            }
            (of(&users, user.load(Relaxed)), of(&items, item.load(Relaxed)), taken.of(f32::from_bits(rating.load(Relaxed))))
        })
        .collect();
    data.whole().map(|()| translated)
}
