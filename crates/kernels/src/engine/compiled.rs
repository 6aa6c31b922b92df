//! The one list of what inner loops are compiled.
//!
//! A loop is compiled for each model, rule, instruction set and way, and takes the compiler half a second or more; all of them were nine
//! tenths of a build. So only the default rules, and those that they are compared with, have lean loops of their own. Other rules go by
//! [`Any`](crate::rules::Any), a few hundredths slower, to the same bits. What seldom runs (transforms, scaled features, batches, unusual
//! widths but of row-wise Adagrad, processors without a vector type here) is compiled once, and goes by [`Erased`] under every rule.
//! A user's own rule, [`Own`], has the lean loops by its type.
//!
//! | loop | linear | factorization machine | several classes | factorization | loops | sets on x86-64 |
//! |---|---|---|---|---|---|---|
//! | lean | adagrad, ftrl, sgd, `Any` of 1, 2, 3 | adagrad-rowwise of 1, any vectors | adagrad-rowwise of 1, 2, any | adagrad-rowwise of 1, 2, 4, 8, any; of 2: adagrad, ftrl, sgd, `Any`s | 22 | 2 |
//! | four ratings in flight | | | | adagrad-rowwise of 2 vectors | 1 | 2 |
//! | the same of any vectors | | | | adagrad-rowwise | 1 | 3 |
//! | lean, with sums of gradients | adagrad | | | adagrad-rowwise of 2 vectors | 2 | 2 |
//! | with everything, any width, a step an example | `Erased` | `Erased` | `Erased` | `Erased` | 4 | 3 |
//! | the same of virtual workers | `Erased` | `Erased` | `Erased` | `Erased` | 4 | 1, portable |
//! | by parts that each have a worker | adagrad | | | | 1 | 2 |
//! | the same with everything | `Erased` | | | | 1 | 3 |
//! | the sums of a batch | `Erased` | `Erased` | `Erased` | `Erased` | 4 | 3 |
//! | the step of a batch, of all models | `Erased` | | | | 1 | 3 |
//!
//! These are 41 loops, 89 with their instruction sets. Without a vector type there is no lean loop: the same bits come from the one with
//! everything. What is compiled for each instruction set but not for each rule: the exchanges (see [`exchange`](crate::exchange)), what servers
//! do, the start of a replica, and the merging of sums. Each rule's formula is compiled once more for each instruction set, for `Erased`.
use super::{
    Counters, Engine, FactorKernel, Facts, FmKernel, LinearKernel, Loops, MulticlassKernel, Pipeline, Task,
    alone::Alone,
    hogwild::{Fed, Workers},
    partitioned::Partitioned,
    quads::InFlight,
    synchronous::Synchronous,
    turning::{Touches, Turned, Turning},
};
use crate::{
    batch::Batch,
    feed::{Feed, RatingFeed, ScaledFeed},
    models::{Factorization, FactorizationMachine, Fixed, Linear, Model, Multiclass, Width},
    params::{AccruingLoop, Beside, FullLoop, PlainLoop, Transforming},
    rules::{AdagradRowwise, Erased, Layout, Rule, UpdateRule, with_any, with_rule},
    servers::ServerRule,
    simd::{InstructionSet, LANES},
};
use hogwild_base::Result;
use std::borrow::Cow;

type Made<'r> = Result<Box<dyn Engine + 'r>>;

/// A rule of the user's own.
pub struct Own<R>(pub R);

fn facts<R: UpdateRule>(rule: &R) -> Facts {
    let layout = Layout::of(rule);
    let (reads, learns) = (rule.reads() || rule.solves(), rule.learns());
    Facts { layout, averages: rule.averages(), proximal: rule.proximal(), reads, learns, schedules: rule.schedules(), quads: false }
}

/// On slots of one weight row-wise Adagrad is Adagrad.
fn of_single_weights(rule: Rule) -> Rule {
    if let Rule::AdagradRowwise(AdagradRowwise(rule)) = rule { Rule::Adagrad(rule) } else { rule }
}

fn erased(rule: &Rule) -> Erased<'_> {
    with_rule!(rule, rule => Erased::new(rule))
}

impl Loops<LinearKernel> for Rule {
    fn server_rule(&self) -> ServerRule<'_> {
        match self {
            Rule::AdagradRowwise(AdagradRowwise(rule)) => ServerRule(Erased::new(rule)),
            rule => ServerRule(erased(rule)),
        }
    }

    fn facts(&self) -> Facts {
        with_rule!(of_single_weights(*self), rule => facts(&rule))
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        of_single_weights(*self).default_rate(mean_square)
    }

    fn engine<'r, 'd: 'r>(
        &'r self,
        feed: &'r ScaledFeed<'d>,
        model: &'r Linear,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        if let Some(pipeline) = task.pipeline.as_ref().filter(|_| alone.is_none()) {
            return match of_single_weights(*self) {
                Rule::Adagrad(rule) if is_lean(task) => in_parts::<PlainLoop, _>(feed, model, task, pipeline, rule),
                _ => match self {
                    Rule::AdagradRowwise(AdagradRowwise(rule)) => in_parts::<FullLoop, _>(feed, model, task, pipeline, Erased::new(rule)),
                    rule => in_parts::<FullLoop, _>(feed, model, task, pipeline, erased(rule)),
                },
            };
        }
        if is_plain(task) && feed.scaling.is_none() {
            let (feed, model) = (feed.feed, Cow::Borrowed(model));
            match of_single_weights(*self) {
                rule if !accrues(task) => return with_any!([Sgd, Adagrad, Ftrl] rule, rule => lean(feed, model, task, alone, rule)),
                Rule::Adagrad(rule) => return by_examples::<AccruingLoop, _, _, _>(feed, model, task, alone, rule),
                _ => {}
            }
        }
        match self {
            Rule::AdagradRowwise(AdagradRowwise(rule)) => seldom(feed, model, task, alone, Erased::new(rule)),
            rule => seldom(feed, model, task, alone, erased(rule)),
        }
    }
}

impl<R: UpdateRule> Loops<LinearKernel> for Own<R> {
    fn server_rule(&self) -> ServerRule<'_> {
        ServerRule(Erased::new(&self.0))
    }

    fn facts(&self) -> Facts {
        facts(&self.0)
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        self.0.default_rate(mean_square)
    }

    fn engine<'r, 'd: 'r>(
        &'r self,
        feed: &'r ScaledFeed<'d>,
        model: &'r Linear,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        if let Some(pipeline) = task.pipeline.as_ref().filter(|_| alone.is_none()) {
            return in_parts::<FullLoop, _>(feed, model, task, pipeline, Erased::new(&self.0));
        }
        if is_lean(task) && feed.scaling.is_none() {
            return lean(feed.feed, Cow::Borrowed(model), task, alone, self.0);
        }
        seldom(feed, model, task, alone, Erased::new(&self.0))
    }
}

/// Under row-wise Adagrad, the default, ranks up to sixteen have a lean loop, and all others one.
impl Loops<FmKernel> for Rule {
    fn server_rule(&self) -> ServerRule<'_> {
        ServerRule(erased(self))
    }

    fn facts(&self) -> Facts {
        with_rule!(self, rule => facts(rule))
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        Rule::default_rate(self, mean_square)
    }

    fn engine<'r, 'd: 'r>(
        &'r self,
        feed: &'r ScaledFeed<'d>,
        model: &'r FactorizationMachine,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        match *self {
            Rule::AdagradRowwise(rule) if is_lean(task) && feed.scaling.is_none() => {
                if model.rank() <= LANES {
                    let model: Cow<'_, FactorizationMachine<Fixed<1>>> = Cow::Owned(model.with_width());
                    return lean(feed.feed, model, task, alone, rule);
                }
                lean(feed.feed, Cow::Borrowed(model), task, alone, rule)
            }
            _ => seldom(feed, model, task, alone, erased(self)),
        }
    }
}

/// A user's own rule has no lean loop for rows of many weights.
macro_rules! own_of_rows {
    ($($kernel:ident $model:ident;)*) => {
        $(impl<R: UpdateRule> Loops<$kernel> for Own<R> {
            fn server_rule(&self) -> ServerRule<'_> {
                ServerRule(Erased::new(&self.0))
            }

            fn facts(&self) -> Facts {
                facts(&self.0)
            }

            fn default_rate(&self, mean_square: f32) -> f32 {
                self.0.default_rate(mean_square)
            }

            fn engine<'r, 'd: 'r>(
                &'r self,
                feed: &'r ScaledFeed<'d>,
                model: &'r $model,
                task: &'r Task<'r>,
                alone: Option<&'r Counters>,
            ) -> Made<'r> {
                seldom(feed, model, task, alone, Erased::new(&self.0))
            }
        })*
    };
}
own_of_rows! {
    FmKernel FactorizationMachine;
    MulticlassKernel Multiclass;
}

/// Under row-wise Adagrad, the default, up to sixteen classes, up to 32, and more each have a lean loop.
impl Loops<MulticlassKernel> for Rule {
    fn server_rule(&self) -> ServerRule<'_> {
        ServerRule(erased(self))
    }

    fn facts(&self) -> Facts {
        with_rule!(self, rule => facts(rule))
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        Rule::default_rate(self, mean_square)
    }

    fn engine<'r, 'd: 'r>(
        &'r self,
        feed: &'r ScaledFeed<'d>,
        model: &'r Multiclass,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        match (*self, model.classes().div_ceil(LANES)) {
            (Rule::AdagradRowwise(rule), vectors) if is_lean(task) && feed.scaling.is_none() => match vectors {
                1 => lean(feed.feed, Cow::<Multiclass<Fixed<1>>>::Owned(model.with_width()), task, alone, rule),
                2 => lean(feed.feed, Cow::<Multiclass<Fixed<2>>>::Owned(model.with_width()), task, alone, rule),
                _ => lean(feed.feed, Cow::Borrowed(model), task, alone, rule),
            },
            _ => seldom(feed, model, task, alone, erased(self)),
        }
    }
}

/// The default rank has lean loops under every rule, other usual ones under row-wise Adagrad, the default; batches and transforms go
/// with rows of any width. (Without, Adagrad at rank 32 takes 1.6 times as long.)
impl Loops<FactorKernel> for Rule {
    fn server_rule(&self) -> ServerRule<'_> {
        ServerRule(erased(self))
    }

    fn facts(&self) -> Facts {
        Facts { quads: matches!(self, Rule::AdagradRowwise(_)), ..with_rule!(self, rule => facts(rule)) }
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        Rule::default_rate(self, mean_square)
    }

    fn engine<'r, 'd: 'r>(
        &'r self,
        feed: &'r RatingFeed,
        model: &'r Factorization,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        if let (Rule::AdagradRowwise(rule), Some(quads), true) = (*self, &feed.quads, is_single(task) && !accrues(task) && alone.is_none())
        {
            let is_vector = task.set != InstructionSet::Portable && task.set.is_available();
            return Ok(match model.rank().div_ceil(LANES) {
                2 if is_vector => Box::new(InFlight::new(feed, quads, model.with_width::<Fixed<2>>(), task, rule)),
                _ => Box::new(InFlight::new(feed, quads, *model, task, rule)),
            });
        }
        match (*self, lean_width(model, task)) {
            (Rule::AdagradRowwise(rule), _) if accrues(task) && is_plain(task) && model.rank().div_ceil(LANES) == 2 => {
                by_examples::<AccruingLoop, _, _, _>(feed, Cow::Owned(model.with_width::<Fixed<2>>()), task, alone, rule)
            }
            (Rule::AdagradRowwise(rule), 1) => of_width::<Fixed<1>, _>(feed, model, task, alone, rule),
            (Rule::AdagradRowwise(rule), 4) => of_width::<Fixed<4>, _>(feed, model, task, alone, rule),
            (Rule::AdagradRowwise(rule), 8) => of_width::<Fixed<8>, _>(feed, model, task, alone, rule),
            (rule, 2) => {
                with_any!([Sgd, Adagrad, AdagradRowwise, Ftrl] rule, rule => of_width::<Fixed<2>, _>(feed, model, task, alone, rule))
            }
            (Rule::AdagradRowwise(rule), _) if is_lean(task) => lean(feed, Cow::Borrowed(model), task, alone, rule),
            _ => seldom(feed, model, task, alone, erased(self)),
        }
    }
}

impl<R: UpdateRule> Loops<FactorKernel> for Own<R> {
    fn server_rule(&self) -> ServerRule<'_> {
        ServerRule(Erased::new(&self.0))
    }

    fn facts(&self) -> Facts {
        facts(&self.0)
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        self.0.default_rate(mean_square)
    }

    fn engine<'r, 'd: 'r>(
        &'r self,
        feed: &'r RatingFeed,
        model: &'r Factorization,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        if lean_width(model, task) == 2 {
            return of_width::<Fixed<2>, _>(feed, model, task, alone, self.0);
        }
        seldom(feed, model, task, alone, Erased::new(&self.0))
    }
}

/// Whether nothing stands between gradients and the rule, each example is a step of a real worker, and lean loops are compiled for the
/// instruction set.
fn is_lean(task: &Task<'_>) -> bool {
    is_plain(task) && !accrues(task)
}

/// The same but for sums of gradients.
fn is_plain(task: &Task<'_>) -> bool {
    is_single(task) && task.set != InstructionSet::Portable && task.set.is_available()
}

/// Whether nothing stands between gradients and the rule, and each example is a step of a real worker.
fn is_single(task: &Task<'_>) -> bool {
    task.batch == Batch::One && task.simulation.is_none() && task.transforms.are_off()
}

/// Whether gradients are summed beside the weights. Under the default rules lean loops do that, too.
fn accrues(task: &Task<'_>) -> bool {
    task.parameters.shape.beside == Beside::Gradients
}

/// Vectors of a row, where a lean loop may have as many; else 0.
fn lean_width(model: &Factorization, task: &Task<'_>) -> usize {
    if is_lean(task) { model.rank().div_ceil(LANES) } else { 0 }
}

fn of_width<'r, W: Width, R: UpdateRule + 'r>(
    feed: &'r RatingFeed,
    model: &Factorization,
    task: &'r Task<'r>,
    alone: Option<&'r Counters>,
    rule: R,
) -> Made<'r> {
    lean(feed, Cow::Owned(model.with_width::<W>()), task, alone, rule)
}

fn lean<'r, F: Feed<M>, M: Model + Clone, R: UpdateRule + 'r>(
    feed: &'r F,
    model: Cow<'r, M>,
    task: &'r Task<'r>,
    alone: Option<&'r Counters>,
    rule: R,
) -> Made<'r> {
    by_examples::<PlainLoop, _, _, _>(feed, model, task, alone, rule)
}

/// The engine of parts that each have a worker.
fn in_parts<'r, 'd: 'r, A: Transforming, R: UpdateRule + 'r>(
    feed: &'r ScaledFeed<'d>,
    model: &Linear,
    task: &'r Task<'r>,
    pipeline: &Pipeline,
    rule: R,
) -> Made<'r> {
    Ok(Box::new(Partitioned::<_, A>::new(feed, model, task, pipeline, rule)?))
}

/// The engine of tasks that are not lean.
fn seldom<'r, F: Feed<M>, M: Touches<Example: Send + Sync> + Clone>(
    feed: &'r F,
    model: &'r M,
    task: &'r Task<'r>,
    alone: Option<&'r Counters>,
    rule: Erased<'r>,
) -> Made<'r> {
    if let (Some(simulation), None) = (task.simulation, alone) {
        let model = Cow::Owned(Turning { model: model.clone(), baton: simulation.baton(task.parameters) });
        return Ok(Box::new(Workers::<_, _, _, FullLoop>::new(Fed::Own(Turned(feed)), model, task, rule)?));
    }
    if task.batch == Batch::One || alone.is_some() {
        return by_examples::<FullLoop, _, _, _>(feed, Cow::Borrowed(model), task, alone, rule);
    }
    Ok(Box::new(Synchronous::new(feed, model, task, rule)?))
}

fn by_examples<'r, A: Transforming, F: Feed<M>, M: Model + Clone, R: UpdateRule + 'r>(
    feed: &'r F,
    model: Cow<'r, M>,
    task: &'r Task<'r>,
    alone: Option<&'r Counters>,
    rule: R,
) -> Made<'r> {
    Ok(match alone {
        None => Box::new(Workers::<_, _, _, A>::new(Fed::Lent(feed), model, task, rule)?),
        Some(counters) => Box::new(Alone::<_, _, _, A>::new(feed, model, task, counters, rule)),
    })
}
