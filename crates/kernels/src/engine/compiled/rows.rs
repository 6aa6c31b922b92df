//! Loops of models of sparse rows whose features have rows of weights: factorization machines, field-aware or not, and several classes.
use super::{Made, Own, erased, facts, is_lean, lean, seldom};
use crate::{
    engine::{Counters, Facts, FfmKernel, FmKernel, Loops, MulticlassKernel, Task},
    feed::ScaledFeed,
    models::{FactorizationMachine, FieldAware, Fixed, Multiclass},
    rules::{Erased, Rule, UpdateRule, with_rule},
    servers::ServerRule,
    simd::LANES,
};
use std::borrow::Cow;

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

/// Under row-wise Adagrad, the default, there is one lean loop. It reads rows scaled or not: a length of 1 is the default, and asking costs
/// little beside all that is done with a row.
impl Loops<FfmKernel> for Rule {
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
        model: &'r FieldAware,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Made<'r> {
        match *self {
            Rule::AdagradRowwise(rule) if is_lean(task) => lean(feed, Cow::Borrowed(model), task, alone, rule),
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
    FfmKernel FieldAware;
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
