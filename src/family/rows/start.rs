//! The factors of a model's features before training: small and random.
//!
//! How small follows from the data. With factors of standard deviation `d` all pairs of an example come to about `d^2` times the root of
//! `rank sum_{i<j} x_i^2 x_j^2`. That is to be little beside a score, but not 0, where factors have no gradient.
//!
//! Factors for each field start above 0, between 0 and twice their mean, as those of LIBFFM and xLearn do: then all pairs come to the mean's
//! square times `rank sum_{i<j} |x_i x_j|`. (criteo, a prototype: log-loss .4438 so, .4460 from both sides of 0.)
use super::{
    fields::RunFields,
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
/// The same of factors for each field. (criteo: log-loss .4421 with this, .4420 with a half, .4427 with a thirtieth.)
const PAIRS_BY_FIELD: f64 = 1.5;
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
    seed: u64,
}

impl Start {
    /// Of a family that has factors; for each field, where there are `fields`.
    pub fn of<K: RowKernel>(settings: &Settings, data: &Rows, scaling: Option<&Scaling>, fields: Option<&RunFields>) -> Option<Start> {
        let &Settings { rank, seed, init_stdev, .. } = settings;
        let deviation = || init_stdev.unwrap_or_else(|| deviation(data, scaling, rank, fields.is_some())) as f32;
        // Of the uniform distribution.
        let reach = || 3f32.sqrt() * deviation();
        let rate = factor_rate::<K>(settings);
        match fields {
            _ if !K::FACTORS => None,
            None => Some(Start { features: data.columns(), width: rank, rate, from: -reach(), to: reach(), seed }),
            Some(fields) => {
                let (features, width) = (fields.factored.len(), fields.names.len() * rank);
                Some(Start { features, width, rate, from: 0.0, to: 2.0 * reach(), seed })
            }
        }
    }

    /// The table of factors.
    pub fn table(&self) -> TableShape {
        TableShape::rows(self.features, self.width)
    }

    /// Factors start small and random, so that no two are alike.
    pub fn put(&self, parameters: &Parameters) {
        let mut random = Stream::Start.random(self.seed);
        let (from, to) = (self.from / self.rate, self.to / self.rate);
        let (half, middle) = ((to - from) / 2.0, (from + to) / 2.0);
        parameters.table(FACTORS).set_weights(|| middle + half * (2.0 * random.random::<f32>() - 1.0));
    }
}

/// The number of the table of factors; that of the bias and the weights is 0.
pub(super) const FACTORS: usize = 1;

/// The deviation by the formulas above.
fn deviation(data: &Rows, scaling: Option<&Scaling>, rank: usize, by_field: bool) -> f64 {
    let by_length = scaling.is_some_and(|scaling| scaling.how() == Normalize::Row);
    let square = scaled_squares(data, scaling);
    let rows = data.rows().min(LOOKS_AT_ROWS);
    // Of squares, or of absolute values: the sum over all pairs of what each gives.
    let pairs = |row: usize, of: &dyn Fn(f64) -> f64| {
        let of = |i: usize| of(square(i));
        let (sum, squares) = data.row_range(row).map(of).fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
        (sum * sum - squares) / 2.0
    };
    let length = |row: usize| if by_length { data.row_range(row).map(&square).sum::<f64>() } else { 1.0 };
    let mean = |of: &dyn Fn(usize) -> f64| (0..rows).map(of).filter(|x| x.is_finite()).sum::<f64>() / rows.max(1) as f64;
    let deviation = if by_field {
        let mean = mean(&|row| pairs(row, &f64::sqrt) / length(row));
        // A mean of so much has a third of its square as its variance.
        (PAIRS_BY_FIELD / (3.0 * rank as f64 * mean)).sqrt()
    } else {
        let mean = mean(&|row| pairs(row, &|x| x) / length(row).powi(2));
        (PAIRS / (rank as f64 * mean).sqrt()).sqrt()
    };
    if deviation.is_finite() { deviation.min(MOST) } else { MOST }
}
