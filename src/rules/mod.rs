//! Update rules: the formula of the paper for one weight, nothing of models, sharing or vectors.
//!
//! A rule is a file of settings, formula, paper and [`UpdateRule::step`], written over [`Real`]: the same text steps one `f32` and
//! sixteen at a time. On sparse data a feature's state moves when the feature occurs.
mod adagrad;
mod adagrad_rowwise;
mod sgd;

pub use adagrad::Adagrad;
pub use adagrad_rowwise::AdagradRowwise;
pub use sgd::Sgd;

use crate::params::Real;

/// What a step knows of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    /// The learning rate, above 0.
    pub rate: f32,
    /// The number of the step, from 1, counted over all examples of all workers.
    pub step: u64,
    /// How many steps the run is to have.
    pub steps: u64,
}

/// The first step of one, at rate 0.
impl Default for Clock {
    fn default() -> Clock {
        Clock { rate: 0.0, step: 1, steps: 1 }
    }
}

/// One update rule.
pub trait UpdateRule: Copy + Send + Sync + 'static {
    /// The numbers kept beside each weight: `[V; N]`, N at most 3.
    type State<V: Real>: State<V>;
    /// What is worked out once an example: the rate, corrections for the step's number.
    type Step: Copy + Send + Sync;
    /// Whether a row of factors has one state for all its weights; then [`row_scale`](Self::row_scale) steps it.
    const ROWWISE: bool = false;

    /// What `State` holds before the first step.
    fn initial(&self) -> Self::State<f32>;

    /// Prepares the steps of one example.
    fn prepare(&self, clock: &Clock) -> Self::Step;

    /// A weight's step: takes the gradient `g`, moves the state, returns the new weight.
    fn step<V: Real>(&self, step: &Self::Step, w: V, g: V, state: &mut Self::State<V>) -> V;

    /// Of rules with [`ROWWISE`](Self::ROWWISE): what multiplies a row's gradient before it is taken from the weights.
    fn row_scale(&self, _step: &Self::Step, _state: &Self::State<f32>) -> f32 {
        0.0
    }

    /// Of rules with [`ROWWISE`](Self::ROWWISE): moves a row's state, after the step, by the mean of its squared gradients.
    fn row_state(&self, _mean_square: f32, _state: &mut Self::State<f32>) {}
}

/// The state of one weight, or of sixteen.
pub trait State<V>: Copy + Send + Sync + AsRef<[V]> + AsMut<[V]> {
    /// How many numbers a weight has.
    const LEN: usize;
    /// The same everywhere.
    fn splat(x: V) -> Self;
}

impl<V: Real, const N: usize> State<V> for [V; N] {
    const LEN: usize = N;
    #[inline(always)]
    fn splat(x: V) -> Self {
        [x; N]
    }
}

/// The rules by name: the one list of them. `with_rule!(rule, r => expression)` runs the expression with the concrete rule as `r`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// [`Sgd`].
    Sgd(Sgd),
    /// [`Adagrad`].
    Adagrad(Adagrad),
    /// [`AdagradRowwise`].
    AdagradRowwise(AdagradRowwise),
}

macro_rules! with_rule {
    ($rule:expr, $r:ident => $body:expr) => {
        match $rule {
            $crate::rules::Rule::Sgd($r) => $body,
            $crate::rules::Rule::Adagrad($r) => $body,
            $crate::rules::Rule::AdagradRowwise($r) => $body,
        }
    };
}
pub(crate) use with_rule;

impl Rule {
    /// Every rule with its default settings.
    pub const ALL: [Rule; 3] = [Rule::Sgd(Sgd), Rule::Adagrad(Adagrad::DEFAULT), Rule::AdagradRowwise(AdagradRowwise(Adagrad::DEFAULT))];

    /// The name that `--rule` takes.
    pub fn name(&self) -> &'static str {
        match self {
            Rule::Sgd(_) => "sgd",
            Rule::Adagrad(_) => "adagrad",
            Rule::AdagradRowwise(_) => "adagrad-rowwise",
        }
    }
}
