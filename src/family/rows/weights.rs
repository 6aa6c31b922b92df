//! The weights that models of sparse rows come down to: a bias, a weight a feature, and with some a row of factors a feature.
use super::{
    fields::{ByField, RunFields},
    outputs::Outputs,
    score::Scorer,
    start::{FACTORS, Start},
};
use crate::model::{Tensor, Tensors};
use hogwild_kernels::{
    feed::Scaling,
    loss::Taken,
    params::{Finish, Parameters, Parts},
    targets::Targets,
};

/// A model's weights, of raw features.
pub(super) struct RowWeights {
    /// One, or one a class.
    pub bias: Vec<f32>,
    /// By feature, as many each.
    pub weights: Vec<f32>,
    /// By feature, `width` each.
    pub factors: Vec<f32>,
    pub width: usize,
}

impl RowWeights {
    /// Reads the parameters; `parts` lay out the linear part, where there are any. Slot 0 is the bias.
    pub fn of(parameters: &Parameters, finish: &Finish<'_>, start: Option<Start>, parts: Option<&Parts>) -> RowWeights {
        let first = parameters.table(0);
        let (bias, mut weights) = match parts {
            None => (first.weights_of(0..1, finish), first.weights_of(1..first.slots(), finish)),
            Some(parts) => {
                let mut all = parts.gathered(&first.all_weights(finish));
                let weights = all.split_off(1);
                (all, weights)
            }
        };
        let factors = start.map_or(Vec::new(), |start| {
            let (factors, besides) = parameters.table(FACTORS).weights_and_besides(start.rate, finish);
            if start.beside {
                weights = besides;
            }
            factors
        });
        RowWeights { bias, weights, factors, width: start.map_or(0, |start| start.width) }
    }

    /// The same for features that were scaled so.
    pub fn unscaled(mut self, scaling: Option<&Scaling>) -> RowWeights {
        if let Some(scaling) = scaling {
            scaling.fold(1, &mut self.weights, self.bias.len().max(1));
            scaling.fold(1, &mut self.factors, self.width.max(1));
        }
        self
    }

    /// The same in the labels' own unit: the product of two factors is in that of a weight.
    pub fn in_units(mut self, targets: &Targets) -> RowWeights {
        let root = targets.scale.sqrt();
        if targets.scale != 1.0 {
            self.weights.iter_mut().for_each(|w| *w *= targets.scale);
            self.factors.iter_mut().for_each(|v| *v *= root);
        }
        self.bias.iter_mut().for_each(|bias| *bias = targets.bias(*bias));
        self
    }

    /// What a model keeps.
    pub fn tensors(self, of_classes: bool, fields: Option<&RunFields>) -> Tensors {
        let of = |name, shape, numbers| Tensor { name, shape, numbers };
        let outputs = self.bias.len();
        let features = self.weights.len() / outputs.max(1);
        let shape = if of_classes { vec![features, outputs] } else { vec![features] };
        let mut tensors = vec![of("bias", vec![outputs], self.bias), of("weight", shape, self.weights)];
        match fields {
            Some(fields) => {
                let shape = vec![fields.factored.len(), fields.names.len(), self.width / fields.names.len().max(1)];
                tensors.extend([of("feature_field", vec![features], fields.of.clone()), of("factor", shape, self.factors)]);
            }
            None if self.width > 0 => tensors.push(of("factor", vec![features, self.width], self.factors)),
            None => {}
        }
        Tensors(tensors)
    }

    /// What scores rows by them.
    pub fn scorer<'a>(&'a self, unit_rows: bool, taken: Taken, outputs: Option<&'a Outputs>, fields: Option<&'a RunFields>) -> Scorer<'a> {
        let fields = fields.map(|fields| ByField { of: &fields.of, all: fields.names.len() });
        Scorer {
            bias: &self.bias,
            weights: &self.weights,
            factors: &self.factors,
            rank: self.width / fields.map_or(1, |fields| fields.all.max(1)),
            fields,
            unit_rows,
            taken,
            output: outputs.map(|outputs| outputs.output),
            constant: outputs.map(|outputs| &outputs.constant),
        }
    }
}
