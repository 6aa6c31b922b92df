//! What a run keeps of its way: the state of the last good epoch; with early stopping that of the best; with snapshots (Huang et al.,
//! "Snapshot ensembles: train 1, get M for free", ICLR 2017) one of the end of each cosine cycle, which together are one model.
use super::{
    report::{Astray, Ended, EpochReport, Outcome},
    resolved::Resolved,
    stopping::Best,
};
use crate::{
    family::prepared::Basis,
    model::{Metrics, Scored, Tensors, TrainedModel},
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_kernels::schedule::epochs_of_cycle;
use serde_json::Value;

/// What is kept of an epoch.
struct Kept {
    /// From 1.
    epoch: usize,
    state: Tensors,
    /// What it scores on held-out data, where several states are to be one model.
    scored: Option<Scored>,
}

/// The epochs that are kept so far.
pub(super) struct Checkpoints {
    states: Vec<Kept>,
    /// Whether the last of them gives way to the next.
    passing: bool,
    best: Option<Best>,
    epochs: u64,
    snapshots: Option<u64>,
}

impl Checkpoints {
    pub fn new(settings: &Settings) -> Checkpoints {
        let snapshots = settings.snapshots.map(|n| n as u64);
        Checkpoints { states: Vec::new(), passing: false, best: Best::new(settings), epochs: settings.epochs as u64, snapshots }
    }

    /// Takes the state after an epoch, from 1, or after the `part` of it that was run before an interruption.
    pub fn take(&mut self, epoch: usize, part: bool, state: Tensors, scored: Option<Scored>, valid: Option<&Metrics>) -> Result<()> {
        let better = match (&mut self.best, valid) {
            (Some(best), Some(valid)) => best.see(epoch, valid)?,
            (best, _) => best.is_none(),
        };
        if better || self.states.is_empty() {
            if self.passing {
                self.states.pop();
            }
            self.states.push(Kept { epoch, state, scored: scored.filter(|_| self.snapshots.is_some()) });
            let ends = |n| epochs_of_cycle(epoch as u64 - 1, self.epochs, n).end == epoch as u64;
            self.passing = part || !self.snapshots.is_some_and(ends);
        }
        Ok(())
    }

    /// Whether more epochs are no use.
    pub fn is_enough(&self) -> bool {
        self.best.as_ref().is_some_and(Best::is_over)
    }

    /// The end of the run.
    pub fn end(mut self, ended: Ended, epochs: Vec<EpochReport>, settings: &Settings) -> TrainedStates {
        // In the midst of a cycle the rate is high: such a state is a model only where there is no other.
        if self.passing && self.states.len() > 1 {
            self.states.pop();
        }
        let (mut states, mut kept, mut scored) = (Vec::new(), Vec::new(), Vec::new());
        for one in self.states {
            states.push(one.state);
            kept.push(one.epoch);
            scored.extend(one.scored);
        }
        let ensemble = (scored.len() > 1).then(|| Scored::mean(settings.loss, scored).metrics(settings.loss));
        TrainedStates { states, kept, ended, epochs, best: self.best.and_then(|best| best.epoch), astray: None, ensemble }
    }
}

/// The model of such members, trained by settings, which it keeps as told.
pub(super) fn trained(family: &'static str, basis: &Basis, (asked, told): (&Settings, Value), members: Vec<Tensors>) -> TrainedModel {
    TrainedModel {
        family,
        loss: asked.loss,
        unit: basis.targets.scale,
        classes: basis.classes,
        class_names: Vec::new(),
        unit_rows: basis.unit_rows,
        settings: told,
        recipe: basis.recipe.clone(),
        axes: basis.axes.clone(),
        members,
    }
}

/// What a run gave, before it is a model.
pub(super) struct TrainedStates {
    states: Vec<Tensors>,
    /// The epochs that left them.
    kept: Vec<usize>,
    ended: Ended,
    epochs: Vec<EpochReport>,
    best: Option<usize>,
    astray: Option<Astray>,
    ensemble: Option<Metrics>,
}

impl TrainedStates {
    /// The same, gone astray at its end, if it has.
    pub fn with_astray(self, astray: Option<Astray>) -> TrainedStates {
        TrainedStates { astray, ..self }
    }

    /// The same with a model of that family.
    pub fn outcome(self, family: &'static str, basis: &Basis, settings: Resolved) -> Outcome {
        let TrainedStates { states: mut members, mut kept, mut ended, epochs, best, astray, ensemble } = self;
        // What is finite by standardised labels and scaled features need not be by those in the file.
        if !members.iter().all(Tensors::are_finite) {
            let (rate, quantity) = (settings.lr, "a weight, in the unit of the labels over that of its feature,");
            ended = Ended::Diverged(Error::Diverged { epoch: epochs.len(), rate, base: rate, l2: settings.asked.l2, quantity });
            members.clear();
            kept.clear();
        }
        let model = (!members.is_empty()).then(|| trained(family, basis, (&settings.asked, settings.describe()), members));
        Outcome { model, kept, ended, epochs, best, astray, ensemble, settings }
    }
}
