//! The shared parameters: where they lie, how they are moved, and what a worker sees of them.
//!
//! # Why there is no data race
//! Every shared number is an [`AtomicF32`](atomic_float::AtomicF32), loaded and stored `Relaxed`; a relaxed access is never a data
//! race. Nothing here lends out `&mut` to shared memory or claims `Sync` for a type that lacks it. What Hogwild! gives up is not
//! soundness but some updates: two workers that read, compute and store the same cell at once leave one of the two results.
//!
//! Relaxed loops do not vectorise, so [`moves`] carries neighbouring cells by `asm!` blocks of one vector move each, whose meaning
//! is "that many relaxed loads (stores) of one f32". All arithmetic happens on private values, in safe code.
//!
//! # Memory ordering
//! `Relaxed` throughout: no worker draws a conclusion from one cell about another. Starting and joining the worker threads orders
//! everything before and after an epoch.
mod hogwild;
mod isa;
mod moves;
mod table;

pub(crate) use hogwild::{Hogwild, wide_stride};
pub use isa::InstructionSet;
pub(crate) use isa::{Isa, Job, dispatch};
pub(crate) use table::Table;

/// How many numbers are worked on at a time; scratch slices are padded to a multiple of it.
pub const LANES: usize = 16;

/// `n` rounded up to a multiple of [`LANES`].
pub const fn padded(n: usize) -> usize {
    n.next_multiple_of(LANES)
}

/// All that a model may do with parameters.
///
/// There are two tables with rows of the same numbering: a narrow one (one weight a row: a feature's weight, a user's bias) and a
/// wide one (a row of weights: factors). Slices named `out` and `gradient` have [`padded`] length; what lies beyond the last row
/// is zero on return (`out`) and must be zero (`gradient`).
pub trait Weights {
    /// Reads the narrow weights of `rows`.
    fn gather(&mut self, rows: &[u32], out: &mut [f32]);
    /// Applies the update rule to the narrow weights of `rows`, which are read again for it.
    fn step(&mut self, rows: &[u32], gradient: &[f32]);
    /// Reads one wide row; `out` has the padded width.
    fn gather_row(&mut self, row: u32, out: &mut [f32]);
    /// Applies the update rule to one wide row.
    fn step_row(&mut self, row: u32, gradient: &[f32]);
}
