//! Rows whose features are scaled as they are read: what `normalize` asks for.
use super::{Feed, SparseFeed};
use crate::{
    models::{Model, Row},
    params::Places,
    simd::{Isa, LANES, pairs},
};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How features are scaled before a linear model is trained on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalize {
    /// By largest absolute values where features differ a hundredfold in size, are far from 1, or rows are shorter than a tenth; otherwise not at all.
    Auto,
    /// Not at all.
    None,
    /// Each feature by its largest absolute value.
    MaxAbs,
    /// Each feature by its standard deviation, zeros counted.
    Std,
    /// Each row by its length.
    Row,
    /// Each feature by its largest absolute value so far, in one pass (Ross et al. 2013).
    Online,
}

impl Normalize {
    /// Every way.
    pub const ALL: [Normalize; 6] =
        [Normalize::Auto, Normalize::None, Normalize::MaxAbs, Normalize::Std, Normalize::Row, Normalize::Online];

    /// The name that `normalize` takes.
    pub fn name(self) -> &'static str {
        match self {
            Normalize::Auto => "auto",
            Normalize::None => "none",
            Normalize::MaxAbs => "max-abs",
            Normalize::Std => "std",
            Normalize::Row => "row",
            Normalize::Online => "online",
        }
    }
}

/// No scale is smaller, so that a weight divided by it is finite.
const SMALLEST: f32 = 1e-30;

/// What a run scales by.
pub struct Scaling {
    how: Normalize,
    /// By row of the parameters (the bias, then the features): the bits of `s_j`, 0 where nothing but 0 was seen. No number of them is
    /// negative, so that the greater one has the greater bits. Relaxed: a number is all that is read.
    scales: Vec<AtomicU32>,
}

impl Scaling {
    /// `scales`: one a feature; 0 where nothing but 0 was seen.
    pub fn new(how: Normalize, scales: Vec<f32>) -> Scaling {
        let least = |s: f32| if s > 0.0 { s.max(SMALLEST) } else { 0.0 };
        Scaling { how, scales: std::iter::once(1.0).chain(scales).map(|s| AtomicU32::new(least(s).to_bits())).collect() }
    }

    /// The same for a model without a bias, whose value is then 0, so that it never leaves 0.
    pub fn without_bias(self) -> Scaling {
        if let Some(bias) = self.scales.first() {
            bias.store(f32::INFINITY.to_bits(), Relaxed);
        }
        self
    }

    /// How it scales.
    pub fn how(&self) -> Normalize {
        self.how
    }

    /// A value of a feature, by its row among the parameters, in scaled form. (That of a row by its length is left to [`apply`](Self::apply).)
    #[inline(always)]
    pub fn scaled(&self, row: usize, x: f32) -> f32 {
        let Some(cell) = self.scales.get(row) else { return x };
        let mut s = f32::from_bits(cell.load(Relaxed));
        if self.how == Normalize::Online && x.abs() > s {
            s = x.abs().max(SMALLEST);
            cell.fetch_max(s.to_bits(), Relaxed);
        }
        if s > 0.0 { x / s } else { x }
    }

    /// For a look at what it does to some rows, which it is not to go by afterwards.
    pub fn copy(&self) -> Scaling {
        Scaling { how: self.how, scales: self.scales.iter().map(|cell| AtomicU32::new(cell.load(Relaxed))).collect() }
    }

    /// Scales an example that was just read. Not inlined: it is compiled once, and not into every worker.
    #[inline(never)]
    pub fn apply(&self, row: &mut Row) {
        let features = row.features;
        if self.how == Normalize::Row {
            by_length(row);
            // It is behind the features.
            let bias = &mut row.blocks[features / LANES].values.0[features % LANES];
            *bias = self.scaled(0, *bias);
            return;
        }
        for block in &mut row.blocks[..features / LANES + 1] {
            for (&row, value) in pairs(&block.rows.0, &mut block.values.0) {
                *value = self.scaled(row as usize, *value);
            }
        }
    }

    /// The same for features by row number.
    fn apply_to(&self, features: &mut [(u32, f32)]) {
        if self.how == Normalize::Row {
            let length = row_length(features.iter().map(|&(_, x)| x));
            features.iter_mut().for_each(|(_, x)| *x = (*x as f64 / length) as f32);
        } else {
            features.iter_mut().for_each(|(row, x)| *x = self.scaled(*row as usize, *x));
        }
    }

    /// The weights of raw features, of those of scaled ones: `each` a row of the parameters, from row `first`.
    pub fn fold(&self, first: usize, weights: &mut [f32], each: usize) {
        for (weights, cell) in weights.chunks_mut(each).zip(self.scales.get(first..).unwrap_or_default()) {
            let s = f32::from_bits(cell.load(Relaxed));
            if s > 0.0 {
                weights.iter_mut().for_each(|w| *w /= s);
            }
        }
    }
}

/// Rows in scaled form, or not: what runs with transforms read from. A feed of its own: that [`SparseFeed`] looked whether to scale cost all
/// others 5% (imdb_1gram, one thread).
pub struct ScaledFeed<'a> {
    /// The rows as they are.
    pub feed: &'a SparseFeed<'a>,
    /// How they are scaled, if at all.
    pub scaling: Option<&'a Scaling>,
}

impl ScaledFeed<'_> {
    /// A row's target, and its features by row number of the parameters, scaled, in place of what is there.
    pub(super) fn copy_row(&self, position: u32, features: &mut Vec<(u32, f32)>) -> f32 {
        let label = self.feed.copy_row(position, features);
        if let Some(scaling) = self.scaling {
            scaling.apply_to(features);
        }
        label
    }

    /// The value of the bias: 1, or 0 where there is none.
    pub(super) fn bias(&self) -> f32 {
        self.scaling.map_or(1.0, |scaling| scaling.scaled(0, 1.0))
    }
}

impl<M: Model<Example = Row>> Feed<M> for ScaledFeed<'_> {
    const SHUFFLE: bool = <SparseFeed<'_> as Feed<M>>::SHUFFLE;
    const AHEAD: usize = <SparseFeed<'_> as Feed<M>>::AHEAD;

    fn fetched(&self) -> usize {
        Feed::<M>::fetched(self.feed)
    }

    fn longest(&self) -> usize {
        Feed::<M>::longest(self.feed)
    }

    fn room(&self, noise: u64) -> Row {
        Feed::<M>::room(self.feed, noise)
    }

    fn chooses(&self) -> bool {
        Feed::<M>::chooses(self.feed)
    }

    #[inline(always)]
    fn keeps(&self, position: u32) -> bool {
        Feed::<M>::keeps(self.feed, position)
    }

    #[inline(always)]
    fn read<I: Isa>(&self, isa: I, position: u32, row: &mut Row, places: &impl Places<I>) -> f32 {
        let label = Feed::<M>::read(self.feed, isa, position, row, places);
        if let Some(scaling) = self.scaling {
            scaling.apply(row);
        }
        label
    }

    #[inline(always)]
    fn prefetch_place<I: Isa>(&self, isa: I, position: u32) {
        Feed::<M>::prefetch_place(self.feed, isa, position);
    }

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32, places: &impl Places<I>) {
        Feed::<M>::prefetch_example(self.feed, isa, position, places);
    }

    fn weighs(&self) -> bool {
        Feed::<M>::weighs(self.feed)
    }

    #[inline(always)]
    fn weight(&self, position: u32, target: f32) -> f32 {
        Feed::<M>::weight(self.feed, position, target)
    }

    #[inline(always)]
    fn size(&self, row: &Row) -> u64 {
        Feed::<M>::size(self.feed, row)
    }
}

/// Divides the features of an example by its length.
fn by_length(row: &mut Row) {
    let features = row.features;
    let all_ones = row.blocks().iter().flat_map(|block| &block.values.0).take(features).fold(true, |all, &x| all & (x == 1.0));
    if all_ones && features > 0 {
        // What the sum and the quotients below come to. They are a chain, and take a third of a linear model's time.
        let value = (1.0 / (features as f64).sqrt()) as f32;
        let values = row.blocks.iter_mut().flat_map(|block| &mut block.values.0);
        values.take(features).for_each(|x| *x = value);
        return;
    }
    let length = row_length(row.blocks().iter().flat_map(|block| block.values.0).take(features));
    let values = row.blocks.iter_mut().flat_map(|block| &mut block.values.0);
    values.take(features).for_each(|x| *x = (*x as f64 / length) as f32);
}

/// What a row of length 1 is divided by; 1 where there is no length.
pub fn row_length(values: impl Iterator<Item = f32>) -> f64 {
    let square: f64 = values.map(|x| x as f64 * x as f64).sum();
    if square > 0.0 { square.sqrt() } else { 1.0 }
}
