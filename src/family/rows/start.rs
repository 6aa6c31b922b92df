//! The factors of a model's features before training: small and random.
//!
//! How small follows from the data. With factors of standard deviation `d` all pairs of an example come to about `d^2` times the root of
//! `rank sum_{i<j} x_i^2 x_j^2`. That is to be little beside a score, but not 0, where factors have no gradient.
use super::{
    kernel::{RowKernel, factor_rate},
    scale::{LOOKS_AT_ROWS, scaled_squares},
};
use crate::options::Settings;
use hogwild_data::Rows;
use hogwild_kernels::{
    feed::{Normalize, Scaling},
    params::{Parameters, TableShape},
    seeds::Stream,
};
use rand::RngExt;

/// What all pairs of an example come to, about. (criteo at rate .02: log-loss .4441 with this, .4451 with ten times as much.)
const PAIRS: f64 = 0.007;
/// The largest standard deviation that is chosen for factors.
const MOST: f64 = 0.3;

/// The factors of a model's features at the start.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub rank: usize,
    /// What parameters are multiplied by to be factors.
    pub rate: f32,
    deviation: f32,
    seed: u64,
}

impl Start {
    /// Of a family that has factors.
    pub fn of<K: RowKernel>(settings: &Settings, data: &Rows, scaling: Option<&Scaling>) -> Option<Start> {
        let &Settings { rank, seed, init_stdev, .. } = settings;
        let deviation = || init_stdev.unwrap_or_else(|| deviation(data, scaling, rank)) as f32;
        K::FACTORS.then(|| Start { rank, rate: factor_rate(settings), deviation: deviation(), seed })
    }

    /// The table of factors.
    pub fn table(&self, features: usize) -> TableShape {
        TableShape::rows(features, self.rank)
    }

    /// Factors start small and random, so that no two are alike: by the uniform distribution of that deviation.
    pub fn put(&self, parameters: &Parameters) {
        let mut random = Stream::Start.random(self.seed);
        let most = self.deviation * 3f32.sqrt() / self.rate;
        parameters.table(FACTORS).set_weights(|| most * (2.0 * random.random::<f32>() - 1.0));
    }
}

/// The number of the table of factors; that of the bias and the weights is 0.
pub(super) const FACTORS: usize = 1;

/// The deviation by the formula above.
fn deviation(data: &Rows, scaling: Option<&Scaling>, rank: usize) -> f64 {
    let by_length = scaling.is_some_and(|scaling| scaling.how() == Normalize::Row);
    let square = scaled_squares(data, scaling);
    let rows = data.rows().min(LOOKS_AT_ROWS);
    let pairs = |row: usize| {
        let (sum, squares) = data.row_range(row).map(&square).fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
        let pairs: f64 = (sum * sum - squares) / 2.0;
        if by_length && sum > 0.0 { pairs / (sum * sum) } else { pairs }
    };
    let mean = (0..rows).map(pairs).sum::<f64>() / rows.max(1) as f64;
    let deviation = (PAIRS / (rank as f64 * mean).sqrt()).sqrt();
    if deviation.is_finite() { deviation.min(MOST) } else { MOST }
}
