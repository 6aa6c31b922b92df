//! The run of epochs: checks the settings, lays out the parameters, starts pinned workers, evaluates, keeps the last good state.
use super::{Counters, Epoch, Feed, Plan, RatingFeed, SparseFeed, Tally, settings::Settings};
use crate::{
    data::{Dataset, Ratings},
    error::{Error, Result},
    metrics::Metrics,
    model_file::{FactorModel, LinearModel, ModelKind, TrainedModel},
    models::{AnyWidth, Factorization, Fixed, Linear, Model, Width},
    params::{InstructionSet, LANES, Parameters, Shape, dispatch},
    rules::{UpdateRule, with_rule},
    schedule::{Moment, Schedule},
};
use crossbeam::channel::{RecvTimeoutError, unbounded};
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

/// What an epoch gave.
#[derive(Clone, Debug)]
pub struct EpochReport {
    /// From 1.
    pub epoch: usize,
    /// Of training alone.
    pub seconds: f64,
    /// Of evaluation.
    pub evaluation_seconds: f64,
    /// Examples trained on in this epoch.
    pub examples: u64,
    /// Nonzeros (or ratings) visited in this epoch.
    pub nonzeros: u64,
    /// Mean loss of the epoch's examples, each taken just before its step.
    pub loss: f64,
    /// On held-out data, where there is any.
    pub valid: Option<Metrics>,
}

/// Where a running epoch stands.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// From 1.
    pub epoch: usize,
    /// Examples done in this epoch.
    pub examples: u64,
    /// Examples in an epoch.
    pub of: u64,
}

/// Someone who follows the run.
pub trait Watch {
    /// Called about ten times a second while an epoch runs.
    fn progress(&mut self, _progress: Progress) {}
    /// Called after every epoch.
    fn epoch(&mut self, _report: &EpochReport) {}
}

/// Follows nothing.
impl Watch for () {}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// All epochs were run.
    Finished,
    /// It was asked to stop; the model is as it was then.
    Interrupted,
    /// Something became NaN or infinite; the model is that of the last good epoch, if there was one.
    Diverged(Error),
}

/// What a run gave.
#[derive(Debug)]
pub struct Outcome {
    /// None when the first epoch already diverged.
    pub model: Option<TrainedModel>,
    /// Why it ended.
    pub ended: Ended,
    /// One an epoch that was completed.
    pub epochs: Vec<EpochReport>,
    /// The settings as used, with every default filled in.
    pub settings: Settings,
}

/// Trains a linear model on sparse rows.
///
/// `valid` is evaluated after every epoch (or, with `settings.holdout`, the rows held out). `stop` may be set from another thread
/// or a signal handler: workers finish their block.
///
/// # Errors
/// Settings out of range, labels that do not fit the loss, too little memory. Divergence is not an error: see [`Ended`].
pub fn train_linear(
    data: &Dataset,
    valid: Option<&Dataset>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let mut settings = settings.clone();
    settings.check()?;
    check_held_out(valid.is_some(), &settings)?;
    settings.loss.check_labels(data)?;
    let ids = data.feature_ids()?;
    let rate = *settings.lr.get_or_insert_with(|| default_rate(data));
    let threads = settings.threads;
    let hot = *settings.hot_rows.get_or_insert(if threads > 1 { 8192 } else { 0 });
    let counts = if settings.l2 > 0.0 { data.feature_counts()? } else { Vec::new() };
    let model = Linear::with_l2(settings.l2, data.rows(), &counts);
    let feed = SparseFeed::new(data, settings.loss, settings.holdout, settings.seed);
    let held: Option<Vec<u32>> = (settings.holdout > 0.0).then(|| (0..data.rows() as u32).filter(|&row| feed.is_held_out(row)).collect());
    let valid_columns = valid.map(|valid| valid.feature_ids().map(|theirs| theirs.translate(&ids))).transpose()?;
    let loss = settings.loss;
    let evaluate = |weights: &[f32]| match (valid, &valid_columns, &held) {
        (Some(valid), Some(columns), _) => Some(crate::evaluate::linear(weights, loss, valid, Some(columns), None).metrics(loss)),
        (_, _, Some(held)) => Some(crate::evaluate::linear(weights, loss, data, None, Some(held)).metrics(loss)),
        _ => None,
    };
    let units = feed.units(settings.exchange_every);
    let examples = data.rows() as u64 - held.as_ref().map_or(0, |held| held.len() as u64);
    with_rule!(settings.rule, rule => {
        let parameters = Parameters::new(Shape { narrow: data.columns() + 1, hot, workers: threads, ..Shape::default() }, &rule)?;
        let run = Run { feed: &feed, units: &units, model: &model, rule, settings: &settings, rate, examples, parameters: &parameters };
        let (state, ended, epochs) = run.epochs(watch, stop, Parameters::narrow_weights, |weights| evaluate(weights))?;
        let model = state.map(|mut weights| {
            let bias = weights.remove(0);
            TrainedModel { loss, settings: settings.describe(), kind: ModelKind::Linear(LinearModel { ids, bias, weights }) }
        });
        Ok(Outcome { model, ended, epochs, settings })
    })
}

/// Trains matrix factorization on ratings. As [`train_linear`] otherwise.
///
/// # Errors
/// As for [`train_linear`].
pub fn train_factorization(
    data: &Ratings,
    valid: Option<&Ratings>,
    settings: &Settings,
    watch: &mut dyn Watch,
    stop: &AtomicBool,
) -> Result<Outcome> {
    let mut settings = settings.clone();
    settings.check()?;
    check_held_out(valid.is_some(), &settings)?;
    settings.loss.check_ratings(data)?;
    if let Some(hot) = settings.hot_rows.filter(|&hot| hot > 0) {
        let problem = "factorization keeps hot rows apart by its order of tiles; leave the setting out".into();
        return Err(Error::BadSetting { setting: "--hot-rows", value: hot.to_string(), problem });
    }
    settings.hot_rows = Some(0);
    let rate = *settings.lr.get_or_insert(0.14);
    let loss = settings.loss;
    let (users, items) = (data.user_ids()?, data.item_ids()?);
    let (user_count, item_count, rank) = (data.users(), data.items(), settings.rank);
    let (mut feed, held) = RatingFeed::new(data, loss, settings.holdout, settings.seed, settings.threads);
    let mean = loss.base_score(feed.ratings.iter().map(|r| r.value as f64).sum::<f64>() / feed.ratings.len().max(1) as f64);
    let model = Factorization::new(rank, mean, settings.l2 as f32);
    let held = if settings.holdout > 0.0 {
        Some(held.iter().map(|r| (r.pair.user, r.pair.item - user_count as u32, r.value)).collect::<Vec<_>>())
    } else {
        valid.map(|valid| crate::evaluate::translate_ratings(valid, &users, &items, loss)).transpose()?
    };
    let all = user_count + item_count;
    let split = |parameters: &Parameters| -> FactorModel {
        let biases = |rows: Range<usize>| rows.map(|row| parameters.beside(row)).collect();
        let factors = |rows: Range<usize>| rows.flat_map(|row| parameters.wide_weights(row)).collect();
        FactorModel {
            mean,
            rank,
            users: crate::data::Ids::Numbers(Vec::new()),
            items: crate::data::Ids::Numbers(Vec::new()),
            user_bias: biases(0..user_count),
            item_bias: biases(user_count..all),
            user_factor: factors(0..user_count),
            item_factor: factors(user_count..all),
        }
    };
    let evaluate = |model: &FactorModel| held.as_ref().map(|held| crate::evaluate::ratings(model, held).metrics(loss));
    with_rule!(settings.rule, rule => {
        let shape = Shape { wide: all, width: rank, workers: settings.threads, ..Shape::default() };
        let parameters = Parameters::new(shape, &rule)?;
        start_factors(&parameters, rank, settings.seed);
        feed.set_places(&parameters);
        let factors = Factors { feed: &feed, model: &model, rule, settings: &settings, rate, parameters: &parameters };
        let (state, ended, epochs) = match rank.div_ceil(LANES) {
            1 => factors.epochs::<Fixed<1>, _>(watch, stop, split, evaluate),
            2 => factors.epochs::<Fixed<2>, _>(watch, stop, split, evaluate),
            4 => factors.epochs::<Fixed<4>, _>(watch, stop, split, evaluate),
            8 => factors.epochs::<Fixed<8>, _>(watch, stop, split, evaluate),
            _ => factors.epochs::<AnyWidth, _>(watch, stop, split, evaluate),
        }?;
        let model = state.map(|model| TrainedModel {
            loss,
            settings: settings.describe(),
            kind: ModelKind::Factorization(FactorModel { users, items, ..model }),
        });
        Ok(Outcome { model, ended, epochs, settings })
    })
}

/// A run of factorization, but for the width of its rows.
struct Factors<'a, R> {
    feed: &'a RatingFeed,
    model: &'a Factorization,
    rule: R,
    settings: &'a Settings,
    rate: f32,
    parameters: &'a Parameters,
}

impl<R: UpdateRule> Factors<'_, R> {
    fn epochs<W: Width, T>(
        &self,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
        keep: impl Fn(&Parameters) -> T,
        evaluate: impl Fn(&T) -> Option<Metrics>,
    ) -> Result<(Option<T>, Ended, Vec<EpochReport>)> {
        let &Factors { feed, rule, settings, rate, parameters, .. } = self;
        let (model, examples) = (&self.model.with_width::<W>(), feed.ratings.len() as u64);
        Run { feed, units: &feed.units, model, rule, settings, rate, examples, parameters }.epochs(watch, stop, keep, evaluate)
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
fn check_held_out(valid: bool, settings: &Settings) -> Result<()> {
    if valid && settings.holdout > 0.0 {
        let problem = "cannot be used together with validation data; give one of the two".into();
        return Err(Error::BadSetting { setting: "--holdout", value: settings.holdout.to_string(), problem });
    }
    if matches!(settings.schedule, Schedule::Plateau { .. }) && !valid && settings.holdout == 0.0 {
        let problem = "goes by the held-out loss; give --valid or --holdout".into();
        return Err(Error::BadSetting { setting: "--schedule", value: settings.schedule.to_string(), problem });
    }
    Ok(())
}

/// The rate taken when none is given: best rates of Adagrad go down with the squared length of a row.
fn default_rate(data: &Dataset) -> f32 {
    let rows = data.rows().min(10_000);
    let squares: f64 = (0..rows)
        .map(|row| {
            let range = data.row_range(row);
            let square = |cell: &std::sync::atomic::AtomicU32| (f32::from_bits(cell.load(Relaxed)) as f64).powi(2);
            data.value_cells().map_or(range.len() as f64, |values| values[range].iter().map(square).sum())
        })
        .sum();
    (0.5 / (squares / rows.max(1) as f64).max(0.5)).clamp(1e-6, 1.0) as f32
}

/// Factors start small and random, so that no two are alike.
fn start_factors(parameters: &Parameters, rank: usize, seed: u64) {
    use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0xFAC7);
    let scale = 0.1 / (rank as f32).sqrt();
    parameters.set_wide(|| scale * (2.0 * random.random::<f32>() - 1.0));
}

/// Everything that stays the same over the epochs.
struct Run<'a, F, M, R> {
    feed: &'a F,
    units: &'a [Range<u32>],
    model: &'a M,
    rule: R,
    settings: &'a Settings,
    rate: f32,
    examples: u64,
    parameters: &'a Parameters,
}

impl<F: Feed<M>, M: Model, R: UpdateRule> Run<'_, F, M, R> {
    /// Runs the epochs. `keep` copies what a model is made of out of the parameters, `evaluate` looks at such a copy. Returns the last
    /// good copy.
    fn epochs<T>(
        &self,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
        keep: impl Fn(&Parameters) -> T,
        evaluate: impl Fn(&T) -> Option<Metrics>,
    ) -> Result<(Option<T>, Ended, Vec<EpochReport>)> {
        let (mut reports, mut good) = (Vec::new(), None);
        let set = self.settings.instruction_set()?;
        let steps = |epochs: usize| epochs as u64 * self.examples;
        let mut stalls = Stalls::default();
        for epoch in 1..=self.settings.epochs {
            let plan = Plan::new(self.units, self.settings.exchange_every, self.settings.seed, epoch);
            let moment =
                Moment { step: steps(epoch - 1) + 1, steps: steps(self.settings.epochs), epoch: self.examples, stalls: stalls.count };
            let start = Instant::now();
            let tally = self.epoch(epoch, moment, &plan, set, watch, stop);
            let seconds = start.elapsed().as_secs_f64();
            let wrong = if !tally.loss.is_finite() {
                Some("the training loss")
            } else if !self.parameters.is_finite() {
                Some("a parameter")
            } else {
                None
            };
            if let Some(quantity) = wrong {
                let error = Error::Diverged { epoch, rate: self.rate, quantity };
                return Ok((good, Ended::Diverged(error), reports));
            }
            let start = Instant::now();
            let state = keep(self.parameters);
            let interrupted = stop.load(Relaxed);
            let valid = if interrupted { None } else { evaluate(&state) };
            good = Some(state);
            if let (Some(valid), Schedule::Plateau { patience, .. }) = (valid, self.settings.schedule) {
                stalls.see(valid.loss, patience as u32);
            }
            let report = EpochReport {
                epoch,
                seconds,
                evaluation_seconds: start.elapsed().as_secs_f64(),
                examples: tally.examples,
                nonzeros: tally.nonzeros,
                loss: tally.loss / tally.examples.max(1) as f64,
                valid,
            };
            watch.epoch(&report);
            reports.push(report);
            if interrupted {
                return Ok((good, Ended::Interrupted, reports));
            }
        }
        Ok((good, Ended::Finished, reports))
    }

    fn epoch(&self, epoch: usize, start: Moment, plan: &Plan, set: InstructionSet, watch: &mut dyn Watch, stop: &AtomicBool) -> Tally {
        let counters = Counters::default();
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        let threads = self.settings.threads;
        let pin = self.settings.pin && threads <= cores.len();
        let (done, over) = unbounded();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|worker| {
                    let core = cores.get(worker).copied().filter(|_| pin);
                    let (plan, counters, done) = (plan, &counters, done.clone());
                    scope.spawn(move || {
                        core.map(core_affinity::set_for_current);
                        let job = Epoch {
                            feed: self.feed,
                            model: self.model,
                            loss: self.settings.loss,
                            rule: self.rule,
                            rate: self.rate,
                            schedule: self.settings.schedule,
                            start,
                            parameters: self.parameters,
                            worker,
                            plan,
                            counters,
                        };
                        let tally = dispatch(set, job);
                        let _ = done.send(()); // the other end waits for it
                        tally
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
                        watch.progress(Progress { epoch, examples: counters.examples.load(Relaxed), of: self.examples });
                    }
                }
            }
            // A worker has no way to fail but a defect of this crate, which is passed on.
            let join = |worker: thread::ScopedJoinHandle<'_, Tally>| worker.join().unwrap_or_else(|e| std::panic::resume_unwind(e));
            workers.into_iter().map(join).fold(Tally::default(), Tally::add)
        })
    }
}
