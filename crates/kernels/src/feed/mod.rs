//! Where examples come from: rows of a data set, as they are or scaled, or ratings in tiles. A feed knows how to read the example at a
//! position into private memory.
mod edges;
mod groups;
mod interactions;
mod negatives;
mod parts;
mod ratings;
mod reader;
mod rows;
mod scaled;
mod weighting;

use crate::{models::Model, params::Places, simd::Isa};
pub use edges::EdgeFeed;
pub(crate) use groups::{DenseMasks, GROUP, Group};
pub use interactions::InteractionFeed;
pub use negatives::Negatives;
pub(crate) use parts::{Part, PartBlock};
pub use ratings::{Quads, Rating, RatingFeed};
pub(crate) use reader::ExampleReader;
pub use rows::{RowCells, SparseFeed};
pub use scaled::{Normalize, ScaledFeed, Scaling, row_length};
pub use weighting::Weighting;

/// Examples for model `M` by position.
pub trait Feed<M: Model>: Send + Sync {
    /// Whether neighbours may be alike, so that examples are to be shuffled inside their blocks too.
    const SHUFFLE: bool;
    /// How many examples ahead of their turn they are read.
    const AHEAD: usize;
    /// How many examples ahead of their turn they are asked for; their places, twice as many.
    fn fetched(&self) -> usize;
    /// The most features of an example.
    fn longest(&self) -> usize;
    /// Room for one example. `noise` is a number of the epoch's own, for what is drawn by lot as examples are read.
    fn room(&self, noise: u64) -> M::Example;
    /// Whether there are positions that are not trained on.
    fn chooses(&self) -> bool;
    /// Whether the position is trained on (and not held out).
    fn keeps(&self, position: u32) -> bool;
    /// Reads the example at a position, finds its parameters' places and asks for them; returns its label.
    fn read<I: Isa>(&self, isa: I, position: u32, example: &mut M::Example, places: &impl Places<I>) -> f32;
    // Before that it is fetched in two stages, each of which reads what the one before it, some examples earlier, has asked for.
    /// Asks for where the example lies.
    fn prefetch_place<I: Isa>(&self, isa: I, position: u32);
    /// Asks for the example itself (or, where its place is the example, for its parameters).
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32, places: &impl Places<I>);
    /// Whether some examples count more than others.
    fn weighs(&self) -> bool;
    /// How much the example at a position counts, by its target; of a feed that weighs. The mean is 1.
    fn weight(&self, position: u32, target: f32) -> f32;
    /// Stored numbers of the example.
    fn size(&self, example: &M::Example) -> u64;
}
