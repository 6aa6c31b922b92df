//! What sets apart the families of models of sparse rows: their kernels, and whether features have factors beside their weights.
use super::{fields::RunFields, outputs::Outputs};
use crate::{Parallel, options::Settings};
use hogwild_kernels::{
    engine::{FfmKernel, FmKernel, Kernel, LinearKernel, MulticlassKernel},
    feed::ScaledFeed,
    models::{FactorizationMachine, FieldAware, Linear, Multiclass, Output},
    params::{Parameters, TableShape},
    rules::Layout,
    targets::Targets,
};

/// The rate of factors beside that of weights. (criteo, rank 8: log-loss .4441 with this, .4446 with .35, .4452 with a half; planted
/// factors are found alike with a quarter, a half and the whole.)
const RATE: f64 = 0.25;

/// The same of factors for each field.
const RATE_BY_FIELD: f64 = 1.0;

/// A kernel of models of sparse rows.
pub(crate) trait RowKernel: for<'d> Kernel<Examples<'d> = ScaledFeed<'d>> {
    /// Whether a feature has factors.
    const FACTORS: bool = false;
    /// Whether a feature's weight lies beside its factors.
    const BESIDE: bool = false;
    /// Whether it has them for each field.
    const BY_FIELD: bool = false;
    /// What factors step at unless it is said, as a share of what weights do.
    const RATE: f64 = RATE;
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
    pub fields: Option<&'a RunFields>,
}

impl RowKernel for LinearKernel {
    fn model(linear: Linear, _parts: &ModelParts<'_>) -> Linear {
        linear
    }
}

impl RowKernel for FmKernel {
    const FACTORS: bool = true;
    const BESIDE: bool = true;

    fn model(linear: Linear, parts: &ModelParts<'_>) -> FactorizationMachine {
        let ModelParts { settings, layout, .. } = *parts;
        FactorizationMachine::new(linear, parts.features, settings.rank)
            .with_rate(factor_rate::<FmKernel>(settings))
            .with_scale(parts.targets.scale)
            .with_stride(row_stride(settings, layout, settings.rank))
    }
}

impl RowKernel for FfmKernel {
    const FACTORS: bool = true;
    const BY_FIELD: bool = true;
    const RATE: f64 = RATE_BY_FIELD;

    fn model(linear: Linear, parts: &ModelParts<'_>) -> FieldAware {
        let ModelParts { settings, layout, .. } = *parts;
        let (factored, all) = parts.fields.map_or_else(|| (Vec::new().into(), 0), |fields| (fields.factored.clone(), fields.names.len()));
        FieldAware::new(linear, factored, all, settings.rank)
            .with_rate(factor_rate::<FfmKernel>(settings))
            .with_scale(parts.targets.scale)
            .with_stride(Parameters::row_stride(layout, all * settings.rank))
    }
}

impl RowKernel for MulticlassKernel {
    fn model(linear: Linear, parts: &ModelParts<'_>) -> Multiclass {
        let outputs = parts.outputs;
        let base = outputs.map_or(&[][..], |outputs| &outputs.constant.scores);
        let labels = outputs.map_or_else(Default::default, |outputs| outputs.labels.clone());
        let output = outputs.map_or(Output::Softmax, |outputs| outputs.output);
        Multiclass::new(linear, output, base, parts.features, labels).with_stride(row_stride(parts.settings, parts.layout, base.len()))
    }
}

/// A table of rows of so many weights.
pub(super) fn rows(settings: &Settings, slots: usize, width: usize) -> TableShape {
    TableShape::feature_rows(slots, width, packs(settings))
}

/// How many places lie between two of its rows.
pub(super) fn row_stride(settings: &Settings, layout: &Layout, width: usize) -> u32 {
    Parameters::feature_row_stride(layout, width, packs(settings))
}

/// Whether rows may be packed. Replicas of parameter servers keep more beside each row than a packed one has room for.
fn packs(settings: &Settings) -> bool {
    settings.parallel != Parallel::Downpour
}

/// What factors step at, as a share of what weights do.
pub(super) fn factor_rate<K: RowKernel>(settings: &Settings) -> f32 {
    settings.factor_rate.unwrap_or(K::RATE) as f32
}
