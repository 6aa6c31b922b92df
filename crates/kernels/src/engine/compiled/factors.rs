//! Loops of matrix factorization: one rating at a time, or four in flight.
use super::{Made, Own, accrues, by_examples, erased, facts, is_lean, is_plain, is_single, lean, seldom};
use crate::{
    engine::{Counters, FactorKernel, Facts, Loops, Task, quads::InFlight},
    feed::RatingFeed,
    models::{Factorization, Fixed, Width},
    params::AccruingLoop,
    rules::{Erased, Rule, UpdateRule, with_any, with_rule},
    servers::ServerRule,
    simd::{InstructionSet, LANES},
};
use std::borrow::Cow;

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
