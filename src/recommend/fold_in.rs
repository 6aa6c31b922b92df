//! Users that a model was not trained on, from their ratings: their rows alone are found, the items stay as they are.
//!
//! A user's row minimises what training would for it: the sum over the user's ratings, by weight, of `loss(z, y) + l2 / 2 (b^2 + |p|^2)`,
//! where `z` is the mean, the item's bias and `b + p . q`. Where the loss is squared that is ridge regression, which has a closed form: exact, and without
//! a learning rate or a number of steps to choose. Other losses go by the same matrix: a step is the closed form of the slopes as they are,
//! made longer or shorter as the loss falls, until it falls no more. So one code serves both, and squared loss is done after one step.
use super::{Recommender, UserRows, seen_items};
use crate::model::ByUser;
use hogwild_base::{Error, Result, threads};
use hogwild_data::{Ids, Ratings};
use hogwild_kernels::loss::Loss;

/// Steps of other losses than squared, at most, and the share of the loss that the last one gains at least.
const STEPS: usize = 100;
const GAIN: f64 = 1e-7;
/// How often a step is halved or doubled, at most.
const LENGTHS: usize = 30;
/// What stands for L2 in the matrix where there is none, so that it has an inverse: of the number of ratings.
const LEAST: f64 = 1e-6;

/// Users with rows of their own.
#[derive(Clone, Debug)]
pub struct FoldedIn {
    /// What they are called: all users of the ratings, most ratings first.
    pub ids: Ids,
    /// Their rows.
    pub rows: UserRows,
    /// The items that they rated, by the model's numbers.
    pub seen: ByUser,
    /// How many of them the model was trained on: their rows here are of these ratings alone.
    pub known: usize,
    /// How many of them rated no item that the model knows: their rows are zeros.
    pub without: usize,
    /// Items that the model does not know, by name, most ratings first.
    pub unknown_items: Vec<String>,
    /// How many ratings these have.
    pub unknown_ratings: u64,
}

impl Recommender<'_> {
    /// Rows for the users of these ratings, known or not. By the threads of the call.
    ///
    /// # Errors
    /// A model that was not trained on ratings, or an ensemble; ratings that do not fit its loss, or dictionaries that cannot be read.
    pub fn fold_in(&self, data: &Ratings) -> Result<FoldedIn> {
        let refused =
            |problem: &str| Err(Error::BadSetting { setting: "fold_in", value: self.model.family.into(), problem: problem.into() });
        if self.model.family != "mf" {
            return refused("is of models of ratings (mf): what others minimise is no sum over a user's ratings");
        }
        if self.model.members.len() > 1 {
            return refused("is of a single model, and this one is an ensemble; save one of its members");
        }
        self.model.check_labels(data)?;
        let (ids, items) = (data.user_ids()?, data.item_ids()?);
        let by_item = items.translate(self.item_ids());
        let rated = ratings_by_user(data, &by_item, self.loss);
        let solver = Solver { of: self, unit: self.model.unit, l2: l2_of(self.model) };
        let solved = threads::in_call(|| threads::map_with(rated.len(), Room::default, |room, user| solver.row(&rated[user], room)));
        let mut rows = UserRows::default();
        for row in &solved {
            rows.bias.push(row[0]);
            rows.factors.extend_from_slice(&row[1..]);
        }
        let counts = data.item_counts()?;
        let unknown: Vec<usize> = (0..items.len()).filter(|&item| by_item[item] == u32::MAX).collect();
        data.whole()?;
        Ok(FoldedIn {
            seen: seen_items(data, &ids, self.item_ids())?,
            known: ids.translate(self.user_ids()).iter().filter(|&&row| row != u32::MAX).count(),
            without: rated.iter().filter(|rated| rated.is_empty()).count(),
            unknown_items: unknown.iter().map(|&item| items.name(item)).collect(),
            unknown_ratings: unknown.iter().filter_map(|&item| counts.get(item)).sum(),
            ids,
            rows,
        })
    }
}

/// The L2 that a model was trained with.
fn l2_of(model: &crate::TrainedModel) -> f64 {
    let default = crate::Settings::for_ratings().l2;
    model.settings["l2"].as_f64().or_else(|| model.settings["l2"].as_str()?.parse().ok()).unwrap_or(default)
}

/// A known item, what the loss takes its rating for, and how much that counts.
#[derive(Clone, Copy)]
struct Rated {
    item: u32,
    target: f32,
    weight: f64,
}

/// What each user rated.
fn ratings_by_user(data: &Ratings, by_item: &[u32], loss: Loss) -> Vec<Vec<Rated>> {
    use std::sync::atomic::Ordering::Relaxed;
    let taken = crate::Classes::taken(None, loss);
    let mut rated = vec![Vec::new(); data.users()];
    let cells = data.user_cells().iter().zip(data.item_cells()).zip(data.rating_cells());
    for (row, ((user, item), rating)) in cells.enumerate() {
        let (item, rating) = (by_item.get(item.load(Relaxed) as usize), f32::from_bits(rating.load(Relaxed)));
        if let (Some(of_user), Some(&item)) = (rated.get_mut(user.load(Relaxed) as usize), item)
            && item != u32::MAX
            && !rating.is_nan()
        {
            of_user.push(Rated { item, target: taken.of(rating), weight: data.weight(row).into() });
        }
    }
    rated
}

/// Finds rows, in the units that the loss was trained in.
struct Solver<'a> {
    of: &'a Recommender<'a>,
    unit: f32,
    l2: f64,
}

/// Memory that is used again from user to user.
#[derive(Default)]
struct Room {
    /// The rows of the user's items, each with a 1 for the bias in front.
    design: Vec<f64>,
    /// The Cholesky factor of the matrix, below its diagonal.
    matrix: Vec<f64>,
}

impl Solver<'_> {
    /// The bias and the factors of a user of these ratings.
    fn row(&self, rated: &[Rated], room: &mut Room) -> Vec<f32> {
        let (n, width) = (rated.len(), 1 + self.of.rank);
        if n == 0 {
            return vec![0.0; width];
        }
        let root = f64::from(self.unit).sqrt();
        room.design.clear();
        for &Rated { item, .. } in rated {
            let factors = &self.of.item_factor[item as usize * self.of.rank..][..self.of.rank];
            room.design.push(1.0);
            room.design.extend(factors.iter().map(|&q| f64::from(q) / root));
        }
        let all = rated.iter().map(|rated| rated.weight).sum::<f64>();
        let ridge = self.l2 * all;
        let Room { design, matrix } = room;
        matrix.clear();
        matrix.resize(width * width, 0.0);
        for (row, rated) in design.chunks_exact(width).zip(rated) {
            for (i, &a) in row.iter().enumerate() {
                let a = a * rated.weight;
                matrix[i * width..][..=i].iter_mut().zip(row).for_each(|(cell, &b)| *cell += a * b);
            }
        }
        (0..width).for_each(|i| matrix[i * width + i] += ridge.max(LEAST * all));
        cholesky(matrix, width);
        let base = |item: u32| f64::from(self.of.mean) + f64::from(self.of.item_bias.get(item as usize).copied().unwrap_or(0.0));
        let unit = f64::from(self.unit);
        let rest: Vec<f64> = rated.iter().map(|rated| base(rated.item) / unit).collect();
        let problem = Problem { rated, design, rest: &rest, width, unit, ridge, loss: self.of.loss };
        let solution = problem.solve(matrix);
        let bias = solution[0] * unit;
        std::iter::once(bias).chain(solution[1..].iter().map(|p| p * root)).map(|x| x as f32).collect()
    }
}

/// What is minimised for a user.
struct Problem<'a> {
    rated: &'a [Rated],
    design: &'a [f64],
    /// Each score without the user's row.
    rest: &'a [f64],
    width: usize,
    unit: f64,
    ridge: f64,
    loss: Loss,
}

impl Problem<'_> {
    /// The row that loses least, by the Cholesky factor of the matrix.
    fn solve(&self, factor: &[f64]) -> Vec<f64> {
        let mut at = vec![0.0; self.width];
        let (mut value, mut length) = (self.value(&at), 1.0);
        for _ in 0..STEPS {
            let mut step = self.gradient(&at);
            solve_by(factor, self.width, &mut step);
            if self.loss == Loss::Squared {
                return moved(&at, &step, 1.0);
            }
            let found = self.along(&at, &step, value, length);
            let gain = value - found.1;
            if gain > 0.0 {
                at = moved(&at, &step, found.0);
                (length, value) = found;
            }
            let gains_enough = gain > GAIN * value.abs();
            if !gains_enough {
                break;
            }
        }
        at
    }

    /// How far to go along a step, and what is lost there: twice as far as long as that helps, else half as far until it does.
    fn along(&self, at: &[f64], step: &[f64], value: f64, length: f64) -> (f64, f64) {
        let of = |length: f64| (length, self.value(&moved(at, step, length)));
        let mut best = of(length);
        let grows = best.1 < value;
        for _ in 0..LENGTHS {
            let next = of(best.0 * if grows { 2.0 } else { 0.5 });
            if grows && next.1 >= best.1 {
                break;
            }
            best = next;
            if !grows && best.1 < value {
                break;
            }
        }
        best
    }

    /// The score of a rating, in the loss's unit.
    fn score(&self, rating: usize, row: &[f64]) -> f64 {
        let design = &self.design[rating * self.width..][..self.width];
        self.rest[rating] + design.iter().zip(row).map(|(a, b)| a * b).sum::<f64>()
    }

    fn value(&self, row: &[f64]) -> f64 {
        let loss = |i: usize| f64::from(self.loss.value(self.score(i, row) as f32, self.target(i)));
        let losses = (0..self.rated.len()).map(|i| self.rated[i].weight * loss(i));
        losses.sum::<f64>() + self.ridge / 2.0 * row.iter().map(|x| x * x).sum::<f64>()
    }

    fn target(&self, rating: usize) -> f32 {
        (f64::from(self.rated[rating].target) / self.unit) as f32
    }

    fn gradient(&self, row: &[f64]) -> Vec<f64> {
        let mut gradient: Vec<f64> = row.iter().map(|x| self.ridge * x).collect();
        for rating in 0..self.rated.len() {
            let score = self.score(rating, row);
            let slope = match self.loss {
                Loss::Squared => score - f64::from(self.rated[rating].target) / self.unit,
                loss => f64::from(loss.slope(score as f32, self.target(rating))),
            };
            let design = &self.design[rating * self.width..][..self.width];
            gradient.iter_mut().zip(design).for_each(|(sum, a)| *sum += self.rated[rating].weight * slope * a);
        }
        gradient
    }
}

/// Behind a step of that length.
fn moved(at: &[f64], step: &[f64], length: f64) -> Vec<f64> {
    at.iter().zip(step).map(|(x, d)| x - length * d).collect()
}

/// Makes of a positive definite matrix (its lower half, row by row) its Cholesky factor.
fn cholesky(matrix: &mut [f64], width: usize) {
    for i in 0..width {
        for j in 0..=i {
            let (before, row) = matrix.split_at_mut(i * width);
            let (other, diagonal) = if i == j { (None, 0.0) } else { (Some(&before[j * width..][..j]), before[j * width + j]) };
            match other {
                Some(other) => row[j] = (row[j] - row[..j].iter().zip(other).map(|(a, b)| a * b).sum::<f64>()) / diagonal,
                None => row[j] = (row[j] - row[..j].iter().map(|a| a * a).sum::<f64>()).max(f64::MIN_POSITIVE).sqrt(),
            }
        }
    }
}

/// Solves `L L' x = b` in place.
fn solve_by(factor: &[f64], width: usize, b: &mut [f64]) {
    for i in 0..width {
        let sum: f64 = factor[i * width..][..i].iter().zip(&*b).map(|(a, x)| a * x).sum();
        b[i] = (b[i] - sum) / factor[i * width + i];
    }
    for i in (0..width).rev() {
        let sum: f64 = (i + 1..width).map(|j| factor[j * width + i] * b[j]).sum();
        b[i] = (b[i] - sum) / factor[i * width + i];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_solved() {
        // [4 2 1; 2 3 0; 1 0 2] x = b for x = (1, -2, 3)
        let mut matrix = vec![4.0, 0.0, 0.0, 2.0, 3.0, 0.0, 1.0, 0.0, 2.0];
        cholesky(&mut matrix, 3);
        let mut b = vec![4.0 - 4.0 + 3.0, 2.0 - 6.0, 1.0 + 6.0];
        solve_by(&matrix, 3, &mut b);
        assert!(b.iter().zip([1.0, -2.0, 3.0]).all(|(found, x)| (found - x).abs() < 1e-12), "{b:?}");
    }
}
