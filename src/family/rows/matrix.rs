//! Scores of a sparse matrix where it lies: columns are the features' own numbers, so that nothing is looked up or copied.
//!
//! Eight sums a row hide how long an addition takes. (imdb_1gram, values of 64 bits: .99 ns a cell with four.)
use super::{
    cells::{SUMS, each_of_two, total},
    fields::FieldSums,
    score::Scorer,
};
use crate::model::Tensors;
use hogwild_base::{Result, threads};
use hogwild_data::{Index, Matrix, Number};
use hogwild_kernels::loss::Taken;

/// Cells that are worth a task of a thread.
const TASK: usize = 1 << 17;
/// The same where pairs of fields are added up.
const FIELD_TASK: usize = 1 << 13;

/// What a matrix is scored by: weights by column, of one model or of several.
#[derive(Clone, Copy, Debug)]
pub struct MatrixScorer<'a> {
    /// One a model.
    pub bias: &'a [f32],
    /// As many for each model as the matrix has columns, model by model.
    pub weights: &'a [f32],
    /// Of factorization machines (a single model): `rank` for each column.
    pub factors: &'a [f32],
    /// How many factors a column has.
    pub rank: usize,
    /// Whether each row is divided by its length first.
    pub unit_rows: bool,
}

impl MatrixScorer<'_> {
    /// Scores each row by each model: row by row, a score a model. Columns without weights add nothing.
    ///
    /// # Errors
    /// When `row_start` does not fit the cells.
    ///
    /// ```
    /// use hogwild::{MatrixScorer, data::Matrix};
    ///
    /// let matrix = Matrix { row_start: &[0i32, 2, 3], columns: &[0, 2, 1], values: &[1.0f64, 2.0, 3.0], width: 3 };
    /// let scorer = MatrixScorer { bias: &[0.5], weights: &[1.0, 10.0, 100.0], factors: &[], rank: 0, unit_rows: false };
    /// assert_eq!(scorer.score(&matrix)?, [201.5, 30.5]);
    /// # Ok::<(), hogwild::Error>(())
    /// ```
    pub fn score<I: Index, V: Number>(&self, matrix: &Matrix<'_, I, V>) -> Result<Vec<f32>> {
        matrix.check()?;
        let (rows, models) = (matrix.row_start.len() - 1, self.bias.len());
        let mut scores = vec![0.0; rows * models];
        if models == 0 {
            return Ok(scores);
        }
        let tasks = (matrix.columns.len() * models / TASK).clamp(1, rows.max(1));
        let chunk = rows.div_ceil(tasks).max(1);
        threads::in_call(|| {
            let parts = scores.chunks_mut(chunk * models).enumerate().collect();
            threads::each(parts, Vec::new, |sums, (i, scores)| {
                self.rows(matrix, i * chunk, scores, sums);
                Ok(())
            })
        })
        .map(|()| scores)
    }

    /// Scores of rows from `first` on. (Plain loops: without ThinLTO `zip`, `chunks` and `map` of arrays are calls, which take as long as a row.)
    fn rows<I: Index, V: Number>(&self, matrix: &Matrix<'_, I, V>, first: usize, scores: &mut [f32], sums: &mut Vec<f32>) {
        let (models, width) = (self.bias.len(), matrix.width);
        let start = |row: usize| matrix.row_start.get(row).map_or(0, |start| start.index() as usize);
        let mut begin = start(first);
        for i in 0..scores.len() / models {
            let end = start(first + i + 1).max(begin);
            let columns = matrix.columns.get(begin..end).unwrap_or_default();
            let values = matrix.values.get(begin..end).unwrap_or_default();
            begin = end;
            let length = if self.unit_rows { length(values) } else { 1.0 };
            for model in 0..models {
                let weights = self.weights.get(model * width..(model + 1) * width).unwrap_or_default();
                let dot = dot(columns, values, weights);
                scores[i * models + model] = self.bias[model] + if self.unit_rows { dot / length } else { dot };
            }
            if self.rank > 0 {
                scores[i * models] += self.pairs(columns, values, sums) / (length * length);
            }
        }
    }

    /// What all pairs of features come to.
    fn pairs<I: Index, V: Number>(&self, columns: &[I], values: &[V], sums: &mut Vec<f32>) -> f32 {
        sums.clear();
        sums.resize(2 * self.rank, 0.0);
        let (sums, squares) = sums.split_at_mut(self.rank);
        for i in 0..columns.len().min(values.len()) {
            let (from, value) = ((columns[i].index() as usize).saturating_mul(self.rank), values[i].number());
            let factors = self.factors.get(from..).and_then(|factors| factors.get(..self.rank)).unwrap_or_default();
            each_of_two(sums, factors, |sum, v| *sum += v * value);
            each_of_two(squares, factors, |square, v| *square += (v * value) * (v * value));
        }
        let mut pairs = 0.0;
        each_of_two(sums, squares, |sum, square| pairs += *sum * *sum - square);
        0.5 * pairs
    }
}

/// What a matrix is scored by where factors go by fields: a member of a model, as it is.
#[derive(Clone, Copy, Debug)]
pub struct FieldMatrixScorer<'a> {
    /// Bias, weights, and the fields and factors of features.
    pub member: &'a Tensors,
    /// The place of each column among the features; beyond the last, as `u32::MAX`, of those that are unknown and add nothing.
    pub places: &'a [u32],
    /// Whether each row is divided by its length first.
    pub unit_rows: bool,
}

impl FieldMatrixScorer<'_> {
    /// Scores each row.
    ///
    /// # Errors
    /// When `row_start` does not fit the cells; rows of so many fields that there is no memory for them.
    pub fn score<I: Index, V: Number>(&self, matrix: &Matrix<'_, I, V>) -> Result<Vec<f32>> {
        matrix.check()?;
        let (rows, scorer) = (matrix.row_start.len() - 1, Scorer::new(self.member, self.unit_rows, Taken::Nothing));
        let longest = matrix.row_start.windows(2).map(|pair| (pair[1].index() - pair[0].index()) as usize).max().unwrap_or(0);
        scorer.fields.map_or(Ok(()), |fields| fields.ask(longest, scorer.rank))?;
        // A pair takes about as long as a cell of a linear model.
        let tasks = (matrix.columns.len() / FIELD_TASK).clamp(1, rows.max(1));
        let chunk = rows.div_ceil(tasks).max(1);
        let mut scores = vec![0.0; rows];
        threads::in_call(|| {
            let parts = scores.chunks_mut(chunk).enumerate().collect();
            let room = || FieldSums::of(&scorer);
            threads::each(parts, room, |sums, (i, scores)| {
                scores.iter_mut().enumerate().for_each(|(row, score)| *score = self.row(matrix, i * chunk + row, &scorer, sums));
                Ok(())
            })
        })
        .map(|()| scores)
    }

    fn row<I: Index, V: Number>(
        &self,
        matrix: &Matrix<'_, I, V>,
        row: usize,
        scorer: &Scorer<'_>,
        sums: &mut Option<FieldSums<'_>>,
    ) -> f32 {
        let cells = matrix.row_start[row].index() as usize..matrix.row_start[row + 1].index() as usize;
        let (columns, values) = (&matrix.columns[cells.clone()], &matrix.values[cells]);
        let (length, mut z) = (if self.unit_rows { length(values) } else { 1.0 }, 0.0);
        sums.iter_mut().for_each(FieldSums::clear);
        for (column, value) in columns.iter().zip(values) {
            let place = self.places.get(column.index() as usize).map_or(usize::MAX, |&place| place as usize);
            if let Some(w) = scorer.weights.get(place) {
                let value = value.number() / length;
                z += w * value;
                sums.iter_mut().for_each(|sums| sums.add(place, value, scorer.factors));
            }
        }
        scorer.bias.first().copied().unwrap_or(0.0) + (z + sums.as_ref().map_or(0.0, FieldSums::pairs))
    }
}

/// The length of a row; 1 of one that has none.
fn length<V: Number>(values: &[V]) -> f32 {
    let squares: f64 = values.iter().map(|value| f64::from(value.number()).powi(2)).sum();
    if squares > 0.0 { squares.sqrt() as f32 } else { 1.0 }
}

#[inline(always)]
fn dot<I: Index, V: Number>(columns: &[I], values: &[V], weights: &[f32]) -> f32 {
    let mut sums = [0.0; SUMS];
    let (columns, last_columns) = columns.as_chunks::<SUMS>();
    let (values, last_values) = values.as_chunks::<SUMS>();
    for block in 0..columns.len().min(values.len()) {
        let (columns, values) = (&columns[block], &values[block]);
        // One after the other: so numbers are converted and multiplied as vectors.
        let (mut of_columns, mut numbers) = ([0.0; SUMS], [0.0; SUMS]);
        for i in 0..SUMS {
            of_columns[i] = weight(weights, columns[i]);
        }
        for i in 0..SUMS {
            numbers[i] = values[i].number();
        }
        for i in 0..SUMS {
            sums[i] += of_columns[i] * numbers[i];
        }
    }
    for i in 0..last_columns.len().min(last_values.len()) {
        sums[i] += weight(weights, last_columns[i]) * last_values[i].number();
    }
    total(sums)
}

#[inline(always)]
fn weight<I: Index>(weights: &[f32], column: I) -> f32 {
    weights.get(column.index() as usize).copied().unwrap_or(0.0)
}
