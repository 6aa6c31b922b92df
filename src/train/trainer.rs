//! The run of epochs: checks the settings, lays out the parameters, starts pinned workers, evaluates, keeps the last good state.
use super::{Counters, Epoch, Feed, Plan, RatingFeed, SparseFeed, Tally, settings::Settings};
use crate::{
    data::{Dataset, Ratings},
    error::{Error, Result},
    metrics::Metrics,
    model_file::{FactorModel, LinearModel, ModelKind, TrainedModel},
    models::{Factorization, Linear, Model},
    params::{InstructionSet, Table, dispatch, padded, wide_stride},
    rules::{State, UpdateRule, with_rule},
};
use atomic_float::AtomicF32;
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
    one_held_out(valid.is_some(), &settings)?;
    settings.loss.check_labels(data)?;
    let ids = data.feature_ids()?;
    let rate = *settings.lr.get_or_insert_with(|| default_rate(data));
    let threads = settings.threads;
    let hot = *settings.hot_rows.get_or_insert(if threads > 1 { 1024 } else { 0 });
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
    let keep = |narrow: &Table, _: &Table| -> Vec<f32> { narrow.cells().iter().step_by(narrow.stride()).map(load).collect() };
    let units = feed.units(settings.exchange_every);
    let examples = data.rows() as u64 - held.as_ref().map_or(0, |held| held.len() as u64);
    with_rule!(settings.rule, rule => {
        let narrow = narrow_table(data.columns() + 1, rule)?;
        let run = Run { feed: &feed, units: &units, model: &model, rule, settings: &settings, rate, hot, examples,
            narrow: &narrow, wide: &Table::new(0, 0)?, width: 0 };
        let (state, ended, epochs) = run.epochs(watch, stop, keep, |weights| evaluate(weights))?;
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
    one_held_out(valid.is_some(), &settings)?;
    settings.loss.check_ratings(data)?;
    if let Some(hot) = settings.hot_rows.filter(|&hot| hot > 0) {
        let problem = "factorization keeps hot rows apart by its order of tiles; leave the setting out".into();
        return Err(Error::BadSetting { setting: "--hot-rows", value: hot.to_string(), problem });
    }
    settings.hot_rows = Some(0);
    let rate = *settings.lr.get_or_insert(0.1);
    let loss = settings.loss;
    let (users, items) = (data.user_ids()?, data.item_ids()?);
    let (user_count, item_count, rank) = (data.users(), data.items(), settings.rank);
    let (feed, held) = RatingFeed::new(data, loss, settings.holdout, settings.seed, settings.threads);
    let mean = loss.base_score(feed.ratings.iter().map(|r| r.value as f64).sum::<f64>() / feed.ratings.len().max(1) as f64);
    let model = Factorization { rank, mean, l2: settings.l2 as f32 };
    let held = if settings.holdout > 0.0 {
        Some(held.iter().map(|r| (r.pair.user, r.pair.item - user_count as u32, r.value)).collect::<Vec<_>>())
    } else {
        valid.map(|valid| crate::evaluate::translate_ratings(valid, &users, &items, loss)).transpose()?
    };
    let split = |narrow: &Table, wide: &Table| -> FactorModel {
        let biases: Vec<f32> = narrow.cells().iter().step_by(narrow.stride()).map(load).collect();
        let factors = |rows: Range<usize>| rows.flat_map(|row| wide.row(row)[..rank].iter().map(load)).collect();
        let (all, n) = (user_count + item_count, user_count);
        FactorModel {
            mean,
            rank,
            users: crate::data::Ids::Numbers(Vec::new()),
            items: crate::data::Ids::Numbers(Vec::new()),
            user_bias: biases[..n].to_vec(),
            item_bias: biases[n..].to_vec(),
            user_factor: factors(0..n),
            item_factor: factors(n..all),
        }
    };
    let evaluate = |model: &FactorModel| held.as_ref().map(|held| crate::evaluate::ratings(model, held).metrics(loss));
    with_rule!(settings.rule, rule => {
        let narrow = narrow_table(user_count + item_count, rule)?;
        let wide = wide_table(user_count + item_count, rank, settings.seed, rule)?;
        let run = Run { feed: &feed, units: &feed.units, model: &model, rule, settings: &settings, rate, hot: 0,
            examples: feed.ratings.len() as u64, narrow: &narrow, wide: &wide, width: rank };
        let (state, ended, epochs) = run.epochs(watch, stop, split, evaluate)?;
        let model = state.map(|model| TrainedModel {
            loss,
            settings: settings.describe(),
            kind: ModelKind::Factorization(FactorModel { users, items, ..model }),
        });
        Ok(Outcome { model, ended, epochs, settings })
    })
}

/// Held-out data come from one place.
fn one_held_out(valid: bool, settings: &Settings) -> Result<()> {
    if valid && settings.holdout > 0.0 {
        let problem = "cannot be used together with validation data; give one of the two".into();
        return Err(Error::BadSetting { setting: "--holdout", value: settings.holdout.to_string(), problem });
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

fn load(cell: &AtomicF32) -> f32 {
    cell.load(Relaxed)
}

/// One weight a row, all zero, the rule's state beside each.
fn narrow_table<R: UpdateRule>(rows: usize, rule: R) -> Result<Table> {
    let initial = rule.initial().close(0.0);
    let cell: &[f32] = initial.as_ref();
    let table = Table::new(rows, cell.len())?;
    for row in table.cells().chunks_exact(cell.len()) {
        row.iter().zip(cell).for_each(|(to, &x)| to.store(x, Relaxed));
    }
    Ok(table)
}

/// Factors, small and random, so that no two start alike; the rule's state behind them.
fn wide_table<R: UpdateRule>(rows: usize, rank: usize, seed: u64, rule: R) -> Result<Table> {
    use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
    let table = Table::new(rows, wide_stride::<R>(rank))?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0xFAC7);
    let scale = 0.1 / (rank as f32).sqrt();
    let initial = rule.initial().close(0.0);
    let state = &initial.as_ref()[1..];
    for row in table.cells().chunks_exact(table.stride().max(1)) {
        for cell in &row[..rank] {
            cell.store(scale * (2.0 * random.random::<f32>() - 1.0), Relaxed);
        }
        for (cells, &x) in row[padded(rank)..].chunks(R::row_state(padded(rank)).div_ceil(state.len().max(1)).max(1)).zip(state) {
            cells.iter().for_each(|cell| cell.store(x, Relaxed));
        }
    }
    Ok(table)
}

/// Everything that stays the same over the epochs.
struct Run<'a, F, M, R> {
    feed: &'a F,
    units: &'a [Range<u32>],
    model: &'a M,
    rule: R,
    settings: &'a Settings,
    rate: f32,
    hot: usize,
    examples: u64,
    narrow: &'a Table,
    wide: &'a Table,
    width: usize,
}

impl<F, M, R, const S: usize> Run<'_, F, M, R>
where
    M: Model,
    F: Feed<M>,
    R: UpdateRule,
    R::State: State<Cell = [f32; S]>,
{
    /// Runs the epochs. `keep` copies what a model is made of out of the tables, `evaluate` looks at such a copy. Returns the last
    /// good copy.
    fn epochs<T>(
        &self,
        watch: &mut dyn Watch,
        stop: &AtomicBool,
        keep: impl Fn(&Table, &Table) -> T,
        evaluate: impl Fn(&T) -> Option<Metrics>,
    ) -> Result<(Option<T>, Ended, Vec<EpochReport>)> {
        let (mut reports, mut good) = (Vec::new(), None);
        let set = self.settings.instruction_set()?;
        for epoch in 1..=self.settings.epochs {
            let plan = Plan::new(self.units, self.settings.exchange_every, self.settings.seed, epoch);
            let start = Instant::now();
            let tally = self.epoch(epoch, &plan, set, watch, stop);
            let seconds = start.elapsed().as_secs_f64();
            let wrong = if !tally.loss.is_finite() {
                Some("the training loss")
            } else if self.narrow.cells().iter().chain(self.wide.cells()).any(|cell| !load(cell).is_finite()) {
                Some("a parameter")
            } else {
                None
            };
            if let Some(quantity) = wrong {
                let error = Error::Diverged { epoch, rate: self.rate, quantity };
                return Ok((good, Ended::Diverged(error), reports));
            }
            let start = Instant::now();
            let state = keep(self.narrow, self.wide);
            let interrupted = stop.load(Relaxed);
            let valid = if interrupted { None } else { evaluate(&state) };
            good = Some(state);
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

    fn epoch(&self, epoch: usize, plan: &Plan, set: InstructionSet, watch: &mut dyn Watch, stop: &AtomicBool) -> Tally {
        let counters = Counters::default();
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        let threads = self.settings.threads;
        let pin = self.settings.pin && threads <= cores.len();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|worker| {
                    let core = cores.get(worker).copied().filter(|_| pin);
                    let (plan, counters) = (plan, &counters);
                    scope.spawn(move || {
                        core.map(core_affinity::set_for_current);
                        let job = Epoch {
                            feed: self.feed,
                            model: self.model,
                            loss: self.settings.loss,
                            rule: self.rule,
                            rate: self.rate,
                            narrow: self.narrow,
                            wide: self.wide,
                            width: self.width,
                            hot: self.hot,
                            plan,
                            counters,
                        };
                        dispatch(set, job)
                    })
                })
                .collect();
            let mut shown = Instant::now();
            while !workers.iter().all(|worker| worker.is_finished()) {
                thread::sleep(Duration::from_micros(200));
                if stop.load(Relaxed) {
                    counters.stop.store(true, Relaxed);
                }
                if shown.elapsed() > Duration::from_millis(100) {
                    shown = Instant::now();
                    watch.progress(Progress { epoch, examples: counters.examples.load(Relaxed), of: self.examples });
                }
            }
            // A worker has no way to fail but a defect of this crate, which is passed on.
            let join = |worker: thread::ScopedJoinHandle<'_, Tally>| worker.join().unwrap_or_else(|e| std::panic::resume_unwind(e));
            workers.into_iter().map(join).fold(Tally::default(), Tally::add)
        })
    }
}
