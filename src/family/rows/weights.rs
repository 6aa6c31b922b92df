//! The weights that models of sparse rows come down to: a bias, a weight a feature, and with some a row of factors a feature.
use super::{
    score::Scorer,
    start::{FACTORS, Start},
};
use crate::model::{Tensor, Tensors};
use hogwild_kernels::{
    feed::Scaling,
    loss::Taken,
    params::{Finish, Parameters},
    targets::Targets,
};

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
    /// Reads the parameters; `order` puts the linear part from the order of its slots into that of the features.
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
