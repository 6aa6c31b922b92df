//! The one list of what inner loops are compiled; by kernel in the files beside.
//!
//! A loop is compiled for each model, rule, instruction set and way, and takes the compiler half a second or more; all of them were nine
//! tenths of a build. So only the default rules, and those that they are compared with, have lean loops of their own. Other rules go by
//! [`Any`](crate::rules::Any), a few hundredths slower, to the same bits. What seldom runs (transforms, scaled features, batches, unusual
//! widths but of row-wise Adagrad, processors without a vector type here) is compiled once, and goes by [`Erased`] under every rule.
//! A user's own rule, [`Own`], has the lean loops by its type.
//!
//! | loop | linear | factorization machine | field-aware | several classes | factorization | ranking | cut | loops | sets on x86-64 |
//! |---|---|---|---|---|---|---|---|---|---|
//! | lean | adagrad, ftrl, sgd, `Any` of 1, 2, 3 | adagrad-rowwise of 1, any vectors | adagrad-rowwise | adagrad-rowwise of 1, 2, any | adagrad-rowwise of 1, 2, 4, 8, any; of 2: adagrad, ftrl, sgd, `Any`s | adagrad-rowwise of 4, any vectors | sgd of 1 | 26 | 2 |
//! | eight examples in flight | adagrad | | | | | | | 1 | 3 |
//! | four ratings in flight | | | | | adagrad-rowwise of 2 vectors | | | 1 | 2 |
//! | the same of any vectors | | | | | adagrad-rowwise | | | 1 | 3 |
//! | lean, with sums of gradients | adagrad (`Summing`) | | | | adagrad-rowwise of 2 vectors | | | 2 | 2 |
//! | with everything, any width, a step an example | `Erased` | `Erased` | `Erased` | `Erased` | `Erased` | `Erased` | sgd | 7 | 3 |
//! | the same of virtual workers | `Erased` | `Erased` | `Erased` | `Erased` | `Erased` | `Erased` | sgd | 7 | 1, portable |
//! | by parts that each have a worker | adagrad | | | | | | | 1 | 2 |
//! | the same with everything | `Erased` | | | | | | | 1 | 3 |
//! | the sums of a batch | `Erased` | `Erased` | `Erased` | `Erased` | `Erased` | `Erased` | | 6 | 3 |
//! | the step of a batch, of all models | `Erased` | | | | | | | 1 | 3 |
//!
//! These are 54 loops, 118 with their instruction sets. Without a vector type there is no lean loop: the same bits come from the one with
//! everything. What is compiled for each instruction set but not for each rule: the exchanges (see [`exchange`](crate::exchange)), what servers
//! do, the start of a replica, and the merging of sums. Each rule's formula is compiled once more for each instruction set, for `Erased`.
mod cut;
mod factors;
mod linear;
mod ranking;
mod rows;

use super::{
    Counters, Engine, Facts, Task,
    alone::Alone,
    hogwild::{Fed, Workers},
    synchronous::Synchronous,
    turning::{Touches, Turned, Turning},
};
use crate::{
    batch::Batch,
    feed::Feed,
    models::Model,
    params::{Beside, FullLoop, PlainLoop, Transforming},
    rules::{Erased, Layout, Rule, UpdateRule, with_rule},
    simd::InstructionSet,
};
use hogwild_base::Result;
use std::borrow::Cow;

type Made<'r> = Result<Box<dyn Engine + 'r>>;

/// A rule of the user's own.
pub struct Own<R>(pub R);

fn facts<R: UpdateRule>(rule: &R) -> Facts {
    let layout = Layout::of(rule);
    let (reads, learns) = (rule.reads() || rule.solves(), rule.learns());
    Facts {
        layout,
        averages: rule.averages(),
        proximal: rule.proximal(),
        reads,
        learns,
        schedules: rule.schedules(),
        quads: false,
        groups: false,
    }
}

fn erased(rule: &Rule) -> Erased<'_> {
    with_rule!(rule, rule => Erased::new(rule))
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

fn lean<'r, F: Feed<M>, M: Model + Clone, R: UpdateRule + 'r>(
    feed: &'r F,
    model: Cow<'r, M>,
    task: &'r Task<'r>,
    alone: Option<&'r Counters>,
    rule: R,
) -> Made<'r> {
    by_examples::<PlainLoop, _, _, _>(feed, model, task, alone, rule)
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
