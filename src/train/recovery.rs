//! Whether a run has gone astray: left the finite numbers, or loses more than the constant predictor twice in a row, or (at a rate that was
//! chosen) in the end. At a rate that was chosen it then starts again at a third of it; a rate that was given is kept, and what to try is
//! said.
//!
//! It goes by held-out loss where there is any that tells something, by the training loss otherwise.
use super::{checkpoints::TrainedStates, follower::Follower, report::Astray};
use crate::{model::Scored, options::Settings};
use hogwild_base::Result;
use hogwild_kernels::{loss::Loss, simd::math::three_digits, targets::Targets};

/// What a rate is divided by when a run starts again, and how often it may; and how often where held-out loss alone is bad: data of another
/// kind may be worse than a constant at any rate.
const FALL: f32 = 3.0;
const MOST: usize = 12;
const MOST_MILD: usize = 2;
/// A loss is worse than the constant's beyond this part more: twice in a row, and in the end.
const WORSE: [f64; 2] = [0.01, 0.001];
/// And beyond so much, of standardised labels, where the constant loses nothing.
const SLACK: f64 = 1e-4;
/// Fewer held-out examples tell nothing; of more, a difference counts beyond so many standard errors.
const LEAST: usize = 50;
const ERRORS: f64 = 2.0;

/// How epochs went. There is one at a time, so that its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(super) enum Went {
    /// To their end, whatever that was.
    Through(TrainedStates),
    /// They stopped, as the run has gone astray at a rate that was chosen.
    Astray(Astray),
}

/// Follows the losses of one run, in standardised labels.
pub(super) struct Guard<'a> {
    settings: &'a Settings,
    /// Whether the run may start again.
    restarts: bool,
    loss: Loss,
    targets: Targets,
    /// Epochs in a row that were worse; whether any was better.
    worse: usize,
    better: bool,
}

/// A loss beside the constant's, on the same examples.
struct Beside {
    loss: f64,
    constant: f64,
    /// Standard error of their difference.
    error: f64,
}

impl Beside {
    fn is_worse(&self, part: f64) -> bool {
        let slack = if self.constant < SLACK { SLACK } else { 0.0 };
        self.loss.is_nan() || self.loss > self.constant + part * self.constant.abs() + ERRORS * self.error + slack
    }
}

impl<'a> Guard<'a> {
    pub fn new(settings: &'a Settings, restarts: bool, (loss, targets): (Loss, Targets)) -> Guard<'a> {
        Guard { settings, restarts, loss, targets, worse: 0, better: false }
    }

    /// Takes an epoch's mean training loss and held-out scores, and tells what is wrong with the run, if anything is.
    pub fn see(&mut self, epoch: usize, rate: f32, training: f64, scored: Option<&Scored>) -> Option<Astray> {
        let of_training = Beside { loss: training, constant: self.targets.constant, error: 0.0 };
        let held = scored.and_then(|scored| self.beside(scored));
        let now = held.as_ref().unwrap_or(&of_training);
        self.worse = if now.is_worse(WORSE[0]) { self.worse + 1 } else { 0 };
        self.better |= !now.is_worse(0.0);
        // A first epoch's training loss is from before anything was learnt, unless the whole run is one.
        let known = held.is_some() || epoch > 1 || self.settings.epochs == 1;
        let last = self.restarts && epoch == self.settings.epochs && known && now.is_worse(WORSE[1]);
        // With early stopping the best epoch's model is kept, whatever comes after it.
        let counts = self.settings.patience.is_none() || !self.better;
        ((self.worse >= 2 || last) && counts).then(|| Astray {
            epoch,
            loss: self.targets.loss(now.loss),
            constant: self.targets.loss(now.constant),
            rate,
            chosen: self.settings.lr.is_none(),
            diverged: of_training.is_worse(WORSE[0]),
            next: None,
        })
    }

    /// Held-out loss; none where it tells nothing: of few examples, or of features that the model does not know, for which all scores are
    /// alike.
    fn beside(&self, scored: &Scored) -> Option<Beside> {
        let scores = &scored.scores;
        let first = scores.first()?.0;
        if scores.len() < LEAST || scores.iter().all(|&(z, _)| z == first) {
            return None;
        }
        let (mut sums, mut square, mut weights, mut weight_squares) = ([0.0; 2], 0.0, 0.0, 0.0);
        for (i, &(z, y)) in scores.iter().enumerate() {
            let weight = scored.weight(i);
            let y = self.targets.standard(y);
            let [loss, constant] = [self.targets.standard(z), self.targets.base].map(|z| self.loss.value(z, y) as f64);
            sums = [sums[0] + weight * loss, sums[1] + weight * constant];
            square += weight * (loss - constant).powi(2);
            (weights, weight_squares) = (weights + weight, weight_squares + weight * weight);
        }
        let [loss, constant] = sums.map(|sum| sum / weights);
        let variance = square / weights - (loss - constant).powi(2);
        // So many examples of one weight would say as much.
        let examples = weights * weights / weight_squares;
        Some(Beside { loss, constant, error: (variance.max(0.0) / examples).sqrt() })
    }
}

/// Runs at a rate; where that was chosen and goes astray, again at lower ones. `attempt` is given the rate, and whether it may go astray.
/// Gives the rate that was kept, too.
pub(super) fn at_rates(
    mut rate: f32,
    chosen: bool,
    follower: &mut Follower<'_>,
    attempt: &dyn Fn(f32, bool, &mut Follower<'_>) -> Result<Went>,
) -> Result<(TrainedStates, f32)> {
    let (mut left, mut mild) = (if chosen { MOST } else { 0 }, 0);
    loop {
        match attempt(rate, left > 0 && mild <= MOST_MILD, follower)? {
            Went::Through(ran) => return Ok((ran, rate)),
            Went::Astray(astray) => {
                rate = three_digits(rate / FALL);
                (left, mild) = (left - 1, mild + !astray.diverged as usize);
                follower.watch.astray(&Astray { next: Some(rate), ..astray });
            }
        }
    }
}
