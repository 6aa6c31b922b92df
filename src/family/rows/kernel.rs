//! What sets apart the families of models of sparse rows: their kernels, and whether features have factors beside their weights.
use crate::options::Settings;
use hogwild_kernels::{
    engine::{FmKernel, Kernel, LinearKernel},
    feed::ScaledFeed,
    models::{FactorizationMachine, Linear},
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
    const FACTORS: bool;
    /// The model, from its linear part.
    fn model(linear: Linear, features: usize, settings: &Settings, layout: &Layout, targets: &Targets) -> Self::Model;
}

impl RowKernel for LinearKernel {
    const FACTORS: bool = false;

    fn model(linear: Linear, _features: usize, _settings: &Settings, _layout: &Layout, _targets: &Targets) -> Linear {
        linear
    }
}

impl RowKernel for FmKernel {
    const FACTORS: bool = true;

    fn model(linear: Linear, features: usize, settings: &Settings, layout: &Layout, targets: &Targets) -> FactorizationMachine {
        FactorizationMachine::new(linear, features, settings.rank)
            .with_rate(factor_rate(settings))
            .with_scale(targets.scale)
            .with_stride(Parameters::row_stride(layout, settings.rank))
    }
}

/// What factors step at, as a share of what weights do.
pub(super) fn factor_rate(settings: &Settings) -> f32 {
    settings.factor_rate.unwrap_or(RATE) as f32
}
