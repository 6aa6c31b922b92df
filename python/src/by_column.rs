//! A model's numbers by the features' own numbers, as matrices are scored by.
use crate::{
    errors::{of_class, raise},
    matrix::WithMatrix,
};
use hogwild::{
    FieldMatrixScorer, MatrixScorer, Threads, TrainedModel,
    data::{Ids, Index, Matrix, Number},
    memory,
};
use pyo3::prelude::*;
use std::borrow::Cow;

/// Columns that a table has at most, whatever the features; and for each feature.
const MOST: usize = 1 << 26;
const A_FEATURE: usize = 64;

/// How many scores a row has: one a class of several, else one.
pub fn classes_of(model: &TrainedModel) -> usize {
    model.ids("class").map_or(1, |names| names.len())
}

/// Weights and factors by column.
#[derive(Default)]
pub struct ByColumn {
    pub width: usize,
    /// A member after the other.
    pub bias: Vec<f32>,
    pub weights: Vec<f32>,
    /// Of each member, by column.
    pub factors: Vec<Vec<f32>>,
    pub rank: usize,
    /// How many scores a row has.
    pub classes: usize,
    /// Of models that go by fields the place of each column among the features, and nothing else.
    pub places: Vec<u32>,
}

/// Weights class by class, of those of all classes side by side.
fn by_class(weights: &[f32], classes: usize) -> Vec<f32> {
    (0..classes).flat_map(|class| weights.iter().skip(class).step_by(classes).copied()).collect()
}

impl ByColumn {
    /// By the features' numbers; where they have names by their places in the model, which Python looks names up in.
    pub fn of(model: &TrainedModel) -> PyResult<ByColumn> {
        let Some(ids) = model.ids("feature") else {
            return Err(of_class("BadDataError", "this model takes ratings; give users and items".into()));
        };
        let numbers: Cow<'_, [u64]> = match &**ids {
            Ids::Numbers(numbers) => numbers.into(),
            names @ Ids::Names { .. } => (0..names.len() as u64).collect(),
        };
        let width = numbers.iter().max().map_or(0, |&most| (most as usize).saturating_add(1));
        if width > MOST.max(A_FEATURE.saturating_mul(numbers.len())) {
            let problem = format!("features are numbered up to {}, which is too far for a table; score Rows.from_matrix", width - 1);
            return Err(of_class("BadDataError", problem));
        }
        if model.ids("field").is_some() {
            memory::ask(width as u64 * 4, || "the columns of a model".into(), "score Rows, made by Rows.from_matrix").map_err(raise)?;
            // One more than there are columns: it is that of none, and never empty.
            let mut places = vec![u32::MAX; width + 1];
            (0..).zip(&*numbers).for_each(|(place, &id)| places[id as usize] = place);
            return Ok(ByColumn { width, places, ..ByColumn::default() });
        }
        let classes = classes_of(model);
        if classes > 1 && model.members.len() > 1 {
            let problem = "an ensemble of models of several classes scores Rows; make them by Rows.from_matrix";
            return Err(of_class("BadDataError", problem.into()));
        }
        let members = &model.members;
        let rank = members.first().and_then(|member| member.get("factor")?.shape.last().copied()).unwrap_or(0);
        let numbers_in_all = width.saturating_mul(classes + rank).saturating_mul(members.len());
        memory::ask(numbers_in_all as u64 * 4, || "the model by column".into(), "score Rows, made by Rows.from_matrix").map_err(raise)?;
        let place = |numbers_of: &[f32], rank: usize| {
            let mut placed = vec![0.0; width * rank];
            for (&id, row) in numbers.iter().zip(numbers_of.chunks_exact(rank.max(1))) {
                placed[id as usize * rank..][..rank].copy_from_slice(row);
            }
            placed
        };
        Ok(ByColumn {
            width,
            bias: members.iter().flat_map(|member| member.numbers("bias").iter().copied()).collect(),
            weights: members.iter().flat_map(|member| by_class(&place(member.numbers("weight"), classes), classes)).collect(),
            classes,
            factors: members.iter().map(|member| place(member.numbers("factor"), rank)).collect(),
            rank,
            places: Vec::new(),
        })
    }
}

/// Scores a matrix.
pub struct Score<'a> {
    pub scorer: MatrixScorer<'a>,
    /// Columns that have weights; others are unknown.
    pub width: usize,
    pub threads: Threads,
}

impl WithMatrix for Score<'_> {
    type Output = hogwild::Result<Vec<f32>>;

    fn with<I: Index, V: Number>(self, matrix: &Matrix<'_, I, V>) -> Self::Output {
        let &Matrix { row_start, columns, values, .. } = matrix;
        self.threads.run(|| self.scorer.score(&Matrix { row_start, columns, values, width: self.width }))
    }
}

/// Scores a matrix by a model that goes by fields.
pub struct ScoreByField<'a> {
    pub scorer: FieldMatrixScorer<'a>,
    pub threads: Threads,
}

impl WithMatrix for ScoreByField<'_> {
    type Output = hogwild::Result<Vec<f32>>;

    fn with<I: Index, V: Number>(self, matrix: &Matrix<'_, I, V>) -> Self::Output {
        self.threads.run(|| self.scorer.score(matrix))
    }
}
