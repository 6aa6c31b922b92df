//! A linear model or a factorization machine that goes on learning: its weights, the rule's state and the clock are kept from one batch
//! of rows to the next.
//!
//! A batch costs what its rows cost, however many columns there are. Columns are slots as they are numbered, for a stream has no counts to
//! rank them by, and one worker steps. What a run makes of all its data beforehand can't be had: scales of features, averages over a share of
//! the run, schedules by its length, rules that tune themselves by epochs.
use super::{
    kernel::{ModelParts, RowKernel, rows},
    scale,
    start::{FACTORS, Start},
    weights::RowWeights,
};
use crate::{
    classes::Classes,
    family::list::family,
    model::{Axis, TrainedModel},
    options::{Settings, check_rows},
};
use hogwild_base::{Error, Result};
use hogwild_data::{Examples, Ids, Index, Matrix, Number};
use hogwild_kernels::{
    Parallel,
    engine::{Engine, Epoch, Facts, FmKernel, LinearKernel, Loops, Task},
    feed::{Normalize, RowCells, ScaledFeed, SparseFeed},
    models::Linear,
    order::{BLOCK, Plan},
    params::{Parameters, Shape, TableShape},
    rules::Rule,
    schedule::{Moment, Schedule},
    simd::InstructionSet,
    targets::Targets,
};
use std::{path::Path, sync::atomic::Ordering::Relaxed};

/// What errors call the rows.
const NAME: &str = "rows in memory";

/// A model of rows that goes on learning.
pub struct OnlineModel {
    settings: Settings,
    /// Whether features have factors.
    has_factors: bool,
    facts: Facts,
    parameters: Parameters,
    set: InstructionSet,
    width: usize,
    /// Of a factorization machine, once it has begun.
    start: Option<Start>,
    state: OnlineState,
}

/// What such a model has come to, beside its numbers.
#[derive(Clone, Debug, Default)]
pub struct OnlineState {
    /// The learning rate: as given, or what the first batch asks for.
    pub rate: Option<f32>,
    /// What labels are standardised by, of a loss of numbers: what is taken away, what is divided by, and the score at the start.
    pub targets: Option<[f32; 3]>,
    /// Rows that were learnt.
    pub rows: u64,
    /// Batches that were learnt.
    pub batches: u64,
    /// With L2 or L1, in how many rows each column was.
    pub counts: Vec<u64>,
    /// Of a factorization machine that has begun, what its numbers are multiplied by to be factors.
    pub factor_rate: Option<f32>,
}

impl OnlineModel {
    /// A linear model of so many columns, which knows nothing yet.
    ///
    /// # Errors
    /// Settings that are out of range, or that go by all of a run.
    ///
    /// ```
    /// use hogwild::{OnlineModel, Settings, data::Matrix};
    ///
    /// let mut model = OnlineModel::linear(&Settings { lr: Some(0.5), ..Settings::default() }, 3)?;
    /// let matrix = Matrix { row_start: &[0i32, 1, 2], columns: &[0, 2], values: &[1.0f32, 1.0], width: 3 };
    /// let losses = [(); 9].map(|()| model.learn(&matrix, &[1.0, -1.0], None).unwrap());
    /// assert!(losses[8] < losses[0]);
    /// # Ok::<(), hogwild::Error>(())
    /// ```
    pub fn linear(settings: &Settings, width: usize) -> Result<OnlineModel> {
        check_rows(settings)?;
        OnlineModel::of(settings, width, false)
    }

    /// A factorization machine of so many columns, each with `rank` factors.
    ///
    /// # Errors
    /// As [`linear`](Self::linear); settings that are of linear models.
    pub fn fm(settings: &Settings, width: usize) -> Result<OnlineModel> {
        OnlineModel::of(settings, width, true)
    }

    fn of(settings: &Settings, width: usize, has_factors: bool) -> Result<OnlineModel> {
        if let Some(family) = family(if has_factors { "fm" } else { "linear" }) {
            family.check(settings)?;
        }
        check(settings)?;
        let facts = if has_factors { Loops::<FmKernel>::facts(&settings.rule) } else { Loops::<LinearKernel>::facts(&settings.rule) };
        if facts.learns {
            return refuse("rule", settings.rule.name(), "tunes itself by epochs; give another rule");
        }
        // Features with factors have their weights beside them.
        let mut shape = Shape::of(TableShape::single(if has_factors { 1 } else { width + 1 }));
        shape.tables.extend(has_factors.then(|| rows(settings, width, settings.rank)));
        let parameters = Parameters::new(&shape, &facts.layout)?;
        let state = OnlineState { rate: settings.lr, ..OnlineState::default() };
        let set = settings.instruction_set()?;
        Ok(OnlineModel { settings: settings.clone(), has_factors, facts, parameters, set, width, start: None, state })
    }

    /// Learns some rows, once each; gives their mean loss, each before its step.
    ///
    /// # Errors
    /// When the rows can't be used, or the loss leaves the finite numbers.
    pub fn learn<I: Index, V: Number>(&mut self, matrix: &Matrix<'_, I, V>, labels: &[f32], weights: Option<&[f32]>) -> Result<f64> {
        if matrix.width != self.width {
            return Err(bad(format!("have {} columns, and the model {}", matrix.width, self.width), "give the same columns each time"));
        }
        self.check_labels(labels)?;
        let examples = &matrix.examples(labels, weights)?;
        self.begin(examples);
        let (rows, start) = (labels.len() as u64, self.moment(labels.len() as u64));
        let loss = self.with_engine(examples, rows, |engine, plan| {
            let (counts, _) = engine.epoch(&Epoch { number: start.epochs as usize + 1, start, plan, round: 0 }, &mut |_| false);
            counts.loss / counts.examples.max(1) as f64
        })?;
        (self.state.rows, self.state.batches) = (self.state.rows + rows, self.state.batches + 1);
        if !loss.is_finite() {
            let (rate, l2) = (self.state.rate.unwrap_or(0.0), self.settings.l2);
            return Err(Error::Diverged { epoch: self.state.batches as usize, rate, base: rate, l2, quantity: "the training loss" });
        }
        Ok(self.targets().loss(loss))
    }

    /// The bias, and a weight a column.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn weights(&self) -> Result<(f32, Vec<f32>)> {
        let RowWeights { bias, weights, .. } = self.row_weights()?;
        Ok((bias.first().copied().unwrap_or(0.0), weights))
    }

    /// The model as it is, whose features are columns by their numbers.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn model(&self) -> Result<TrainedModel> {
        let Settings { loss, rank, normalize, .. } = self.settings;
        let (name, rank) = if self.has_factors { ("fm", rank) } else { ("linear", 0) };
        let weights = RowWeights { width: rank, ..self.row_weights()? };
        Ok(TrainedModel {
            family: name,
            loss,
            unit: self.targets().scale,
            classes: loss.is_classification().then_some(Classes::SIGNS),
            class_names: Vec::new(),
            unit_rows: normalize == Normalize::Row,
            settings: serde_json::json!({ "lr": self.state.rate }),
            recipe: None,
            axes: vec![Axis { name: "feature", ids: Ids::Numbers((0..self.width as u64).collect()).into() }],
            members: vec![weights.tensors(false, None)],
        })
    }

    /// Weights for labels as they are.
    fn row_weights(&self) -> Result<RowWeights> {
        let nothing = &Matrix::<u32, f32> { row_start: &[0, 0], columns: &[], values: &[], width: self.width }.examples(&[0.0], None)?;
        let targets = self.targets();
        self.with_engine(nothing, 0, |engine, plan| {
            // An epoch of nothing: it sets the clock by which weights are read.
            engine.epoch(&Epoch { number: 1, start: self.moment(0), plan, round: 0 }, &mut |_| false);
            let start = self.start.or_else(|| self.has_factors.then(|| Start::known(&self.settings, self.width)));
            let mut weights = RowWeights::of(&self.parameters, &engine.finish(), start, None);
            weights.bias.iter_mut().for_each(|bias| *bias += targets.base);
            weights.in_units(&targets)
        })
    }

    /// Begins at these weights, before anything was learnt; of a factorization machine at these factors too, column by column.
    ///
    /// # Errors
    /// When the rule's weights follow from its state, which these have not; another number of factors.
    pub fn start_at(&mut self, bias: f32, weights: &[f32], factors: &[f32]) -> Result<()> {
        if factors.len() != if self.has_factors { self.width * self.settings.rank } else { 0 } {
            return Err(bad(format!("have {} factors", factors.len()), "give `rank` a column, of a factorization machine alone"));
        }
        if self.settings.rule.reads_state() {
            return refuse(
                "rule",
                self.settings.rule.name(),
                "makes weights of its state, so it can't begin at weights; give another rule",
            );
        }
        let mut weights = weights.iter().copied();
        let mut numbers = std::iter::once(bias).chain(weights.by_ref().take(if self.has_factors { 0 } else { self.width }));
        self.parameters.table(0).set_weights(|| numbers.next().unwrap_or(0.0));
        if self.has_factors {
            self.parameters.table(FACTORS).set_besides(|| weights.next().unwrap_or(0.0));
            let start = Start::known(&self.settings, self.width);
            let mut numbers = factors.iter().map(|v| v / start.rate);
            self.parameters.table(FACTORS).set_weights(|| numbers.next().unwrap_or(0.0));
            (self.start, self.state.factor_rate) = (Some(start), Some(start.rate));
        }
        // Labels are then learnt as they are, so that the weights mean what they did.
        self.state.targets = Some([0.0, 1.0, 0.0]);
        Ok(())
    }

    /// The learning rate; none before the first batch where none is given.
    pub fn rate(&self) -> Option<f32> {
        self.state.rate
    }

    /// What it has come to, to go on from: the numbers of weights and the rule's state, and the rest.
    pub fn state(&self) -> (Vec<f32>, &OnlineState) {
        let mut numbers = self.parameters.table(0).numbers();
        if self.has_factors {
            numbers.extend(self.parameters.table(FACTORS).numbers());
        }
        (numbers, &self.state)
    }

    /// Goes on from there.
    ///
    /// # Errors
    /// When the numbers are of other settings, or of another number of columns.
    pub fn resume(&mut self, numbers: &[f32], state: OnlineState) -> Result<()> {
        let factor_rate = Start::known(&self.settings, self.width).rate;
        if let Some(before) = state.factor_rate.filter(|&before| self.has_factors && before != factor_rate) {
            let problem = format!("would multiply all factors, which were learnt at {before}; give that, or begin anew");
            return refuse("factor_rate", &factor_rate.to_string(), &problem);
        }
        let (first, factors) = numbers.split_at(self.parameters.table(0).numbers().len().min(numbers.len()));
        let fits = if self.has_factors { self.parameters.table(FACTORS).set_numbers(factors) } else { factors.is_empty() };
        if !fits || !self.parameters.table(0).set_numbers(first) {
            return Err(bad("were learnt by other settings".into(), "give those that they were learnt by"));
        }
        // Whoever has begun knows what labels are learnt as.
        self.start = (self.has_factors && state.targets.is_some()).then(|| Start::known(&self.settings, self.width));
        self.state = state;
        Ok(())
    }

    /// What the first batch decides, and what is counted.
    fn begin(&mut self, examples: &Examples) {
        let Settings { loss, standardize, bias, rule, .. } = &self.settings;
        let labels = || examples.labels.iter().map(|label| f32::from_bits(label.load(Relaxed)));
        if self.state.targets.is_none() {
            // A few first rows may be of one class: only numbers start at what is best for them.
            let standardize = *standardize && *bias && !loss.is_classification();
            let targets = Targets::new(*loss, Classes::taken(None, *loss), standardize, |each| {
                labels().for_each(|label| each(label, 1.0));
            });
            self.state.targets = Some(targets.numbers());
        }
        if self.state.rate.is_none() {
            let squares = examples.values.iter().map(|bits| f64::from(f32::from_bits(bits.load(Relaxed))).powi(2)).sum::<f64>();
            let square = if self.settings.normalize == Normalize::Row { 1.0 } else { squares / examples.labels.len() as f64 };
            self.state.rate = Some(if self.has_factors {
                Loops::<FmKernel>::default_rate(rule, square as f32)
            } else {
                Loops::<LinearKernel>::default_rate(rule, square as f32)
            });
        }
        if self.has_factors && self.start.is_none() {
            let start = Start::of_examples(&self.settings, examples, self.width);
            start.put(&self.parameters);
            (self.start, self.state.factor_rate) = (Some(start), Some(start.rate));
        }
        if self.settings.l2 > 0.0 || self.settings.transforms.l1 > 0.0 {
            self.state.counts.resize(self.width, 0);
            examples.columns.iter().for_each(|column| self.state.counts[column.load(Relaxed) as usize] += 1);
        }
    }

    fn targets(&self) -> Targets {
        let loss = self.settings.loss;
        Targets::known(loss, Classes::taken(None, loss), self.state.targets.unwrap_or([0.0, 1.0, 0.0]))
    }

    /// Where the model stands before so many rows.
    fn moment(&self, rows: u64) -> Moment {
        let OnlineState { rows: before, batches, .. } = self.state;
        Moment { step: before + 1, steps: before + rows, epoch: rows, epochs: batches, all_epochs: batches + 1, before, stalls: 0 }
    }

    /// Makes the engine that goes through the rows, and hands it over with its plan.
    fn with_engine<T>(&self, examples: &Examples, count: u64, run: impl FnOnce(&mut dyn Engine, &Plan) -> T) -> Result<T> {
        if self.has_factors { self.with::<FmKernel, T>(examples, count, run) } else { self.with::<LinearKernel, T>(examples, count, run) }
    }

    fn with<K: RowKernel, T>(&self, examples: &Examples, count: u64, run: impl FnOnce(&mut dyn Engine, &Plan) -> T) -> Result<T>
    where
        Rule: Loops<K>,
    {
        let settings = &self.settings;
        let cells = RowCells {
            starts: &examples.row_start,
            labels: &examples.labels,
            columns: &examples.columns,
            values: Some(&examples.values),
            longest: examples.longest_row,
        };
        let targets = self.targets();
        let feed = SparseFeed::new(cells, targets, 0.0, settings.seed);
        let feed = match &examples.weights {
            Some(weights) => feed.with_weights_as_given(weights),
            None => feed,
        };
        let rows = (self.state.rows + count) as usize;
        let (l2, l1) = (targets.l2(settings.l2), targets.l1(settings.transforms.l1));
        let linear = Linear::with_penalties(l2, l1, rows, &self.state.counts).with_base(targets.base);
        let parts =
            ModelParts { features: self.width, settings, layout: &self.facts.layout, targets: &targets, outputs: None, fields: None };
        let model = K::model(linear, &parts);
        let how = if settings.normalize == Normalize::Row { Normalize::Row } else { Normalize::None };
        let scaling = scale::of_kind(how, settings.bias, Vec::new());
        let scaled = ScaledFeed { feed: &feed, scaling: scaling.as_ref() };
        let units = if count > 0 { feed.units(1) } else { Vec::new() };
        let admitted = [count];
        let task = Task {
            units: &units,
            examples: count,
            admitted: &admitted,
            parameters: &self.parameters,
            rate: self.state.rate.unwrap_or(0.0),
            schedule: settings.schedule,
            loss: settings.loss,
            transforms: settings.transforms,
            batch: settings.batch,
            batch_growth: 1.0,
            pipeline: None,
            seed: settings.seed,
            threads: 1,
            pin: false,
            node: None,
            set: self.set,
            reader: None,
            simulation: None,
        };
        let plan = Plan::new(&units, Vec::new(), settings.order, BLOCK, settings.seed, self.state.batches as usize + 1);
        let mut engine = Loops::<K>::engine(&settings.rule, &scaled, &model, &task, None)?;
        Ok(run(engine.as_mut(), &plan))
    }

    /// Labels are such as the loss takes.
    fn check_labels(&self, labels: &[f32]) -> Result<()> {
        let loss = self.settings.loss;
        let fits = |label: f32| if loss.is_classification() { label.abs() == 1.0 } else { label >= loss.meaning().least_label };
        match labels.iter().position(|&label| !fits(label)) {
            Some(row) => {
                let takes = if loss.is_classification() { "-1 and 1" } else { "larger numbers" };
                let problem = format!("the label of row {row} (from 0) is {}, and the {} loss takes {takes}", labels[row], loss.name());
                Err(bad(problem, "give labels that the loss takes"))
            }
            None => Ok(()),
        }
    }
}

/// Refuses what goes by all of a run.
fn check(settings: &Settings) -> Result<()> {
    let Settings { normalize, schedule, transforms, batch_growth, parallel, .. } = settings;
    let problem = "goes by all of a run, and a stream has no end; leave it out";
    if !matches!(normalize, Normalize::None | Normalize::Auto | Normalize::Row) {
        return refuse("normalize", normalize.name(), "goes by all rows, and a stream has no end; give none or row");
    }
    if *schedule != Schedule::Constant {
        return refuse("schedule", &schedule.to_string(), problem);
    }
    if let Some(average) = transforms.average {
        return refuse("average", &average.to_string(), problem);
    }
    if *batch_growth != 1.0 {
        return refuse("batch_growth", &batch_growth.to_string(), problem);
    }
    if !matches!(parallel, Parallel::Auto | Parallel::Hogwild | Parallel::Synchronous) {
        return refuse("parallel", parallel.name(), "is for several workers, and a stream has one; leave it out");
    }
    Ok(())
}

fn refuse<T>(setting: &'static str, value: &str, problem: &str) -> Result<T> {
    Err(Error::BadSetting { setting, value: value.into(), problem: problem.into() })
}

fn bad(problem: String, remedy: &'static str) -> Error {
    Error::BadFile { path: Path::new(NAME).to_owned(), problem, remedy }
}
