//! Update rules: how a gradient moves a weight. A rule is pure; who calls it, on which weights, shared or not, is no concern of it.
//!
//! A rule is a file of settings, formula, paper and [`UpdateRule::step`], written over [`Real`]: the same text steps one `f32` and
//! sixteen at a time. On sparse data a feature's state moves when the feature occurs, as with PyTorch's SparseAdam and TensorFlow's
//! LazyAdam; the step count is that of all examples of all workers.
mod adadelta;
mod adagrad;
mod adagrad_rowwise;
mod adam;
mod adamax;
mod adamw;
mod adaptive_revision;
mod addsign;
mod amsgrad;
mod any;
mod erased;
mod ftrl;
mod layout;
mod momentum;
mod nadam;
mod named;
mod nesterov;
mod numbers;
mod powersign;
mod rmsprop;
mod sgd;
mod shared;
mod summing;
mod visit;
mod yellowfin;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adagrad_rowwise::AdagradRowwise;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use adaptive_revision::AdaptiveRevision;
pub use addsign::AddSign;
pub use amsgrad::Amsgrad;
pub(crate) use any::{Any, with_any};
pub(crate) use erased::Erased;
pub use ftrl::Ftrl;
pub use layout::Layout;
pub use momentum::Momentum;
pub use nadam::Nadam;
pub use nesterov::Nesterov;
#[doc(hidden)]
pub use numbers::Numbers;
pub use powersign::PowerSign;
pub use rmsprop::Rmsprop;
pub use sgd::Sgd;
pub(crate) use summing::Summing;
pub use visit::RuleVisitor;
pub use yellowfin::YellowFin;

use crate::simd::{InstructionSet, Real};
use hogwild_base::Hyperparameter;

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
///
/// A user's own is a type like those here; `Trainer::own_rule`, `train_linear_with` and
/// `train_factorization_with` train with it, lock-free and vectorised like the others:
///
/// ```
/// use hogwild::{Moment, OwnSchedule, Real, Schedule, Settings, rules::{Clock, UpdateRule}, train_linear_with};
/// # use hogwild::data::{PackSettings, pack};
/// /// Lion (Chen et al. 2023): steps of one length, by the sign of a momentum.
/// #[derive(Clone, Copy)]
/// struct Lion;
/// impl UpdateRule for Lion {
///     type State<V: Real> = [V; 1];
///     type Step = f32;
///     type Memory = ();
///     fn initial(&self) -> [f32; 1] { [0.0] }
///     fn prepare(&self, clock: &Clock, _: &()) -> f32 { clock.rate }
///     fn step<V: Real>(&self, &rate: &f32, w: V, g: V, [m]: &mut [V; 1]) -> V {
///         let (zero, mixed) = (V::of(0.0), V::of(0.9) * *m + V::of(0.1) * g);
///         *m = V::of(0.99) * *m + V::of(0.01) * g;
///         w + mixed.less(zero, V::of(rate), zero.less(mixed, V::of(-rate), zero))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A third of the run at the whole rate, then down to nothing.
/// let schedule = OwnSchedule(|now: &Moment| 1.5 * (1.0 - now.step as f64 / now.steps as f64).min(2.0 / 3.0));
/// # let folder = tempfile::tempdir()?;
/// # let packed = folder.path().join("reviews.safetensors");
/// # pack(&["../../data/reviews.train.svm".into()], &packed, &PackSettings::default())?;
/// # let data = hogwild::data::Rows::open(&packed)?;
/// let settings = Settings { schedule: Schedule::Own(schedule), lr: Some(0.01), holdout: 0.2, ..Settings::default() };
/// let outcome = train_linear_with(Lion, &data, None, &settings, &mut (), &Default::default())?;
/// assert!(outcome.epochs.last().and_then(|epoch| epoch.valid).expect("an evaluated epoch").loss < 0.6);
/// # Ok(()) }
/// ```
pub trait UpdateRule: Copy + Send + Sync {
    /// The numbers kept beside each weight: `[V; N]`, N at most 3.
    type State<V: Real>: State<V>;
    /// What is worked out once an example: the rate, corrections for the step's number.
    type Step: Clone + Send + Sync;
    /// What a worker keeps from example to example, beside the weights; `()` for all rules but those that tune themselves.
    type Memory: Clone + Send + Sync + Default + 'static;

    /// Whether `State` is only room for the state of the rule that it stands for, whose size [`layout`](Self::layout) tells.
    #[doc(hidden)]
    const ERASED: bool = false;

    /// How the rule's numbers lie beside its weights.
    #[doc(hidden)]
    fn layout(&self) -> Layout {
        Layout::of_state(self)
    }

    /// Whether a row of factors has one state for all its weights; then [`row_scale`](Self::row_scale) steps it.
    #[inline(always)]
    fn rowwise(&self) -> bool {
        false
    }

    /// Whether the state is averages, of which workers take the mean, and not sums, to which each adds and by which steps shrink.
    #[inline(always)]
    fn averages(&self) -> bool {
        true
    }

    /// Whether L1 can follow the step, by [`rate`](Self::rate).
    #[inline(always)]
    fn proximal(&self) -> bool {
        false
    }

    /// Whether [`read`](Self::read) gives anything but the weight.
    #[inline(always)]
    fn reads(&self) -> bool {
        false
    }

    /// Whether a step makes the weight of the state alone, so that what else changes the weight does not last.
    #[inline(always)]
    fn solves(&self) -> bool {
        false
    }

    /// Whether [`step_by_rows`](Self::step_by_rows) scales many rows at once.
    #[doc(hidden)]
    const BY_ROWS: bool = false;

    /// Of rules with [`rowwise`](Self::rowwise) and one number of state: [`row_scale`](Self::row_scale) and
    /// [`row_state`](Self::row_state) of as many rows as a vector has lanes. Scales go by the states before, whatever the squares.
    #[doc(hidden)]
    #[inline(always)]
    fn step_by_rows<V: Real>(&self, _step: &Self::Step, _mean_squares: V, _state: &mut Self::State<V>) -> V {
        V::of(0.0)
    }

    /// Whether [`learn`](Self::learn) is to be called.
    #[inline(always)]
    fn learns(&self) -> bool {
        false
    }

    /// Whether [`step_since`](Self::step_since) gives anything but [`step`](Self::step).
    #[inline(always)]
    fn revises(&self) -> bool {
        false
    }

    /// Whether the rate may change in the course of a run.
    #[inline(always)]
    fn schedules(&self) -> bool {
        true
    }

    /// What may be set, by name.
    fn hyperparameters(&mut self) -> Vec<Hyperparameter<'_>> {
        Vec::new()
    }

    /// A rate to begin with on rows whose mean squared length is `mean_square`.
    fn default_rate(&self, mean_square: f32) -> f32 {
        shared::by_square(0.5, mean_square)
    }

    /// What `State` holds before the first step.
    fn initial(&self) -> Self::State<f32>;

    /// Prepares the steps of one example.
    fn prepare(&self, clock: &Clock, memory: &Self::Memory) -> Self::Step;

    /// Prepares them in the place of the last one's.
    #[doc(hidden)]
    #[inline(always)]
    fn prepare_next(&self, clock: &Clock, memory: &Self::Memory, step: &mut Self::Step) {
        *step = self.prepare(clock, memory);
    }

    /// The weight as the score of the coming step is to see it.
    #[inline(always)]
    fn read<V: Real>(&self, _step: &Self::Step, w: V, _state: &Self::State<V>) -> V {
        w
    }

    /// Whether [`finish`](Self::finish) may give anything but the weight.
    fn finishes(&self) -> bool {
        true
    }

    /// The weight as the model is to have it; `step` is prepared for the step that would come next.
    fn finish(&self, step: &Self::Step, w: f32, state: &Self::State<f32>) -> f32 {
        self.read(step, w, state)
    }

    /// Does work with the rule, which `Any` gives as the type that it stands for.
    #[doc(hidden)]
    #[inline(always)]
    fn with<W: ForRule>(&self, step: &Self::Step, work: W) {
        work.run(self, step);
    }

    /// A weight's step: takes the gradient `g`, moves the state, returns the new weight.
    fn step<V: Real>(&self, step: &Self::Step, w: V, g: V, state: &mut Self::State<V>) -> V;

    /// Of rules that [revise](Self::revises): the step, where `read` is the state as it was when the gradient's score was read. What other
    /// workers did since is the difference.
    #[inline(always)]
    fn step_since<V: Real>(&self, step: &Self::Step, w: V, g: V, state: &mut Self::State<V>, _read: &Self::State<V>) -> V {
        self.step(step, w, g, state)
    }

    /// The step of a parameter server, which takes many gradients at once: `g` is their sum, `squares` the sum of their squares, `read` the
    /// state as it was when their weight was read. By default a step by `g`; rules whose state is sums of squares add `squares`.
    #[inline(always)]
    fn step_summed<V: Real>(&self, step: &Self::Step, w: V, g: V, _squares: V, state: &mut Self::State<V>, _read: &Self::State<V>) -> V {
        self.step(step, w, g, state)
    }

    /// Of [proximal](Self::proximal) rules: what the last step multiplied the gradient (or its average) with, by the state after it.
    #[inline(always)]
    fn rate<V: Real>(&self, _step: &Self::Step, _state: &Self::State<V>) -> V {
        V::of(0.0)
    }

    /// Of rules with [`rowwise`](Self::rowwise): what multiplies a row's gradient before it is taken from the weights.
    fn row_scale(&self, _step: &Self::Step, _state: &Self::State<f32>) -> f32 {
        0.0
    }

    /// Of rules with [`rowwise`](Self::rowwise): moves a row's state, after the step, by the mean of its squared gradients.
    fn row_state(&self, _mean_square: f32, _state: &mut Self::State<f32>) {}

    /// Both for a row and for the weight beside it: scales by the states as they are, which then move.
    #[doc(hidden)]
    #[inline(always)]
    fn step_rowwise(&self, step: &Self::Step, squares: [f32; 2], states: [&mut Self::State<f32>; 2]) -> [f32; 2] {
        let [row, beside] = states;
        let scales = [self.row_scale(step, row), self.row_scale(step, beside)];
        self.row_state(squares[0], row);
        self.row_state(squares[1], beside);
        scales
    }

    /// Steps many vectors of weights at once, of rules that are [erased](Self::ERASED).
    #[doc(hidden)]
    fn step_all(&self, _step: &Self::Step, _set: Option<InstructionSet>, _numbers: &mut [Numbers]) {
        unreachable!("a rule of a known type steps one by one");
    }

    /// Of rules that [learn](Self::learns): two numbers of a weight's step, which are summed over the example.
    #[inline(always)]
    fn observe<V: Real>(&self, _g: V, _before: &Self::State<V>, _after: &Self::State<V>) -> [V; 2] {
        [V::of(0.0); 2]
    }

    /// Of rules that [learn](Self::learns): takes an example's sums of [`observe`](Self::observe), after its steps.
    fn learn(&self, _memory: &mut Self::Memory, _sums: [f32; 2]) {}
}

/// Work for a rule of any type, such as the steps of a whole row.
#[doc(hidden)]
pub trait ForRule {
    fn run<R: UpdateRule>(self, rule: &R, step: &R::Step);
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

macro_rules! rules {
    ($dollar:tt $($variant:ident $name:literal)*) => {
        /// The rules by name: the one list of them.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = concat!("[`", stringify!($variant), "`], named `", $name, "`.")] $variant($variant),)*
        }

        /// `with_rule!(rule, r => expression)` runs the expression with the concrete rule as `r`.
        macro_rules! with_rule {
            ($dollar rule:expr, $dollar r:ident => $dollar body:expr) => {
                match $dollar rule {
                    $($crate::rules::Rule::$variant($dollar r) => $dollar body,)*
                }
            };
        }
        pub(crate) use with_rule;

        /// `list_rules!(make)` is `make! { Sgd Momentum ... }`.
        macro_rules! list_rules {
            ($dollar make:ident) => {
                $dollar make! { $($variant)* }
            };
        }
        pub(crate) use list_rules;

        $(impl From<$variant> for Rule {
            fn from(rule: $variant) -> Rule {
                Rule::$variant(rule)
            }
        })*

        impl Rule {
            /// Every rule with its default settings.
            pub const ALL: [Rule; [$($name),*].len()] = [$(Rule::$variant($variant::DEFAULT)),*];

            /// The name that `rule` takes.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Rule::$variant(_) => $name,)*
                }
            }
        }
    };
}
rules! { $
    Sgd "sgd"
    Momentum "momentum"
    Nesterov "nesterov"
    Adagrad "adagrad"
    AdagradRowwise "adagrad-rowwise"
    Adadelta "adadelta"
    Rmsprop "rmsprop"
    Adam "adam"
    Adamax "adamax"
    Nadam "nadam"
    Amsgrad "amsgrad"
    AdamW "adamw"
    PowerSign "powersign"
    AddSign "addsign"
    Ftrl "ftrl"
    YellowFin "yellowfin"
    AdaptiveRevision "adaptive-revision"
}
