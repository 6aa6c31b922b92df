//! Scoring sparse rows by the weights of a model: parallel, with unknown features counted.
use super::{
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
    feed::row_length,
    loss::{Loss, Taken},
    models::{ClassLabels, Output},
};
use std::sync::atomic::Ordering::Relaxed;

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
        let &Asked { data, window, only, .. } = asked;
        let rows: Vec<u32> = only.map_or_else(|| (0..data.rows() as u32).collect(), <[u32]>::to_vec);
        let mut scored = Scored::default();
        // Slabs of rows, one after the other: the next is read while this one is scored.
        let ends = window.map_or_else(|| vec![data.rows()], |window| data.cut((window / 4).min(SLAB)));
        let slab = |i: usize| i.checked_sub(1).map_or(0, |before| ends[before])..ends[i];
        for i in 0..ends.len() {
            let of = |end: usize| rows.partition_point(|&row| (row as usize) < end);
            if ends.len() > 1 {
                (i..ends.len().min(i + 2)).skip((i > 0) as usize).for_each(|next| data.will_need(slab(next)));
            }
            let tasks: Vec<&[u32]> = rows[of(slab(i).start)..of(slab(i).end)].chunks(TASK).collect();
            let parts = threads::map(tasks.len(), |i| self.task(asked, tasks[i]));
            scored = parts.into_iter().fold(scored, Scored::join);
            if ends.len() > 1 {
                data.release(slab(i));
            }
        }
        scored
    }

    fn task(&self, asked: &Asked<'_>, rows: &[u32]) -> Scored {
        if let Some(output) = self.output {
            return self.task_of_classes(asked, output, rows);
        }
        let mut part = Scored { scores: Vec::with_capacity(rows.len()), ..Scored::default() };
        let (mut sums, mut by_field) = (vec![0.0; self.rank], FieldSums::of(self));
        for &row in rows {
            let (score, unknown) = match &mut by_field {
                Some(by_field) => self.row_by_field(asked, row, by_field),
                None => self.row(asked, row, &mut sums),
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
    fn task_of_classes(&self, asked: &Asked<'_>, output: Output, rows: &[u32]) -> Scored {
        let n = self.bias.len();
        let mut part = Scored { scores: Vec::with_capacity(rows.len()), ..Scored::default() };
        let mut classes = ClassScores::new(output, n, asked.labels.is_none_or(|labels| labels.starts.is_some()));
        for &row in rows {
            let (scores, unknown) = self.classes(asked, row);
            let own = asked.labels.map_or(&[][..], |labels| labels.of(row as usize));
            let is_known = own.iter().all(|&class| (class as usize) < n);
            let constant = self.constant.map_or(0.0, |constant| constant.loss(own));
            let loss = if is_known { output.loss(&scores, own) - constant } else { 0.0 };
            part.scores.push((loss, constant));
            if asked.data.weight_cells().is_some() {
                part.weights.push(asked.data.weight(row as usize));
            }
            part.unknown += unknown;
            classes.push(&scores, own);
        }
        part.classes = Some(classes);
        part
    }

    /// The scores of a row, one a class.
    pub fn classes(&self, asked: &Asked<'_>, row: u32) -> (Vec<f32>, u64) {
        let n = self.bias.len();
        let (mut scores, mut unknown) = (vec![0.0; n], 0);
        self.each_feature(asked, row, |column, value| match self.weights.get(column as usize * n..).and_then(|rest| rest.get(..n)) {
            Some(weights) => scores.iter_mut().zip(weights).for_each(|(z, w)| *z += w * value),
            None => unknown += 1,
        });
        scores.iter_mut().zip(self.bias).for_each(|(z, bias)| *z += bias);
        (scores, unknown)
    }

    /// Goes through the features of a row: the model's column (`u32::MAX` where there is none), and the value, scaled if need be.
    #[inline(always)]
    pub fn each_feature(&self, asked: &Asked<'_>, row: u32, mut each: impl FnMut(u32, f32)) {
        let &Asked { data, columns, .. } = asked;
        let (cells, values) = (data.column_cells(), data.value_cells());
        let range = data.row_range(row as usize);
        let value = |i: usize| values.map_or(1.0, |values| f32::from_bits(values[i].load(Relaxed)));
        let length = if self.unit_rows { row_length(range.clone().map(value)) } else { 1.0 };
        for i in range {
            let column = cells[i].load(Relaxed);
            let column = columns.map_or(column, |columns| columns.get(column as usize).copied().unwrap_or(u32::MAX));
            each(column, (value(i) as f64 / length) as f32);
        }
    }

    /// The score of a row, and how many of its features the model does not know.
    fn row(&self, asked: &Asked<'_>, row: u32, sums: &mut [f32]) -> (f32, u64) {
        let (mut z, mut unknown, mut squares) = (0.0, 0, 0.0);
        sums.fill(0.0);
        self.each_feature(asked, row, |column, value| {
            match self.weights.get(column as usize) {
                Some(w) => z += w * value,
                None => unknown += 1,
            }
            let factors = self.factors.get(column as usize * self.rank..).and_then(|factors| factors.get(..self.rank));
            for (sum, v) in sums.iter_mut().zip(factors.unwrap_or_default()) {
                (*sum, squares) = (*sum + v * value, squares + (v * value) * (v * value));
            }
        });
        z += 0.5 * (sums.iter().map(|sum| sum * sum).sum::<f32>() - squares);
        // The bias last: where it is large beside the rest, the rest is summed without it.
        (self.bias.first().copied().unwrap_or(0.0) + z, unknown)
    }

    /// The same where factors go by fields.
    fn row_by_field(&self, asked: &Asked<'_>, row: u32, sums: &mut FieldSums<'_>) -> (f32, u64) {
        let (mut z, mut unknown) = (0.0, 0);
        sums.clear();
        self.each_feature(asked, row, |column, value| match self.weights.get(column as usize) {
            Some(w) => {
                z += w * value;
                sums.add(column as usize, value, self.factors);
            }
            None => unknown += 1,
        });
        (self.bias.first().copied().unwrap_or(0.0) + (z + sums.pairs()), unknown)
    }
}
