//! The run of epochs: pinned workers, evaluation after each epoch, the last good state.
use super::{
    Astray, Counters, Ended, Epoch, EpochReport, Feed, Plan, Progress, Settings, Tally, Targets, Watch, curriculum,
    kept::{Kept, Ran},
    recovery::Guard,
    threads,
    window::Windows,
};
use crate::{
    Scored,
    aids::Adjuster,
    error::{Error, Result},
    models::Model,
    params::{Aiding, Finish, InstructionSet, Parameters, dispatch},
    rules::{Clock, UpdateRule},
    schedule::{Moment, Schedule},
};
use crossbeam::channel::{Receiver, RecvTimeoutError, unbounded};
use std::{
    marker::PhantomData,
    ops::Range,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

/// Everything that stays the same over the epochs.
pub(super) struct Run<'a, F, M> {
    pub feed: &'a F,
    pub units: &'a [Range<u32>],
    pub model: &'a M,
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

/// A way through an epoch, with what it keeps from one to the next.
pub(super) trait Way {
    /// Goes through epoch number `epoch`, which begins at `start`, as planned; returns what was done, and in how many steps.
    fn epoch(&mut self, epoch: usize, start: Moment, plan: &Plan, watch: &mut dyn Watch, stop: &AtomicBool) -> (Tally, u64);
    /// How a model is made of the parameters as they stand: by the step that would come next, but at the rate of the last one (the next may
    /// be that of a restart).
    fn finish(&self) -> Finish<'_>;
}

impl<'a, F, M> Run<'a, F, M> {
    /// The run by itself, whatever is trained on: what goes by it is compiled once.
    pub fn plain(&self) -> Run<'a, (), ()> {
        let Run { units, settings, rate, chosen, targets, examples, parameters, windows, damage, .. } = *self;
        Run { feed: &(), model: &(), units, settings, rate, chosen, targets, examples, parameters, windows, damage }
    }

    /// The same run of the same model in another form.
    pub fn with_model<'m, To>(&'m self, model: &'m To) -> Run<'m, F, To> {
        let Run { feed, units, settings, rate, chosen, targets, examples, parameters, windows, damage, .. } = *self;
        Run { feed, model, units, settings, rate, chosen, targets, examples, parameters, windows, damage }
    }
}

impl Run<'_, (), ()> {
    /// Runs the epochs; at a chosen rate only as long as they do not go astray. `keep` copies what a model is made of out of the parameters, `evaluate` scores held-out data with such a copy,
    /// `losses` gives its loss at each position, infinity where that is held out.
    pub fn epochs<T>(
        &self,
        way: &mut dyn Way,
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
                let mut losses = losses(&keep(self.parameters, &way.finish()));
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
            let (tally, taken) = way.epoch(epoch, moment, &plan, watch, stop);
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
            let state = keep(self.parameters, &way.finish());
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

    /// Has all workers of a pool do their share of an epoch, under the eyes of `watch`.
    fn together(
        &self,
        pool: &rayon::ThreadPool,
        epoch: usize,
        start: &Moment,
        plan: &Plan,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
        share: &(dyn Fn(usize, &Counters) -> Tally + Sync),
    ) -> Tally {
        let counters = &Counters::default();
        let threads = self.settings.threads;
        let (done, over) = unbounded();
        let mut tallies = thread::scope(|scope| {
            // Without a thread for it nothing is read ahead, and the gate stands open: it is only slower.
            let _shut = self.windows.zip(plan.gate()).and_then(|(windows, gate)| {
                let shut = gate.shut();
                let reader = thread::Builder::new().spawn_scoped(scope, move || windows.read(gate, &counters.stop));
                reader.is_ok().then_some(shut)
            });
            pool.in_place_scope(|scope| {
                // The channel is closed when the last worker has ended, in whatever way.
                scope.spawn_broadcast(move |_, context| {
                    let worker = context.index();
                    let _ = done.send((worker, share(worker, counters))); // the other end waits for it
                });
                self.follow(start, epoch, threads, &over, counters, watch, stop)
            })
        });
        tallies.sort_by_key(|&(worker, _)| worker);
        tallies.into_iter().fold(Tally::default(), |sum, (_, tally)| sum.add(tally))
    }

    /// Tells how the epoch goes and passes on the wish to stop, until so many workers have sent their results.
    pub fn follow<T>(
        &self,
        start: &Moment,
        epoch: usize,
        workers: usize,
        over: &Receiver<T>,
        counters: &Counters,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
    ) -> Vec<T> {
        let mut results = Vec::new();
        while results.len() < workers {
            match over.recv_timeout(Duration::from_millis(100)) {
                Ok(result) => results.push(result),
                Err(RecvTimeoutError::Disconnected) => break, // the last worker has ended, in whatever way
                Err(RecvTimeoutError::Timeout) => {
                    counters.stop.fetch_or(stop.load(Relaxed) || (self.damage)().is_some(), Relaxed);
                    let examples = counters.examples.load(Relaxed);
                    watch.progress(Progress { epoch, examples, of: start.epoch, done: start.before + examples, of_all: start.steps });
                }
            }
        }
        results
    }
}

/// The way of Hogwild!: workers that wait for nobody, a step an example.
pub(super) struct Workers<'a, F, M, R: UpdateRule, A> {
    aiding: PhantomData<A>,
    run: &'a Run<'a, F, M>,
    rule: R,
    set: InstructionSet,
    pool: rayon::ThreadPool,
    /// What each worker's rule has learnt.
    memories: Vec<Mutex<R::Memory>>,
    clock: Clock,
}

impl<'a, F, M, R: UpdateRule, A> Workers<'a, F, M, R, A> {
    pub fn new(run: &'a Run<'a, F, M>, rule: R) -> Result<Self> {
        let memories = (0..run.settings.threads).map(|_| Mutex::default()).collect();
        Ok(Workers {
            aiding: PhantomData,
            run,
            rule,
            set: run.settings.instruction_set()?,
            pool: threads::pool(run.settings)?,
            memories,
            clock: Clock { rate: run.rate, ..Clock::default() },
        })
    }

    /// A worker's memory, which nobody else has at hand.
    fn memory(&self, worker: usize) -> MutexGuard<'_, R::Memory> {
        self.memories[worker].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Feed<M>, M: Model, R: UpdateRule, A: Aiding> Way for Workers<'_, F, M, R, A> {
    fn epoch(&mut self, epoch: usize, start: Moment, plan: &Plan, watch: &mut dyn Watch, stop: &AtomicBool) -> (Tally, u64) {
        let Run { feed, model, settings, rate, parameters, .. } = *self.run;
        let share = |worker: usize, counters: &Counters| {
            let (schedule, aids, mut memory) = (settings.schedule, &settings.aids, self.memory(worker));
            let job = Epoch {
                feed,
                model,
                loss: settings.loss,
                rule: self.rule,
                memory: memory.clone(),
                rate,
                schedule,
                start,
                aids,
                adjuster: Adjuster::new(*aids, settings.seed, (epoch * settings.threads + worker) as u64),
                parameters,
                worker,
                plan,
                counters,
                aiding: PhantomData::<A>,
            };
            let tally;
            (tally, *memory) = dispatch(self.set, job);
            tally
        };
        let tally = self.run.plain().together(&self.pool, epoch, &start, plan, watch, stop, &share);
        let last = Moment { step: start.step + tally.examples - 1, ..start };
        self.clock = Clock { rate: settings.schedule.rate(rate, &last), step: last.step + 1, steps: last.steps };
        (tally, tally.examples)
    }

    fn finish(&self) -> Finish<'_> {
        let step = self.rule.prepare(&self.clock, &self.memory(0));
        Finish::new(&self.rule, step, self.run.settings.aids.scale_of_average(&self.clock))
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
