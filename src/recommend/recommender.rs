//! The best items for users, by a model's factors.
//!
//! An ensemble predicts the mean of its members. Where a prediction is the score itself, that is one model again, whose rows are those of
//! all members side by side. Where it is not (a mean of probabilities), no row of factors gives it, and such an ensemble is refused.
use super::{beside, users_and_items};
use crate::model::{TopScores, TrainedModel, inspect::mean};
use hogwild_base::{Error, Result};
use hogwild_data::Ids;
use hogwild_kernels::loss::{Link, Loss};
use std::borrow::Cow;

/// What recommends: the items of a model laid out to be scored, and its users.
#[derive(Clone, Debug)]
pub struct Recommender<'a> {
    pub(super) model: &'a TrainedModel,
    users: &'a Ids,
    items: &'a Ids,
    pub(super) loss: Loss,
    pub(super) mean: f32,
    pub(super) rank: usize,
    user_bias: Cow<'a, [f32]>,
    user_factor: Cow<'a, [f32]>,
    pub(super) item_bias: Cow<'a, [f32]>,
    pub(super) item_factor: Cow<'a, [f32]>,
    top: TopScores,
    /// The item of each row of `top`; none where these are all items.
    of_top: Option<Vec<u32>>,
}

/// Rows of users: a bias and factors each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserRows {
    /// One a user.
    pub bias: Vec<f32>,
    /// `rank` a user.
    pub factors: Vec<f32>,
}

/// The best rows for some queries.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// How many there are for each query.
    width: usize,
    rows: Vec<u32>,
    scores: Vec<f32>,
}

impl UserRows {
    /// Those of some users, by place; of one that is not there zeros.
    pub fn select(&self, users: &[u32]) -> UserRows {
        let rank = self.factors.len().checked_div(self.bias.len()).unwrap_or(0);
        rows_of(users, rank, &self.bias, &self.factors)
    }
}

/// The rows of some users among these; zeros where there is none.
pub(super) fn rows_of(users: &[u32], rank: usize, bias: &[f32], factors: &[f32]) -> UserRows {
    let mut rows = UserRows { bias: Vec::with_capacity(users.len()), factors: Vec::with_capacity(users.len() * rank) };
    for &user in users {
        rows.bias.push(bias.get(user as usize).copied().unwrap_or(0.0));
        match factors.get(user as usize * rank..).and_then(|rest| rest.get(..rank)) {
            Some(row) => rows.factors.extend_from_slice(row),
            None => rows.factors.resize(rows.factors.len() + rank, 0.0),
        }
    }
    rows
}

impl Ranked {
    pub(super) fn new(width: usize, (rows, scores): (Vec<u32>, Vec<f32>)) -> Ranked {
        Ranked { width, rows, scores }
    }

    /// What is best for a query, best first: rows, with what they predict or how like they are.
    pub fn of(&self, query: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = query * self.width..(query + 1) * self.width;
        let (rows, scores) = (self.rows.get(range.clone()).unwrap_or_default(), self.scores.get(range).unwrap_or_default());
        rows.iter().copied().zip(scores.iter().copied()).take_while(|&(row, _)| row != u32::MAX)
    }
}

impl<'a> Recommender<'a> {
    /// By a model of users and items.
    ///
    /// # Errors
    /// When it has none, or is an ensemble whose predictions are no scores.
    ///
    /// ```
    /// use hogwild::{Recommender, Trainer, data::Ratings, seen_items};
    ///
    /// # fn main() -> Result<(), hogwild::Error> {
    /// let ratings = Ratings::from_triples(&["ann", "ann", "bob"], &["Alien", "Brazil", "Alien"], &[5.0, 2.0, 4.0])?;
    /// let outcome = Trainer::factorization().rank(2).lr(0.1).fit(&ratings)?;
    /// let model = outcome.trained()?;
    /// let recommender = Recommender::new(model)?;
    /// let seen = seen_items(&ratings, recommender.user_ids(), recommender.item_ids())?;
    /// let best = recommender.recommend(&recommender.users(&[0, 1]), 10, |user, item| seen.has(user, item));
    /// assert_eq!(best.of(0).count(), 0); // ann, who has most ratings, has seen both
    /// assert_eq!(best.of(1).count(), 1);
    /// # Ok(()) }
    /// ```
    pub fn new(model: &'a TrainedModel) -> Result<Recommender<'a>> {
        let (users, items) = users_and_items(model)?;
        let count = model.members.len();
        if count > 1 && model.loss.meaning().link != Link::Identity {
            let problem =
                format!("predicts the mean of {count} probabilities or means, and no row of factors has that; save one of its members");
            return Err(Error::BadSetting { setting: "model", value: "of an ensemble".into(), problem });
        }
        let share = 1.0 / count.max(1) as f32;
        let item_bias = mean(model, "item_bias");
        let item_factor = beside(&model.members, "item_factor", 1.0);
        let rank = item_factor.len().checked_div(items.len()).unwrap_or(0);
        Ok(Recommender {
            model,
            users,
            items,
            loss: model.loss,
            mean: mean(model, "mean").first().copied().unwrap_or(0.0),
            rank,
            user_bias: mean(model, "user_bias").into(),
            user_factor: beside(&model.members, "user_factor", share),
            top: TopScores::new(&item_factor, &item_bias, rank),
            item_bias: item_bias.into(),
            item_factor,
            of_top: None,
        })
    }

    /// The same of these items alone, by their numbers.
    pub fn among(self, items: &[u32]) -> Recommender<'a> {
        let mut items: Vec<u32> = items.iter().copied().filter(|&item| (item as usize) < self.items.len()).collect();
        items.sort_unstable();
        items.dedup();
        let bias: Vec<f32> = items.iter().map(|&item| self.item_bias.get(item as usize).copied().unwrap_or(0.0)).collect();
        let row = |&item: &u32| &self.item_factor[item as usize * self.rank..][..self.rank];
        let factors: Vec<f32> = items.iter().flat_map(row).copied().collect();
        Recommender { top: TopScores::new(&factors, &bias, self.rank), of_top: Some(items), ..self }
    }

    /// What the model's users are called.
    pub fn user_ids(&self) -> &'a Ids {
        self.users
    }

    /// What the model's items are called.
    pub fn item_ids(&self) -> &'a Ids {
        self.items
    }

    /// The rows of users by number; of one that is not known (`u32::MAX`) zeros, so that the items' biases alone tell.
    pub fn users(&self, users: &[u32]) -> UserRows {
        rows_of(users, self.rank, &self.user_bias, &self.user_factor)
    }

    /// The `n` best items of each user, with what the model predicts of them: ratings, probabilities or means. Items that `leaves_out`
    /// (user, by place among the rows, and item) says are none of them. By the threads of the call.
    pub fn recommend(&self, users: &UserRows, n: usize, leaves_out: impl Fn(usize, u32) -> bool + Sync) -> Ranked {
        let item = |row: u32| self.of_top.as_ref().map_or(row, |items| items[row as usize]);
        let (mut rows, mut scores) = self.top.top(&users.factors, n, |user, row| leaves_out(user, item(row)));
        let width = rows.len().checked_div(users.bias.len()).unwrap_or(0);
        for (place, (row, score)) in rows.iter_mut().zip(&mut scores).enumerate().filter(|(_, (row, _))| **row != u32::MAX) {
            *row = item(*row);
            *score = self.loss.predict(self.mean + users.bias[place / width] + *score);
        }
        Ranked::new(width, (rows, scores))
    }
}
