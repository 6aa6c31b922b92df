//! How copies of parameters and the shared cells pass changes.
//!
//! A worker may hold some of the slots privately (see `params::Replica`), and a run may train several replicas of the whole model. Between
//! two blocks of examples a copy hands its changes to the shared cells and takes over what others did. How much of a change is handed on is
//! the one question here, and each answer is a file with one pure function of sixteen cells: the copy's own values, the shared ones at the
//! last exchange, and the shared ones now. What it must know of the rule (which cells are state, whether that is averages) are plain values.
//!
//! An exchange is called once a block, through an object. So it is compiled by exchange and instruction set, and never by rule.
mod elastic;
mod hot;
mod mean;
mod none;
mod overlap;
mod parallel;

use crate::simd::{InstructionSet, Isa, Job, LANES, Line, Real, Vector, dispatch, pairs};
use atomic_float::AtomicF32;
use elastic::Elastic;
use hot::Hot;
pub use hot::part_due;
use mean::Mean;
use none::None;
use overlap::Overlap;
pub use parallel::Parallel;
use std::ops::Range;

/// A way to exchange. Its functions are to be `#[inline(always)]`, so that they are compiled for the instruction set.
pub(crate) trait Exchange: Send {
    /// Whether [`look`](Self::look) sees all cells before the first of them pass.
    const LOOKS: bool = false;
    /// Whether cells pass where the copy has changed nothing.
    const UNCHANGED: bool = false;
    /// What [`pass`](Self::pass) has to know of a copy that lies elsewhere. To a copy that has changed nothing, and tells changes alone,
    /// it gives the shared values.
    fn tells(&self) -> Tells {
        Tells::All
    }
    /// How many of a replica's vectors, from the first, pass now. Asked once after each block.
    fn due(&mut self, vectors: usize) -> usize;
    /// Sees sixteen cells as they are.
    #[inline(always)]
    fn look<V: Vector>(&mut self, _vector: usize, _cells: Sixteen<V>) {}
    /// What sixteen cells are to be, the shared and the worker's own ones; they are the replica's vector number `vector`.
    fn pass<V: Vector>(&mut self, vector: usize, cells: Sixteen<V>) -> Passed<V>;
}

/// What a copy that lies elsewhere tells of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    /// By how much its own values have changed since the last exchange, where they have.
    Changes,
    /// All its own values, and those at the last exchange.
    All,
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

/// The exchange of a worker's private copies.
pub(crate) fn of(sharing: Sharing) -> Box<dyn Passing> {
    match sharing.vectors {
        0 => Box::new(None),
        _ => Box::new(Hot::new(sharing)),
    }
}

/// The exchange of a replica of all parameters, of `replicas`: the one list of them. By parameter servers nothing passes this way.
pub(crate) fn between(parallel: Parallel, replicas: usize, averages: bool, elasticity: f32) -> Box<dyn Passing> {
    match parallel {
        Parallel::Auto | Parallel::Hogwild | Parallel::Synchronous | Parallel::Downpour | Parallel::Partitioned => Box::new(None),
        Parallel::Mean => Box::new(Mean::new(replicas, averages)),
        Parallel::Overlap => Box::new(Overlap::new(replicas, averages)),
        Parallel::Elastic => Box::new(Elastic::new(elasticity, averages)),
    }
}

/// A copy's cells beside the shared ones.
pub(crate) struct Copies<'t> {
    pub shared: &'t [[AtomicF32; LANES]],
    pub own: &'t [[AtomicF32; LANES]],
    /// By vector, the shared values when they were last exchanged. As many as the replica has.
    pub base: Vec<Line<f32>>,
    /// 1 where a number of the rule's state lies, 0 where a weight does: of the vectors of a slot, which repeat. At least one.
    pub is_state: Vec<Line<f32>>,
}

/// Where a new shared value goes whose average is kept; `false`: it is stored like any other.
pub(crate) type Averaged<'a> = dyn Fn(usize, &[f32; LANES]) -> bool + 'a;

/// An exchange as an object.
pub(crate) trait Passing: Send {
    /// See [`Exchange::due`].
    fn due_now(&mut self, vectors: usize) -> usize;
    /// Passes some vectors.
    fn pass_some(&mut self, set: InstructionSet, vectors: Range<usize>, copies: &mut Copies<'_>, averaged: &Averaged<'_>);
    /// Whether sections of a copy may pass at different times.
    fn has_sections(&self) -> bool;
    /// See [`Exchange::tells`].
    fn told(&self) -> Tells;
}

impl<E: Exchange> Passing for E {
    fn due_now(&mut self, vectors: usize) -> usize {
        self.due(vectors)
    }

    fn pass_some(&mut self, set: InstructionSet, vectors: Range<usize>, copies: &mut Copies<'_>, averaged: &Averaged<'_>) {
        dispatch(set, Pass { exchange: self, vectors, copies, averaged });
    }

    fn has_sections(&self) -> bool {
        !E::LOOKS
    }

    fn told(&self) -> Tells {
        self.tells()
    }
}

struct Pass<'a, 't, E> {
    exchange: &'a mut E,
    vectors: Range<usize>,
    copies: &'a mut Copies<'t>,
    averaged: &'a Averaged<'a>,
}

impl<E: Exchange> Job for Pass<'_, '_, E> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Copies { shared, own, base, is_state } = self.copies;
        let Range { start, end } = self.vectors;
        let (shared, own, base, kinds) = (&shared[start..end], &own[start..end], &mut base[start..end], &is_state[..]);
        let first = start % kinds.len();
        if E::LOOKS {
            let mut part = first;
            for (i, (base, (shared, own))) in pairs(&*base, pairs(shared, own)).enumerate() {
                let is_state = I::V::load(&kinds[part].0);
                self.exchange
                    .look(start + i, Sixteen { own: isa.load(own), base: I::V::load(&base.0), shared: isa.load(shared), is_state });
                part = if part + 1 < kinds.len() { part + 1 } else { 0 };
            }
        }
        let mut part = first;
        for (i, (base, (shared, own))) in pairs(base, pairs(shared, own)).enumerate() {
            let is_state = I::V::load(&kinds[part].0);
            part = if part + 1 < kinds.len() { part + 1 } else { 0 };
            let cells = Sixteen { own: isa.load(own), base: I::V::load(&base.0), shared: isa.load(shared), is_state };
            let passed = self.exchange.pass(start + i, cells);
            let mut numbers = [0.0; LANES];
            passed.shared.store(&mut numbers);
            // A copy that has changed nothing stores nothing: the line stays where it is.
            if !(self.averaged)(start + i, &numbers) && (E::UNCHANGED || (cells.own - cells.base).abs().sum() != 0.0) {
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
