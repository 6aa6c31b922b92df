//! How an epoch is gone through: by workers (`hogwild`) that wait for nobody (Hogwild!), by batches (`synchronous`), `alone`, by
//! `replicas` of the model that each go through it in one of these ways, or by workers that never share a row (of ratings
//! `strata`, else `partitioned`).
//!
//! A session sees an [`Engine`] and asks [`Loops`] for it: objects that hide rule, instruction set and width, so that what goes by them is
//! compiled once. `compiled` is the list of what loops there are.
mod alone;
mod baton;
mod clocked;
// Not for unit tests, which need no loop: all of them would be compiled twice.
#[cfg(not(test))]
mod compiled;
#[cfg(test)]
mod equations;
mod flow;
mod groups;
mod hogwild;
mod link;
mod messages;
mod partitioned;
mod quads;
mod replicas;
#[cfg(test)]
mod replicas_tests;
mod simulation;
mod strata;
mod synchronous;
mod threads;
mod trace;
mod turning;
mod worker;

use crate::{
    batch::Batch,
    feed::{EdgeFeed, InteractionFeed, RatingFeed, ScaledFeed},
    gate::Gate,
    loss::Loss,
    models::{Cut, Factorization, FactorizationMachine, FieldAware, Linear, Multiclass, Ranking},
    order::Plan,
    params::{Finish, Parameters},
    rules::Layout,
    schedule::{Moment, Schedule},
    servers::ServerRule,
    simd::InstructionSet,
    transforms::Transforms,
};
use hogwild_base::{Error, Result};
use std::{ops::Range, sync::atomic::AtomicBool};

#[cfg(not(test))]
pub use compiled::Own;
pub use partitioned::Pipeline;
pub use replicas::{Downpour, Part, Replicas};
pub use simulation::{Costs, Exchanges, Placement, Simulation};
pub use strata::Strata;
pub use threads::near;
pub use trace::{Trace, Visit};
pub use worker::{Counters, Counts};

/// What an engine is told of a run: all that stays the same over its epochs.
#[derive(Clone, Copy)]
pub struct Task<'a> {
    /// All positions, as they lie.
    pub units: &'a [Range<u32>],
    /// Examples of an epoch.
    pub examples: u64,
    /// Examples that each epoch admits.
    pub admitted: &'a [u64],
    /// What is trained, laid out for the rule.
    pub parameters: &'a Parameters,
    /// The learning rate before the schedule.
    pub rate: f32,
    /// How the rate goes over the run.
    pub schedule: Schedule,
    /// What is minimised.
    pub loss: Loss,
    /// What stands between gradients and the rule.
    pub transforms: Transforms,
    /// How many examples a step goes by.
    pub batch: Batch,
    /// How parts of the parameters are stepped by workers of their own, where they are.
    pub pipeline: Option<Pipeline>,
    /// What the batch is multiplied by after every epoch, 1 or more.
    pub batch_growth: f64,
    /// What noise follows from.
    pub seed: u64,
    /// Workers, at least 1.
    pub threads: usize,
    /// Whether each worker is pinned to a core, where there are as many workers as cores.
    pub pin: bool,
    /// The memory domain (of [`nodes`](hogwild_base::threads::nodes)) whose cores workers are pinned to; all cores without.
    pub node: Option<usize>,
    /// The instruction set that loops are compiled for.
    pub set: InstructionSet,
    /// Reads data larger than memory; none where all fits.
    pub reader: Option<&'a dyn Reader>,
    /// By what virtual workers go, where the run is simulated.
    pub simulation: Option<&'a Simulation>,
}

/// Reads data larger than memory, group by group, ahead of the workers.
pub trait Reader: Sync {
    /// Reads the groups of a gate one after the other, until all are read or it is to stop.
    fn read(&self, gate: &Gate, stop: &AtomicBool);
}

/// An epoch to go through.
pub struct Epoch<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Where the run stands as it begins.
    pub start: Moment,
    /// Which positions it visits, and in what order.
    pub plan: &'a Plan,
    /// Which part of the epoch this is, from 0, where it is gone through in several.
    pub round: u64,
}

/// Asked at least every 50 ms while an epoch runs, with how many examples have begun: whether the workers are to stop.
pub type Follow<'a> = dyn FnMut(u64) -> bool + 'a;

/// How long a follower waits to be asked, at most.
const LOOK: std::time::Duration = std::time::Duration::from_millis(50);

/// A way through epochs, with what it keeps from one to the next.
pub trait Engine: Send {
    /// Goes through an epoch; gives what was done, and in how many steps.
    fn epoch(&mut self, epoch: &Epoch<'_>, follow: &mut Follow<'_>) -> (Counts, u64);
    /// What ended an epoch before its end, if anything did; asked after each.
    fn fault(&mut self) -> Option<Error> {
        None
    }
    /// How a model is made of the parameters as they stand: by the step that would come next, but at the rate of the last one (the next may
    /// be that of a restart).
    fn finish(&self) -> Finish<'_>;
}

/// The kernel of a family of models: what its loops are compiled for.
pub trait Kernel {
    /// Where its examples come from.
    type Examples<'d>: Sync;
    /// What scores them.
    type Model: Sync;
}

/// Linear models on sparse rows.
pub struct LinearKernel;
/// Factorization machines on sparse rows.
pub struct FmKernel;
/// Field-aware factorization machines on sparse rows.
pub struct FfmKernel;
/// Models of several classes on sparse rows.
pub struct MulticlassKernel;
/// Matrix factorization on ratings.
pub struct FactorKernel;
/// Ranking by implicit feedback.
pub struct RankingKernel;
/// Multiway cuts of graphs.
pub struct CutKernel;

impl Kernel for LinearKernel {
    type Examples<'d> = ScaledFeed<'d>;
    type Model = Linear;
}

impl Kernel for FmKernel {
    type Examples<'d> = ScaledFeed<'d>;
    type Model = FactorizationMachine;
}

impl Kernel for FfmKernel {
    type Examples<'d> = ScaledFeed<'d>;
    type Model = FieldAware;
}

impl Kernel for MulticlassKernel {
    type Examples<'d> = ScaledFeed<'d>;
    type Model = Multiclass;
}

impl Kernel for FactorKernel {
    type Examples<'d> = RatingFeed;
    type Model = Factorization;
}

impl Kernel for RankingKernel {
    type Examples<'d> = InteractionFeed;
    type Model = Ranking;
}

impl Kernel for CutKernel {
    type Examples<'d> = EdgeFeed;
    type Model = Cut;
}

/// An update rule with the loops that are compiled for it.
pub trait Loops<K: Kernel>: Sync {
    /// What a session asks about the rule.
    fn facts(&self) -> Facts;
    /// A rate to begin with on examples whose mean squared gradient is so much.
    fn default_rate(&self, mean_square: f32) -> f32;
    /// How slots lie that have sums of gradients in them, where a loop by which a task goes keeps them there; else they lie beside.
    fn summing(&self, _examples: &K::Examples<'_>, _task: &Task<'_>) -> Option<Layout> {
        None
    }
    /// The rule as parameter servers step by it.
    fn server_rule(&self) -> ServerRule<'_>;
    /// The engine that the task asks for. With `alone` it is one worker that runs on the calling thread, and stops when those counters say so.
    ///
    /// # Errors
    /// When there is too little memory, or the system refuses threads.
    fn engine<'r, 'd: 'r>(
        &'r self,
        examples: &'r K::Examples<'d>,
        model: &'r K::Model,
        task: &'r Task<'r>,
        alone: Option<&'r Counters>,
    ) -> Result<Box<dyn Engine + 'r>>;
    /// One worker on the calling thread.
    fn alone<'r, 'd: 'r>(
        &'r self,
        examples: &'r K::Examples<'d>,
        model: &'r K::Model,
        task: &'r Task<'r>,
        counters: &'r Counters,
    ) -> Box<dyn Engine + 'r> {
        self.engine(examples, model, task, Some(counters)).expect("one worker on the calling thread has all it needs")
    }
}

/// What a session asks about a rule.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// How its numbers lie beside its weights.
    pub layout: Layout,
    /// See [`UpdateRule::averages`](crate::rules::UpdateRule::averages).
    pub averages: bool,
    /// See [`UpdateRule::proximal`](crate::rules::UpdateRule::proximal).
    pub proximal: bool,
    /// Whether it [reads](crate::rules::UpdateRule::reads) or [solves](crate::rules::UpdateRule::solves) weights by its state.
    pub reads: bool,
    /// See [`UpdateRule::learns`](crate::rules::UpdateRule::learns).
    pub learns: bool,
    /// See [`UpdateRule::schedules`](crate::rules::UpdateRule::schedules).
    pub schedules: bool,
    /// Whether it steps four ratings at a time where they lie in groups.
    pub quads: bool,
    /// Whether it steps eight examples of rows at a time where their dense slots are known.
    pub groups: bool,
}
