//! Linear models: `z = b + sum_j w_j x_j`.
//!
//! The bias is row 0, a feature that every example has with value 1; feature column `c` is row `c + 1`. So nothing treats it apart,
//! and as the most frequent row it is the first of the hot ones.
//!
//! L2 is exact in expectation on sparse data: a weight is decayed only when its feature occurs, by lambda divided by the
//! fraction of rows that have it (the degree weighting of Niu et al. 2011, eq. 2.4), so the minimiser is that of
//! `mean(loss) + lambda/2 |w|^2`. The bias is not decayed.
use super::Model;
use crate::{
    params::{Parts, Slot, Weights},
    simd::{LANES, Line, Real, Vector, pairs},
};

/// A sparse example in blocks of sixteen: features, then the bias, then empty lanes.
#[derive(Clone, Debug)]
pub struct Row {
    /// Room for the longest example; those behind the [blocks](Self::blocks) of this one hold what was there before.
    pub blocks: Vec<Block>,
    /// How many features the example has, without the bias.
    pub features: usize,
    /// Which example of the data it is, from 0.
    pub position: u32,
}

/// Sixteen of them.
#[derive(Clone, Debug)]
pub struct Block {
    /// Row numbers, which the regularisation goes by.
    pub rows: Line<u32>,
    /// What [`Weights`] are asked for: the row numbers, unless a trainer has put its own places there ahead of time.
    pub places: Line<u32>,
    /// Feature values; 0 in empty lanes.
    pub values: Line<f32>,
}

/// How the last block ends behind so many features: bits of rows and values to keep, and bits to set: the bias, empty lanes.
pub struct End {
    /// All bits where a feature is, none elsewhere.
    pub keep: Line<u32>,
    /// Slot numbers to set: the bias's, that of empty lanes.
    pub row: Line<u32>,
    /// Bits of values to set: those of the bias.
    pub value: Line<u32>,
}

/// By features in the last block.
pub static ENDS: [End; LANES] = {
    const NONE: End = End { keep: Line([0; LANES]), row: Line([Slot::EMPTY; LANES]), value: Line([0; LANES]) };
    let mut ends = [NONE; LANES];
    let mut features = 0;
    while features < LANES {
        let mut lane = 0;
        while lane < features {
            ends[features].keep.0[lane] = u32::MAX;
            ends[features].row.0[lane] = 0;
            lane += 1;
        }
        ends[features].row.0[features] = 0;
        ends[features].value.0[features] = 1f32.to_bits();
        features += 1;
    }
    ends
};

impl Row {
    /// A row of features by column and value, each column once.
    ///
    /// ```
    /// let row = hogwild::models::Row::new(&[(0, 0.5), (7, 2.0)]);
    /// ```
    pub fn new(features: &[(u32, f32)]) -> Row {
        Row::of(features, &[(0, 1.0)])
    }

    /// The same for a model without a bias.
    pub fn without_bias(features: &[(u32, f32)]) -> Row {
        Row::of(features, &[])
    }

    fn of(features: &[(u32, f32)], bias: &[(u32, f32)]) -> Row {
        let mut row = Row::with_room(features.len());
        row.features = features.len();
        for (i, (row_number, value)) in features.iter().map(|&(column, value)| (column + 1, value)).chain(bias.iter().copied()).enumerate()
        {
            let block = &mut row.blocks[i / LANES];
            (block.rows.0[i % LANES], block.values.0[i % LANES]) = (row_number, value);
            block.places = block.rows;
        }
        row
    }

    /// Empty room for `longest` features.
    pub fn with_room(longest: usize) -> Row {
        let empty = Block { rows: Line([Slot::EMPTY; LANES]), places: Line([Slot::EMPTY; LANES]), values: Line([0.0; LANES]) };
        Row { blocks: vec![empty; longest / LANES + 1], features: 0, position: 0 }
    }

    /// The blocks of this example.
    #[inline(always)]
    pub fn blocks(&self) -> &[Block] {
        &self.blocks[..self.features / LANES + 1]
    }
}

/// A linear model's settings: what L2 and L1 do to each row.
#[derive(Clone, Debug, Default)]
pub struct Linear {
    /// By row: lambda / fraction of examples that have it. Empty without L2.
    decay: Vec<f32>,
    /// The same for L1.
    l1: Vec<f32>,
    /// The score without any parameter.
    base: f32,
}

impl Linear {
    /// Without regularisation.
    pub fn new() -> Linear {
        Linear::default()
    }

    /// With `l2 / 2 |w|^2 + l1 |w|_1` on top of the mean loss; `counts` tells in how many of the `rows` examples each column occurs.
    pub fn with_penalties(l2: f64, l1: f64, rows: usize, counts: &[u64]) -> Linear {
        let by_row = |lambda: f64| {
            let of = |&count: &u64| (lambda * rows as f64 / count.max(1) as f64) as f32;
            if lambda == 0.0 { Vec::new() } else { std::iter::once(0.0).chain(counts.iter().map(of)).collect() }
        };
        Linear { decay: by_row(l2), l1: by_row(l1), base: 0.0 }
    }

    /// The same where slots lie as parts have them.
    pub(crate) fn laid(&self, parts: &Parts) -> Linear {
        Linear { decay: parts.laid(&self.decay), l1: parts.laid(&self.l1), base: self.base }
    }

    /// The score without any parameter.
    pub(crate) fn base(&self) -> f32 {
        self.base
    }

    /// Whether rows are penalised: steps then need the weights as they are.
    pub(crate) fn penalises(&self) -> bool {
        !self.decay.is_empty() || !self.l1.is_empty()
    }

    /// Whether rows have L1.
    pub(crate) fn has_l1(&self) -> bool {
        !self.l1.is_empty()
    }

    /// What L2 multiplies a row's weights by.
    #[inline(always)]
    pub(crate) fn decay(&self, row: u32) -> f32 {
        self.decay.get(row as usize).copied().unwrap_or(0.0)
    }

    /// What L2 adds to the gradient of sixteen rows' weights, and the thresholds of L1, if there are any.
    #[inline(always)]
    pub(crate) fn penalties<V: Vector>(&self, rows: &Line<u32>, weights: V) -> (V, Option<V>) {
        let decay = if self.decay.is_empty() { V::of(0.0) } else { V::load(&of_rows(&self.decay, rows)) * weights };
        let l1 = if self.l1.is_empty() { None } else { Some(V::load(&of_rows(&self.l1, rows))) };
        (decay, l1)
    }

    /// The same with a score that starts from `base`, which is not trained: `z = base + b + sum_j w_j x_j`.
    pub fn with_base(self, base: f32) -> Linear {
        Linear { base, ..self }
    }
}

/// The numbers of sixteen rows; 0 for those that have none.
#[inline(always)]
fn of_rows(numbers: &[f32], Line(rows): &Line<u32>) -> [f32; LANES] {
    std::array::from_fn(|i| numbers.get(rows[i] as usize).copied().unwrap_or(0.0))
}

impl Model for Linear {
    type Example = Row;
    /// The weights of the example at hand, by block.
    type Scratch<V: Vector> = Vec<V>;

    fn scratch<V: Vector>(&self, longest: usize) -> Vec<V> {
        vec![V::of(0.0); longest / LANES + 1]
    }

    #[inline(always)]
    fn score<W: Weights>(&self, x: &Row, weights: &mut W, scratch: &mut Vec<W::V>) -> f32 {
        let mut sum = W::V::of(0.0);
        if self.decay.is_empty() {
            for (i, block) in x.blocks().iter().enumerate() {
                sum = weights.gather(i, &block.places).mul_add(W::V::load(&block.values.0), sum);
            }
            return self.base + sum.sum();
        }
        for (i, (block, kept)) in pairs(x.blocks(), scratch).enumerate() {
            *kept = weights.gather(i, &block.places);
            sum = kept.mul_add(W::V::load(&block.values.0), sum);
        }
        self.base + sum.sum()
    }

    #[inline(always)]
    fn gradient_square<V: Vector>(&self, x: &Row, _scratch: &Vec<V>) -> f32 {
        let mut sum = V::of(0.0);
        for Block { values: Line(values), .. } in x.blocks() {
            sum = V::load(values).mul_add(V::load(values), sum);
        }
        sum.sum()
    }

    #[inline(always)]
    fn backward<W: Weights>(&self, x: &Row, slope: f32, weights: &mut W, scratch: &mut Vec<W::V>) {
        if self.decay.is_empty() && self.l1.is_empty() {
            if slope == 0.0 {
                return; // a hinge that is satisfied moves nothing
            }
            for (i, block) in x.blocks().iter().enumerate() {
                weights.step(i, &block.places, W::V::of(slope) * W::V::load(&block.values.0), None);
            }
            return;
        }
        for (i, (Block { rows, places, values }, kept)) in pairs(x.blocks(), scratch).enumerate() {
            let decay = W::V::load(&of_rows(&self.decay, rows));
            let gradient = decay.mul_add(*kept, W::V::of(slope) * W::V::load(&values.0));
            if self.l1.is_empty() {
                weights.step(i, places, gradient, None);
            } else {
                weights.step(i, places, gradient, Some(W::V::load(&of_rows(&self.l1, rows))));
            }
        }
    }
}
