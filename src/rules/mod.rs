//! Update rules: how a gradient moves a weight.
//!
//! A rule is pure: weight, gradient and state come in as arguments, the new weight goes out. It knows nothing of models, of
//! sharing, or of vectors; the engine runs `step` over slices of private values, which the compiler turns into vector code.
//! On sparse data a feature's state moves when the feature occurs.
mod adagrad;
mod adagrad_rowwise;
mod sgd;

pub use adagrad::Adagrad;
pub use adagrad_rowwise::AdagradRowwise;
pub use sgd::Sgd;

use crate::params::LANES;

/// One update rule.
pub trait UpdateRule: Copy + Send + Sync + 'static {
    /// The numbers kept beside each weight: `[f32; N]`.
    type State: State;

    /// What `State` holds before the first step.
    fn initial(&self) -> Self::State;

    /// One weight's step at learning rate `rate`: takes the gradient `g`, moves the state, returns the new weight.
    fn step(&self, rate: f32, w: f32, g: f32, state: &mut Self::State) -> f32;

    /// How many numbers of state a row of `width` weights has.
    fn row_state(width: usize) -> usize {
        Self::State::LEN * width
    }

    /// The steps of many weights; all slices have a multiple of [`LANES`] elements, `state` holds the first state number of all
    /// weights, then the second, and so on.
    #[inline(always)]
    fn step_all(&self, rate: f32, weights: &mut [f32], gradient: &[f32], state: &mut [f32]) {
        Self::State::each(weights, gradient, state, |w, g, state| self.step(rate, w, g, state));
    }

    /// The step of one row of factors; as [`step_all`](Self::step_all), but a rule may keep [`row_state`](Self::row_state) numbers a
    /// row instead, rounded up to a multiple of [`LANES`].
    #[inline(always)]
    fn step_row(&self, rate: f32, weights: &mut [f32], gradient: &[f32], state: &mut [f32]) {
        self.step_all(rate, weights, gradient, state);
    }
}

/// A weight's state, and the form in which it lies beside the weight in a narrow row.
pub trait State: Copy + Send + Sync + 'static {
    /// How many numbers.
    const LEN: usize;
    /// A narrow row: the weight, the state, padding to a power of two.
    type Cell: Copy + Send + Sync + AsRef<[f32]> + AsMut<[f32]> + PartialEq;
    /// Weight and state of a narrow row.
    fn open(cell: &Self::Cell) -> (f32, Self);
    /// The narrow row of weight and state.
    fn close(self, weight: f32) -> Self::Cell;
    /// Runs `f(weight, gradient, state)` over slices laid out as [`UpdateRule::step_all`] takes them.
    fn each(weights: &mut [f32], gradient: &[f32], state: &mut [f32], f: impl Fn(f32, f32, &mut Self) -> f32);
}

macro_rules! state {
    ($len:literal, $cell:literal) => {
        #[allow(unused_mut, clippy::reversed_empty_ranges)] // without state there are no lanes to change
        impl State for [f32; $len] {
            const LEN: usize = $len;
            type Cell = [f32; $cell];
            #[inline(always)]
            fn open(cell: &[f32; $cell]) -> (f32, Self) {
                (cell[0], std::array::from_fn(|k| cell[k + 1]))
            }
            #[inline(always)]
            fn close(self, weight: f32) -> [f32; $cell] {
                std::array::from_fn(|k| if k == 0 { weight } else { self.get(k - 1).copied().unwrap_or(0.0) })
            }
            #[inline(always)]
            fn each(weights: &mut [f32], gradient: &[f32], state: &mut [f32], f: impl Fn(f32, f32, &mut Self) -> f32) {
                let mut parts = state.chunks_exact_mut(weights.len().max(1));
                let mut lanes: [_; $len] = std::array::from_fn(|_| parts.next().unwrap_or_default().as_chunks_mut::<LANES>().0);
                let blocks = weights.as_chunks_mut::<LANES>().0.iter_mut().zip(gradient.as_chunks::<LANES>().0);
                for (b, (weights, g)) in blocks.enumerate() {
                    // Taken out as whole arrays: the compiler makes vectors of these, and not of slices in the loop over i.
                    let mut w = *weights;
                    let mut states: [[f32; LANES]; $len] = std::array::from_fn(|k| lanes[k][b]);
                    for i in 0..LANES {
                        let mut state: Self = std::array::from_fn(|k| states[k][i]);
                        w[i] = f(w[i], g[i], &mut state);
                        for k in 0..$len {
                            states[k][i] = state[k];
                        }
                    }
                    *weights = w;
                    for k in 0..$len {
                        lanes[k][b] = states[k];
                    }
                }
            }
        }
    };
}
state!(0, 1);
state!(1, 2);
state!(2, 4);
state!(3, 4);

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
