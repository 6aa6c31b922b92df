//! The run of epochs: evaluation after each epoch, the last good state.
use super::{
    Astray, Ended, EpochReport, Progress, Settings, Watch, curriculum,
    kept::{Kept, Ran},
    recovery::Guard,
    window::Windows,
};
use crate::{Error, Moment, Result, Schedule, Scored};
use hogwild_kernels::{
    engine::{Engine, Epoch, Reader, Task},
    order::Plan,
    params::{Finish, Parameters},
    targets::Targets,
};
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Instant,
};

/// Everything that stays the same over the epochs.
pub(super) struct Run<'a> {
    pub units: &'a [Range<u32>],
    pub settings: &'a Settings,
    pub rate: f32,
    /// Whether the rate was chosen, so that the run may start again at another.
    pub chosen: bool,
    pub targets: Targets,
    pub examples: u64,
    pub parameters: &'a Parameters,
    /// Of data larger than memory.
    pub windows: Option<&'a Windows<'a>>,
    /// What is wrong with the data's files since they were opened.
    pub damage: &'a (dyn Fn() -> Option<Error> + Sync),
}

/// How epochs went. There is one at a time, so that its size does not matter.
#[allow(clippy::large_enum_variant)]
pub(super) enum Went<T> {
    /// To their end, whatever that was.
    Through(Ran<T>),
    /// They stopped, as the run has gone astray at a rate that was chosen.
    Astray(Astray),
}

impl<'a> Run<'a> {
    /// How many examples each epoch admits.
    pub fn admitted(&self) -> Vec<u64> {
        (1..=self.settings.epochs).map(|epoch| curriculum::admitted(self.settings, self.examples, epoch)).collect()
    }

    /// What an engine is told.
    ///
    /// # Errors
    /// When the processor lacks the instruction set that was asked for.
    pub fn task<'t>(&self, admitted: &'t [u64]) -> Result<Task<'t>>
    where
        'a: 't,
    {
        let Settings { schedule, loss, aids, batch, batch_growth, seed, threads, pin, .. } = *self.settings;
        Ok(Task {
            units: self.units,
            examples: self.examples,
            admitted,
            parameters: self.parameters,
            rate: self.rate,
            schedule,
            loss,
            aids,
            batch,
            batch_growth,
            seed,
            threads,
            pin,
            set: self.settings.instruction_set()?,
            reader: self.windows.map(|windows| windows as &dyn Reader),
        })
    }
}

impl Run<'_> {
    /// Runs the epochs; at a chosen rate only as long as they do not go astray. `keep` copies what a model is made of out of the parameters, `evaluate` scores held-out data with such a copy,
    /// `losses` gives its loss at each position, infinity where that is held out.
    pub fn epochs<T>(
        &self,
        engine: &mut dyn Engine,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
        keep: impl Fn(&Parameters, &Finish<'_>) -> T,
        evaluate: impl Fn(&T) -> Option<Scored>,
        losses: impl Fn(&T) -> Vec<f32>,
    ) -> Result<Went<T>> {
        let mut guard = Guard::new(self.settings, self.chosen, self.targets);
        let mut astray = None;
        let (mut reports, mut kept) = (Vec::new(), Kept::new(self.settings));
        let examples = |epoch| curriculum::admitted(self.settings, self.examples, epoch);
        let (steps, mut before) = ((1..=self.settings.epochs).map(examples).sum::<u64>(), 0);
        let mut stalls = Stalls::default();
        for epoch in 1..=self.settings.epochs {
            let (count, epochs) = (examples(epoch), epoch as u64 - 1);
            let all_epochs = self.settings.epochs as u64;
            let moment = Moment { step: before + 1, steps, epoch: count, epochs, all_epochs, before, stalls: stalls.count };
            let start = Instant::now();
            let admitted = if count < self.examples {
                let mut losses = losses(&keep(self.parameters, &engine.finish()));
                if epoch == 1 && self.settings.loss.is_classification() {
                    // Nothing is learnt yet: the easy ones would be all those of one class.
                    losses.iter_mut().filter(|loss| loss.is_finite()).for_each(|loss| *loss = 0.0);
                }
                curriculum::easiest(&losses, count, self.settings.seed)
            } else {
                Vec::new()
            };
            // As many examples as otherwise: a block is counted before those left out are taken from it.
            let block = (self.settings.block() as u64 * self.examples / count.max(1)).min(u32::MAX as u64) as u32;
            let Settings { order, seed, .. } = *self.settings;
            let plan = match self.windows {
                Some(windows) => windows.plan(admitted, order, block, seed, epoch),
                None => Plan::new(self.units, admitted, order, block, seed, epoch),
            };
            before += count;
            let (done_before, of_all) = (moment.before, moment.steps);
            let mut follow = |examples| {
                watch.progress(Progress { epoch, examples, of: count, done: done_before + examples, of_all });
                stop.load(Relaxed) || (self.damage)().is_some()
            };
            let (tally, taken) = engine.epoch(&Epoch { number: epoch, start: moment, plan: &plan }, &mut follow);
            let seconds = start.elapsed().as_secs_f64();
            if let Some(error) = (self.damage)() {
                return Ok(Went::Through(kept.end(Ended::DataLost(error), reports, self.settings)));
            }
            let wrong = if !tally.loss.is_finite() {
                Some("the training loss")
            } else if !self.parameters.is_finite() {
                Some("a parameter")
            } else {
                None
            };
            if wrong.is_some() && self.chosen {
                let constant = self.targets.loss(self.targets.constant);
                return Ok(Went::Astray(Astray {
                    epoch,
                    loss: f64::NAN,
                    constant,
                    rate: self.rate,
                    chosen: true,
                    diverged: true,
                    next: None,
                }));
            }
            if let Some(quantity) = wrong {
                let error = Error::Diverged {
                    epoch,
                    rate: self.settings.schedule.rate(self.rate, &moment),
                    base: self.rate,
                    l2: self.settings.l2,
                    quantity,
                };
                return Ok(Went::Through(kept.end(Ended::Diverged(error), reports, self.settings)));
            }
            let start = Instant::now();
            let state = keep(self.parameters, &engine.finish());
            let interrupted = stop.load(Relaxed);
            let scored = if interrupted { None } else { evaluate(&state) };
            let scored = scored.map(|scored| Scored { unit: self.targets.scale, ..scored });
            if let Some(error) = (self.damage)() {
                return Ok(Went::Through(kept.end(Ended::DataLost(error), reports, self.settings)));
            }
            let valid = scored.as_ref().map(|scored| scored.metrics(self.settings.loss));
            let training = tally.loss / tally.examples.max(1) as f64;
            if !interrupted {
                // Of a single epoch, the loss after it.
                let only = self.settings.epochs == 1 && self.chosen && scored.is_none();
                let after = if only { mean_of_finite(&losses(&state)) } else { training };
                astray = guard.see(epoch, self.rate, after, scored.as_ref());
            }
            kept.take(epoch, interrupted, state, scored, valid.as_ref())?;
            if let (Some(valid), Schedule::Plateau { patience, .. }) = (valid, self.settings.schedule) {
                stalls.see(valid.loss, patience as u32);
            }
            let report = EpochReport {
                epoch,
                seconds,
                done: before as f64 / steps.max(1) as f64,
                evaluation_seconds: start.elapsed().as_secs_f64(),
                examples: tally.examples,
                nonzeros: tally.nonzeros,
                steps: taken,
                loss: self.targets.loss(training),
                valid,
            };
            watch.epoch(&report);
            reports.push(report);
            if interrupted {
                return Ok(Went::Through(kept.end(Ended::Interrupted, reports, self.settings)));
            }
            if let Some(astray) = astray.filter(|_| self.chosen) {
                return Ok(Went::Astray(astray));
            }
            if kept.is_enough() && epoch < self.settings.epochs {
                return Ok(Went::Through(kept.end(Ended::StoppedEarly, reports, self.settings)));
            }
        }
        astray.iter().for_each(|astray| watch.astray(astray));
        Ok(Went::Through(kept.end(Ended::Finished, reports, self.settings).with_astray(astray)))
    }
}

/// Of losses at positions, of which those held out are infinite. (A NaN stays one.)
fn mean_of_finite(losses: &[f32]) -> f64 {
    let seen = || losses.iter().filter(|loss| **loss != f32::INFINITY);
    seen().map(|&loss| loss as f64).sum::<f64>() / seen().count().max(1) as f64
}

/// Counts how often the held-out loss has stalled.
struct Stalls {
    count: u32,
    best: f64,
    waited: u32,
}

impl Default for Stalls {
    fn default() -> Self {
        Stalls { count: 0, best: f64::INFINITY, waited: 0 }
    }
}

impl Stalls {
    fn see(&mut self, loss: f64, patience: u32) {
        self.waited += 1;
        if loss < self.best {
            (self.best, self.waited) = (loss, 0);
        } else if self.waited >= patience {
            (self.count, self.waited) = (self.count + 1, 0);
        }
    }
}

/// Held-out data come from one place, and are there for a schedule that goes by them.
pub(super) fn check_held_out(valid: bool, settings: &Settings) -> Result<()> {
    if valid && settings.holdout > 0.0 {
        let problem = "cannot be used together with validation data; give one of the two".into();
        return Err(Error::BadSetting { setting: "--holdout", value: settings.holdout.to_string(), problem });
    }
    let by_loss = matches!(settings.schedule, Schedule::Plateau { .. }).then(|| ("--schedule", settings.schedule.to_string()));
    let by_metric = settings.patience.map(|patience| ("--patience", patience.to_string()));
    if let (Some((setting, value)), false) = (by_loss.or(by_metric), valid || settings.holdout > 0.0) {
        let problem = "goes by held-out data; give --valid or --holdout".into();
        return Err(Error::BadSetting { setting, value, problem });
    }
    Ok(())
}

/// Something is left to train on, and something to evaluate on, of `examples` of which so many are held out.
pub(super) fn check_split(examples: u64, held: Option<u64>, settings: &Settings) -> Result<()> {
    if let Some(held) = held.filter(|&held| held == 0 || held == examples) {
        let problem = format!("holds out {held} of {examples} examples; give another share, or --valid");
        return Err(Error::BadSetting { setting: "--holdout", value: settings.holdout.to_string(), problem });
    }
    Ok(())
}
