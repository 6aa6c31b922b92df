//! Data and settings become a run of a model of sparse rows; `search` tries learning rates for it.
mod from;
mod search;

use super::{
    fields::RunFields,
    hot::{self, Hot},
    judges::{Judges, weights_of},
    kernel::{ModelParts, RowKernel, row_stride, rows},
    outputs::Outputs,
    scale::{self, Scaled},
    score::{Asked, Scorer},
    start::Start,
    weights::RowWeights,
    windows::{Windows, rows_of_chunk},
};
use crate::{
    classes::{Classes, check_numbers},
    family::prepared::{Basis, Choices, Prepared, Rate, WithEngines, check_split},
    model::{Axis, Scored, Tensors, TrainedModel},
    options::Settings,
};
use hogwild_base::{Error, Result};
use hogwild_data::{Ids, Rows};
use hogwild_kernels::{
    ServerRule,
    engine::{Loops, Reader, Task},
    feed::{Normalize, RowCells, ScaledFeed, Scaling, SparseFeed, Weighting},
    loss::{Loss, Taken},
    models::{ClassLabels, Linear, Output},
    order::{Order, Plan},
    params::{Beside, Finish, Parameters, Parts, Shape, TableShape},
    rules::Layout,
    simd::LANES,
    targets::Targets,
};
use search::RowsSearch;
use std::{ops::Range, sync::Arc};

/// Bytes that a run needs beside the data: the program itself, and for each column parameters, a copy of the weights, the ids, and those of
/// workers and of the search for a rate.
const BESIDE: u64 = 64 << 20;
const BESIDE_A_COLUMN: u64 = 48;

/// What a nonzero of models that go by fields takes, in those of linear models.
const BY_FIELD: f64 = 12.0;

/// A run on sparse rows.
pub(crate) struct RowsRun<'a, K: RowKernel> {
    rule: &'a dyn Loops<K>,
    settings: &'a Settings,
    data: &'a Rows,
    valid: Option<Valid<'a>>,
    /// Rows of the data that are held out.
    held: Option<Vec<u32>>,
    feed: SparseFeed<'a>,
    scaling: Option<Scaling>,
    model: K::Model,
    /// Of models of several classes.
    outputs: Option<Outputs>,
    /// Of models that go by fields.
    fields: Option<RunFields>,
    /// Of models whose features have factors.
    start: Option<Start>,
    /// The bias and the weights that training starts at, where it goes on from a model.
    from: Option<Vec<f32>>,
    windows: Option<Windows<'a>>,
    basis: Basis,
}

/// Validation data.
struct Valid<'a> {
    data: &'a Rows,
    /// The model's column of each of theirs.
    columns: Vec<u32>,
    window: Option<u64>,
}

impl<'a, K: RowKernel> RowsRun<'a, K> {
    /// # Errors
    /// Labels that do not fit the loss, dictionaries that can't be read, a share held out that leaves nothing.
    pub fn new(rule: &'a dyn Loops<K>, data: &'a Rows, valid: Option<&'a Rows>, settings: &'a Settings) -> Result<Self> {
        RowsRun::of(None, rule, data, valid, settings)
    }

    /// The same of a model that has a score a class, which become a loss as `output` says.
    ///
    /// # Errors
    /// As [`new`](Self::new); labels that are no classes.
    pub fn of_classes(
        output: Output,
        rule: &'a dyn Loops<K>,
        data: &'a Rows,
        valid: Option<&'a Rows>,
        settings: &'a Settings,
    ) -> Result<Self> {
        RowsRun::of(Some(output), rule, data, valid, settings)
    }

    fn of(output: Option<Output>, rule: &'a dyn Loops<K>, data: &'a Rows, valid: Option<&'a Rows>, settings: &'a Settings) -> Result<Self> {
        let &Settings { holdout, seed, .. } = settings;
        let loss = if output.is_some() { Loss::AS_GIVEN } else { settings.loss };
        let classes = if loss.is_classification() { Some(Classes::of(data, loss, settings.positive)?) } else { None };
        for data in [Some(data), valid].into_iter().flatten() {
            if output.is_none() {
                classes.map_or_else(|| check_numbers(loss, data), |classes| classes.check(data))?;
            }
        }
        let (ids, facts): (Arc<Ids>, _) = (data.feature_ids()?.into(), rule.facts());
        let counts = if settings.l2 > 0.0 || settings.transforms.l1 > 0.0 { data.feature_counts()? } else { Vec::new() };
        let taken = if output.is_some() { Taken::Nothing } else { Classes::taken(classes, loss) };
        let feed = weighted(SparseFeed::new(cells(data), Targets::plain(taken), holdout, seed), data, classes, settings)?;
        let weights = |row: usize| (holdout == 0.0 || !feed.is_held_out(row as u32)).then(|| data.weight(row) as f64);
        let outputs = output.map(|output| Outputs::of(output, data, valid, settings, &weights)).transpose()?;
        let (feed, targets) = match &outputs {
            Some(outputs) => (feed, Targets::plain(taken).with_constant(outputs.constant.mean)),
            None => feed.with_targets(loss, taken, settings.standardize && settings.bias),
        };
        // Averages are of the shared rows alone.
        let rows_are_shared = (outputs.is_some() || K::BESIDE) && settings.transforms.average.is_some();
        let width = outputs.as_ref().map(|outputs| outputs.names.len()).or(K::BESIDE.then_some(settings.rank));
        let stride = width.map_or(facts.layout.stride(), |width| LANES * row_stride(settings, &facts.layout, width) as usize);
        let shared = Settings { hot_rows: Some(0), ..settings.clone() };
        let hot = hot::choose(if rows_are_shared { &shared } else { settings }, data, stride)?;
        let Hot { rows: hot_rows, exchange_every, rare } = hot;
        let Scaled { how: normalize, sizes } = scale::choose(settings.normalize, data);
        let l1 = targets.l1(settings.transforms.l1);
        let linear = Linear::with_penalties(targets.l2(settings.l2), l1, data.rows(), &counts).with_base(targets.base);
        let fields = K::BY_FIELD.then(|| RunFields::of(data, settings)).transpose()?;
        let (features, layout) = (data.columns(), &facts.layout);
        let parts = ModelParts { features, settings, layout, targets: &targets, outputs: outputs.as_ref(), fields: fields.as_ref() };
        let model = K::model(linear, &parts);
        let scaling = scale::scaling(normalize, settings.bias, data, |row| !feed.is_held_out(row))?;
        let start = Start::of::<K>(settings, data, scaling.as_ref(), fields.as_ref());
        // A row-wise rule has its states beside one another, and not in the rows of classes.
        let states = outputs
            .as_ref()
            .filter(|_| facts.layout.rowwise)
            .map(|_| TableShape { private: hot_rows, ..TableShape::single(data.columns() + 1) });
        let first = match outputs.as_ref().map(|outputs| outputs.names.len()) {
            // The bias is a row too.
            Some(classes) => TableShape { private: hot_rows, ..rows(settings, data.columns() + 1, classes) },
            None if K::BESIDE => TableShape { private: hot_rows, ..TableShape::single(1) },
            None => TableShape { private: hot_rows, ..TableShape::single(data.columns() + 1) },
        };
        let held: Option<Vec<u32>> = (holdout > 0.0).then(|| (0..data.rows() as u32).filter(|&row| feed.is_held_out(row)).collect());
        let held_rows = held.as_ref().map(|held| held.len() as u64);
        check_split(data.rows() as u64, held_rows, settings)?;
        // Factors are in the parameters, in the model as it was and as it is, and in that to be written.
        let of_factors = start.map_or(0, |start| {
            let each = facts.layout.row_bytes(start.width) as u64 + 3 * (size_of::<f32>() * start.width) as u64;
            each.saturating_mul(start.features as u64)
        });
        let of_classes = outputs.as_ref().map_or(0, |outputs| {
            let classes = outputs.names.len();
            facts.layout.row_bytes(classes) as u64 + 3 * size_of::<f32>() as u64 * classes as u64
        });
        let beside = (BESIDE + (BESIDE_A_COLUMN + of_classes) * data.columns() as u64).saturating_add(of_factors);
        let window = settings.window.of(data, beside);
        let of_valid = |valid: &'a Rows| {
            let window = settings.window.of(valid, beside + window.unwrap_or(0));
            Ok(Valid { data: valid, columns: valid.feature_ids()?.translate(&ids), window })
        };
        let valid = valid.map(of_valid).transpose()?;
        let block = window.map_or(exchange_every, |bytes| exchange_every.min(rows_of_chunk(data, bytes)));
        let units: Arc<[Range<u32>]> = feed.units(block).into();
        let windows = window.map(|bytes| Windows::new(data, &units, bytes));
        let may_group = facts.groups && settings.groups() && data.weight_cells().is_none() && scaling.is_none() && windows.is_none();
        let dense_rows = if may_group { hot::dense(settings, data, &hot)? } else { 0 };
        let feed = if dense_rows > 0 { feed.with_dense(dense_rows / LANES) } else { feed };
        let recipe = data.recipe().cloned().map(|recipe| Ok(recipe.with_vocabulary(ids.clone(), data.idf()?))).transpose()?;
        let basis = Basis {
            facts,
            choices: Choices {
                hot_rows,
                dense_rows,
                exchange_every,
                normalize,
                window,
                parts: settings.row_parts(),
                flight: settings.row_parts().map(|_| settings.flight()),
            },
            units,
            examples: data.rows() as u64 - held_rows.unwrap_or(0),
            targets,
            shape: Shape {
                tables: [first].into_iter().chain(states).chain(start.map(|start| start.table(settings, hot_rows))).collect(),
                rare,
                workers: settings.workers(),
                beside: if settings.transforms.average.is_some() { Beside::Averages } else { Beside::Nothing },
            },
            parts: settings.row_parts().map(|parts| Parts::new(data.columns() + 1, parts)),
            // The bias is one more. Of several classes a feature has a row of weights, eight of which take about the time of one.
            numbers: (data.nonzeros() as f64 / data.rows().max(1) as f64 + 1.0)
                * outputs.as_ref().map_or(1.0, |outputs| outputs.names.len().next_multiple_of(LANES) as f64 / 8.0)
                * if fields.is_some() { BY_FIELD } else { 1.0 },
            by_heart: true,
            unit_rows: normalize == Normalize::Row,
            classes,
            recipe,
            axes: std::iter::once(Axis { name: "feature", ids })
                .chain(outputs.as_ref().map(|outputs| Axis { name: "class", ids: outputs.names.clone() }))
                .chain(fields.as_ref().map(|fields| Axis { name: "field", ids: fields.names.clone() }))
                .collect(),
            loss,
            scaled: sizes,
            window: windows.as_ref().map(|windows| windows.report(!settings.sums_batches())),
        };
        Ok(RowsRun { rule, settings, data, valid, held, feed, scaling, model, outputs, fields, start, from: None, windows, basis })
    }

    /// Weights of raw features for standardised labels; `parts`: see [`RowWeights::of`].
    fn standard(&self, parameters: &Parameters, finish: &Finish<'_>, scaling: Option<&Scaling>, parts: Option<&Parts>) -> RowWeights {
        let constant = self.outputs.as_ref().map_or(std::slice::from_ref(&self.basis.targets.base), |outputs| &outputs.constant.scores);
        let mut weights = RowWeights::of(parameters, finish, self.start, parts).unscaled(scaling);
        weights.bias.iter_mut().zip(constant).for_each(|(bias, constant)| *bias += constant);
        weights
    }

    fn scorer<'m>(&'m self, model: &'m Tensors) -> Scorer<'m> {
        let scorer = Scorer::new(model, self.basis.unit_rows, self.basis.targets.taken);
        match &self.outputs {
            Some(Outputs { output, constant, .. }) => Scorer { output: Some(*output), constant: Some(constant), ..scorer },
            None => scorer,
        }
    }

    /// The classes of the rows, of models that have several.
    fn labels(&self) -> Option<&ClassLabels> {
        self.outputs.as_ref().map(|outputs| &*outputs.labels)
    }
}

impl<K: RowKernel> Prepared for RowsRun<'_, K> {
    fn basis(&self) -> &Basis {
        &self.basis
    }

    fn start_from(&mut self, model: &TrainedModel) -> Result<()> {
        self.from = Some(self.numbers_of(model)?);
        Ok(())
    }

    fn start(&self, parameters: &Parameters) {
        self.start.iter().for_each(|start| start.put(parameters));
        if let Some(from) = &self.from {
            let mut numbers = from.iter().copied();
            parameters.table(0).set_weights(|| numbers.next().unwrap_or(0.0));
        }
    }

    fn with_engines(&self, tasks: &[Task<'_>], run: &mut WithEngines<'_>) -> Result<()> {
        let feed = ScaledFeed { feed: &self.feed, scaling: self.scaling.as_ref() };
        run(tasks.iter().map(|task| self.rule.engine(&feed, &self.model, task, None)).collect::<Result<_>>()?)
    }

    fn summing(&self, task: &Task<'_>) -> Option<Layout> {
        self.rule.summing(&ScaledFeed { feed: &self.feed, scaling: self.scaling.as_ref() }, task)
    }

    fn server_rule(&self) -> ServerRule<'_> {
        self.rule.server_rule()
    }

    fn tensors(&self, parameters: &Parameters, finish: &Finish<'_>) -> Tensors {
        self.standard(parameters, finish, self.scaling.as_ref(), self.basis.parts.as_ref())
            .in_units(&self.basis.targets)
            .tensors(self.outputs.is_some(), self.fields.as_ref())
    }

    fn score_held_out(&self, model: &Tensors) -> Option<Scored> {
        let scorer = self.scorer(model);
        let scored = match (&self.valid, &self.held) {
            (Some(Valid { data, columns, window }), _) => {
                let labels = self.outputs.as_ref().and_then(|outputs| outputs.valid.as_ref());
                Some(scorer.score(&Asked { window: *window, columns: Some(columns), labels, ..Asked::all(data) }))
            }
            (None, Some(held)) => {
                let (window, labels) = (self.basis.choices.window, self.labels());
                Some(scorer.score(&Asked { window, only: Some(held), labels, ..Asked::all(self.data) }))
            }
            (None, None) => None,
        };
        scored.map(|scored| Scored { weights: weights_of(&scored, self.feed.weighting()), ..scored })
    }

    fn losses(&self, model: &Tensors) -> Vec<f32> {
        let (targets, loss) = (&self.basis.targets, self.basis.loss);
        let is_kept = |row: u32| self.settings.holdout == 0.0 || !self.feed.is_held_out(row);
        let of = |(row, &(z, y)): (u32, &(f32, f32))| {
            if is_kept(row) { loss.value(targets.standard(z), targets.standard(y)) } else { f32::INFINITY }
        };
        let scored = self.scorer(model).score(&Asked { window: self.basis.choices.window, labels: self.labels(), ..Asked::all(self.data) });
        (0..).zip(&scored.scores).map(of).collect()
    }

    fn weights(&self) -> Vec<f32> {
        let taken = self.basis.targets.taken;
        let of =
            |weighting: Weighting<'_>| (0..self.data.rows()).map(|row| weighting.of(row as u32, taken.of(self.data.label(row)))).collect();
        self.feed.weighting().map_or(Vec::new(), of)
    }

    fn damage(&self) -> Option<Error> {
        [Some(self.data), self.valid.as_ref().map(|valid| valid.data)].into_iter().flatten().find_map(|data| data.whole().err())
    }

    fn plan(&self, admitted: Vec<bool>, order: Order, block: u32, seed: u64, epoch: usize) -> Plan {
        match &self.windows {
            Some(windows) => windows.plan(admitted, order, block, seed, epoch),
            None => Plan::new(&self.basis.units, admitted, order, block, seed, epoch),
        }
    }

    fn reader(&self) -> Option<&dyn Reader> {
        self.windows.as_ref().map(|windows| windows as &dyn Reader)
    }

    fn rate(&self, largest: u64) -> Result<Rate<'_>> {
        // Scales that grow are tried as they will be: models side by side are not to share a growing one.
        let online = self.basis.choices.normalize == Normalize::Online;
        let grown = if online {
            scale::scaling(Normalize::MaxAbs, self.settings.bias, self.data, |row| !self.feed.is_held_out(row))?
        } else {
            None
        };
        let windows = self.windows.as_ref().filter(|_| !self.settings.sums_batches());
        let sample = windows.map(|windows| windows.sample(largest, self.settings.seed));
        let valid = self.valid.as_ref().map(|valid| (valid.data, valid.columns.as_slice()));
        let how = (self.basis.unit_rows, self.basis.targets, self.feed.weighting(), self.outputs.as_ref());
        let seed = self.settings.seed;
        let judges = Judges::new(self.data, valid, self.held.as_deref(), self.basis.examples, how, self.fields.as_ref(), seed);
        Ok(Rate::Searched(Box::new(RowsSearch { run: self, grown, sample, judges })))
    }
}

/// The feed with what examples count, where they do not count alike.
fn weighted<'a>(feed: SparseFeed<'a>, data: &'a Rows, classes: Option<Classes>, settings: &Settings) -> Result<SparseFeed<'a>> {
    let by_class = classes.zip(settings.class_weight.as_ref());
    if data.weight_cells().is_none() && by_class.is_none() {
        return Ok(feed);
    }
    let mut outcome = Ok(());
    let weights = |together| match by_class.map(|(classes, weight)| weight.of(classes, data.recipe(), together)) {
        Some(Ok(weights)) => weights,
        Some(Err(error)) => {
            outcome = Err(error);
            [1.0; 2]
        }
        None => [1.0; 2],
    };
    let feed = feed.with_weights(data.weight_cells(), weights);
    outcome.map(|()| feed)
}

/// The cells of a data set.
fn cells(data: &Rows) -> RowCells<'_> {
    RowCells {
        starts: data.start_cells(),
        labels: data.label_cells(),
        columns: data.column_cells(),
        values: data.value_cells(),
        longest: data.longest_row(),
    }
}
