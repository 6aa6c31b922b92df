//! Which items (or users) are like which: by the cosine or the inner product of their factors.
use super::{Ranked, beside, recommender::rows_of, users_and_items};
use crate::model::{TopScores, TrainedModel};
use hogwild_base::{Error, Result};
use hogwild_data::Ids;

/// How rows of factors are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Similarity {
    /// The cosine of the angle between them, from -1 to 1; 0 where a row is 0.
    #[default]
    Cosine,
    /// Their inner product, by which long rows, often those of what many like, come first.
    Dot,
}

hogwild_base::named! { Similarity {
    Cosine "cosine" "The cosine of the angle between two rows of factors";
    Dot "dot" "Their inner product, which grows with their lengths";
} }

/// The rows of an axis, laid out to be compared.
#[derive(Clone, Debug)]
pub struct Neighbours<'a> {
    ids: &'a Ids,
    factors: Vec<f32>,
    rank: usize,
    top: TopScores,
}

impl<'a> Neighbours<'a> {
    /// Of the items of a model (`axis` `item`) or its users (`user`). Of an ensemble the rows are those of its members side by side.
    ///
    /// # Errors
    /// When the model has no users and items, or no axis of that name.
    pub fn new(model: &'a TrainedModel, axis: &str, by: Similarity) -> Result<Neighbours<'a>> {
        let (users, items) = users_and_items(model)?;
        let ids = match axis {
            "user" => users,
            "item" => items,
            _ => return Err(Error::BadSetting { setting: "axis", value: axis.into(), problem: "is neither user nor item".into() }),
        };
        let scale = (1.0 / model.members.len().max(1) as f32).sqrt();
        let mut factors = beside(&model.members, &format!("{axis}_factor"), scale).into_owned();
        let rank = factors.len().checked_div(ids.len()).unwrap_or(0);
        if by == Similarity::Cosine {
            factors.chunks_mut(rank.max(1)).for_each(to_unit);
        }
        Ok(Neighbours { ids, top: TopScores::new(&factors, &[], rank), factors, rank })
    }

    /// What they are called.
    pub fn ids(&self) -> &'a Ids {
        self.ids
    }

    /// The `n` others that are most like each of these, by number. By the threads of the call.
    pub fn nearest(&self, rows: &[u32], n: usize) -> Ranked {
        let queries = rows_of(rows, self.rank, &[], &self.factors).factors;
        let found = self.top.top(&queries, n, |query, other| rows[query] == other);
        Ranked::new(found.0.len().checked_div(rows.len()).unwrap_or(0), found)
    }
}

/// Divides a row by its length; one that is 0 stays so.
fn to_unit(row: &mut [f32]) {
    let length = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
}
