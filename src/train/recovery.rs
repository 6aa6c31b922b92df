//! Whether a run has gone astray: left the finite numbers, or loses more than the constant predictor twice in a row, or (at a rate that was
//! chosen) in the end. At a rate that was chosen it then starts again at a third of it; a rate that was given is kept, and what to try is said.
//!
//! It goes by held-out loss where there is any, by the training loss otherwise.
use super::{Astray, Settings, Targets, Watch, kept::Ran, run::Went};
use crate::{Metrics, Result, Scored, math::three_digits};

/// What a rate is divided by when a run starts again, and how often it may.
const FALL: f32 = 3.0;
const MOST: usize = 12;
/// A loss is worse than the constant's beyond this part more: twice in a row, and in the end.
const WORSE: [f64; 2] = [0.01, 0.001];
/// And beyond so much, of standardised labels: where all are alike the constant loses nothing.
const SLACK: f64 = 1e-4;

/// Follows the losses of one run.
pub(super) struct Guard<'a> {
    settings: &'a Settings,
    /// Whether the rate was chosen.
    chosen: bool,
    targets: Targets,
    /// The mean training loss of the constant that loses least.
    training: f64,
    /// Its mean held-out loss.
    held: Option<f64>,
    /// Epochs in a row that were worse; whether any was better.
    worse: usize,
    better: bool,
}

impl<'a> Guard<'a> {
    pub fn new(settings: &'a Settings, chosen: bool, targets: Targets) -> Guard<'a> {
        Guard { settings, chosen, targets, training: targets.loss(targets.constant), held: None, worse: 0, better: false }
    }

    /// Takes an epoch's losses, and tells what is wrong with the run, if anything is.
    pub fn see(&mut self, epoch: usize, rate: f32, training: f64, scored: Option<&Scored>, valid: Option<&Metrics>) -> Option<Astray> {
        let of_constant = |scored: &Scored| {
            let scores = scored.scores.iter().map(|&(_, y)| (self.targets.bias(self.targets.base), y)).collect();
            Scored { scores, unknown: 0, unit: scored.unit }.metrics(self.settings.loss).loss
        };
        self.held = self.held.or_else(|| scored.map(of_constant));
        let (loss, constant) = valid.map(|valid| valid.loss).zip(self.held).unwrap_or((training, self.training));
        let by = |part: f64| loss > constant * (1.0 + part) + self.targets.loss(SLACK);
        self.worse = if by(WORSE[0]) { self.worse + 1 } else { 0 };
        self.better |= !by(0.0);
        // A first epoch's training loss is from before anything was learnt.
        let last = self.chosen && epoch == self.settings.epochs && by(WORSE[1]) && (valid.is_some() || epoch > 1);
        // With early stopping the best epoch's model is kept, whatever comes after it.
        let counts = self.settings.patience.is_none() || !self.better;
        ((self.worse >= 2 || last) && counts).then(|| Astray {
            epoch,
            loss,
            constant,
            rate,
            chosen: self.settings.lr.is_none(),
            diverged: training > self.training * (1.0 + WORSE[0]),
            next: None,
        })
    }
}

/// Runs at a rate; where that was chosen and goes astray, again at lower ones. `attempt` is given the rate, and whether it may go astray. Gives
/// the rate that was kept, too.
pub(super) fn at_rates<T>(
    mut rate: f32,
    chosen: bool,
    watch: &mut dyn Watch,
    mut attempt: impl FnMut(f32, bool, &mut dyn Watch) -> Result<Went<T>>,
) -> Result<(Ran<T>, f32)> {
    let mut left = if chosen { MOST } else { 0 };
    loop {
        match attempt(rate, left > 0, watch)? {
            Went::Through(ran) => return Ok((ran, rate)),
            Went::Astray(astray) => {
                rate = three_digits(rate / FALL);
                left -= 1;
                watch.astray(&Astray { next: Some(rate), ..astray });
            }
        }
    }
}
