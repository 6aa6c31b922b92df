//! The factors of a model's features before training: small and random.
//!
//! How small follows from the data. With factors of standard deviation `d` all pairs of an example come to about `d^2` times the root of
//! `rank sum_{i<j} x_i^2 x_j^2`. That is to be little beside a score, but not 0, where factors have no gradient.
//!
//! Factors for each field start above 0, between 0 and twice their mean, as those of LIBFFM and xLearn do: then all pairs come to the mean's
//! square times `rank sum_{i<j} |x_i x_j|`, and the bias starts as far below 0. (criteo, a prototype: log-loss .4438 so, .4460 from both
//! sides of 0.)
use super::{
    fields::RunFields,
    kernel::{RowKernel, factor_rate, rows},
    scale::{LOOKS_AT_ROWS, scaled_squares},
};
use crate::options::Settings;
use hogwild_data::{Examples, Rows};
use hogwild_kernels::{
    engine::FmKernel,
    feed::{Normalize, Scaling},
    params::{Parameters, TableShape},
    seeds::Stream,
};
use rand::RngExt;
use std::sync::atomic::Ordering::Relaxed;

/// What all pairs of an example come to, about. (criteo at rate .02: log-loss .4441 with this, .4451 with ten times as much.)
const PAIRS: f64 = 0.007;
/// The same of factors for each field. (criteo: log-loss .4421 with twice as much, .4427 with a thirtieth.)
const PAIRS_BY_FIELD: f64 = 0.7;
/// The largest standard deviation that is chosen for factors.
const MOST: f64 = 0.3;

/// The factors of a model's features at the start.
#[derive(Clone, Copy)]
pub(super) struct Start {
    /// How many features have factors, the first so many, and how many each has.
    pub features: usize,
    pub width: usize,
    /// What parameters are multiplied by to be factors.
    pub rate: f32,
    /// Factors are at least, and less than.
    from: f32,
    to: f32,
    /// What pairs add to a score at the start, about.
    pairs: f32,
    /// Whether the features' weights lie beside their factors.
    pub beside: bool,
    seed: u64,
}

impl Start {
    /// Of a family that has factors; for each field, where there are `fields`.
    pub fn of<K: RowKernel>(settings: &Settings, data: &Rows, scaling: Option<&Scaling>, fields: Option<&RunFields>) -> Option<Start> {
        if !K::FACTORS {
            return None;
        }
        let &Settings { rank, seed, init_stdev, .. } = settings;
        let rate = factor_rate::<K>(settings);
        let Some(fields) = fields else {
            let mean = mean_pairs(data, scaling, data.columns(), &|square| square, 2);
            return Some(Start::of_pairs(rank, seed, init_stdev, rate, (data.columns(), mean)));
        };
        let (features, width) = (fields.factored.len(), fields.names.len() * rank);
        let mean = mean_pairs(data, scaling, features, &f64::sqrt, 1);
        // Factors of such a deviation have its square three times as the square of their mean.
        let of_squares = 3.0 * rank as f64 * mean;
        let deviation = init_stdev.unwrap_or_else(|| bounded((PAIRS_BY_FIELD / of_squares).sqrt()));
        let pairs = Some((of_squares * deviation * deviation) as f32).filter(|pairs| pairs.is_finite()).unwrap_or(0.0);
        Some(Start { features, width, rate, from: 0.0, to: 2.0 * reach(deviation), pairs, beside: K::BESIDE, seed })
    }

    /// Of a factorization machine that learns rows as they come, by its first ones.
    pub fn of_examples(settings: &Settings, examples: &Examples, features: usize) -> Start {
        let &Settings { rank, seed, init_stdev, .. } = settings;
        let square = |cell: usize| f64::from(f32::from_bits(examples.values[cell].load(Relaxed))).powi(2);
        let start = |row: usize| examples.row_start[row].load(Relaxed) as usize;
        let rows = examples.labels.len();
        let by_length = settings.normalize == Normalize::Row;
        let mean = (0..rows).map(|row| pairs_of((start(row)..start(row + 1)).map(square), by_length)).sum::<f64>() / rows.max(1) as f64;
        Start::of_pairs(rank, seed, init_stdev, factor_rate::<FmKernel>(settings), (features, mean))
    }

    /// The same whose factors were put before.
    pub fn known(settings: &Settings, features: usize) -> Start {
        Start::of_pairs(settings.rank, settings.seed, Some(0.0), factor_rate::<FmKernel>(settings), (features, 0.0))
    }

    /// Of features whose pairs come to such a mean, and whose weights lie beside their factors.
    fn of_pairs(rank: usize, seed: u64, init_stdev: Option<f64>, rate: f32, (features, mean): (usize, f64)) -> Start {
        let reach = reach(init_stdev.unwrap_or_else(|| bounded((PAIRS / (rank as f64 * mean).sqrt()).sqrt())));
        Start { features, width: rank, rate, from: -reach, to: reach, pairs: 0.0, beside: FmKernel::BESIDE, seed }
    }

    /// The table of factors.
    /// `hot`: how many slots each worker holds privately, with that of the bias.
    pub fn table(&self, settings: &Settings, hot: usize) -> TableShape {
        if !self.beside {
            return TableShape::rows(self.features, self.width);
        }
        TableShape { private: hot.saturating_sub(1), ..rows(settings, self.features, self.width) }
    }

    /// Factors start small and random, so that no two are alike.
    pub fn put(&self, parameters: &Parameters) {
        let mut random = Stream::Start.random(self.seed);
        let (from, to) = (self.from / self.rate, self.to / self.rate);
        let (half, middle) = ((to - from) / 2.0, (from + to) / 2.0);
        parameters.table(FACTORS).set_weights(|| middle + half * (2.0 * random.random::<f32>() - 1.0));
        if self.pairs != 0.0 {
            let mut bias = -self.pairs; // that comes first
            parameters.table(0).set_weights(|| std::mem::take(&mut bias));
        }
    }
}

/// The number of the table of factors; that of the bias and the weights is 0.
pub(super) const FACTORS: usize = 1;

/// The mean over rows of the sum over all pairs of what their squares give, of the first columns; where rows are scaled to length 1, over a
/// power of their squared lengths.
fn mean_pairs(data: &Rows, scaling: Option<&Scaling>, columns: usize, of: &dyn Fn(f64) -> f64, power: i32) -> f64 {
    let by_length = scaling.is_some_and(|scaling| scaling.how() == Normalize::Row);
    let square = scaled_squares(data, scaling);
    let rows = data.rows().min(LOOKS_AT_ROWS);
    let pairs = |row: usize| {
        let has = |i: &usize| (data.column_cells()[*i].load(Relaxed) as usize) < columns;
        let of = |i: usize| of(square(i));
        let (sum, squares) = sums(data.row_range(row).filter(has).map(of));
        let pairs: f64 = (sum * sum - squares) / 2.0;
        let length = if by_length { data.row_range(row).map(&square).sum::<f64>() } else { 1.0 };
        if length > 0.0 { pairs / length.powi(power) } else { 0.0 }
    };
    (0..rows).map(pairs).sum::<f64>() / rows.max(1) as f64
}

/// The same of a row of such squares, whose features are all looked at.
fn pairs_of(squares: impl Iterator<Item = f64> + Clone, by_length: bool) -> f64 {
    let length = if by_length { squares.clone().sum::<f64>().powi(2) } else { 1.0 };
    let (sum, of_squares) = sums(squares);
    if length > 0.0 { (sum * sum - of_squares) / 2.0 / length } else { 0.0 }
}

/// The sum of numbers, and that of their squares.
fn sums(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x))
}

/// How far the uniform distribution of a deviation reaches.
fn reach(deviation: f64) -> f32 {
    3f32.sqrt() * deviation as f32
}

/// A deviation, where the data give one.
fn bounded(deviation: f64) -> f64 {
    if deviation.is_finite() { deviation.min(MOST) } else { MOST }
}
