//! Models: how a score comes from parameters, and what gradient a slope sends back to them.
//!
//! A model knows its mathematics and [`Weights`], nothing of threads, atomics or update rules. Score and backward stand apart, so
//! that a gradient is checked against differences without training anything.
mod cut;
mod factorization;
mod ffm;
mod fm;
mod linear;
mod multiclass;
mod output;
mod quads;
#[cfg(test)]
mod quads_tests;
mod ranking;
mod slopes;

pub use cut::{Cut, Edge, project};
pub use factorization::{AnyWidth, Factorization, Fixed, Pair, WeightedPair, Width};
pub use ffm::FieldAware;
pub use fm::FactorizationMachine;
pub use linear::{Block, ENDS};
pub use linear::{Linear, Row};
pub use multiclass::Multiclass;
pub use output::{ClassLabels, Output};
pub(crate) use quads::{Quad, Scored};
pub use ranking::{Candidates, Ranking, RankingLoss};

use crate::{params::Weights, simd::Vector};

/// One kind of model.
pub trait Model: Send + Sync {
    /// What it scores: a sparse row, a pair of user and item.
    type Example;
    /// A worker's own room for intermediate results.
    type Scratch<V: Vector>: Send;
    /// Whether its loops are compiled for vector instructions, and not for portable code alone.
    const VECTORS: bool = true;
    /// Where each feature of an example has a slot of many weights, which is asked for ahead of its turn: that of column 0.
    const FIRST_ROW: Option<u32> = None;
    /// How many vectors of such a slot are asked for, as a lean loop goes by; 0 for all.
    const ROW_VECTORS: usize = 0;

    /// Room for examples of at most `longest` features.
    fn scratch<V: Vector>(&self, longest: usize) -> Self::Scratch<V>;

    /// The score of an example; leaves in `scratch` what `backward` needs.
    fn score<W: Weights>(&self, x: &Self::Example, weights: &mut W, scratch: &mut Self::Scratch<W::V>) -> f32;

    /// The squared length of the gradient of the score that was just taken, without regularisation.
    fn gradient_square<V: Vector>(&self, x: &Self::Example, scratch: &Self::Scratch<V>) -> f32;

    /// Sends the gradient of `loss(score) + regularisation` to the weights, `slope` being the loss's derivative at the score that
    /// was just taken.
    fn backward<W: Weights>(&self, x: &Self::Example, slope: f32, weights: &mut W, scratch: &mut Self::Scratch<W::V>);
}
