//! Training: a `session` checks what is asked, has a family make data and settings ready, finds a rate, runs the epochs and makes a model.
//!
//! The rate: a `rate_search` by `trial`s on samples; `recovery` of runs that go astray. The epochs: which examples are admitted
//! (`curriculum`), which states are kept (`checkpoints`), when it is `stopping` early, who follows (`follower`) and what is told
//! (`report`). Who asks: `families`, with a function for each.
mod checkpoints;
mod curriculum;
mod families;
mod follower;
mod rate_search;
mod recovery;
mod report;
mod resolved;
mod session;
mod sharing;
mod stopping;
mod trial;

use crate::{
    family::{AnyData, AnyFamily, DataSet, Family, workers},
    model::TrainedModel,
    options::Settings,
};
pub(crate) use follower::Follower;
use hogwild_base::{Error, Result, threads};
use hogwild_kernels::engine::{Loops, Simulation};
use session::Job;
use std::sync::atomic::AtomicBool;

pub use families::*;
pub use report::{Astray, Ended, EpochProgress, EpochReport, Outcome, RateSearchReport, TriedRate, Watch};
pub use resolved::{Resolved, ResolvedReplicas};

/// Trains a model of any family, on data of its kind. As [`train_linear`] otherwise.
///
/// # Errors
/// As for [`train_linear`]; data of another kind.
pub fn train<'d>(
    family: &dyn AnyFamily,
    data: impl Into<AnyData<'d>>,
    valid: Option<AnyData<'d>>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let data = data.into();
    let threads = settings.resolved(&family.facts(&settings.rule), family.workers(data), false).all_threads();
    threads::with(threads, || run(family, data, valid, settings, Start::Anew, &mut Follower::new(watch, stop)))
}

/// The same from the weights of a `model` on, of linear models and those of several classes. The search for a learning rate, where none is
/// given, starts from nothing.
///
/// # Errors
/// As for [`train`]; a model of another kind, of other classes or another loss, or of none of the features; and rules that can't begin at weights.
pub fn train_from<'d>(
    model: &TrainedModel,
    family: &dyn AnyFamily,
    data: impl Into<AnyData<'d>>,
    valid: Option<AnyData<'d>>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let data = data.into();
    let threads = settings.resolved(&family.facts(&settings.rule), family.workers(data), false).all_threads();
    threads::with(threads, || run(family, data, valid, settings, Start::Model(model), &mut Follower::new(watch, stop)))
}

/// How a run starts.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// From nothing, by threads.
    Anew,
    /// From nothing, by virtual workers.
    Simulated(&'a Simulation),
    /// From the weights of a model on.
    Model(&'a TrainedModel),
}

/// The same in the threads of the call that it is in.
pub(crate) fn run(
    family: &dyn AnyFamily,
    data: AnyData<'_>,
    valid: Option<AnyData<'_>>,
    settings: &Settings,
    start: Start<'_>,
    follower: &mut Follower<'_>,
) -> Result<Outcome> {
    let (rule, facts) = (settings.rule.name(), family.facts(&settings.rule));
    // A cut is judged by what it is trained on.
    let has_valid = valid.is_some() || family.cuts() && settings.holdout == 0.0;
    let (model, simulation) = match start {
        Start::Anew => (None, None),
        Start::Simulated(simulation) => (None, Some(simulation)),
        Start::Model(model) => (Some(model), None),
    };
    let settings = &settings.resolved(&facts, family.workers(data), simulation.is_some());
    let job = Job { family: family.name(), rule, facts, settings, has_valid, simulation };
    session::run(&job, follower, &|| {
        family.check(settings)?;
        let mut prepared = family.prepare(data, valid, settings)?;
        if let Some(other) = model.filter(|model| model.family != family.name()) {
            let problem = format!("is of the family {}, and this run of {}", other.family, family.name());
            return Err(Error::BadFile { path: "the model to start from".into(), problem, remedy: "give one of the same family" });
        }
        model.map_or(Ok(()), |model| prepared.start_from(model))?;
        Ok(prepared)
    })
}

/// Trains a model of a family by a rule of that name.
fn fit<F: Family>(
    (rule, name): (&dyn Loops<F::Kernel>, &str),
    data: &F::Data,
    valid: Option<&F::Data>,
    settings: &Settings,
    follower: &mut Follower<'_>,
) -> Result<Outcome> {
    let settings = &settings.resolved(&rule.facts(), workers::<F>(data.numbers()), false);
    let job = Job { family: F::SCHEMA.family, rule: name, facts: rule.facts(), settings, has_valid: valid.is_some(), simulation: None };
    threads::with(settings.all_threads(), || {
        session::run(&job, follower, &|| {
            F::check(settings)?;
            F::prepare(rule, data, valid, settings)
        })
    })
}
