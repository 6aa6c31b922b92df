//! A rehearsal: one rate's whole run on a sample, on one thread, and its loss on examples that the sample holds out.
//!
//! Small data are held out a fifth at a time, in turn (cross-validation), so that the judgement is of enough examples. Where the run has
//! held-out data of its own, a part of them judges instead, or too (see `judges`).
use super::{Progress, Raced, Settings, Watch, race::EPOCHS};
use crate::{Aids, Error, InstructionSet, Moment, Order, Result, memory};
use crossbeam::channel::{RecvTimeoutError, Sender, unbounded};
use hogwild_kernels::{
    engine::{Counters, Epoch, Kernel, Loops, Task},
    order::Plan,
    params::{Finish, Parameters, Shape},
};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::Duration,
};

/// Examples that are shuffled among each other: whatever the threads.
const BLOCK: u32 = 256;
/// Examples that judge, at least where there are as many, and at most.
const JUDGES: Range<usize> = 5_000..16_384;
/// Small data are held out in so many parts.
const PARTS: usize = 5;
/// A rehearsal's parameters with a copy of its weights, in parameters.
const ROOM: u64 = 3;
/// With early stopping, how often a rehearsal is judged.
const LOOKS: u64 = 5;

/// Positions that are trained on, and those that judge.
pub(super) struct Fold {
    pub train: Vec<Range<u32>>,
    pub held: Vec<u32>,
    /// Whether the run's own held-out examples judge with it: with one of several.
    pub first: bool,
}

/// Score and target of each example that judges a fold.
pub(super) type Judge<'a> = Box<dyn Fn(&Parameters, &Finish<'_>, &Fold) -> Vec<(f32, f32)> + Sync + 'a>;

/// A rate that was rehearsed, with the losses of the examples that judge.
type Rehearsed = (Raced, Vec<f32>);

/// What a ladder of rates is run on.
pub(super) struct Stage<'a, K: Kernel> {
    pub feed: K::Examples<'a>,
    /// Of the rehearsals' parameters.
    pub shape: Shape,
    /// Gives parameters their first weights.
    pub start: Box<dyn Fn(&Parameters) + Sync + 'a>,
    pub folds: Vec<Fold>,
    pub judge: Judge<'a>,
}

impl<K: Kernel> Stage<'_, K> {
    /// Examples of a fold that are trained on.
    pub fn examples(&self) -> u64 {
        self.folds.first().map_or(0, Fold::examples)
    }
}

impl Fold {
    fn examples(&self) -> u64 {
        self.train.iter().map(|unit| unit.len() as u64).sum()
    }
}

/// Folds of a sample of `wanted` examples out of the units: one, or where that is nearly all of them and they are few, several.
/// With `judged` nothing is held out, as other data judge. `size`: how many examples, and the most folds.
pub(super) fn folds(units: &[Range<u32>], size: (u64, usize), judged: bool, seed: u64) -> Vec<Fold> {
    let mut units = units.to_vec();
    units.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x2ACE));
    let all: usize = units.iter().map(|unit| unit.len()).sum();
    let prefix = |examples: usize| {
        let mut sum = 0;
        let more = |unit: &&Range<u32>| {
            sum += unit.len();
            sum <= examples
        };
        units.iter().take_while(more).count()
    };
    let (wanted, most) = ((size.0 as usize).min(all), size.1.clamp(1, PARTS));
    if judged {
        return vec![Fold { train: units[..prefix(wanted).max(1)].to_vec(), held: Vec::new(), first: true }];
    }
    let positions = |units: &[Range<u32>]| units.iter().cloned().flatten().collect();
    let held = (wanted / 2).clamp(JUDGES.start, JUDGES.end).min(all / PARTS);
    if wanted + held < all {
        let to = prefix(wanted).max(1);
        let end = prefix(wanted + held).clamp(to, units.len());
        return vec![Fold { train: units[..to].to_vec(), held: positions(&units[to..end]), first: true }];
    }
    let part = |i: usize| i * units.len() / PARTS..(i + 1) * units.len() / PARTS;
    let fold = |i: usize| {
        let Range { start, end } = part(i);
        Fold { train: [&units[..start], &units[end..]].concat(), held: positions(&units[start..end]), first: false }
    };
    let parts = (JUDGES.start * PARTS).div_ceil(all.max(1)).clamp(1, most);
    let mut folds: Vec<Fold> = (0..parts).map(fold).filter(|fold| !fold.held.is_empty() && !fold.train.is_empty()).collect();
    folds.first_mut().into_iter().for_each(|fold| fold.first = true);
    folds
}

/// Rehearsals on a stage.
pub(super) struct Rehearsal<'a, 's, K: Kernel> {
    pub stage: &'a Stage<'s, K>,
    pub model: &'a K::Model,
    pub rule: &'a dyn Loops<K>,
    pub settings: &'a Settings,
}

impl<K: Kernel> Rehearsal<'_, '_, K> {
    /// The losses of a constant score on the examples that judge.
    pub fn constant_losses(&self, score: f32) -> Result<Vec<f32>> {
        let Stage { folds, judge, .. } = self.stage;
        let parameters = self.parameters()?;
        let (task, counters) = (self.task(0.0, &parameters, InstructionSet::Portable, &[]), Counters::default());
        let engine = self.rule.alone(&self.stage.feed, self.model, &task, &counters);
        let finish = engine.finish();
        let judged = folds.iter().flat_map(|fold| judge(&parameters, &finish, fold));
        Ok(judged.map(|(_, y)| self.settings.loss.value(score, y)).collect())
    }

    /// Room for a rehearsal's parameters.
    fn parameters(&self) -> Result<Parameters> {
        Parameters::new(&self.stage.shape.alone(), &self.rule.facts().layout)
    }

    /// What a rehearsal's engine is told.
    fn task<'t>(&self, rate: f32, parameters: &'t Parameters, set: InstructionSet, admitted: &'t [u64]) -> Task<'t> {
        let Settings { schedule, loss, batch, batch_growth, seed, .. } = *self.settings;
        let aids = Aids { average: None, ..self.settings.aids };
        let examples = admitted.first().copied().unwrap_or(0);
        Task {
            units: &[],
            examples,
            admitted,
            parameters,
            rate,
            schedule,
            loss,
            aids,
            batch,
            batch_growth,
            seed,
            threads: 1,
            pin: false,
            set,
            reader: None,
        }
    }

    /// Rehearses the rates on as many threads as the run has, each on one; gives the losses of the examples that judge, none of a rate
    /// that left the finite numbers.
    pub fn side_by_side(&self, rates: &[f32], watch: &mut dyn Watch, stop: &AtomicBool) -> Result<Vec<Rehearsed>> {
        let set = self.settings.instruction_set()?;
        let (next, counters) = (AtomicUsize::new(0), Vec::from_iter(rates.iter().map(|_| Counters::default())));
        let (done, over) = unbounded();
        let worker = |first: bool, done: Sender<Result<(usize, Rehearsed)>>| {
            let parameters = match self.parameters() {
                Ok(parameters) => parameters,
                Err(error) if first => return drop(done.send(Err(error))),
                Err(_) => return, // fewer take longer, and find the same
            };
            while let i = next.fetch_add(1, Relaxed)
                && let Some(&rate) = rates.get(i)
            {
                let _ = done.send(Ok((i, self.rehearse(rate, &parameters, set, &counters[i])))); // the other end waits for it
            }
        };
        let mut raced: Vec<_> = rates.iter().map(|&rate| (Raced::new(rate), Vec::new())).collect();
        thread::scope(|scope| {
            // Each has parameters of its own: no more at once than memory holds. The first finds out whether there is room for one.
            let room = memory::available()
                .map_or(u64::MAX, |free| free / (ROOM * Parameters::bytes(&self.rule.facts().layout, &self.stage.shape)).max(1))
                .max(1);
            for started in 0..self.settings.racers.unwrap_or(self.settings.threads).min(rates.len()).min(room as usize) {
                let (worker, done) = (&worker, done.clone());
                match thread::Builder::new().spawn_scoped(scope, move || worker(started == 0, done)) {
                    Err(source) if started == 0 => return Err(Error::Threads { source }),
                    _ => {}
                }
            }
            drop(done); // the channel is closed when the last worker has ended
            let mut count = 0;
            loop {
                match over.recv_timeout(Duration::from_millis(100)) {
                    Ok(result) => {
                        let (i, one) = result?;
                        (raced[i], count) = (one, count + 1);
                    }
                    Err(RecvTimeoutError::Disconnected) => return Ok(raced),
                    Err(RecvTimeoutError::Timeout) => {
                        for counters in &counters {
                            counters.stop.fetch_or(stop.load(Relaxed), Relaxed);
                        }
                        watch.progress(Progress { epoch: 0, examples: count, of: rates.len() as u64, done: 0, of_all: 0 });
                    }
                }
            }
        })
    }

    /// One rate's run on each fold.
    fn rehearse(&self, rate: f32, parameters: &Parameters, set: InstructionSet, counters: &Counters) -> Rehearsed {
        let (mut raced, mut losses, mut training) = (Raced::new(rate), Vec::new(), 0.0);
        for fold in &self.stage.folds {
            parameters.reset(&self.rule.facts().layout);
            (self.stage.start)(parameters);
            let Some((judged, trained)) = self.run(rate, fold, parameters, set, counters, &mut raced.examples) else {
                return (raced, Vec::new());
            };
            losses.extend(judged);
            training += trained / self.stage.folds.len() as f64;
        }
        raced.loss = Some(mean(&losses));
        raced.training = Some(training);
        (raced, losses)
    }

    /// The losses of the examples that judge, and the mean loss of those trained on in the last epoch; none where it left the finite numbers.
    fn run(
        &self,
        rate: f32,
        fold: &Fold,
        parameters: &Parameters,
        set: InstructionSet,
        counters: &Counters,
        examples: &mut u64,
    ) -> Option<(Vec<f32>, f64)> {
        let Settings { loss, seed, order, .. } = *self.settings;
        let order = if order == Order::Curriculum { Order::Shuffle } else { order };
        let epochs = self.settings.epochs.min(EPOCHS);
        let epoch = fold.examples();
        let admitted = vec![epoch; epochs];
        let task = self.task(rate, parameters, set, &admitted);
        let mut engine = self.rule.alone(&self.stage.feed, self.model, &task, counters);
        let mut best: Option<(Vec<f32>, f64)> = None;
        for done in 0..epochs as u64 {
            let before = done * epoch;
            let steps = epochs as u64 * epoch;
            let start = Moment { step: before + 1, steps, epoch, epochs: done, all_epochs: epochs as u64, before, stalls: 0 };
            counters.examples.store(0, Relaxed);
            let number = done as usize + 1;
            let plan = &Plan::new(&fold.train, Vec::new(), order, BLOCK, seed, number);
            let (tally, _) = engine.epoch(&Epoch { number, start, plan }, &mut |_| false);
            *examples += tally.examples;
            if counters.stop.load(Relaxed) || !tally.loss.is_finite() {
                return None; // it has left the finite numbers, or is to end
            }
            // With early stopping it is the best epoch's model that counts.
            let looks = self.settings.patience.is_some() && (epochs as u64 - done - 1).is_multiple_of((epochs as u64).div_ceil(LOOKS));
            if done + 1 == epochs as u64 || looks {
                let judged = (self.stage.judge)(parameters, &engine.finish(), fold);
                let losses: Vec<f32> = judged.into_iter().map(|(z, y)| loss.value(z, y)).collect();
                let training = tally.loss / tally.examples.max(1) as f64;
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
