//! How a run's workers share a model: one copy, or replicas that exchange with a centre.
use crate::{
    Parallel,
    family::prepared::{Basis, Choices, Prepared},
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_kernels::{
    engine::{Engine, Replicas, Simulation, Task},
    params::{Between, Parameters, Shape},
};

/// Of elastic averaging, as in the paper: what alpha is times the replicas.
const BETA: f32 = 0.9;
/// The least alpha: with less the centre follows many replicas too slowly (imdb_1gram, 64 replicas: loss .275 instead of .265).
const ALPHA: f32 = 0.3;
/// Examples between two exchanges of a replica at least, unless said otherwise.
const LEAST: u64 = 1024;
/// Nonzeros trained for each cell exchanged: an exchange then takes some twentieth of the time.
const TRAINED: f64 = 4.0;
/// The part of the data that all replicas have seen together before each has exchanged, at most: with more, `mean` falls behind.
const TOGETHER: u64 = 4;

/// How the workers of a run share its model.
pub(super) struct Sharing<'a> {
    settings: &'a Settings,
    basis: &'a Basis,
    /// Of what the model is made of: the one copy, or the centre.
    pub shape: Shape,
    /// How many copies there are; 0 where all workers share the one.
    replicas: usize,
}

/// # Errors
/// When replicas can't be had of these data.
pub(super) fn check(settings: &Settings, basis: &Basis) -> Result<()> {
    if settings.replica_count() > 0 && basis.choices.window.is_some() {
        let problem = "has replicas, each of which goes through its part of all data, and these are larger than memory; use `window` off";
        return Err(Error::BadSetting { setting: "parallel", value: settings.parallel.name().into(), problem: problem.into() });
    }
    Ok(())
}

impl<'a> Sharing<'a> {
    pub fn of(settings: &'a Settings, basis: &'a Basis) -> Sharing<'a> {
        let replicas = settings.replica_count();
        let shape = if replicas > 0 { basis.shape.alone() } else { basis.shape.clone() };
        Sharing { settings, basis, shape, replicas }
    }

    /// Makes the engine of a run whose model is made of the task's parameters, and hands it over.
    ///
    /// # Errors
    /// When there is too little memory, or the system refuses threads; those of whom it is handed to.
    pub fn with_engine(&self, prepared: &dyn Prepared, task: &Task<'_>, run: &mut dyn FnMut(&mut dyn Engine) -> Result<()>) -> Result<()> {
        if self.replicas == 0 {
            return prepared.with_engines(&[*task], &mut |engines| engines.into_iter().try_for_each(|mut engine| run(engine.as_mut())));
        }
        let copies = (0..self.replicas).map(|_| Parameters::new(&self.shape, &self.basis.facts.layout)).collect::<Result<Vec<_>>>()?;
        let letters = if task.simulation.is_some_and(Simulation::is_late) { self.replicas } else { 0 };
        let letters = (0..letters).map(|_| Parameters::new(&self.shape, &self.basis.facts.layout)).collect::<Result<Vec<_>>>()?;
        let rate = task.rate * self.settings.parallel.rate(self.replicas);
        let of_copy = |(number, parameters)| {
            // Each draws noise of its own.
            let seed = task.seed ^ (number as u64) << 32;
            Task { parameters, rate, seed, threads: 1, simulation: None, ..*task }
        };
        let tasks: Vec<Task<'_>> = copies.iter().enumerate().map(of_copy).collect();
        let between = Between {
            parallel: self.settings.parallel,
            replicas: self.replicas,
            averages: self.basis.facts.averages,
            elasticity: self.settings.elasticity.unwrap_or((BETA / self.replicas as f32).max(ALPHA)),
        };
        prepared.with_engines(&tasks, &mut |engines| {
            let parts = engines.into_iter().zip(&copies).enumerate().map(|(i, (engine, own))| (engine, own, letters.get(i))).collect();
            run(&mut Replicas::new(task, parts, between, period(self.settings, self.basis))?)
        })
    }
}

/// Examples between two exchanges of a replica.
fn period(settings: &Settings, basis: &Basis) -> u64 {
    let auto = || {
        let cells = Parameters::bytes(&basis.facts.layout, &basis.shape.alone()) as f64 / size_of::<f32>() as f64;
        let most = basis.examples / (TOGETHER * settings.replica_count().max(1) as u64);
        LEAST.max((TRAINED * cells / basis.numbers) as u64).min(most).max(1)
    };
    settings.exchange_every.map_or_else(auto, u64::from)
}

/// What a run's settings left open, by the data and by how its workers share the model.
pub(super) fn choices(settings: &Settings, basis: &Basis) -> Choices {
    if settings.parallel == Parallel::Hogwild {
        return basis.choices;
    }
    Choices { hot_rows: 0, exchange_every: period(settings, basis).min(u32::MAX as u64) as u32, ..basis.choices }
}
