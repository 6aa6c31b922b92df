//! The run of epochs: pinned workers, evaluation after each epoch, the last good state.
use super::{
    Counters, Ended, Epoch, EpochReport, Feed, Plan, Progress, Settings, Tally, Watch, curriculum,
    kept::{Kept, Ran},
};
use crate::{
    Scored,
    aids::Adjuster,
    error::{Error, Result},
    models::Model,
    params::{Finish, InstructionSet, Parameters, dispatch},
    rules::{Clock, UpdateRule},
    schedule::{Moment, Schedule},
};
use crossbeam::channel::{RecvTimeoutError, unbounded};
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// Everything that stays the same over the epochs.
pub(super) struct Run<'a, F, M, R> {
    pub feed: &'a F,
    pub units: &'a [Range<u32>],
    pub model: &'a M,
    pub rule: R,
    pub settings: &'a Settings,
    pub rate: f32,
    pub examples: u64,
    pub parameters: &'a Parameters,
}

impl<F: Feed<M>, M: Model, R: UpdateRule> Run<'_, F, M, R> {
    /// Runs the epochs. `keep` copies what a model is made of out of the parameters, `evaluate` scores held-out data with such a copy,
    /// `losses` gives its loss at each position, infinity where that is held out.
    pub fn epochs<T>(
        &self,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
        keep: impl Fn(&Parameters, &Finish<'_, R>) -> T,
        evaluate: impl Fn(&T) -> Option<Scored>,
        losses: impl Fn(&T) -> Vec<f32>,
    ) -> Result<Ran<T>> {
        let (mut reports, mut kept) = (Vec::new(), Kept::new(self.settings));
        let set = self.settings.instruction_set()?;
        let examples = |epoch| curriculum::admitted(self.settings, self.examples, epoch);
        let (steps, mut before) = ((1..=self.settings.epochs).map(examples).sum::<u64>(), 0);
        let mut stalls = Stalls::default();
        let mut memories = vec![R::Memory::default(); self.settings.threads];
        for epoch in 1..=self.settings.epochs {
            let (count, epochs) = (examples(epoch), epoch as u64 - 1);
            let all_epochs = self.settings.epochs as u64;
            let moment = Moment { step: before + 1, steps, epoch: count, epochs, all_epochs, before, stalls: stalls.count };
            let start = Instant::now();
            let admitted = if count < self.examples {
                let state = keep(self.parameters, &self.finish(&moment, moment.step, &memories[0]));
                curriculum::easiest(&losses(&state), count, self.settings.seed)
            } else {
                Vec::new()
            };
            // As many examples as otherwise: a block is counted before those left out are taken from it.
            let block = (self.settings.exchange_every as u64 * self.examples / count.max(1)).min(u32::MAX as u64) as u32;
            let plan = Plan::new(self.units, admitted, self.settings.order, block, self.settings.seed, epoch);
            before += count;
            let tally;
            (tally, memories) = self.epoch(epoch, moment, memories, &plan, set, watch, stop);
            let seconds = start.elapsed().as_secs_f64();
            let wrong = if !tally.loss.is_finite() {
                Some("the training loss")
            } else if !self.parameters.is_finite() {
                Some("a parameter")
            } else {
                None
            };
            if let Some(quantity) = wrong {
                let error = Error::Diverged {
                    epoch,
                    rate: self.settings.schedule.rate(self.rate, &moment),
                    base: self.rate,
                    l2: self.settings.l2,
                    quantity,
                };
                return Ok(kept.end(Ended::Diverged(error), reports, self.settings));
            }
            let start = Instant::now();
            // At the rate of the step before: the next one's may be that of a restart.
            let last = Moment { step: moment.step + tally.examples - 1, ..moment };
            let state = keep(self.parameters, &self.finish(&last, last.step + 1, &memories[0]));
            let interrupted = stop.load(Relaxed);
            let scored = if interrupted { None } else { evaluate(&state) };
            let valid = scored.as_ref().map(|scored| scored.metrics(self.settings.loss));
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
                loss: tally.loss / tally.examples.max(1) as f64,
                valid,
            };
            watch.epoch(&report);
            reports.push(report);
            if interrupted {
                return Ok(kept.end(Ended::Interrupted, reports, self.settings));
            }
            if kept.is_enough() && epoch < self.settings.epochs {
                return Ok(kept.end(Ended::StoppedEarly, reports, self.settings));
            }
        }
        Ok(kept.end(Ended::Finished, reports, self.settings))
    }

    /// How a model is made of the parameters before step number `step`, at the rate of a moment.
    fn finish(&self, at: &Moment, step: u64, memory: &R::Memory) -> Finish<'_, R> {
        let clock = Clock { rate: self.settings.schedule.rate(self.rate, at), step, steps: at.steps };
        Finish { rule: &self.rule, step: self.rule.prepare(&clock, memory), average: self.settings.aids.scale_of_average(&clock) }
    }

    fn epoch(
        &self,
        epoch: usize,
        start: Moment,
        memories: Vec<R::Memory>,
        plan: &Plan,
        set: InstructionSet,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
    ) -> (Tally, Vec<R::Memory>) {
        let counters = Counters::default();
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        let threads = self.settings.threads;
        let pin = self.settings.pin && threads <= cores.len();
        let (done, over) = unbounded();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .zip(memories)
                .map(|(worker, memory)| {
                    let core = cores.get(worker).copied().filter(|_| pin);
                    let (plan, counters, done) = (plan, &counters, done.clone());
                    scope.spawn(move || {
                        core.map(core_affinity::set_for_current);
                        let job = Epoch {
                            feed: self.feed,
                            model: self.model,
                            loss: self.settings.loss,
                            rule: self.rule,
                            memory,
                            rate: self.rate,
                            schedule: self.settings.schedule,
                            start,
                            aids: &self.settings.aids,
                            adjuster: Adjuster::new(self.settings.aids, self.settings.seed, (epoch * threads + worker) as u64),
                            parameters: self.parameters,
                            worker,
                            plan,
                            counters,
                        };
                        let result = dispatch(set, job);
                        let _ = done.send(()); // the other end waits for it
                        result
                    })
                })
                .collect();
            drop(done); // the channel is closed when the last worker has ended, in whatever way
            let mut running = threads;
            while running > 0 {
                match over.recv_timeout(Duration::from_millis(100)) {
                    Ok(()) => running -= 1,
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => {
                        counters.stop.fetch_or(stop.load(Relaxed), Relaxed);
                        let examples = counters.examples.load(Relaxed);
                        watch.progress(Progress { epoch, examples, of: start.epoch, done: start.before + examples, of_all: start.steps });
                    }
                }
            }
            // A worker has no way to fail but a defect of this crate, which is passed on.
            let results = workers.into_iter().map(|worker| worker.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
            let (tallies, memories): (Vec<Tally>, _) = results.unzip();
            (tallies.into_iter().fold(Tally::default(), Tally::add), memories)
        })
    }
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
