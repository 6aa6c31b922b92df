//! The shared parameters: where they lie, how they are moved, and what a worker sees of them.
//!
//! # Why there is no data race
//! Every shared number is an [`AtomicF32`](atomic_float::AtomicF32), loaded and stored `Relaxed`; a relaxed access is never a data
//! race. Nothing here lends out `&mut` to shared memory or claims `Sync` for a type that lacks it. What Hogwild! gives up is not
//! soundness but some updates: two workers that read, compute and store the same cell at once leave one of the two results.
//!
//! Relaxed loops do not vectorise, so [`avx512`], [`avx2`] and [`neon`] move cells to and from vector registers by `asm!` blocks whose
//! meaning is "that many relaxed loads (stores) of one f32". All arithmetic happens on private values.
//!
//! # Memory ordering
//! `Relaxed` throughout: no worker draws a conclusion from one cell about another. Starting and joining the worker threads orders
//! everything before and after an epoch.
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod gradients;
mod hogwild;
mod isa;
#[cfg(target_arch = "aarch64")]
mod neon;
mod plain;
mod portable;
mod table;
#[cfg(test)]
mod tests;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use gradients::{Gradients, Merge, Step, Summing};
pub(crate) use hogwild::Hogwild;
pub use isa::InstructionSet;
pub(crate) use isa::{Isa, Job, dispatch};
pub use plain::Plain;
pub(crate) use table::{Finish, Parameters, Shape, row_bytes, stride};
pub(crate) use vector::Integers;
pub use vector::{F32x16, LANES, Line, Real, Vector};

/// The most cells of a narrow row: a weight and three numbers of state.
const MOST: usize = 4;

/// Where rows lie, for [`Weights`]: worked out, and asked for, some examples ahead.
pub(crate) trait Places<I: Isa> {
    /// What [`gather`](Weights::gather) is to be given for sixteen narrow rows; lanes beyond the table are empty.
    fn place(&self, rows: I::U, places: &mut Line<u32>);
    /// Asks for the cells of a wide row of `vectors` of weights, or, if that is 0, of as many as it has.
    fn prefetch_wide(&self, place: u32, vectors: usize);
}

/// Whether a worker is compiled with what `aids` does. The usual run is not: asking whether it is on took a tenth of a rating's time.
pub(crate) trait Aiding: Send + Sync + 'static {
    const ON: bool;
}

/// With everything.
pub(crate) struct Aided;
/// Without.
pub(crate) struct Lean;

impl Aiding for Aided {
    const ON: bool = true;
}

impl Aiding for Lean {
    const ON: bool = false;
}

/// All that a model may do with parameters.
///
/// Rows are either narrow, one weight each (a feature's), and go by sixteen; or wide (a user's factors), and go one by one, with one
/// more weight beside them (a user's bias). A lane whose row number is beyond the table, such as `u32::MAX`, holds nothing: what is
/// read there is to be multiplied by zero, and steps there are lost.
pub trait Weights {
    /// Sixteen numbers at a time: [`F32x16`] in a user's own implementation.
    type V: Vector;
    /// Reads the weights of sixteen different narrow rows, the example's block number `block`.
    fn gather(&mut self, block: usize, rows: &Line<u32>) -> Self::V;
    /// Applies the update rule to narrow rows: those last gathered as block `block`.
    fn step(&mut self, block: usize, rows: &Line<u32>, gradient: Self::V);
    /// The same, then a proximal step of L1: each weight is drawn to 0 by `l1` times the rate of its step.
    fn step_l1(&mut self, block: usize, rows: &Line<u32>, gradient: Self::V, l1: Self::V);
    /// Reads a wide row; returns the weight beside it. `out` is as long as the row.
    fn gather_row(&mut self, row: u32, out: &mut [Self::V]) -> f32;
    /// Applies the update rule to a wide row and to the weight beside it. `square` is the gradient's squared length (but for
    /// rounding, which may take it below 0), which row-wise rules go by.
    fn step_row(&mut self, row: u32, gradient: &[Self::V], square: f32, beside: f32);
}
