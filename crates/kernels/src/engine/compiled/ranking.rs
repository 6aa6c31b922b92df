//! Loops of ranking by implicit feedback: rows of users and items, one example at a time.
use super::{Made, Own, erased, facts, is_lean, lean, seldom};
use crate::{
    engine::{Counters, Facts, Loops, RankingKernel, Task},
    feed::InteractionFeed,
    models::{Fixed, Ranking},
    rules::{Erased, Rule, UpdateRule, with_rule},
    servers::ServerRule,
    simd::LANES,
};
use std::borrow::Cow;

/// Under row-wise Adagrad, the default, ranks from 49 to 64 have a lean loop, and all others one.
impl Loops<RankingKernel> for Rule {
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
        feed: &'r InteractionFeed,
        model: &'r Ranking,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        match (*self, model.rank().div_ceil(LANES)) {
            (Rule::AdagradRowwise(rule), 4) if is_lean(task) => {
                lean(feed, Cow::<Ranking<Fixed<4>>>::Owned(model.with_width()), task, alone, rule)
            }
            (Rule::AdagradRowwise(rule), _) if is_lean(task) => lean(feed, Cow::Borrowed(model), task, alone, rule),
            _ => seldom(feed, model, task, alone, erased(self)),
        }
    }
}

impl<R: UpdateRule> Loops<RankingKernel> for Own<R> {
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
        feed: &'r InteractionFeed,
        model: &'r Ranking,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        seldom(feed, model, task, alone, Erased::new(&self.0))
    }
}
