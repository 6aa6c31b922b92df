//! Training: a `session` checks what is asked, has a family make data and settings ready, finds a rate, runs the epochs and makes a model.
//!
//! The rate: a `rate_search` by `trial`s on samples; `recovery` of runs that go astray. The epochs: which examples are admitted
//! (`curriculum`), which states are kept (`checkpoints`), when it is `stopping` early, who follows (`follower`) and what is told
//! (`report`).
mod checkpoints;
mod curriculum;
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
    family::{AnyData, AnyFamily, DataSet, Factorization, FactorizationMachine, Family, FieldAware, Linear, OneVsRest, Softmax, workers},
    options::Settings,
};
pub(crate) use follower::Follower;
use hogwild_base::{Result, threads};
use hogwild_data::{Ratings, Rows};
use hogwild_kernels::{
    engine::{Loops, Own, Simulation},
    rules::UpdateRule,
};
use session::Job;
use std::{any::type_name, sync::atomic::AtomicBool};

pub use report::{Astray, Ended, EpochProgress, EpochReport, Outcome, RateSearchReport, TriedRate, Watch};
pub use resolved::{Resolved, ResolvedReplicas};

/// Trains a linear model on sparse rows.
///
/// `valid` is evaluated after every epoch (or, with `settings.holdout`, the rows held out). `stop` may be set from another thread
/// or a signal handler: workers finish their block. `watch` is told how the run goes, and may end it.
///
/// # Errors
/// Settings out of range, labels that do not fit the loss, too little memory. Divergence is not an error: see [`Ended`].
pub fn train_linear(data: &Rows, valid: Option<&Rows>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool) -> Result<Outcome> {
    fit::<Linear>((&settings.rule, settings.rule.name()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_linear_with<R: UpdateRule>(
    rule: R,
    data: &Rows,
    valid: Option<&Rows>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit::<Linear>((&Own(rule), type_name::<R>()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// Trains a factorization machine on sparse rows. As [`train_linear`] otherwise.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_fm(data: &Rows, valid: Option<&Rows>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool) -> Result<Outcome> {
    fit::<FactorizationMachine>((&settings.rule, settings.rule.name()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_fm_with<R: UpdateRule>(
    rule: R,
    data: &Rows,
    valid: Option<&Rows>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit::<FactorizationMachine>((&Own(rule), type_name::<R>()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// Trains a field-aware factorization machine on sparse rows whose features have [fields](Rows::fields). As [`train_linear`] otherwise.
///
/// # Errors
/// As for [`train_linear`]; rows without fields.
pub fn train_ffm(data: &Rows, valid: Option<&Rows>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool) -> Result<Outcome> {
    fit::<FieldAware>((&settings.rule, settings.rule.name()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_ffm`].
pub fn train_ffm_with<R: UpdateRule>(
    rule: R,
    data: &Rows,
    valid: Option<&Rows>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit::<FieldAware>((&Own(rule), type_name::<R>()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// Trains multinomial logistic regression on sparse rows whose labels are classes, one a row. As [`train_linear`] otherwise.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_softmax(data: &Rows, valid: Option<&Rows>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool) -> Result<Outcome> {
    fit::<Softmax>((&settings.rule, settings.rule.name()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_softmax_with<R: UpdateRule>(
    rule: R,
    data: &Rows,
    valid: Option<&Rows>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit::<Softmax>((&Own(rule), type_name::<R>()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// Trains a model for each class against the rest, all in one pass, on sparse rows with any number of classes. As [`train_linear`] otherwise.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_ovr(data: &Rows, valid: Option<&Rows>, settings: &Settings, watch: &mut dyn Watch, stop: &AtomicBool) -> Result<Outcome> {
    fit::<OneVsRest>((&settings.rule, settings.rule.name()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_ovr_with<R: UpdateRule>(
    rule: R,
    data: &Rows,
    valid: Option<&Rows>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit::<OneVsRest>((&Own(rule), type_name::<R>()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// Trains matrix factorization on ratings. As [`train_linear`] otherwise.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_factorization(
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit::<Factorization>((&settings.rule, settings.rule.name()), data, valid, settings, &mut Follower::new(watch, stop))
}

/// The same with an update rule of the user's own; that of the settings is not looked at.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_factorization_with<R: UpdateRule>(
    rule: R,
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    fit::<Factorization>((&Own(rule), type_name::<R>()), data, valid, settings, &mut Follower::new(watch, stop))
}

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
    threads::with(threads, || run(family, data, valid, settings, None, &mut Follower::new(watch, stop)))
}

/// The same in the threads of the call that it is in, and of virtual workers where there is a simulation.
pub(crate) fn run(
    family: &dyn AnyFamily,
    data: AnyData<'_>,
    valid: Option<AnyData<'_>>,
    settings: &Settings,
    simulation: Option<&Simulation>,
    follower: &mut Follower<'_>,
) -> Result<Outcome> {
    let (rule, facts, has_valid) = (settings.rule.name(), family.facts(&settings.rule), valid.is_some());
    let settings = &settings.resolved(&facts, family.workers(data), simulation.is_some());
    let job = Job { family: family.name(), rule, facts, settings, has_valid, simulation };
    session::run(&job, follower, &|| {
        family.check(settings)?;
        family.prepare(data, valid, settings)
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
