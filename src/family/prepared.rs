//! What a family makes of data and settings for a run: the seam between what is trained and how a run goes.
//!
//! A session sees a [`Prepared`] run, the search for a learning rate a [`Stage`], both as objects: so sessions and searches are compiled
//! once, whatever models, data and rules there are.
use super::folds::Fold;
use crate::{
    classes::Classes,
    model::{Axis, Scored, Tensors, TrainedModel},
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_data::Recipe;
use hogwild_kernels::{
    ServerRule,
    engine::{Counters, Engine, Facts, Reader, Task},
    feed::Normalize,
    loss::Loss,
    order::{Order, Plan},
    params::{Finish, Parameters, Parts, Shape},
    rules::Layout,
    targets::Targets,
};
use std::{ops::Range, sync::Arc};

/// What a family of models makes of settings that are left open, by the data.
#[derive(Clone, Copy, Debug)]
pub struct Choices {
    /// Most frequent rows that each worker holds privately.
    pub hot_rows: usize,
    /// Most frequent rows that step once for each group of examples; 0 where examples step one by one.
    pub dense_rows: usize,
    /// Examples between exchanges of those, which is a block.
    pub exchange_every: u32,
    /// How features are scaled; never [`Normalize::Auto`].
    pub normalize: Normalize,
    /// Bytes of the data that are in memory at a time; all without.
    pub window: Option<u64>,
    /// Parts that own the parameters, where parts do.
    pub parts: Option<usize>,
    /// And, of linear models, the batch and how many are in flight.
    pub flight: Option<(usize, usize)>,
}

/// The plain values of a run.
pub struct Basis {
    /// Of the update rule.
    pub facts: Facts,
    /// What the settings left open.
    pub choices: Choices,
    /// All positions, as they lie.
    pub units: Arc<[Range<u32>]>,
    /// Examples that are trained on.
    pub examples: u64,
    /// What the engine minimises.
    pub loss: Loss,
    /// What labels are learnt as.
    pub targets: Targets,
    /// Of the parameters.
    pub shape: Shape,
    /// Where slots lie that parts own, of linear models.
    pub parts: Option<Parts>,
    /// Numbers that training visits for an example (nonzeros and the like), by which the search for a rate counts its work.
    pub numbers: f64,
    /// Whether the best rate falls with more examples where they are learnt by heart: not where a sample has whole rows of parameters.
    pub by_heart: bool,
    /// Whether a model is to divide rows by their lengths.
    pub unit_rows: bool,
    /// Which labels two classes are.
    pub classes: Option<Classes>,
    /// What was done to the text of the data, where that was more than to read it.
    pub recipe: Option<Recipe>,
    /// What the model's rows belong to.
    pub axes: Vec<Axis>,
    /// Where features are scaled unasked: the sizes of the smallest and the largest (roots of mean squares).
    pub scaled: Option<[f64; 2]>,
    /// Where the data are larger than memory.
    pub window: Option<WindowReport>,
}

/// What is told of data that are visited window by window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowReport {
    /// Bytes in memory at a time.
    pub bytes: u64,
    /// Bytes of the file.
    pub of: u64,
    /// How many groups of rows there are, each shuffled by itself.
    pub groups: usize,
    /// Whether memory is given back. By batches it is not: the order alone keeps to the window.
    pub gives_back: bool,
}

/// Is handed the engines that a run goes by, one for each task.
pub type WithEngines<'a> = dyn FnMut(Vec<Box<dyn Engine + '_>>) -> Result<()> + 'a;
/// Is handed the engine that a trial goes by.
pub type WithEngine<'a> = dyn FnMut(&mut dyn Engine) + 'a;

/// Data and settings, ready for a run.
pub trait Prepared: Sync {
    /// Its plain values.
    fn basis(&self) -> &Basis;
    /// Has training begin at the weights of a model. (Not the search for a learning rate.)
    ///
    /// # Errors
    /// When it can't.
    fn start_from(&mut self, _model: &TrainedModel) -> Result<()> {
        let problem = "starts at its own factors, so it can't begin at a model; start from nothing".into();
        Err(Error::BadSetting { setting: "model", value: "of users and items".into(), problem })
    }
    /// Gives new parameters their first weights, where these are not 0.
    fn start(&self, _parameters: &Parameters) {}
    /// Makes the engines that the tasks ask for, and hands them over.
    ///
    /// # Errors
    /// When there is too little memory, or the system refuses threads; those of whom they are handed to.
    fn with_engines(&self, tasks: &[Task<'_>], run: &mut WithEngines<'_>) -> Result<()>;
    /// How slots lie that have sums of gradients in them, where the loop of a task keeps them there.
    fn summing(&self, task: &Task<'_>) -> Option<Layout>;
    /// The rule as parameter servers step by it.
    fn server_rule(&self) -> ServerRule<'_>;
    /// What a model keeps of the parameters as they stand, in the labels' own unit.
    fn tensors(&self, parameters: &Parameters, finish: &Finish<'_>) -> Tensors;
    /// Scores held-out data, if there are any.
    fn score_held_out(&self, model: &Tensors) -> Option<Scored>;
    /// A model's loss at each position, in standardised labels; infinity where that is held out.
    fn losses(&self, model: &Tensors) -> Vec<f32>;
    /// What is wrong with the data's files since they were opened.
    fn damage(&self) -> Option<Error> {
        None
    }
    /// The plan of an epoch: see [`Plan::new`].
    fn plan(&self, admitted: Vec<bool>, order: Order, block: u32, seed: u64, epoch: usize) -> Plan {
        Plan::new(&self.basis().units, admitted, order, block, seed, epoch)
    }
    /// Reads data larger than memory ahead of the workers.
    /// How much the examples count, by position, beside a mean of 1; none where all count alike.
    fn weights(&self) -> Vec<f32> {
        Vec::new()
    }
    /// What reads a file larger than memory.
    fn reader(&self) -> Option<&dyn Reader> {
        None
    }
    /// The learning rate where none is given, or what the search for one goes by. `largest`: the most examples of a sample.
    ///
    /// # Errors
    /// When the data can't be read.
    fn rate(&self, largest: u64) -> Result<Rate<'_>>;
}

/// Where a learning rate comes from that is not given.
pub enum Rate<'a> {
    /// It is known.
    Known(f32),
    /// It is searched.
    Searched(Box<dyn Search + 'a>),
}

/// Where learning rates are searched: samples of the data.
pub trait Search {
    /// A rate to begin with.
    fn first_rate(&self) -> f32;
    /// A sample of about so many examples to train on, held out in so many parts at most.
    fn stage(&self, size: (u64, usize)) -> Box<dyn Stage + '_>;
    /// The search is over: memory that held the data is given back.
    fn end(&self) {}
}

/// An example that judges.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// As the loss takes it.
    pub score: f32,
    /// As the loss takes it.
    pub target: f32,
    /// How much it counts; all together have a mean of 1, about.
    pub weight: f32,
}

/// A sample on which rates are tried.
pub trait Stage: Sync {
    /// What is trained on, and what judges.
    fn folds(&self) -> &[Fold];
    /// Of the parameters, for one worker.
    fn shape(&self) -> Shape;
    /// Gives new parameters their first weights, where these are not 0.
    fn start(&self, _parameters: &Parameters) {}
    /// The examples that judge a fold.
    fn judge(&self, parameters: &Parameters, finish: &Finish<'_>, fold: &Fold) -> Vec<Judged>;
    /// Makes an engine of one worker that runs on the calling thread, and hands it over.
    fn with_engine(&self, task: &Task<'_>, counters: &Counters, run: &mut WithEngine<'_>);
}

/// Something is left to train on, and something to evaluate on, of `examples` of which so many are held out.
pub(crate) fn check_split(examples: u64, held: Option<u64>, settings: &Settings) -> Result<()> {
    if let Some(held) = held.filter(|&held| held == 0 || held == examples) {
        let problem = format!("holds out {held} of {examples} examples; give another share, or `valid`");
        return Err(Error::BadSetting { setting: "holdout", value: settings.holdout.to_string(), problem });
    }
    Ok(())
}
