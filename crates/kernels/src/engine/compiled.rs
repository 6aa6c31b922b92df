//! The one list of what inner loops are compiled.
//!
//! A loop is compiled for each model, rule, instruction set and way, and takes the compiler a second or more; all of them were nine tenths
//! of a build. So the default rules, and those that they are compared with, have lean loops of their own. All other rules go by
//! [`Any`](crate::rules::Any), a few hundredths slower, to the same bits. What seldom runs (transforms, scaled features, batches, trials, rows
//! of unusual width, processors without a vector type here) goes by `Any` under every rule: `with_any!` makes the rule that the loops here
//! are compiled for. A user's own rule, [`Own`], has all loops by its type.
//!
//! | loop | linear | factorization | loops | sets on x86-64 |
//! |---|---|---|---|---|
//! | lean, a step an example | adagrad, ftrl, sgd, `Any` of 1, 2, 3 | adagrad-rowwise of 1, 2, 4, 8 vectors; of 2: adagrad, ftrl, sgd, `Any` of 1, 2, 3 | 16 | 2 |
//! | aided or tried, any width, a step an example | sgd, `Any` of 1, 2, 3 | and adagrad-rowwise | 9 | 3 |
//! | the sums of a batch | sgd, `Any` of 1, 2, 3 | and adagrad-rowwise | 9 | 3 |
//! | the step of a batch, of both models | sgd, adagrad-rowwise, `Any` of 1, 2, 3 | | 5 | 3 |
//!
//! These are 39 loops, 101 with their instruction sets. Without a vector type there is no lean loop: the same bits come from the one with
//! everything. What is compiled for each instruction set but not for each rule: the two exchanges (see [`exchange`](crate::exchange)), the
//! start of a replica, and the merging of sums.
use super::{Counters, Engine, FactorKernel, Facts, LinearKernel, Loops, Task, alone::Alone, hogwild::Workers, synchronous::Synchronous};
use crate::{
    batch::Batch,
    feed::{Feed, RatingFeed, ScaledFeed},
    models::{Factorization, Fixed, Linear, Model, Width},
    params::{FullLoop, PlainLoop},
    rules::{AdagradRowwise, Layout, Rule, UpdateRule, with_any, with_rule},
    simd::{InstructionSet, LANES},
};
use hogwild_base::Result;
use std::borrow::Cow;

type Made<'r> = Result<Box<dyn Engine + 'r>>;

/// A rule of the user's own.
pub struct Own<R>(pub R);

fn facts<R: UpdateRule>(rule: &R) -> Facts {
    let layout = Layout::of(rule);
    Facts { layout, averages: rule.averages(), proximal: rule.proximal(), learns: rule.learns(), schedules: rule.schedules() }
}

/// On slots of one weight row-wise Adagrad is Adagrad.
fn of_single_weights(rule: Rule) -> Rule {
    if let Rule::AdagradRowwise(AdagradRowwise(rule)) = rule { Rule::Adagrad(rule) } else { rule }
}

impl Loops<LinearKernel> for Rule {
    fn facts(&self) -> Facts {
        with_rule!(of_single_weights(*self), rule => facts(&rule))
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        of_single_weights(*self).default_rate(mean_square)
    }

    fn engine<'r, 'd: 'r>(&self, feed: &'r ScaledFeed<'d>, model: &'r Linear, task: &'r Task<'r>) -> Made<'r> {
        if !is_plain(task) || feed.scaling.is_some() {
            return with_any!([Sgd] of_single_weights(*self), rule => seldom(feed, model, task, rule));
        }
        let (feed, model) = (feed.feed, Cow::Borrowed(model));
        Ok(match of_single_weights(*self) {
            Rule::Adagrad(rule) => Box::new(Workers::<_, _, _, PlainLoop>::new(feed, model, task, rule)?),
            Rule::Ftrl(rule) => Box::new(Workers::<_, _, _, PlainLoop>::new(feed, model, task, rule)?),
            other => with_any!([Sgd] other, rule => Box::new(Workers::<_, _, _, PlainLoop>::new(feed, model, task, rule)?)),
        })
    }

    fn alone<'r, 'd: 'r>(
        &self,
        feed: &'r ScaledFeed<'d>,
        model: &'r Linear,
        task: &'r Task<'r>,
        counters: &'r Counters,
    ) -> Box<dyn Engine + 'r> {
        with_any!([Sgd] of_single_weights(*self), rule => Box::new(Alone::new(feed, model, task, counters, rule)))
    }
}

impl<R: UpdateRule> Loops<LinearKernel> for Own<R> {
    fn facts(&self) -> Facts {
        facts(&self.0)
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        self.0.default_rate(mean_square)
    }

    fn engine<'r, 'd: 'r>(&self, feed: &'r ScaledFeed<'d>, model: &'r Linear, task: &'r Task<'r>) -> Made<'r> {
        if !is_plain(task) || feed.scaling.is_some() {
            return seldom(feed, model, task, self.0);
        }
        Ok(Box::new(Workers::<_, _, _, PlainLoop>::new(feed.feed, Cow::Borrowed(model), task, self.0)?))
    }

    fn alone<'r, 'd: 'r>(
        &self,
        feed: &'r ScaledFeed<'d>,
        model: &'r Linear,
        task: &'r Task<'r>,
        counters: &'r Counters,
    ) -> Box<dyn Engine + 'r> {
        Box::new(Alone::new(feed, model, task, counters, self.0))
    }
}

/// The default rank has lean loops under every rule, other usual ones under row-wise rules, which are the fast ones here; batches and transforms go
/// with rows of any width. (Without, Adagrad at rank 32 takes 1.6 times as long.)
impl Loops<FactorKernel> for Rule {
    fn facts(&self) -> Facts {
        with_rule!(self, rule => facts(rule))
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        Rule::default_rate(self, mean_square)
    }

    fn engine<'r, 'd: 'r>(&self, feed: &'r RatingFeed, model: &'r Factorization, task: &'r Task<'r>) -> Made<'r> {
        match (*self, if is_plain(task) { model.rank().div_ceil(LANES) } else { 0 }) {
            (Rule::AdagradRowwise(rule), 1) => of_width::<Fixed<1>, _>(feed, model, task, rule),
            (Rule::AdagradRowwise(rule), 2) => of_width::<Fixed<2>, _>(feed, model, task, rule),
            (Rule::AdagradRowwise(rule), 4) => of_width::<Fixed<4>, _>(feed, model, task, rule),
            (Rule::AdagradRowwise(rule), 8) => of_width::<Fixed<8>, _>(feed, model, task, rule),
            (Rule::Adagrad(rule), 2) => of_width::<Fixed<2>, _>(feed, model, task, rule),
            (Rule::Ftrl(rule), 2) => of_width::<Fixed<2>, _>(feed, model, task, rule),
            (other, 2) => with_any!([Sgd, AdagradRowwise] other, rule => of_width::<Fixed<2>, _>(feed, model, task, rule)),
            (other, _) => with_any!([Sgd, AdagradRowwise] other, rule => seldom(feed, model, task, rule)),
        }
    }

    fn alone<'r, 'd: 'r>(
        &self,
        feed: &'r RatingFeed,
        model: &'r Factorization,
        task: &'r Task<'r>,
        counters: &'r Counters,
    ) -> Box<dyn Engine + 'r> {
        with_any!([Sgd, AdagradRowwise] *self, rule => Box::new(Alone::new(feed, model, task, counters, rule)))
    }
}

impl<R: UpdateRule> Loops<FactorKernel> for Own<R> {
    fn facts(&self) -> Facts {
        facts(&self.0)
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        self.0.default_rate(mean_square)
    }

    fn engine<'r, 'd: 'r>(&self, feed: &'r RatingFeed, model: &'r Factorization, task: &'r Task<'r>) -> Made<'r> {
        match (self.0.rowwise(), if is_plain(task) { model.rank().div_ceil(LANES) } else { 0 }) {
            (_, 2) => of_width::<Fixed<2>, _>(feed, model, task, self.0),
            (true, 1) => of_width::<Fixed<1>, _>(feed, model, task, self.0),
            (true, 4) => of_width::<Fixed<4>, _>(feed, model, task, self.0),
            (true, 8) => of_width::<Fixed<8>, _>(feed, model, task, self.0),
            _ => seldom(feed, model, task, self.0),
        }
    }

    fn alone<'r, 'd: 'r>(
        &self,
        feed: &'r RatingFeed,
        model: &'r Factorization,
        task: &'r Task<'r>,
        counters: &'r Counters,
    ) -> Box<dyn Engine + 'r> {
        Box::new(Alone::new(feed, model, task, counters, self.0))
    }
}

/// Whether nothing stands between gradients and the rule, each example is a step, and lean loops are compiled for the instruction set.
fn is_plain(task: &Task<'_>) -> bool {
    task.batch == Batch::One && task.transforms.are_off() && task.set != InstructionSet::Portable && task.set.is_available()
}

fn of_width<'r, W: Width, R: UpdateRule>(feed: &'r RatingFeed, model: &Factorization, task: &'r Task<'r>, rule: R) -> Made<'r> {
    Ok(Box::new(Workers::<_, _, _, PlainLoop>::new(feed, Cow::Owned(model.with_width::<W>()), task, rule)?))
}

/// The engine of tasks that are not lean.
fn seldom<'r, F: Feed<M>, M: Model<Example: Send + Sync> + Clone, R: UpdateRule>(
    feed: &'r F,
    model: &'r M,
    task: &'r Task<'r>,
    rule: R,
) -> Made<'r> {
    Ok(if task.batch == Batch::One {
        Box::new(Workers::<_, _, _, FullLoop>::new(feed, Cow::Borrowed(model), task, rule)?)
    } else {
        Box::new(Synchronous::new(feed, model, task, rule)?)
    })
}
