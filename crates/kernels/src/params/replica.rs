//! Which slots a worker holds privately, and where each slot is read.
//!
//! Zipf-distributed features make plain Hogwild! (Niu et al. 2011) stand still: every example touches the same few cache lines, and two
//! cores pass them back and forth. Slots are numbered by frequency, so the hot ones are a prefix: a worker holds the first few in a private
//! copy, and an [exchange](crate::exchange) passes changes between the copy and the shared cells. The rest stays plain Hogwild!.
use super::Parameters;
use crate::{
    exchange::{self, Averaged, Copies, Passing, Sharing, TakeOver},
    simd::{InstructionSet, Integers, LANES, Line, dispatch},
};

/// Where a worker reads each slot: its own copy, the shared one, or, for empty lanes, a slot that takes whatever is written to it.
#[derive(Clone, Copy)]
pub(crate) struct Reads {
    /// How many slots are shared, and how many of those are held.
    slots: u32,
    held: u32,
    /// Where the copy of the first slot lies, and the slot for empty lanes.
    pub own: u32,
    pub scratch_slot: u32,
}

impl Reads {
    /// As a worker sees the parameters.
    pub fn of(parameters: &Parameters, worker: usize) -> Reads {
        let shape = &parameters.table(parameters.single()).shape;
        let (own, next) = (shape.first_private(worker) as u32, shape.first_private(worker + 1) as u32);
        Reads { slots: shape.slots as u32, held: shape.private as u32, own, scratch_slot: next - 1 }
    }

    /// All slots where they are; empty lanes just behind them.
    pub fn shared(parameters: &Parameters) -> Reads {
        let slots = parameters.table(parameters.single()).slots() as u32;
        Reads { slots, held: 0, own: slots, scratch_slot: slots }
    }

    /// Of a worker whose slots are its own, among `slots` of all; empty lanes in one behind its own.
    pub fn own(slots: usize, scratch_slot: usize) -> Reads {
        Reads { slots: slots as u32, held: 0, own: slots as u32, scratch_slot: scratch_slot as u32 }
    }

    /// Where sixteen slots are read.
    #[inline(always)]
    pub fn lie<U: Integers>(&self, slots: U) -> U {
        let shared = slots.less(U::of(self.slots), slots, U::of(self.scratch_slot));
        slots.less(U::of(self.held), slots.plus(U::of(self.own)), shared)
    }
}

/// A worker's private copy of the first slots, with the way in which it is exchanged.
pub(crate) struct Replica<'t> {
    set: InstructionSet,
    copies: Copies<'t>,
    exchange: Box<dyn Passing>,
}

impl<'t> Replica<'t> {
    /// Starts from the shared values; `averages`: whether the rule's state is averages, `l1`: whether weights are drawn to 0.
    pub fn new(set: InstructionSet, parameters: &'t Parameters, worker: usize, averages: bool, l1: bool) -> Replica<'t> {
        let (workers, table) = (parameters.shape.workers, parameters.table(parameters.single()));
        let (stride, cells) = (table.layout.stride, table.cells());
        assert!(worker < workers, "no such worker");
        // The last sixteen cells may reach beyond the held slots: into ones that the shared array has anyway, and the copy as padding.
        let vectors = (table.shape.private * stride).div_ceil(LANES);
        let own = &cells[table.shape.first_private(worker) * stride..];
        let mut copies = Copies {
            shared: cells.as_chunks().0,
            own: own.as_chunks().0,
            base: vec![Line([0.0; LANES]); vectors],
            is_state: vec![Line(std::array::from_fn(|i| (i % stride > 0) as u8 as f32))],
        };
        dispatch(set, TakeOver(&mut copies));
        Replica { set, copies, exchange: exchange::of(Sharing { vectors, workers, averages, l1 }) }
    }

    /// Between two blocks of examples.
    pub fn exchange(&mut self, averaged: &Averaged<'_>) {
        let vectors = self.exchange.due_now(self.copies.base.len());
        if vectors > 0 {
            self.exchange.pass_some(self.set, 0..vectors, &mut self.copies, averaged);
        }
    }

    /// Hands over all that is left.
    pub fn finish(mut self, averaged: &Averaged<'_>) {
        self.exchange.pass_some(self.set, 0..self.copies.base.len(), &mut self.copies, averaged);
    }
}
