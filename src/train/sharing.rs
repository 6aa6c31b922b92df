//! How a run's workers share a model: one copy, or replicas that exchange with a centre.
use super::resolved::ResolvedReplicas;
use crate::{
    Batch, Parallel,
    family::prepared::{Basis, Choices, Prepared},
    options::{MOST_SERVERS, Settings},
};
use hogwild_base::{Error, Result, memory, threads::nodes};
use hogwild_kernels::{
    engine::{Downpour, Engine, Pipeline, Replicas, Simulation, Strata, Task, near},
    params::{Beside, Between, Parameters, Shape},
    rules::Layout,
};

/// Of elastic averaging, as in the paper: what alpha is times the replicas.
const BETA: f32 = 0.9;
/// The least alpha: with less the centre follows many replicas too slowly (imdb_1gram, 64 replicas that shared no state: loss .275 instead of .265).
const ALPHA: f32 = 0.3;
/// Examples between two exchanges of a replica at least, unless said otherwise.
const LEAST: u64 = 1024;
/// Nonzeros trained for each cell exchanged: an exchange then takes some twentieth of the time.
const TRAINED: f64 = 4.0;
/// The same by servers, where a cell is taken, stepped, copied and put.
const TRAINED_WITH_SERVERS: f64 = 16.0;

/// Bytes of the centre that a server has, unless said otherwise: what is pushed to it and fetched from it stays in the second cache meanwhile.
/// A server of rows has a block of them at least, which are more bytes.
const OF_A_SERVER: u64 = 64 << 10;

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
    if basis.parts.is_some() && basis.choices.window.is_some() {
        let problem = "has parts of rows in memory, and these data are larger than that; use `window` off, or `parallel` hogwild";
        return Err(Error::BadSetting { setting: "parallel", value: settings.parallel.name().into(), problem: problem.into() });
    }
    if settings.replica_count() > 0 && basis.choices.window.is_some() {
        let problem = "has replicas, each of which goes through its part of all data, and these are larger than memory; use `window` off";
        return Err(Error::BadSetting { setting: "parallel", value: settings.parallel.name().into(), problem: problem.into() });
    }
    Ok(())
}

impl<'a> Sharing<'a> {
    pub fn of(settings: &'a Settings, basis: &'a Basis) -> Sharing<'a> {
        let replicas = settings.replica_count();
        let shape = basis.parts.map(|parts| Shape { tables: vec![parts.table()], ..basis.shape.clone() });
        let shape = if let Some(shape) = shape {
            shape
        } else if replicas > 0 {
            basis.shape.alone()
        } else {
            basis.shape.clone()
        };
        Sharing { settings, basis, shape, replicas }
    }

    /// Makes the engine of a run whose model is made of the task's parameters, and hands it over.
    ///
    /// # Errors
    /// When there is too little memory, or the system refuses threads; those of whom it is handed to.
    pub fn with_engine(&self, prepared: &dyn Prepared, task: &Task<'_>, run: &mut dyn FnMut(&mut dyn Engine) -> Result<()>) -> Result<()> {
        if self.settings.parallel == Parallel::Partitioned {
            // Parts learn the same by real workers: none is virtual.
            let task = &Task { simulation: None, ..*task };
            if let Some(parts) = self.basis.parts {
                let (batch, in_flight) = self.settings.flight();
                let task = Task { batch: Batch::One, pipeline: Some(Pipeline { parts, batch, in_flight }), ..*task };
                return prepared.with_engines(&[task], &mut |engines| engines.into_iter().try_for_each(|mut engine| run(engine.as_mut())));
            }
            let tasks = vec![Task { threads: 1, ..*task }; task.threads];
            return prepared.with_engines(&tasks, &mut |engines| run(&mut Strata::new(task, engines)?));
        }
        if self.replicas == 0 {
            return prepared.with_engines(&[*task], &mut |engines| engines.into_iter().try_for_each(|mut engine| run(engine.as_mut())));
        }
        let servers = self.settings.parallel == Parallel::Downpour;
        // Sums of gradients lie beside the shared slots: where there are servers, workers hold none privately.
        let all = &self.basis.shape;
        let shape = if servers { Shape { beside: Beside::Gradients, workers: all.workers, ..all.alone() } } else { all.clone() };
        let shape = Shape { rare: shape.rare && !servers, ..shape };
        // One for each memory domain lies there, where its workers are pinned.
        let node = |number| (task.pin && self.replicas == nodes().len()).then_some(number);
        // The first ones have a worker more where threads are left over.
        let threads = |number| (task.threads / self.replicas + (number < task.threads % self.replicas) as usize).max(1);
        // Replicas are no virtual workers.
        let summing = if servers { prepared.summing(&Task { simulation: None, ..*task }) } else { None };
        let shape = if summing.is_some() { Shape { beside: Beside::Nothing, ..shape } } else { shape };
        let layout = &summing.unwrap_or(self.basis.facts.layout);
        let copy = |number| near(node(number), || Parameters::new(&Shape { workers: threads(number), ..shape.clone() }, layout));
        self.ask_memory(task, (&shape, layout))?;
        let copies = (0..self.replicas).map(copy).collect::<Result<Vec<_>>>()?;
        let rate = task.rate * self.settings.parallel.rate(self.replicas);
        let of_copy = |(number, parameters)| {
            // Each draws noise of its own.
            let seed = task.seed ^ (number as u64) << 32;
            Task { parameters, rate, seed, threads: threads(number), node: node(number), simulation: None, ..*task }
        };
        let tasks: Vec<Task<'_>> = copies.iter().enumerate().map(of_copy).collect();
        prepared.with_engines(&tasks, &mut |engines| {
            let parts = engines.into_iter().zip(&copies).collect();
            let mut replicas = if servers {
                Replicas::with_servers(task, parts, prepared.server_rule(), self.downpour())?
            } else {
                Replicas::with_centre(task, parts, self.between(), period(self.settings, self.basis))?
            };
            run(&mut replicas)
        })
    }

    /// Asks for all copies at once, as memory that was promised to one is not taken yet when the next is asked for.
    fn ask_memory(&self, task: &Task<'_>, (shape, layout): (&Shape, &Layout)) -> Result<()> {
        let (own, plain) = (Parameters::bytes(layout, shape), self.plain());
        // Beside a replica: what was last exchanged, or messages; of a virtual one whose messages are late what it has told, and those.
        let beside = plain * if task.simulation.is_some_and(Simulation::is_late) { 4 } else { 1 };
        let what = || format!("{} replicas of the model", self.replicas);
        memory::ask((own + beside).saturating_mul(self.replicas as u64), what, "use fewer `replicas`, or fewer features")
    }

    /// Bytes of what the model is made of.
    fn plain(&self) -> u64 {
        Parameters::bytes(&self.basis.facts.layout, &self.shape)
    }

    /// What was made of the settings of replicas.
    pub fn resolved(&self) -> Option<ResolvedReplicas> {
        let way = self.settings.parallel;
        let elasticity = (way == Parallel::Elastic).then(|| self.between().elasticity);
        let downpour = (way == Parallel::Downpour).then(|| self.downpour());
        (self.replicas > 0).then_some(ResolvedReplicas { count: self.replicas, elasticity, downpour })
    }

    fn between(&self) -> Between {
        Between {
            parallel: self.settings.parallel,
            replicas: self.replicas,
            averages: self.basis.facts.averages,
            elasticity: self.settings.elasticity.unwrap_or((BETA / self.replicas as f32).max(ALPHA)),
        }
    }

    fn downpour(&self) -> Downpour {
        let &Settings { servers, push_every, fetch_every, warm_start_examples, threads, .. } = self.settings;
        let push_every = push_every.map_or_else(|| period(self.settings, self.basis), u64::from);
        Downpour {
            servers: servers.unwrap_or_else(|| {
                let small = usize::try_from(self.plain() / OF_A_SERVER).unwrap_or(usize::MAX);
                small.min(self.shape.servers()).min(MOST_SERVERS).max(threads)
            }),
            push_every,
            fetch_every: fetch_every.map_or(push_every, u64::from),
            warm_start: warm_start_examples,
        }
    }
}

/// Examples between two exchanges of a replica.
fn period(settings: &Settings, basis: &Basis) -> u64 {
    let auto = || {
        let cells = Parameters::bytes(&basis.facts.layout, &basis.shape.alone()) as f64 / size_of::<f32>() as f64;
        let replicas = settings.replica_count().max(1) as u64;
        let most = basis.examples / (settings.exchanges() * replicas);
        let trained = if settings.parallel == Parallel::Downpour { TRAINED_WITH_SERVERS } else { TRAINED };
        LEAST.max((trained * cells / basis.numbers) as u64).min(most).max(1)
    };
    settings.exchange_every.map_or_else(auto, u64::from)
}

/// What a run's settings left open, by the data and by how its workers share the model.
pub(super) fn choices(settings: &Settings, basis: &Basis) -> Choices {
    if settings.replica_count() == 0 {
        return basis.choices;
    }
    let hot_rows = if settings.parallel == Parallel::Downpour { 0 } else { basis.choices.hot_rows };
    let every = settings.round().map_or_else(|| period(settings, basis), u64::from);
    Choices { hot_rows, exchange_every: every.min(u32::MAX as u64) as u32, ..basis.choices }
}
