//! What sets apart the families of models of sparse rows: their kernels, and whether features have factors beside their weights.
use super::outputs::Outputs;
use crate::options::Settings;
use hogwild_kernels::{
    engine::{FmKernel, Kernel, LinearKernel, MulticlassKernel},
    feed::ScaledFeed,
    models::{FactorizationMachine, Linear, Multiclass, Output},
    params::Parameters,
    rules::Layout,
    targets::Targets,
};

/// The rate of factors beside that of weights. (criteo, rank 8: log-loss .4441 with this, .4446 with .35, .4452 with a half; planted
/// factors are found alike with a quarter, a half and the whole.)
const RATE: f64 = 0.25;

/// A kernel of models of sparse rows.
pub(crate) trait RowKernel: for<'d> Kernel<Examples<'d> = ScaledFeed<'d>> {
    /// Whether a feature has factors.
    const FACTORS: bool = false;
    /// The model, from its linear part.
    fn model(linear: Linear, parts: &ModelParts<'_>) -> Self::Model;
}

/// What a model is made of, beside its linear part.
pub(crate) struct ModelParts<'a> {
    pub features: usize,
    pub settings: &'a Settings,
    pub layout: &'a Layout,
    pub targets: &'a Targets,
    pub outputs: Option<&'a Outputs>,
}

impl RowKernel for LinearKernel {
    fn model(linear: Linear, _parts: &ModelParts<'_>) -> Linear {
        linear
    }
}

impl RowKernel for FmKernel {
    const FACTORS: bool = true;

    fn model(linear: Linear, parts: &ModelParts<'_>) -> FactorizationMachine {
        let ModelParts { settings, layout, .. } = *parts;
        FactorizationMachine::new(linear, parts.features, settings.rank)
            .with_rate(factor_rate(settings))
            .with_scale(parts.targets.scale)
            .with_stride(Parameters::row_stride(layout, settings.rank))
    }
}

impl RowKernel for MulticlassKernel {
    fn model(linear: Linear, parts: &ModelParts<'_>) -> Multiclass {
        let outputs = parts.outputs;
        let base = outputs.map_or(&[][..], |outputs| &outputs.constant.scores);
        let labels = outputs.map_or_else(Default::default, |outputs| outputs.labels.clone());
        let output = outputs.map_or(Output::Softmax, |outputs| outputs.output);
        Multiclass::new(linear, output, base, parts.features, labels).with_stride(Parameters::row_stride(parts.layout, base.len()))
    }
}

/// What factors step at, as a share of what weights do.
pub(super) fn factor_rate(settings: &Settings) -> f32 {
    settings.factor_rate.unwrap_or(RATE) as f32
}
