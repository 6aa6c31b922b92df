//! Loops of graph cuts: rows of shares, one edge at a time. The model sets rows itself, so they are compiled for one rule.
use super::{Made, by_examples, erased, facts, is_lean, lean};
use crate::{
    engine::{
        Counters, CutKernel, Facts, Loops, Task,
        hogwild::{Fed, Workers},
        turning::{Turned, Turning},
    },
    feed::EdgeFeed,
    models::{Cut, Fixed},
    params::FullLoop,
    rules::{Rule, Sgd, with_rule},
    servers::ServerRule,
    simd::LANES,
};
use std::borrow::Cow;

/// Up to sixteen labels have a lean loop, and all others one with everything.
impl Loops<CutKernel> for Rule {
    fn server_rule(&self) -> ServerRule<'_> {
        ServerRule(erased(self))
    }

    fn facts(&self) -> Facts {
        with_rule!(self, rule => facts(rule))
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        Rule::default_rate(self, mean_square)
    }

    fn engine<'r, 'd: 'r>(&'r self, feed: &'r EdgeFeed, model: &'r Cut, task: &'r Task<'r>, alone: Option<&'r Counters>) -> Made<'r> {
        if let (Some(simulation), None) = (task.simulation, alone) {
            let model = Cow::Owned(Turning { model: *model, baton: simulation.baton(task.parameters) });
            return Ok(Box::new(Workers::<_, _, _, FullLoop>::new(Fed::Own(Turned(feed)), model, task, Sgd)?));
        }
        if model.labels().div_ceil(LANES) == 1 && is_lean(task) {
            return lean(feed, Cow::<Cut<Fixed<1>>>::Owned(model.with_width()), task, alone, Sgd);
        }
        by_examples::<FullLoop, _, _, _>(feed, Cow::Borrowed(model), task, alone, Sgd)
    }
}
