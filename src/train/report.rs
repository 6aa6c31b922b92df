//! What a run tells: to someone who follows it, and at its end.
use super::resolved::Resolved;
use crate::{
    family::WindowReport,
    model::{Metrics, TrainedModel},
};
use hogwild_base::Error;
use hogwild_kernels::feed::Normalize;
use std::ops::ControlFlow;

/// What an epoch gave.
#[derive(Clone, Debug)]
pub struct EpochReport {
    /// From 1.
    pub epoch: usize,
    /// Of training alone.
    pub seconds: f64,
    /// Of evaluation.
    pub evaluation_seconds: f64,
    /// Share of the run's examples that are done, 0 to 1.
    pub done: f64,
    /// Examples trained on in this epoch.
    pub examples: u64,
    /// Nonzeros (or ratings) visited in this epoch.
    pub nonzeros: u64,
    /// Steps in this epoch: one an example, or one a batch.
    pub steps: u64,
    /// Mean loss of the epoch's examples, each taken just before its step.
    pub loss: f64,
    /// On held-out data, where there is any.
    pub valid: Option<Metrics>,
}

/// A learning rate that was tried: see `Settings::lr`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TriedRate {
    /// The rate.
    pub rate: f32,
    /// Mean loss of held-out examples after the last epoch of its trial, in standardised labels. None: it left the finite numbers.
    pub loss: Option<f64>,
    /// Mean loss of the examples trained on in that epoch.
    pub training: Option<f64>,
    /// How many it was trained on, over all epochs.
    pub examples: u64,
}

impl TriedRate {
    pub(crate) fn new(rate: f32) -> TriedRate {
        TriedRate { rate, loss: None, training: None, examples: 0 }
    }
}

/// What a learning-rate search gave.
#[derive(Clone, Debug)]
pub struct RateSearchReport {
    /// A ladder on a small sample, then a finer one about its best on a larger sample; each by rate. None where no rate is tried: the
    /// rule's default is taken.
    pub rates: Vec<TriedRate>,
    /// For the run.
    pub chosen: f32,
    /// The held-out loss of the constant that loses least, on the larger sample; None where no rate is tried.
    pub constant: Option<f64>,
    /// Whether any rate was better than that. If not, the one chosen hardly moves the model.
    pub helped: bool,
    /// Wall time of the search, in seconds.
    pub seconds: f64,
}

/// A run that loses more than the constant predictor, or has left the finite numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Astray {
    /// From 1.
    pub epoch: usize,
    /// The epoch's held-out loss where there is any, else its training loss; NaN where something was not finite.
    pub loss: f64,
    /// That of the constant that loses least.
    pub constant: f64,
    /// The learning rate.
    pub rate: f32,
    /// Whether that was chosen, and not given.
    pub chosen: bool,
    /// Whether the training loss is beyond that of the constant too: so the run has diverged, and held-out data are not merely unlike.
    pub diverged: bool,
    /// The rate at which the run starts again; None where it was given, and is kept, or was lowered twelve times.
    pub next: Option<f32>,
}

/// Where a running epoch stands.
#[derive(Clone, Copy, Debug)]
pub struct EpochProgress {
    /// From 1; 0 in the learning-rate search before, where `examples` and `of` count rates.
    pub epoch: usize,
    /// Examples done in this epoch.
    pub examples: u64,
    /// Examples in this epoch.
    pub of: u64,
    /// Examples done in the run.
    pub done: u64,
    /// Examples in the run.
    pub of_all: u64,
}

/// Someone who follows the run, and may end it.
///
/// ```
/// use hogwild::{EpochReport, Watch};
/// use std::ops::ControlFlow;
///
/// /// Ends the run when the training loss is low enough.
/// struct Until(f64);
///
/// impl Watch for Until {
///     fn epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
///         if report.loss < self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
///     }
/// }
/// ```
pub trait Watch {
    /// Called before the search where features are scaled unasked, with the sizes of the smallest and the largest feature (roots of mean
    /// squares).
    fn scaled(&mut self, _how: Normalize, _sizes: [f64; 2]) {}
    /// Called before the search where the data are larger than memory.
    fn window(&mut self, _report: &WindowReport) {}
    /// Called after the learning-rate search, and where the rate is the rule's default.
    fn rate_search(&mut self, _report: &RateSearchReport) {}
    /// Called at least every 50 milliseconds while an epoch or a search runs. `Break` ends the run in the midst of the epoch, as soon as
    /// workers are through with their blocks: see [`Ended::Interrupted`].
    fn progress(&mut self, _progress: EpochProgress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// Whether it takes the [`model`](Self::model) of each epoch, which is copied for it.
    fn takes_models(&self) -> bool {
        false
    }
    /// Called before [`epoch`](Self::epoch) with the model as that epoch left it, where it [takes models](Self::takes_models).
    fn model(&mut self, _model: TrainedModel) {}
    /// Called after every epoch, however short. `Break` ends the run there: see [`Ended::Stopped`].
    fn epoch(&mut self, _report: &EpochReport) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// Called when a run loses more than a constant prediction, or has left the finite numbers; epochs then begin at 1 again if there is a
    /// `next` rate.
    fn astray(&mut self, _astray: &Astray) {}
}

/// Follows nothing.
impl Watch for () {}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// All epochs were run.
    Finished,
    /// The held-out metric had got no better for [`patience`](crate::Settings::patience) epochs.
    StoppedEarly,
    /// Whoever followed it ended it after an epoch; the model is that of the epochs run, as if there were no more.
    Stopped,
    /// It was asked to stop in the midst of an epoch; the model is as it was then.
    Interrupted,
    /// Something became NaN or infinite; the model is that of the last good epoch, if there was one.
    Diverged(Error),
    /// A file of data was cut short, or could no longer be read; the model is that of the last good epoch, if there was one.
    DataLost(Error),
}

/// What a run gave.
#[derive(Debug)]
pub struct Outcome {
    /// With early stopping that of the best epoch; with snapshots an ensemble of the completed cycles, or the last good epoch's model
    /// when none was. None when the first epoch already diverged.
    pub model: Option<TrainedModel>,
    /// The epochs, from 1, whose states are the model's members: one, or with snapshots the last of each completed cycle. Empty where there
    /// is no model.
    pub kept: Vec<usize>,
    /// Why it ended.
    pub ended: Ended,
    /// One an epoch that was completed.
    pub epochs: Vec<EpochReport>,
    /// With early stopping, the epoch whose model it is, from 1: the best by the held-out metric; None when none was evaluated.
    pub best: Option<usize>,
    /// Where the run went astray at its end, and was kept all the same, as its rate was given.
    pub astray: Option<Astray>,
    /// The held-out metrics of an ensemble of snapshots as a whole; those of its members are in their epochs' reports.
    pub ensemble: Option<Metrics>,
    /// The settings as used, with every default filled in.
    pub settings: Resolved,
}
