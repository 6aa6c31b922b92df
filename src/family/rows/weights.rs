//! What a family of models of sparse rows has to say for itself, and the weights that such models come down to.
//!
//! All of them have a bias and a weight a feature, in the order of slots of one weight; some have a row of factors a feature beside.
use super::score::Scorer;
use crate::{
    model::{Tensor, Tensors},
    options::Settings,
};
use hogwild_data::Rows;
use hogwild_kernels::{
    engine::{Kernel, LinearKernel, MachineKernel},
    feed::{ScaledFeed, Scaling},
    loss::Taken,
    models::{FactorizationMachine, Linear},
    params::{Finish, Parameters, TableShape},
    rules::Layout,
    seeds::Stream,
    targets::Targets,
};
use rand::RngExt;
use std::sync::atomic::Ordering::Relaxed;

/// What all pairs of an example come to at the start, about: little beside a score, and enough for factors to leave 0, where none learns.
/// (criteo at rate .02: log-loss .4441 with this, .4451 with ten times as much.)
const PAIRS: f64 = 0.007;
/// The rate of factors beside that of weights. (criteo, rank 8: log-loss .4441 with this, .4446 with .35, .4452 with a half; pairs of
/// planted factors are found alike with a quarter, a half and the whole.)
const RATE: f64 = 0.25;
/// The largest standard deviation that is chosen for factors.
const MOST: f64 = 0.3;
/// Rows that are looked at for it.
const LOOKS: usize = 10_000;

/// A kernel of models of sparse rows.
pub(crate) trait RowKernel: for<'d> Kernel<Examples<'d> = ScaledFeed<'d>> {
    /// Whether a feature has factors.
    const FACTORS: bool;
    /// The model, from its linear part.
    fn model(linear: Linear, features: usize, settings: &Settings, layout: &Layout) -> Self::Model;
}

impl RowKernel for LinearKernel {
    const FACTORS: bool = false;

    fn model(linear: Linear, _features: usize, _settings: &Settings, _layout: &Layout) -> Linear {
        linear
    }
}

impl RowKernel for MachineKernel {
    const FACTORS: bool = true;

    fn model(linear: Linear, features: usize, settings: &Settings, layout: &Layout) -> FactorizationMachine {
        FactorizationMachine::new(linear, features, settings.rank)
            .with_rate(factor_rate(settings))
            .with_stride(Parameters::row_stride(layout, settings.rank))
    }
}

/// The factors of a model's features at the start.
#[derive(Clone, Copy)]
pub(super) struct Start {
    rank: usize,
    /// What parameters are multiplied by to be factors.
    rate: f32,
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
const FACTORS: usize = 1;

fn factor_rate(settings: &Settings) -> f32 {
    settings.factor_rate.unwrap_or(RATE) as f32
}

/// With factors of deviation `d` the pairs of an example have about `d^2` times the root of `rank sum_{i<j} x_i^2 x_j^2`.
fn deviation(data: &Rows, scaling: Option<&Scaling>, rank: usize) -> f64 {
    let scaling = scaling.map(Scaling::copy);
    let (columns, values) = (data.column_cells(), data.value_cells());
    let square = |i: usize| {
        let x = values.map_or(1.0, |values| f32::from_bits(values[i].load(Relaxed)));
        let row = columns[i].load(Relaxed) as usize + 1;
        (scaling.as_ref().map_or(x, |scaling| scaling.scaled(row, x)) as f64).powi(2)
    };
    let rows = data.rows().min(LOOKS);
    let pairs = |row: usize| {
        let (sum, squares) = data.row_range(row).map(square).fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
        (sum * sum - squares) / 2.0
    };
    let mean = (0..rows).map(pairs).sum::<f64>() / rows.max(1) as f64;
    let deviation = (PAIRS / (rank as f64 * mean).sqrt()).sqrt();
    if deviation.is_finite() { deviation.min(MOST) } else { MOST }
}

/// A model's weights, of raw features.
pub(super) struct RowWeights {
    pub bias: f32,
    /// By feature.
    pub weights: Vec<f32>,
    /// By feature, `rank` each.
    pub factors: Vec<f32>,
    pub rank: usize,
}

impl RowWeights {
    /// Those that parameters hold, in the order of the slots `order` gives for the linear part.
    pub fn of(parameters: &Parameters, finish: &Finish<'_>, start: Option<Start>, order: impl Fn(Vec<f32>) -> Vec<f32>) -> RowWeights {
        let single = parameters.table(0);
        let mut weights = order(single.weights(0..single.slots(), finish).collect());
        let bias = if weights.is_empty() { 0.0 } else { weights.remove(0) };
        let factors = start.map_or(Vec::new(), |start| {
            let table = parameters.table(FACTORS);
            table.weights(0..table.slots(), finish).map(|v| start.rate * v).collect()
        });
        RowWeights { bias, weights, factors, rank: start.map_or(0, |start| start.rank) }
    }

    /// The same for features that were scaled so.
    pub fn unscaled(mut self, scaling: Option<&Scaling>) -> RowWeights {
        if let Some(scaling) = scaling {
            scaling.fold(1, &mut self.weights, 1);
            scaling.fold(1, &mut self.factors, self.rank.max(1));
        }
        self
    }

    /// The same in the labels' own unit: the product of two factors is in that of a weight.
    pub fn in_units(mut self, targets: &Targets) -> RowWeights {
        let root = targets.scale.sqrt();
        self.weights.iter_mut().for_each(|w| *w *= targets.scale);
        self.factors.iter_mut().for_each(|v| *v *= root);
        RowWeights { bias: targets.bias(self.bias), ..self }
    }

    /// What a model keeps.
    pub fn tensors(self) -> Tensors {
        let of = |name, shape, numbers| Tensor { name, shape, numbers };
        let features = self.weights.len();
        let mut tensors = vec![of("bias", vec![1], vec![self.bias]), of("weight", vec![features], self.weights)];
        if self.rank > 0 {
            tensors.push(of("factor", vec![features, self.rank], self.factors));
        }
        Tensors(tensors)
    }

    /// What scores rows by them.
    pub fn scorer(&self, unit_rows: bool, taken: Taken) -> Scorer<'_> {
        Scorer { bias: self.bias, weights: &self.weights, factors: &self.factors, rank: self.rank, unit_rows, taken }
    }
}
