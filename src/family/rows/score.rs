//! Scoring sparse rows by the weights of a model: parallel, with unknown features counted.
use super::{
    cells::{Cells, each_of_two},
    fields::{ByField, FieldSums},
    outputs::Constant,
};
use crate::{
    classes::Classes,
    model::{Axis, ClassScores, Scored, Tensor, Tensors, TrainedModel},
};
use hogwild_base::{Result, threads};
use hogwild_data::{Ids, Rows, Window};
use hogwild_kernels::{
    loss::{Loss, Taken},
    models::{ClassLabels, Output},
    simd::{InstructionSet, Isa, Job, dispatch},
};
use std::borrow::Cow;

/// Rows that one task scores.
const TASK: usize = 1024;
/// The most bytes of a data set larger than memory that are read at a time, of a window's quarter.
const SLAB: u64 = 32 << 20;
/// Bytes that scoring needs for each weight and each column beside the data.
const BESIDE: u64 = 16;

/// A linear model, or a member of an ensemble: a view of its tensors.
#[derive(Clone, Copy, Debug)]
pub struct LinearModel<'a> {
    /// The user's id of each feature, most frequent first.
    pub ids: &'a Ids,
    /// The score of an example without features.
    pub bias: f32,
    /// One a feature.
    pub weights: &'a [f32],
    /// Whether a row is divided by its length before it is scored; features unknown to the model count in that.
    pub unit_rows: bool,
}

impl<'a> LinearModel<'a> {
    /// The tensors of a linear model: one weight a feature.
    pub fn tensors(bias: f32, weights: Vec<f32>) -> Tensors {
        let weight = Tensor { name: "weight", shape: vec![weights.len()], numbers: weights };
        Tensors(vec![Tensor { name: "bias", shape: vec![1], numbers: vec![bias] }, weight])
    }

    /// A model of such weights, from wherever they are: of labels as they are, without settings of a run.
    pub fn trained(&self, loss: Loss) -> TrainedModel {
        TrainedModel {
            family: "linear",
            loss,
            unit: 1.0,
            classes: None,
            class_names: Vec::new(),
            unit_rows: self.unit_rows,
            settings: serde_json::Value::Null,
            recipe: None,
            axes: vec![Axis { name: "feature", ids: self.ids.clone().into() }],
            members: vec![LinearModel::tensors(self.bias, self.weights.to_vec())],
        }
    }

    /// A member of a linear model.
    pub(crate) fn new(model: &'a TrainedModel, member: &'a Tensors) -> Option<LinearModel<'a>> {
        if member.get("factor").is_some() {
            return None; // its weights are not all that it scores by
        }
        let ids = model.ids("feature")?;
        Some(LinearModel { ids, bias: member.number("bias"), weights: member.numbers("weight"), unit_rows: model.unit_rows })
    }

    /// Scores sparse rows with any dictionary. To a loss of two classes a label is +1 if it is the positive one of `classes` and -1 if it
    /// is any other; without classes +1 is label 1. Give the [`classes`](TrainedModel::classes) that the model was trained on: then this
    /// is [`TrainedModel::score`]. Other losses take labels as they are. Labels are not checked: see [`Classes::check`].
    ///
    /// # Errors
    /// When the dictionary cannot be read.
    pub fn score(&self, loss: Loss, classes: Option<Classes>, data: &Rows) -> Result<Scored> {
        let &LinearModel { ids, bias, weights, unit_rows } = self;
        let scorer = Scorer {
            bias: std::slice::from_ref(&bias),
            weights,
            factors: &[],
            rank: 0,
            fields: None,
            unit_rows,
            taken: Classes::taken(classes, loss),
            output: None,
            constant: None,
        };
        scorer.score_rows(ids, data, None)
    }
}

/// What rows are scored by.
#[derive(Clone, Copy)]
pub(crate) struct Scorer<'a> {
    /// One, or one a class.
    pub bias: &'a [f32],
    /// As many a column.
    pub weights: &'a [f32],
    /// `rank` a column, of models that have pairs of features.
    pub factors: &'a [f32],
    pub rank: usize,
    /// Where a column has these for each field: then columns behind the last factors have none.
    pub fields: Option<ByField<'a>>,
    /// Whether each row is divided by its length first.
    pub unit_rows: bool,
    /// What the loss takes a label for.
    pub taken: Taken,
    /// How the scores of classes become a loss, of models that have several.
    pub output: Option<Output>,
    /// Of those in a run: what constant scores lose, beside which losses are told.
    pub constant: Option<&'a Constant>,
}

/// Which rows are scored.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub data: &'a Rows,
    /// At most so many bytes of the file are in memory at a time.
    pub window: Option<u64>,
    /// The model's column of each of the data's (`u32::MAX`: unknown); without, they are the same.
    pub columns: Option<&'a [u32]>,
    /// These rows alone, in ascending order.
    pub only: Option<&'a [u32]>,
    /// The classes of all rows, for models that have several.
    pub labels: Option<&'a ClassLabels>,
}

impl<'a> Asked<'a> {
    /// All rows of data with the model's own columns.
    pub fn all(data: &'a Rows) -> Asked<'a> {
        Asked { data, window: None, columns: None, only: None, labels: None }
    }

    /// The model's column of one of the data's.
    #[inline(always)]
    pub fn column(&self, column: u32) -> u32 {
        self.columns.map_or(column, |columns| columns.get(column as usize).copied().unwrap_or(u32::MAX))
    }
}

/// What is known of a model's weights before rows of some data are scored by them.
struct Weights<'a> {
    /// By the data's own columns, 0 where the model has none: so a cell takes one look-up. Of linear models.
    by_column: Option<Cow<'a, [f32]>>,
    /// Whether it is known that the model has one for each column.
    are_all: bool,
}

impl<'a> Weights<'a> {
    fn of(scorer: &Scorer<'a>, asked: &Asked<'_>) -> Weights<'a> {
        if scorer.rank > 0 || scorer.output.is_some() {
            return Weights { by_column: None, are_all: false };
        }
        let weights = scorer.weights;
        let weight = |&column: &u32| weights.get(column as usize).copied().unwrap_or(0.0);
        match asked.columns {
            None => Weights { by_column: Some(weights.into()), are_all: asked.data.columns() <= weights.len() },
            // Of some rows a table would take longer than to look up twice.
            Some(_) if asked.only.is_some() => Weights { by_column: None, are_all: false },
            Some(columns) => Weights {
                by_column: Some(columns.iter().map(weight).collect()),
                are_all: columns.iter().all(|&column| (column as usize) < weights.len()),
            },
        }
    }
}

/// What one thread keeps of a row.
#[derive(Default)]
struct Room {
    features: Vec<(u32, f32)>,
    /// One a factor, or one a class.
    sums: Vec<f32>,
    /// What features have in common with themselves, by factor.
    squares: Vec<f32>,
}

/// Rows that are scored by one thread, by the instructions of a set. All sets give the same bits.
struct Part<'s, 'a> {
    scorer: &'s Scorer<'a>,
    asked: &'s Asked<'s>,
    rows: &'s [u32],
    weights: &'s Weights<'a>,
}

impl Job for Part<'_, '_> {
    type Output = Scored;

    #[inline(always)]
    fn run<I: Isa>(self, _isa: I) -> Scored {
        self.scorer.task(self.asked, self.rows, self.weights)
    }
}

impl<'a> Scorer<'a> {
    /// By the tensors of a linear model, or of a factorization machine.
    pub fn new(tensors: &'a Tensors, unit_rows: bool, taken: Taken) -> Scorer<'a> {
        let factors = tensors.get("factor");
        let fields = tensors.get("feature_field").zip(factors).and_then(|(fields, factors)| {
            let all = factors.shape.get(1).copied()?;
            Some(ByField { of: &fields.numbers, all })
        });
        let rank = factors.and_then(|factors| factors.shape.last().copied()).unwrap_or(0);
        let factors = factors.map_or(&[][..], |factors| &factors.numbers);
        let (bias, weights) = (tensors.numbers("bias"), tensors.numbers("weight"));
        Scorer { bias, weights, factors, rank, fields, unit_rows, taken, output: None, constant: None }
    }

    /// Scores rows with any dictionary, whose columns are named by the model's `ids`.
    ///
    /// # Errors
    /// When the dictionary cannot be read; rows of so many fields that there is no memory for them.
    pub fn score_rows(&self, ids: &Ids, data: &Rows, labels: Option<&ClassLabels>) -> Result<Scored> {
        self.fields.map_or(Ok(()), |fields| fields.ask(data.longest_row(), self.rank))?;
        let columns = data.feature_ids()?.translate(ids);
        let window = Window::Auto.of(data, BESIDE * (self.weights.len() + self.factors.len() + 1 + columns.len()) as u64);
        let scored = threads::in_call(|| self.score(&Asked { window, columns: Some(&columns), labels, ..Asked::all(data) }));
        data.whole().map(|()| scored)
    }

    /// Scores with targets, in the order of the rows.
    pub fn score(&self, asked: &Asked<'_>) -> Scored {
        self.score_by(InstructionSet::best(), asked)
    }

    pub(super) fn score_by(&self, set: InstructionSet, asked: &Asked<'_>) -> Scored {
        let &Asked { data, window, only, .. } = asked;
        let rows: Vec<u32> = only.map_or_else(|| (0..data.rows() as u32).collect(), <[u32]>::to_vec);
        let (mut scored, weights) = (Scored::default(), Weights::of(self, asked));
        // Slabs of rows, one after the other: the next is read while this one is scored.
        let ends = window.map_or_else(|| vec![data.rows()], |window| data.cut((window / 4).min(SLAB)));
        let slab = |i: usize| i.checked_sub(1).map_or(0, |before| ends[before])..ends[i];
        for i in 0..ends.len() {
            let of = |end: usize| rows.partition_point(|&row| (row as usize) < end);
            if ends.len() > 1 {
                (i..ends.len().min(i + 2)).skip((i > 0) as usize).for_each(|next| data.will_need(slab(next)));
            }
            let tasks: Vec<&[u32]> = rows[of(slab(i).start)..of(slab(i).end)].chunks(TASK).collect();
            let task = |i: usize| dispatch(set, Part { scorer: self, asked, rows: tasks[i], weights: &weights });
            let parts = threads::map(tasks.len(), task);
            scored = parts.into_iter().fold(scored, Scored::join);
            if ends.len() > 1 {
                data.release(slab(i));
            }
        }
        scored
    }

    #[inline(always)]
    fn task(&self, asked: &Asked<'_>, rows: &[u32], weights: &Weights<'_>) -> Scored {
        if let Some(output) = self.output {
            return self.task_of_classes(asked, output, rows);
        }
        let mut part = Scored { scores: Vec::with_capacity(rows.len()), ..Scored::default() };
        let (mut room, mut by_field) = (Room::default(), FieldSums::of(self));
        for &row in rows {
            let (score, unknown) = match &mut by_field {
                Some(by_field) => self.row_by_field(asked, row, by_field, &mut room),
                None if self.rank > 0 => self.row_with_pairs(asked, row, &mut room),
                None => self.row(asked, row, weights),
            };
            part.scores.push((score, self.taken.of(asked.data.label(row as usize))));
            if asked.data.weight_cells().is_some() {
                part.weights.push(asked.data.weight(row as usize));
            }
            part.unknown += unknown;
        }
        part
    }

    /// The same of several classes: what a row loses beside a constant stands for its score, and what that loses for its label.
    #[inline(always)]
    fn task_of_classes(&self, asked: &Asked<'_>, output: Output, rows: &[u32]) -> Scored {
        let n = self.bias.len();
        let mut part = Scored { scores: Vec::with_capacity(rows.len()), ..Scored::default() };
        let mut classes = ClassScores::new(output, n, asked.labels.is_none_or(|labels| labels.starts.is_some()));
        let mut room = Room::default();
        for &row in rows {
            let unknown = self.row_of_classes(asked, row, &mut room);
            let scores = &room.sums;
            let own = asked.labels.map_or(&[][..], |labels| labels.of(row as usize));
            let is_known = own.iter().all(|&class| (class as usize) < n);
            let constant = self.constant.map_or(0.0, |constant| constant.loss(own));
            let loss = if is_known { output.loss(scores, own) - constant } else { 0.0 };
            part.scores.push((loss, constant));
            if asked.data.weight_cells().is_some() {
                part.weights.push(asked.data.weight(row as usize));
            }
            part.unknown += unknown;
            classes.push(scores, own);
        }
        part.classes = Some(classes);
        part
    }

    /// The scores of a row, one a class.
    pub fn classes(&self, asked: &Asked<'_>, row: u32) -> Vec<f32> {
        let mut room = Room::default();
        self.row_of_classes(asked, row, &mut room);
        room.sums
    }

    /// The same, as sums; how many features the model does not know.
    #[inline(always)]
    fn row_of_classes(&self, asked: &Asked<'_>, row: u32, Room { features, sums, .. }: &mut Room) -> u64 {
        let (n, mut unknown) = (self.bias.len(), 0);
        Cells::of(asked, row, self.unit_rows).put(asked, features);
        sums.clear();
        sums.resize(n, 0.0);
        for &(column, value) in features.iter() {
            match self.weights.get(column as usize * n..).and_then(|rest| rest.get(..n)) {
                Some(weights) => each_of_two(sums, weights, |z, w| *z += w * value),
                None => unknown += 1,
            }
        }
        each_of_two(sums, self.bias, |z, bias| *z += bias);
        unknown
    }

    /// The features of a row: the model's column (`u32::MAX` where there is none), and the value, scaled if need be.
    pub fn features(&self, asked: &Asked<'_>, row: u32) -> Vec<(u32, f32)> {
        let mut features = Vec::new();
        Cells::of(asked, row, self.unit_rows).put(asked, &mut features);
        features
    }

    /// The score of a row, and how many of its features the model does not know.
    #[inline(always)]
    fn row(&self, asked: &Asked<'_>, row: u32, weights: &Weights<'_>) -> (f32, u64) {
        let cells = Cells::of(asked, row, self.unit_rows);
        let z = match weights.by_column.as_deref() {
            Some(weights) => cells.dot(|column| weights.get(column as usize).copied().unwrap_or(0.0)),
            None => cells.dot(|column| self.weights.get(asked.column(column) as usize).copied().unwrap_or(0.0)),
        };
        let is_unknown = |column| asked.column(column) as usize >= self.weights.len();
        // The bias last: where it is large beside the rest, the rest is summed without it.
        (self.bias.first().copied().unwrap_or(0.0) + z, if weights.are_all { 0 } else { cells.count(is_unknown) })
    }

    /// The same of a model that has pairs of features.
    #[inline(always)]
    fn row_with_pairs(&self, asked: &Asked<'_>, row: u32, Room { features, sums, squares }: &mut Room) -> (f32, u64) {
        let (rank, mut z, mut unknown) = (self.rank, 0.0, 0);
        Cells::of(asked, row, self.unit_rows).put(asked, features);
        for sums in [&mut *sums, &mut *squares] {
            sums.clear();
            sums.resize(rank, 0.0);
        }
        for &(column, value) in features.iter() {
            match self.weights.get(column as usize) {
                Some(w) => z += w * value,
                None => unknown += 1,
            }
            if let Some(factors) = self.factors.get(column as usize * rank..).and_then(|rest| rest.get(..rank)) {
                each_of_two(sums, factors, |sum, v| *sum += v * value);
                each_of_two(squares, factors, |square, v| *square += (v * value) * (v * value));
            }
        }
        let mut pairs = 0.0;
        each_of_two(sums, squares, |sum, square| pairs += *sum * *sum - square);
        (self.bias.first().copied().unwrap_or(0.0) + (z + 0.5 * pairs), unknown)
    }

    /// The same where factors go by fields.
    #[inline(always)]
    fn row_by_field(&self, asked: &Asked<'_>, row: u32, sums: &mut FieldSums<'_>, Room { features, .. }: &mut Room) -> (f32, u64) {
        let (mut z, mut unknown) = (0.0, 0);
        Cells::of(asked, row, self.unit_rows).put(asked, features);
        sums.clear();
        for &(column, value) in features.iter() {
            match self.weights.get(column as usize) {
                Some(w) => {
                    z += w * value;
                    sums.add(column as usize, value, self.factors);
                }
                None => unknown += 1,
            }
        }
        (self.bias.first().copied().unwrap_or(0.0) + (z + sums.pairs()), unknown)
    }
}
