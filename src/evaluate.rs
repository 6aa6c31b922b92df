//! Scoring with a finished model: parallel, on private weights, with unknown features, users and items counted.
use crate::{
    Classes, Loss, Result,
    data::{Ids, Ratings, Rows, is_bad},
    metrics::Metrics,
    model_file::FactorModel,
};
use hogwild_kernels::{feed::row_length, loss::Taken};
use rayon::prelude::*;
use std::sync::atomic::Ordering::Relaxed;

/// Scores with their targets, in the order of the data, and what was not known to the model.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Score and target of each example.
    pub scores: Vec<(f32, f32)>,
    /// Nonzeros (or users and items) that the model has never seen; they add nothing to a score.
    pub unknown: u64,
    /// What the loss counts as 1, in the unit of scores and targets: see [`TrainedModel::unit`](crate::TrainedModel::unit).
    pub unit: f32,
}

/// Nothing scored, in the unit 1.
impl Default for Scored {
    fn default() -> Scored {
        Scored { scores: Vec::new(), unknown: 0, unit: 1.0 }
    }
}

impl Scored {
    /// What they say.
    pub fn metrics(&self, loss: Loss) -> Metrics {
        Metrics::new(loss, self.unit, &self.scores)
    }

    /// What an ensemble says, of what its members do: the scores that predict the mean of their predictions (of probabilities for
    /// logistic, of scores otherwise), in the same order of examples.
    pub fn mean(loss: Loss, mut members: Vec<Scored>) -> Scored {
        if members.len() < 2 {
            return members.pop().unwrap_or_default();
        }
        let of = |i: usize| members.iter().filter_map(move |scored| scored.scores.get(i)).map(|&(z, _)| z);
        let score = |(i, &(_, target)): (usize, &(f32, f32))| (loss.mean_score(of(i)), target);
        Scored { scores: members[0].scores.par_iter().enumerate().map(score).collect(), unknown: members[0].unknown, unit: members[0].unit }
    }

    fn join(mut self, other: Scored) -> Scored {
        self.scores.extend(other.scores);
        self.unknown += other.unknown;
        self
    }
}

/// Scores rows by weights laid out as in training: the bias, then a weight a column. `columns` gives the model's column of each of the
/// data's (`u32::MAX`: unknown), `only` chooses rows, in ascending order; at most
/// `window` bytes of the file are in memory at a time; with `unit_rows` each row is divided by its length first.
pub(crate) fn linear(
    weights: &[f32],
    unit_rows: bool,
    taken: Taken,
    data: &Rows,
    window: Option<u64>,
    columns: Option<&[u32]>,
    only: Option<&[u32]>,
) -> Scored {
    let rows: Vec<u32> = only.map_or_else(|| (0..data.rows() as u32).collect(), <[u32]>::to_vec);
    let (cells, values) = (data.column_cells(), data.value_cells());
    let known = weights.len().saturating_sub(1) as u32;
    let score = |&row: &u32| {
        let range = data.row_range(row as usize);
        let (mut z, mut unknown) = (0.0, 0);
        let value = |i: usize| values.map_or(1.0, |values| f32::from_bits(values[i].load(Relaxed)));
        let length = if unit_rows { row_length(range.clone().map(value)) } else { 1.0 };
        for i in range {
            let column = cells[i].load(Relaxed);
            let column = columns.map_or(column, |columns| columns.get(column as usize).copied().unwrap_or(u32::MAX));
            let value = (value(i) as f64 / length) as f32;
            if column < known { z += weights[column as usize + 1] * value } else { unknown += 1 }
        }
        // The bias last: where it is large beside the rest, the rest is summed without it.
        (weights.first().copied().unwrap_or(0.0) + z, taken.of(data.label(row as usize)), unknown)
    };
    let chunk = |rows: &[u32]| {
        let mut part = Scored { scores: Vec::with_capacity(rows.len()), ..Scored::default() };
        for (z, y, unknown) in rows.iter().map(score) {
            part.scores.push((z, y));
            part.unknown += unknown;
        }
        part
    };
    let mut scored = Scored::default();
    // Slabs of rows, one after the other: the next is read while this one is scored.
    let ends = window.map_or_else(|| vec![data.rows()], |window| data.cut((window / 4).min(32 << 20)));
    let slab = |i: usize| i.checked_sub(1).map_or(0, |before| ends[before])..ends[i];
    for i in 0..ends.len() {
        let of = |end: usize| rows.partition_point(|&row| (row as usize) < end);
        if ends.len() > 1 {
            (i..ends.len().min(i + 2)).skip((i > 0) as usize).for_each(|next| data.will_need(slab(next)));
        }
        let parts: Vec<Scored> = rows[of(slab(i).start)..of(slab(i).end)].par_chunks(1024).map(chunk).collect();
        scored = parts.into_iter().fold(scored, Scored::join);
        if ends.len() > 1 {
            data.release(slab(i));
        }
    }
    scored
}

/// Ratings in a model's own numbers: user, item (`u32::MAX`: unknown), target.
pub(crate) fn translate_ratings(data: &Ratings, users: &Ids, items: &Ids, loss: Loss) -> Result<Vec<(u32, u32, f32)>> {
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

/// Scores translated ratings. An unknown user or item contributes neither bias nor factors, so that the mean remains.
pub(crate) fn ratings(model: &FactorModel, ratings: &[(u32, u32, f32)]) -> Scored {
    let part = |ratings: &[(u32, u32, f32)]| {
        let mut part = Scored { scores: Vec::with_capacity(ratings.len()), ..Scored::default() };
        for &(user, item, target) in ratings {
            let (user, item) = (user as usize, item as usize);
            part.unknown += (user >= model.user_bias.len()) as u64 + (item >= model.item_bias.len()) as u64;
            part.scores.push((model.score(user, item), target));
        }
        part
    };
    let parts: Vec<Scored> = ratings.par_chunks(8192).map(part).collect();
    parts.into_iter().fold(Scored::default(), Scored::join)
}
