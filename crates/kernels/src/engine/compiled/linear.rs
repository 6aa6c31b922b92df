//! Loops of linear models: slots of one weight, by examples, by groups of eight, or by parts that each have a worker.
use super::{Made, Own, accrues, erased, facts, is_lean, is_plain, is_single, lean, seldom};
use crate::{
    engine::{Counters, Facts, LinearKernel, Loops, Pipeline, Task, groups::Groups, partitioned::Partitioned},
    feed::ScaledFeed,
    models::Linear,
    params::{FullLoop, PlainLoop, Transforming},
    rules::{AdagradRowwise, Erased, Layout, Rule, Summing, UpdateRule, with_any, with_rule},
    servers::ServerRule,
};
use std::borrow::Cow;

/// On slots of one weight row-wise Adagrad is Adagrad.
fn of_single_weights(rule: Rule) -> Rule {
    if let Rule::AdagradRowwise(AdagradRowwise(rule)) = rule { Rule::Adagrad(rule) } else { rule }
}

impl Loops<LinearKernel> for Rule {
    fn server_rule(&self) -> ServerRule<'_> {
        match self {
            Rule::AdagradRowwise(AdagradRowwise(rule)) => ServerRule(Erased::new(rule)),
            rule => ServerRule(erased(rule)),
        }
    }

    fn facts(&self) -> Facts {
        let rule = of_single_weights(*self);
        Facts { groups: matches!(rule, Rule::Adagrad(_)), ..with_rule!(rule, rule => facts(&rule)) }
    }

    fn default_rate(&self, mean_square: f32) -> f32 {
        of_single_weights(*self).default_rate(mean_square)
    }

    fn summing(&self, feed: &ScaledFeed<'_>, task: &Task<'_>) -> Option<Layout> {
        match of_single_weights(*self) {
            Rule::Adagrad(rule) if is_plain(task) && feed.scaling.is_none() => Some(Layout::of(&Summing(rule))),
            _ => None,
        }
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
        let is_grouped = is_single(task) && !accrues(task) && feed.scaling.is_none() && !model.penalises();
        if let (Rule::Adagrad(rule), Some(masks), true) = (of_single_weights(*self), feed.feed.dense(), is_grouped) {
            return Ok(Box::new(Groups::new((feed.feed, masks), model, task, alone, rule)?));
        }
        if is_lean(task) && feed.scaling.is_none() {
            let (feed, model) = (feed.feed, Cow::Borrowed(model));
            return match of_single_weights(*self) {
                Rule::Adagrad(rule) if task.parameters.sums() => lean(feed, model, task, alone, Summing(rule)),
                rule => with_any!([Sgd, Adagrad, Ftrl] rule, rule => lean(feed, model, task, alone, rule)),
            };
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
