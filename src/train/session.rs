//! A run from what is asked to a model: checked, made ready by its family, at a rate that is given or found, epoch by epoch.
//!
//! Nothing here knows the model, the data or the rule: these are objects. So a session is compiled once.
use super::{
    checkpoints::{Checkpoints, TrainedStates, trained},
    curriculum,
    follower::Follower,
    rate_search::{self, RateSearch},
    recovery::{self, Guard, Went},
    report::{Astray, Ended, EpochProgress, EpochReport, Outcome},
    resolved::Resolved,
    sharing::{self, Sharing},
};
use crate::{
    family::prepared::{Basis, Prepared, Rate},
    model::{Scored, Tensors},
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_kernels::{
    engine::{Counts, Engine, Epoch, Facts, Simulation, Task},
    feed::Normalize,
    params::Parameters,
    schedule::{Moment, Schedule},
    simd::InstructionSet,
};
use std::time::Instant;

/// What is to be trained.
pub(super) struct Job<'a> {
    /// The family's name.
    pub family: &'static str,
    /// The update rule's name, and what it needs.
    pub rule: &'a str,
    pub facts: Facts,
    pub settings: &'a Settings,
    /// Whether there are validation data.
    pub has_valid: bool,
    /// By what virtual workers go, where the run is simulated.
    pub simulation: Option<&'a Simulation>,
}

/// Makes data and settings ready.
type Prepare<'a> = dyn Fn() -> Result<Box<dyn Prepared + 'a>> + 'a;

/// Trains a model.
pub(super) fn run(job: &Job<'_>, follower: &mut Follower<'_>, prepare: &Prepare<'_>) -> Result<Outcome> {
    let settings = job.settings;
    settings.check_with(&job.facts, job.rule)?;
    check_held_out(job.has_valid, settings)?;
    let prepared = prepare()?;
    let prepared = prepared.as_ref();
    let basis = prepared.basis();
    basis.scaled.iter().for_each(|&sizes| follower.watch.scaled(Normalize::MaxAbs, sizes));
    basis.window.iter().for_each(|report| follower.watch.window(report));
    sharing::check(settings, basis)?;
    let set = settings.instruction_set()?;
    let (rate, chosen) = match settings.lr {
        Some(rate) => (rate, false),
        None => (find_rate(prepared, settings, set, follower)?, true),
    };
    let attempt = |rate: f32, chosen: bool, follower: &mut Follower<'_>| attempt(prepared, job, set, rate, chosen, follower);
    let (ran, rate) = recovery::at_rates(rate, chosen, follower, &attempt)?;
    Ok(ran.outcome(
        job.family,
        basis,
        Resolved::new(settings, job.rule, &sharing::choices(settings, basis), Sharing::of(settings, basis).resolved(), rate, set),
    ))
}

/// Finds a learning rate.
fn find_rate(prepared: &dyn Prepared, settings: &Settings, set: InstructionSet, follower: &mut Follower<'_>) -> Result<f32> {
    let search = match prepared.rate(rate_search::LARGEST)? {
        Rate::Known(rate) => return Ok(rate_search::not_searched(rate, follower)),
        Rate::Searched(search) => search,
    };
    let rate = RateSearch { search: search.as_ref(), basis: prepared.basis(), settings, set }.choose(follower)?;
    search.end();
    Ok(rate)
}

/// Runs the epochs at a rate, from new parameters.
fn attempt(
    prepared: &dyn Prepared,
    &Job { family, settings, simulation, .. }: &Job<'_>,
    set: InstructionSet,
    rate: f32,
    chosen: bool,
    follower: &mut Follower<'_>,
) -> Result<Went> {
    let basis = prepared.basis();
    let sharing = Sharing::of(settings, basis);
    let parameters = &Parameters::new(&sharing.shape, &basis.facts.layout)?;
    prepared.start(parameters);
    let admitted: Vec<u64> = (1..=settings.epochs).map(|epoch| curriculum::admitted(settings, basis.examples, epoch)).collect();
    let &Settings { schedule, transforms, batch, batch_growth, seed, threads, pin, .. } = settings;
    let task = Task {
        units: &basis.units,
        examples: basis.examples,
        admitted: &admitted,
        parameters,
        rate,
        schedule,
        loss: basis.loss,
        transforms,
        batch,
        batch_growth,
        pipeline: None,
        seed,
        threads,
        pin,
        node: None,
        set,
        reader: prepared.reader(),
        simulation,
    };
    let run = Run { family, prepared, basis, settings, parameters, admitted: &admitted, rate, chosen };
    let mut went = None;
    sharing.with_engine(prepared, &task, &mut |engine| {
        went = Some(run.epochs(engine, follower)?);
        Ok(())
    })?;
    // Whoever makes an engine hands it over.
    Ok(went.unwrap_or_else(|| Went::Through(Checkpoints::new(settings).end(Ended::Interrupted, Vec::new(), settings))))
}

/// A run of epochs at one rate: all that stays the same over them.
struct Run<'a> {
    family: &'static str,
    prepared: &'a dyn Prepared,
    basis: &'a Basis,
    settings: &'a Settings,
    parameters: &'a Parameters,
    /// Examples that each epoch admits.
    admitted: &'a [u64],
    rate: f32,
    /// Whether the rate was chosen, so that the run may start again at another.
    chosen: bool,
}

/// What a run has come to.
struct State<'a> {
    guard: Guard<'a>,
    astray: Option<Astray>,
    reports: Vec<EpochReport>,
    kept: Checkpoints,
    stalls: Stalls,
    /// Examples of the epochs before.
    before: u64,
}

/// What follows an epoch.
enum Next {
    Go,
    End(Ended),
    Astray(Astray),
}

impl Run<'_> {
    /// Runs the epochs; at a chosen rate only as long as they do not go astray.
    fn epochs(&self, engine: &mut dyn Engine, follower: &mut Follower<'_>) -> Result<Went> {
        let mut state = State {
            guard: Guard::new(self.settings, self.chosen, (self.basis.loss, self.basis.targets)),
            astray: None,
            reports: Vec::new(),
            kept: Checkpoints::new(self.settings),
            stalls: Stalls::default(),
            before: 0,
        };
        let mut end = Ended::Finished;
        for epoch in 1..=self.settings.epochs {
            match self.epoch(epoch, engine, &mut state, follower)? {
                Next::Go => {}
                Next::End(Ended::Stopped) => {
                    end = Ended::Stopped;
                    break;
                }
                Next::End(ended) => return Ok(Went::Through(self.end(state, ended))),
                Next::Astray(astray) => return Ok(Went::Astray(astray)),
            }
        }
        let astray = state.astray;
        astray.iter().for_each(|astray| follower.watch.astray(astray));
        Ok(Went::Through(self.end(state, end).with_astray(astray)))
    }

    fn end(&self, state: State<'_>, ended: Ended) -> TrainedStates {
        state.kept.end(ended, state.reports, self.settings)
    }

    /// Trains an epoch, then looks at what has come of it.
    fn epoch(&self, epoch: usize, engine: &mut dyn Engine, state: &mut State<'_>, follower: &mut Follower<'_>) -> Result<Next> {
        let (moment, start) = (self.moment(epoch, state), Instant::now());
        let (counts, steps) = self.train(epoch, &moment, engine, follower);
        let seconds = start.elapsed().as_secs_f64();
        state.before += moment.epoch;
        if let Some(error) = engine.fault() {
            return Err(error);
        }
        if let Some(error) = self.prepared.damage() {
            return Ok(Next::End(Ended::DataLost(error)));
        }
        if let Some(quantity) = self.not_finite(&counts) {
            return Ok(self.diverged(epoch, &moment, quantity));
        }
        let start = Instant::now();
        let model = self.prepared.tensors(self.parameters, &engine.finish());
        let interrupted = follower.is_over();
        let scored = if interrupted { None } else { self.prepared.score_held_out(&model) };
        let scored = scored.map(|scored| Scored { unit: self.basis.targets.scale, ..scored });
        if let Some(error) = self.prepared.damage() {
            return Ok(Next::End(Ended::DataLost(error)));
        }
        let valid = scored.as_ref().map(|scored| scored.metrics(self.settings.loss));
        let training = counts.mean_loss();
        if !interrupted {
            let loss = self.loss_after(&model, training, scored.is_some());
            state.astray = state.guard.see(epoch, self.rate, loss, scored.as_ref());
        }
        if follower.watch.takes_models() && model.are_finite() {
            let told = serde_json::json!({ "lr": self.rate, "epochs": epoch });
            follower.watch.model(trained(self.family, self.basis, (self.settings, told), vec![model.clone()]));
        }
        state.kept.take(epoch, interrupted, model, scored, valid.as_ref())?;
        if let (Some(valid), Schedule::Plateau { patience, .. }) = (valid, self.settings.schedule) {
            state.stalls.see(valid.loss, patience as u32);
        }
        let report = EpochReport {
            epoch,
            seconds,
            done: state.before as f64 / moment.steps.max(1) as f64,
            evaluation_seconds: start.elapsed().as_secs_f64(),
            examples: counts.examples,
            nonzeros: counts.nonzeros,
            steps,
            loss: self.basis.targets.loss(training),
            valid,
        };
        let stopped = follower.epoch(&report);
        state.reports.push(report);
        let is_last = epoch == self.settings.epochs;
        Ok(match state.astray.filter(|_| self.chosen) {
            _ if interrupted => Next::End(Ended::Interrupted),
            _ if stopped && !is_last => Next::End(Ended::Stopped),
            Some(astray) => Next::Astray(astray),
            None if state.kept.is_enough() && !is_last => Next::End(Ended::StoppedEarly),
            None => Next::Go,
        })
    }

    /// Where the run stands before an epoch.
    fn moment(&self, epoch: usize, state: &State<'_>) -> Moment {
        Moment {
            step: state.before + 1,
            steps: self.admitted.iter().sum(),
            epoch: self.admitted[epoch - 1],
            epochs: epoch as u64 - 1,
            all_epochs: self.settings.epochs as u64,
            before: state.before,
            stalls: state.stalls.count,
        }
    }

    /// Has the engine go through an epoch; gives what was done, in how many steps.
    fn train(&self, epoch: usize, moment: &Moment, engine: &mut dyn Engine, follower: &mut Follower<'_>) -> (Counts, u64) {
        let (count, all) = (moment.epoch, self.basis.examples);
        let admitted = if count < all { self.easiest(epoch, count, engine) } else { Vec::new() };
        // As many examples as otherwise: a block is counted before those left out are taken from it.
        let block = (self.basis.choices.exchange_every as u64 * all / count.max(1)).min(u32::MAX as u64) as u32;
        let plan = self.prepared.plan(admitted, self.settings.order, block, self.settings.seed, epoch);
        let mut follow = |examples| {
            let (done, of_all) = (moment.before + examples, moment.steps);
            follower.progress(EpochProgress { epoch, examples, of: count, done, of_all }) || self.prepared.damage().is_some()
        };
        engine.epoch(&Epoch { number: epoch, start: *moment, plan: &plan, round: 0 }, &mut follow)
    }

    /// The `count` examples that the model as it stands loses least on.
    fn easiest(&self, epoch: usize, count: u64, engine: &dyn Engine) -> Vec<bool> {
        let mut losses = self.prepared.losses(&self.prepared.tensors(self.parameters, &engine.finish()));
        if epoch == 1 && self.settings.loss.is_classification() {
            // Nothing is learnt yet: the easy ones would be all those of one class.
            losses.iter_mut().filter(|loss| loss.is_finite()).for_each(|loss| *loss = 0.0);
        }
        curriculum::easiest(&losses, count, self.settings.seed)
    }

    /// What has left the finite numbers.
    fn not_finite(&self, counts: &Counts) -> Option<&'static str> {
        if !counts.loss.is_finite() {
            Some("the training loss")
        } else if !self.parameters.is_finite() {
            Some("a parameter")
        } else {
            None
        }
    }

    fn diverged(&self, epoch: usize, moment: &Moment, quantity: &'static str) -> Next {
        if self.chosen {
            let constant = self.basis.targets.loss(self.basis.targets.constant);
            return Next::Astray(Astray { epoch, loss: f64::NAN, constant, rate: self.rate, chosen: true, diverged: true, next: None });
        }
        let rate = self.settings.schedule.rate(self.rate, moment);
        Next::End(Ended::Diverged(Error::Diverged { epoch, rate, base: self.rate, l2: self.settings.l2, quantity }))
    }

    /// The mean loss that tells whether the run has gone astray: the training loss, but of a single epoch without held-out data that after
    /// it.
    fn loss_after(&self, model: &Tensors, training: f64, is_scored: bool) -> f64 {
        if self.settings.epochs > 1 || !self.chosen || is_scored {
            return training;
        }
        mean_of_finite(&self.prepared.losses(model), &self.prepared.weights())
    }
}

/// The mean of losses at positions, by weights if there are any; those held out are infinite. (A NaN stays one.)
fn mean_of_finite(losses: &[f32], weights: &[f32]) -> f64 {
    let weight = |position: usize| weights.get(position).map_or(1.0, |&weight| weight as f64);
    let (mut sum, mut all) = (0.0, 0.0);
    for (position, &loss) in losses.iter().enumerate().filter(|(_, loss)| **loss != f32::INFINITY) {
        (sum, all) = (sum + weight(position) * loss as f64, all + weight(position));
    }
    if all > 0.0 { sum / all } else { 0.0 }
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
        return Err(Error::BadSetting { setting: "holdout", value: settings.holdout.to_string(), problem });
    }
    let by_loss = matches!(settings.schedule, Schedule::Plateau { .. }).then(|| ("schedule", settings.schedule.to_string()));
    let by_metric = settings.patience.map(|patience| ("patience", patience.to_string()));
    if let (Some((setting, value)), false) = (by_loss.or(by_metric), valid || settings.holdout > 0.0) {
        let problem = "goes by held-out data; give `valid` or `holdout`".into();
        return Err(Error::BadSetting { setting, value, problem });
    }
    Ok(())
}
