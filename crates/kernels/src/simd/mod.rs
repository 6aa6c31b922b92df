//! The ground floor: numbers sixteen at a time ([`Real`], [`Vector`]), the instruction sets that have them ([`Isa`]), and functions of them (`math`).
//!
//! Formulas are written once over [`Real`]; [`dispatch`] enters code compiled for one instruction set. Relaxed loops over atomics do not
//! vectorise, so `avx512`, `avx2` and `neon` move shared cells to and from vector registers by `asm!` blocks whose meaning is "that
//! many relaxed loads (stores) of one f32". All arithmetic happens on private values.
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod integers;
mod isa;
pub mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod quarters;
mod real;
#[cfg(target_arch = "x86_64")]
mod rows;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use isa::dispatch_formula;
pub use isa::{InstructionSet, Isa, Job, dispatch};
pub use quarters::Quarters;
pub use real::{F32x16, Integers, LANES, Line, Real, Vector};
pub(crate) use real::{copy, pairs};

/// The most cells of a slot of one weight: a weight and three numbers of state.
pub const MOST: usize = 4;
