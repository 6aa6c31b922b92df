//! Linear models: `z = b + sum_j w_j x_j`.
//!
//! The bias is row 0, a feature that every example has with value 1; feature column `c` is row `c + 1`. So nothing treats it apart,
//! and as the most frequent row it is the first of the hot ones.
//!
//! L2 is exact in expectation on sparse data: a weight is decayed only when its feature occurs, by lambda divided by the
//! fraction of rows that have it (the degree weighting of Niu et al. 2011, eq. 2.4), so the minimiser is that of
//! `mean(loss) + lambda/2 |w|^2`. The bias is not decayed.
use super::Model;
use crate::params::{LANES, Weights, padded};

/// A sparse example: parameter rows with their values. Both are padded with zeros to whole blocks.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub(crate) rows: Vec<u32>,
    pub(crate) values: Vec<f32>,
    pub(crate) len: usize,
}

impl Row {
    /// A row of features given by column, with the bias put before them.
    ///
    /// ```
    /// let row = hogwild::models::Row::new(&[(0, 0.5), (7, 2.0)]);
    /// ```
    pub fn new(features: &[(u32, f32)]) -> Row {
        let mut row = Row::with_room(features.len());
        row.len = features.len() + 1;
        for (i, &(column, value)) in features.iter().enumerate() {
            row.rows[i + 1] = column.saturating_add(1);
            row.values[i + 1] = value;
        }
        row
    }

    /// Room for `longest` features; holds the bias alone.
    pub(crate) fn with_room(longest: usize) -> Row {
        // Whole blocks are copied in from position 1, and a block of zeros is put after the last value.
        let room = padded(longest) + 2 * LANES;
        let mut row = Row { rows: vec![0; room], values: vec![0.0; room], len: 1 };
        row.values[0] = 1.0;
        row
    }

    #[inline(always)]
    pub(crate) fn rows(&self) -> &[u32] {
        &self.rows[..self.len]
    }

    #[inline(always)]
    fn values(&self) -> &[f32] {
        &self.values[..padded(self.len)]
    }
}

/// A linear model's settings: what L2 does to each row.
#[derive(Clone, Debug, Default)]
pub struct Linear {
    /// By row: lambda / fraction of examples that have it. Empty without L2.
    decay: Vec<f32>,
}

impl Linear {
    /// Without regularisation.
    pub fn new() -> Linear {
        Linear::default()
    }

    /// With `lambda / 2 |w|^2` on top of the mean loss; `counts` tells in how many of the `rows` examples each column occurs.
    pub fn with_l2(lambda: f64, rows: usize, counts: &[u64]) -> Linear {
        if lambda == 0.0 {
            return Linear::new();
        }
        let decay = |&count: &u64| (lambda * rows as f64 / count.max(1) as f64) as f32;
        Linear { decay: std::iter::once(0.0).chain(counts.iter().map(decay)).collect() }
    }
}

/// The weights and the gradient of the example at hand.
#[derive(Debug)]
pub struct Scratch {
    weights: Vec<f32>,
    gradient: Vec<f32>,
}

impl Model for Linear {
    type Example = Row;
    type Scratch = Scratch;

    fn scratch(&self, longest: usize) -> Scratch {
        let room = padded(longest + 1);
        Scratch { weights: vec![0.0; room], gradient: vec![0.0; room] }
    }

    #[inline(always)]
    fn score<W: Weights>(&self, x: &Row, weights: &mut W, scratch: &mut Scratch) -> f32 {
        let values = x.values();
        let w = &mut scratch.weights[..values.len()];
        weights.gather(x.rows(), w);
        crate::math::dot(w, values)
    }

    #[inline(always)]
    fn backward<W: Weights>(&self, x: &Row, slope: f32, weights: &mut W, scratch: &mut Scratch) {
        let values = x.values();
        let gradient = &mut scratch.gradient[..values.len()];
        for (g, v) in gradient.iter_mut().zip(values) {
            *g = slope * v;
        }
        if !self.decay.is_empty() {
            for ((g, w), &row) in gradient.iter_mut().zip(&scratch.weights).zip(x.rows()) {
                *g += self.decay.get(row as usize).copied().unwrap_or(0.0) * w;
            }
        } else if slope == 0.0 {
            return; // a hinge that is satisfied moves nothing
        }
        weights.step(x.rows(), gradient);
    }
}
