//! How a worker's replica and the shared cells pass changes.
//!
//! A worker may hold some of the slots privately (see `params::Replica`). Between two blocks of examples it hands its changes to the shared
//! cells and takes over what others did. How much of a change is handed on is the one question here, and each answer is a file with one
//! pure function of sixteen cells: the worker's own values, the shared ones at the last exchange, and the shared ones now. What it must
//! know of the rule (which cells are state, whether that is averages) are plain values.
//!
//! An exchange is called once a block, through an object. So it is compiled by exchange and instruction set, and never by rule.
mod hot;
mod none;

use crate::simd::{InstructionSet, Isa, Job, LANES, Line, Real, Vector, dispatch, pairs};
use atomic_float::AtomicF32;
use hot::Hot;
use none::None;

/// A way to exchange. Its functions are to be `#[inline(always)]`, so that they are compiled for the instruction set.
pub(crate) trait Exchange: Send {
    /// How many of a replica's vectors, from the first, pass now. Asked once after each block.
    fn due(&mut self, vectors: usize) -> usize;
    /// What sixteen cells are to be, the shared and the worker's own ones; they are the replica's vector number `vector`.
    fn pass<V: Vector>(&mut self, vector: usize, cells: Sixteen<V>) -> Passed<V>;
}

/// Sixteen cells as they are.
#[derive(Clone, Copy)]
pub(crate) struct Sixteen<V> {
    /// In the worker's replica.
    pub own: V,
    /// The shared ones when they were last exchanged.
    pub base: V,
    /// The shared ones now.
    pub shared: V,
    /// 1 where a number of the rule's state lies, 0 where a weight does.
    pub is_state: V,
}

/// Sixteen cells as they are to be.
#[derive(Clone, Copy)]
pub(crate) struct Passed<V> {
    pub shared: V,
    /// Also the next exchange's base.
    pub own: V,
}

/// What an exchange may know of a run.
#[derive(Clone, Copy)]
pub(crate) struct Sharing {
    /// Vectors of a replica.
    pub vectors: usize,
    pub workers: usize,
    /// Whether the rule's state is averages, and not sums.
    pub averages: bool,
    /// Whether L1 draws weights to 0.
    pub l1: bool,
}

/// The exchange that a run asks for: the one list of them.
pub(crate) fn of(sharing: Sharing) -> Box<dyn Passing> {
    match sharing.vectors {
        0 => Box::new(None),
        _ => Box::new(Hot::new(sharing)),
    }
}

/// A replica's cells beside the shared ones.
pub(crate) struct Copies<'t> {
    pub shared: &'t [[AtomicF32; LANES]],
    pub own: &'t [[AtomicF32; LANES]],
    /// By vector, the shared values when they were last exchanged. As many as the replica has.
    pub base: Vec<Line<f32>>,
    pub is_state: Line<f32>,
}

/// Where a new shared value goes whose average is kept; `false`: it is stored like any other.
pub(crate) type Averaged<'a> = dyn Fn(usize, &[f32; LANES]) -> bool + 'a;

/// An exchange as an object.
pub(crate) trait Passing: Send {
    /// See [`Exchange::due`].
    fn due_now(&mut self, vectors: usize) -> usize;
    /// Passes the first vectors.
    fn pass_first(&mut self, set: InstructionSet, vectors: usize, copies: &mut Copies<'_>, averaged: &Averaged<'_>);
}

impl<E: Exchange> Passing for E {
    fn due_now(&mut self, vectors: usize) -> usize {
        self.due(vectors)
    }

    fn pass_first(&mut self, set: InstructionSet, vectors: usize, copies: &mut Copies<'_>, averaged: &Averaged<'_>) {
        dispatch(set, Pass { exchange: self, vectors, copies, averaged });
    }
}

struct Pass<'a, 't, E> {
    exchange: &'a mut E,
    vectors: usize,
    copies: &'a mut Copies<'t>,
    averaged: &'a Averaged<'a>,
}

impl<E: Exchange> Job for Pass<'_, '_, E> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Copies { shared, own, base, is_state } = self.copies;
        let is_state = I::V::load(&is_state.0);
        for (i, (base, (shared, own))) in pairs(&mut base[..self.vectors], pairs(*shared, *own)).enumerate() {
            let cells = Sixteen { own: isa.load(own), base: I::V::load(&base.0), shared: isa.load(shared), is_state };
            let passed = self.exchange.pass(i, cells);
            let mut numbers = [0.0; LANES];
            passed.shared.store(&mut numbers);
            // A worker that has changed nothing stores nothing: the line stays where it is.
            if !(self.averaged)(i, &numbers) && (cells.own - cells.base).abs().sum() != 0.0 {
                isa.store(passed.shared, shared);
            }
            isa.store(passed.own, own);
            passed.own.store(&mut base.0);
        }
    }
}

/// Starts a replica from the shared values.
pub(crate) struct TakeOver<'a, 't>(pub &'a mut Copies<'t>);

impl Job for TakeOver<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Copies { shared, own, base, .. } = self.0;
        for (base, (shared, own)) in pairs(base.iter_mut(), pairs(*shared, *own)) {
            let now = isa.load(shared);
            isa.store(now, own);
            now.store(&mut base.0);
        }
    }
}
