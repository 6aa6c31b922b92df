//! The race that chooses a learning rate where none is given: a ladder of rates side by side on a sample of the training data.
//!
//! Each rate trains a model of its own on the same examples, on one thread, and is judged by the loss before each step over the second
//! half of them: progressive validation (Blum, Kalai & Langford 1999), which takes no data away. A ladder of four decades runs on a
//! small sample, three rungs about its best on a larger one; each goes on beyond an end that is the best. It is the "best ball" of the
//! original Hogwild! code (a thread a rate, the best goes on) on little data.
//!
//! A short race favours other rates than a long run (Wu, Ren, Liao & Grosse 2018). What wins it is the largest rate that does no harm, and
//! that hardly depends on the sample: imdb_1gram 5, criteo .06, a9a .18, ml10m .18, on 1/32, 1/8 or all of the rows. Over `T` steps at
//! one rate the best goes as `1/sqrt(T)` (Nemirovski, Juditsky, Lan & Shapiro 2009), so the winner is divided by `sqrt(horizon x epochs)`,
//! and by the schedule's mean factor: under `linear` twice the rate is best, on all sets.
//!
//! The horizon is how much the epochs to come will harm. That is seen in examples which come again: where a model keeps little of their
//! loss (imdb_1gram .2, imdb_2gram .06), it learns rows by heart and overfits at what was the best rate of one pass; where it keeps most
//! (a9a 1, criteo .8, ml10m .8), more passes are more data.
use super::{Batch, Counters, Epoch, Feed, Order, Plan, Progress, RaceReport, Raced, Settings, Watch};
use crate::{
    Error, Result,
    aids::{Adjuster, Aids},
    memory,
    models::Model,
    params::{Aided, InstructionSet, Parameters, Shape, dispatch},
    rules::UpdateRule,
    schedule::{Moment, Schedule},
};
use crossbeam::channel::{RecvTimeoutError, unbounded};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{
    marker::PhantomData,
    ops::Range,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// From rung to rung: two to a decade. A parabola through three of them finds the lowest point to a tenth of a decade.
const STEP: f32 = 3.162_277_7;
/// `HORIZON (1 - kept)^3`, and at least `LEAST`, is the horizon in the text above. Measured to land within 2% of the best
/// rate's held-out loss on a9a, imdb_1gram, imdb_2gram, criteo (Adagrad) and ml10m (row-wise Adagrad).
const HORIZON: f64 = 9.0;
const LEAST: f64 = 0.35;
/// Examples that are shuffled among each other: whatever the threads.
const BLOCK: u32 = 256;

/// The most examples of a sample.
pub(super) const MOST: u64 = 1 << 18;

/// The examples of a race, as units: to begin with, to be judged by, and of the first some that are to be seen again, if any.
type Sample = [Vec<Range<u32>>; 3];

/// What the race needs to know of the run.
pub(super) struct Race<'a, F, M, R> {
    pub feed: &'a F,
    /// All, or some of each part of the data.
    pub units: &'a [Range<u32>],
    /// How many an epoch of the run has.
    pub examples: u64,
    pub model: &'a M,
    pub rule: R,
    pub settings: &'a Settings,
    /// Of the run's parameters.
    pub shape: Shape,
    /// Gives parameters their first weights.
    pub start: &'a (dyn Fn(&Parameters) + Sync),
}

impl<F: Feed<M>, M: Model, R: UpdateRule> Race<'_, F, M, R> {
    /// The rate for the run, by a ladder of four decades about `middle`; that itself for a rule that tunes itself, for batches (of which a
    /// sample has too few), or when asked to stop.
    /// 9 to 12 rates see 1/32 of the units and 3 to 5 of them see 1/8: less than an epoch in all, but of data of less than 30,000 examples.
    pub fn choose(&self, middle: f32, watch: &mut dyn Watch, stop: &AtomicBool) -> Result<f32> {
        let batch = self.settings.batch;
        let start = Instant::now();
        if R::LEARNS || batch != Batch::One {
            let chosen = middle * batch.rate_factor();
            watch.race(&RaceReport { rates: Vec::new(), chosen, seconds: 0.0 });
            return Ok(chosen);
        }
        let mut rates = self.ladder(middle, 4..=12, &self.sample(32, 800..1 << 15, false), watch, stop)?;
        let best_coarse = best(&rates).map_or(rates[0].rate, |(i, _)| rates[i].rate);
        let fine = self.ladder(best_coarse, 1..=5, &self.sample(10, 2048..MOST, true), watch, stop)?;
        if stop.load(Relaxed) {
            return Ok(middle);
        }
        let chosen = match best(&fine) {
            Some((i, winner)) => self.for_the_run(winner, fine[i].kept()),
            None => fine[0].rate, // the run will tell what has left the finite numbers
        };
        rates.extend(fine);
        watch.race(&RaceReport { rates, chosen, seconds: start.elapsed().as_secs_f64() });
        Ok(chosen)
    }

    /// One of `part` of the data, of so many examples at least (in as many passes as the run is to have, at most) and at most.
    fn sample(&self, part: u64, examples: Range<u64>, again: bool) -> Sample {
        let mut units = self.units.to_vec();
        units.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(self.settings.seed ^ 0x2ACE));
        let here: u64 = units.iter().map(|unit| unit.len() as u64).sum();
        let (all, passes) = if here < self.examples { (self.examples, 1) } else { (here, self.settings.epochs) };
        let wanted = (all / part).clamp(examples.start, examples.end);
        let take = (wanted * units.len() as u64).div_ceil(here.max(1)).max(2) as usize;
        let mut first: Vec<_> = units.iter().cycle().take(take.min(units.len() * passes)).cloned().collect();
        let second = first.split_off(first.len() / 2);
        let again = if again { first.len().div_ceil(2) } else { 0 };
        let again = first[..again].to_vec();
        [first, second, again]
    }

    /// Races `middle` and so many rungs on either side of it; goes on beyond an end that is the best, up to so many rungs in all. By rate.
    fn ladder(
        &self,
        middle: f32,
        rungs: std::ops::RangeInclusive<i32>,
        sample: &Sample,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
    ) -> Result<Vec<Raced>> {
        let side = *rungs.start();
        let rates: Vec<f32> = (-side..=side).map(|rung| middle * STEP.powi(rung)).collect();
        let mut raced = self.side_by_side(&rates, sample, watch, stop)?;
        while raced.len() < *rungs.end() as usize && !stop.load(Relaxed) {
            let last = raced.len() - 1;
            // Where none is finite, smaller ones may be.
            let (at, rate) = match best(&raced).map_or(0, |(i, _)| i) {
                0 => (0, raced[0].rate / STEP),
                i if i == last => (last + 1, raced[last].rate * STEP),
                _ => break,
            };
            if !rate.is_normal() {
                break;
            }
            raced.splice(at..at, self.side_by_side(&[rate], sample, watch, stop)?);
        }
        Ok(raced)
    }

    /// Races the rates on as many threads as the run has, each on one.
    fn side_by_side(&self, rates: &[f32], sample: &Sample, watch: &mut dyn Watch, stop: &AtomicBool) -> Result<Vec<Raced>> {
        let set = self.settings.instruction_set()?;
        let (next, counters) = (AtomicUsize::new(0), Vec::from_iter(rates.iter().map(|_| Counters::default())));
        let (done, over) = unbounded();
        let worker = |done: crossbeam::channel::Sender<Result<(usize, Raced)>>| {
            let parameters = Parameters::new(Shape { hot: 0, workers: 1, averaged: false, ..self.shape }, &self.rule);
            let parameters = match parameters {
                Ok(parameters) => parameters,
                Err(error) => return drop(done.send(Err(error))),
            };
            while let i = next.fetch_add(1, Relaxed)
                && let Some(&rate) = rates.get(i)
            {
                parameters.reset(&self.rule);
                (self.start)(&parameters);
                let _ = done.send(Ok((i, self.race(rate, sample, &parameters, set, &counters[i])))); // the other end waits for it
            }
        };
        let mut raced: Vec<_> = rates.iter().map(|&rate| Raced { rate, loss: None, again: None, examples: 0 }).collect();
        thread::scope(|scope| {
            // Each has parameters of its own: no more at once than memory holds. The first finds out whether there is room for one.
            let room = memory::available().map_or(u64::MAX, |free| free / Parameters::bytes::<R>(&self.shape).max(1)).max(1);
            for started in 0..self.settings.threads.min(rates.len()).min(room as usize) {
                let (worker, done) = (&worker, done.clone());
                match thread::Builder::new().spawn_scoped(scope, move || worker(done)) {
                    // Fewer take longer, and find the same.
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

    /// One rate's race, on new parameters.
    fn race(&self, rate: f32, sample: &Sample, parameters: &Parameters, set: InstructionSet, counters: &Counters) -> Raced {
        let steps: u64 = sample.iter().flatten().map(|unit| unit.len() as u64).sum();
        let aids = &Aids { average: None, ..self.settings.aids };
        let mut losses = [None; 3];
        let (mut examples, mut finite, mut memory) = (0, true, R::Memory::default());
        for (part, loss) in sample.iter().zip(&mut losses).filter(|(part, _)| !part.is_empty()) {
            let job = Epoch {
                feed: self.feed,
                model: self.model,
                loss: self.settings.loss,
                rule: self.rule,
                memory,
                rate,
                schedule: Schedule::Constant,
                start: Moment { step: 1, steps, epoch: steps, epochs: 0, all_epochs: 1, before: 0, stalls: 0 }, // the counters know how far it is
                aids,
                adjuster: Adjuster::new(*aids, self.settings.seed, 0),
                parameters,
                worker: 0,
                plan: &Plan::new(part, Vec::new(), Order::Shuffle, BLOCK, self.settings.seed, 0),
                counters,
                aiding: PhantomData::<Aided>,
            };
            let tally;
            (tally, memory) = dispatch(set, job);
            examples += tally.examples;
            finite &= tally.loss.is_finite();
            *loss = Some(tally.loss / tally.examples.max(1) as f64);
            if counters.stop.load(Relaxed) {
                break; // it has left the finite numbers, or is to end
            }
        }
        let [_, loss, again] = losses.map(|loss| loss.filter(|_| finite));
        Raced { rate, loss, again, examples }
    }

    /// The rate for all of the run's epochs and its schedule, of the winner of a short race and what part of the loss it keeps on what
    /// it has seen. No step is larger than the winner's.
    fn for_the_run(&self, winner: f32, kept: f64) -> f32 {
        const MOMENTS: u64 = 1000;
        let (epochs, epoch) = (self.settings.epochs as u64, self.examples);
        let steps = epochs * epoch;
        let (mut mean, mut most) = (0.0, 0f64);
        for i in 0..MOMENTS {
            let done = (steps as f64 / MOMENTS as f64 * i as f64) as u64;
            let passed = done / epoch.max(1);
            let moment = Moment { step: done + 1, steps, epoch, epochs: passed, all_epochs: epochs, before: passed * epoch, stalls: 0 };
            let factor = self.settings.schedule.factor(&moment);
            (mean, most) = (mean + factor / MOMENTS as f64, most.max(factor));
        }
        // What is learnt by heart harms more where steps do not shrink.
        let by_heart = HORIZON * if R::AVERAGES { 3.0 } else { 1.0 } * (1.0 - kept).powi(3);
        let horizon = by_heart.max(LEAST);
        let rate = winner as f64 * ((horizon * epochs as f64).sqrt().recip() / mean).min(1.0 / most);
        // Three digits, which can be typed again.
        format!("{rate:.2e}").parse().ok().filter(|rate: &f32| rate.is_normal()).unwrap_or(winner)
    }
}

/// The place of the lowest loss (of several, of the one next to the middle), and the rate where a parabola through it and its neighbours,
/// over the rate's logarithm, is lowest.
fn best(raced: &[Raced]) -> Option<(usize, f32)> {
    let (loss, middle) = (|i: usize| raced.get(i).and_then(|raced| raced.loss), raced.len() / 2);
    let finite = (0..raced.len()).filter_map(|i| Some((i, loss(i)?)));
    let (i, now) = finite.min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.abs_diff(middle).cmp(&b.0.abs_diff(middle))))?;
    let rate = raced[i].rate;
    match (i.checked_sub(1).and_then(loss), loss(i + 1)) {
        (Some(below), Some(above)) if below + above > 2.0 * now => {
            let shift = 0.5 * (below - above) / (below + above - 2.0 * now);
            Some((i, rate * (rate / raced[i - 1].rate).powf(shift as f32)))
        }
        _ => Some((i, rate)),
    }
}
