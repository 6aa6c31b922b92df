//! A trial: one rate's whole run on a sample, on one thread, and its loss on examples that the sample holds out.
//!
//! Which examples train and which judge: see `folds` of the families.
use super::{
    follower::{Follower, LOOK},
    report::{EpochProgress, TriedRate},
};
use crate::{
    family::{
        Fold,
        prepared::{Basis, Stage},
    },
    options::Settings,
};
use crossbeam_channel::{RecvTimeoutError, Sender, unbounded};
use hogwild_base::{Error, Result, memory};
use hogwild_kernels::{
    engine::{Counters, Engine, Epoch, Facts, Follow, Task},
    loss::Loss,
    order::{BLOCK, Order, Plan},
    params::{Parameters, Shape},
    schedule::Moment,
    simd::InstructionSet,
    transforms::Transforms,
};
use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
    time::Instant,
};

/// The most epochs that are tried. A longer run has a rate lower by the root of how much longer it is, as steps at one rate go
/// (Nemirovski, Juditsky, Lan & Shapiro 2009).
pub(super) const EPOCHS: usize = 20;
/// A trial's parameters with a copy of its weights, in parameters.
const ROOM: u64 = 3;
/// With early stopping, how often a trial is judged.
const LOOKS: u64 = 5;

/// A rate that was tried, with the losses of the examples that judge.
type Tried = (TriedRate, Vec<f32>);

/// Trials on a stage.
pub(super) struct Trials<'a> {
    stage: &'a dyn Stage,
    facts: &'a Facts,
    /// What is minimised.
    loss: Loss,
    settings: &'a Settings,
    set: InstructionSet,
    /// Of a trial's parameters.
    shape: Shape,
}

impl<'a> Trials<'a> {
    pub fn new(stage: &'a dyn Stage, basis: &'a Basis, settings: &'a Settings, set: InstructionSet) -> Trials<'a> {
        Trials { stage, facts: &basis.facts, loss: basis.loss, settings, set, shape: stage.shape().alone() }
    }

    /// Examples of a fold that are trained on.
    pub fn examples(&self) -> u64 {
        self.stage.folds().first().map_or(0, Fold::examples)
    }

    /// The losses of a constant score on the examples that judge.
    pub fn constant_losses(&self, score: f32) -> Result<Vec<f32>> {
        let parameters = self.parameters()?;
        let (task, mut losses) = (self.task(0.0, &parameters, &[]), Vec::new());
        self.stage.with_engine(&task, &Counters::default(), &mut |engine| {
            let finish = engine.finish();
            let judged = self.stage.folds().iter().flat_map(|fold| self.stage.judge(&parameters, &finish, fold));
            losses = judged.map(|judged| judged.weight * self.loss.value(score, judged.target)).collect();
        });
        Ok(losses)
    }

    /// Room for a trial's parameters.
    fn parameters(&self) -> Result<Parameters> {
        Parameters::new(&self.shape, &self.facts.layout)
    }

    /// What a trial's engine is told.
    fn task<'t>(&self, rate: f32, parameters: &'t Parameters, admitted: &'t [u64]) -> Task<'t> {
        let Settings { schedule, batch, batch_growth, seed, .. } = *self.settings;
        let transforms = Transforms { average: None, ..self.settings.transforms };
        let examples = admitted.first().copied().unwrap_or(0);
        Task {
            units: &[],
            examples,
            admitted,
            parameters,
            rate,
            schedule,
            loss: self.loss,
            transforms,
            batch,
            batch_growth,
            pipeline: None,
            seed,
            threads: 1,
            pin: false,
            node: None,
            set: self.set,
            reader: None,
            simulation: None,
        }
    }

    /// Tries the rates on as many threads as the search has, each on one; gives the losses of the examples that judge, none of a rate
    /// that left the finite numbers.
    pub fn side_by_side(&self, rates: &[f32], follower: &mut Follower<'_>) -> Result<Vec<Tried>> {
        let (next, counters) = (AtomicUsize::new(0), Vec::from_iter(rates.iter().map(|_| Counters::default())));
        let progress = |done: usize| EpochProgress { epoch: 0, examples: done as u64, of: rates.len() as u64, done: 0, of_all: 0 };
        let mut tried: Vec<_> = rates.iter().map(|&rate| (TriedRate::new(rate), Vec::new())).collect();
        // Each has parameters of its own: no more at once than memory holds.
        let room = memory::available()
            .map_or(u64::MAX, |free| free / (ROOM * Parameters::bytes(&self.facts.layout, &self.stage.shape())).max(1))
            .max(1);
        let search_threads = self.settings.search_threads.unwrap_or(self.settings.threads).min(rates.len()).min(room as usize);
        if search_threads == 1 {
            let parameters = self.parameters()?;
            for (i, (&rate, counters)) in rates.iter().zip(&counters).enumerate() {
                let mut follow = |_| follower.progress(progress(i));
                counters.stop.store(follow(0), Relaxed);
                tried[i] = self.try_rate(rate, &parameters, counters, &mut follow);
            }
            return Ok(tried);
        }
        let (done, over) = unbounded();
        let worker = |first: bool, done: Sender<Result<(usize, Tried)>>| {
            let parameters = match self.parameters() {
                Ok(parameters) => parameters,
                Err(error) if first => return drop(done.send(Err(error))),
                Err(_) => return, // fewer take longer, and find the same
            };
            while let i = next.fetch_add(1, Relaxed)
                && let Some(&rate) = rates.get(i)
            {
                let _ = done.send(Ok((i, self.try_rate(rate, &parameters, &counters[i], &mut |_| false)))); // the other end waits for it
            }
        };
        thread::scope(|scope| {
            // The first finds out whether there is room for one.
            for started in 0..search_threads {
                let (worker, done) = (&worker, done.clone());
                match thread::Builder::new().spawn_scoped(scope, move || worker(started == 0, done)) {
                    Err(source) if started == 0 => return Err(Error::Threads { source }),
                    _ => {}
                }
            }
            drop(done); // the channel is closed when the last worker has ended
            let (mut count, mut next_look) = (0, Instant::now() + LOOK);
            loop {
                match over.recv_deadline(next_look) {
                    Ok(result) => {
                        let (i, one) = result?;
                        (tried[i], count) = (one, count + 1);
                    }
                    Err(RecvTimeoutError::Disconnected) => return Ok(tried),
                    Err(RecvTimeoutError::Timeout) => {
                        let stop = follower.progress(progress(count));
                        for counters in &counters {
                            counters.stop.fetch_or(stop, Relaxed);
                        }
                        next_look = Instant::now() + LOOK;
                    }
                }
            }
        })
    }

    /// One rate's run on each fold.
    fn try_rate(&self, rate: f32, parameters: &Parameters, counters: &Counters, follow: &mut Follow<'_>) -> Tried {
        let (mut tried, mut losses, mut training) = (TriedRate::new(rate), Vec::new(), 0.0);
        for fold in self.stage.folds() {
            parameters.reset(&self.facts.layout);
            self.stage.start(parameters);
            let Some((judged, trained)) = self.run(rate, fold, parameters, (counters, &mut *follow), &mut tried.examples) else {
                return (tried, Vec::new());
            };
            losses.extend(judged);
            training += trained / self.stage.folds().len() as f64;
        }
        tried.loss = Some(mean(&losses));
        tried.training = Some(training);
        (tried, losses)
    }

    /// The losses of the examples that judge, and the mean loss of those trained on in the last epoch; none where it left the finite
    /// numbers.
    fn run(
        &self,
        rate: f32,
        fold: &Fold,
        parameters: &Parameters,
        (counters, follow): (&Counters, &mut Follow<'_>),
        examples: &mut u64,
    ) -> Option<(Vec<f32>, f64)> {
        let admitted = vec![fold.examples(); self.settings.epochs.min(EPOCHS)];
        let (task, mut judged) = (self.task(rate, parameters, &admitted), None);
        self.stage
            .with_engine(&task, counters, &mut |engine| judged = self.epochs(engine, fold, &task, (counters, &mut *follow), examples));
        judged
    }

    fn epochs(
        &self,
        engine: &mut dyn Engine,
        fold: &Fold,
        task: &Task<'_>,
        (counters, follow): (&Counters, &mut Follow<'_>),
        examples: &mut u64,
    ) -> Option<(Vec<f32>, f64)> {
        let Settings { seed, order, .. } = *self.settings;
        let order = if order == Order::Curriculum { Order::Shuffle } else { order };
        let (epochs, epoch) = (task.admitted.len() as u64, task.examples);
        let mut best: Option<(Vec<f32>, f64)> = None;
        for done in 0..epochs {
            let before = done * epoch;
            let start = Moment { step: before + 1, steps: epochs * epoch, epoch, epochs: done, all_epochs: epochs, before, stalls: 0 };
            counters.examples.store(0, Relaxed);
            let number = done as usize + 1;
            let plan = &Plan::new(&fold.train, Vec::new(), order, BLOCK, seed, number);
            let (counts, _) = engine.epoch(&Epoch { number, start, plan, round: 0 }, follow);
            *examples += counts.examples;
            if counters.stop.load(Relaxed) || !counts.loss.is_finite() {
                return None; // it has left the finite numbers, or is to end
            }
            // With early stopping it is the best epoch's model that counts.
            let looks = self.settings.patience.is_some() && (epochs - done - 1).is_multiple_of(epochs.div_ceil(LOOKS));
            if done + 1 == epochs || looks {
                let judged = self.stage.judge(task.parameters, &engine.finish(), fold);
                let losses: Vec<f32> =
                    judged.into_iter().map(|judged| judged.weight * self.loss.value(judged.score, judged.target)).collect();
                let training = counts.mean_loss();
                let better = best.as_ref().is_none_or(|(before, _)| mean(&losses) < mean(before));
                best = best.filter(|_| !better).or(Some((losses, training)));
            }
        }
        best.filter(|(losses, _)| losses.iter().all(|loss| loss.is_finite()))
    }
}

/// Of losses, summed in f64.
pub(super) fn mean(losses: &[f32]) -> f64 {
    losses.iter().map(|&loss| loss as f64).sum::<f64>() / losses.len().max(1) as f64
}
