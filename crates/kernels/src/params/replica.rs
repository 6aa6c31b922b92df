//! Which slots a worker holds privately, and where each slot is read.
//!
//! Zipf-distributed features make plain Hogwild! (Niu et al. 2011) stand still: every example touches the same few cache lines, and two
//! cores pass them back and forth. Slots are numbered by frequency, so the hot ones are a prefix: a worker holds the first few in a private
//! copy, and an [exchange](crate::exchange) passes changes between the copy and the shared cells. The rest stays plain Hogwild!.
use super::{Parameters, SlotWidth, Table};
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
    /// Of slots of many weights: the places of those that are held, how far behind each its copy lies, where the shared ones end, and the
    /// place for empty lanes.
    rows_held: u32,
    rows_own: u32,
    rows_end: u32,
    rows_scratch: u32,
}

impl Reads {
    /// As a worker sees the parameters.
    pub fn of(parameters: &Parameters, worker: usize) -> Reads {
        let shape = &parameters.table(parameters.single()).shape;
        let (own, next) = (shape.first_private(worker) as u32, shape.first_private(worker + 1) as u32);
        let [rows_held, rows_own, rows_end, rows_scratch] = parameters.row().map_or([0; 4], |row| {
            let Table { shape, layout, .. } = parameters.table(row);
            let slots = [shape.private, shape.first_private(worker), shape.slots, shape.first_private(worker + 1) - 1];
            slots.map(|slots| (slots * layout.stride / LANES) as u32)
        });
        let (slots, held) = (shape.slots as u32, shape.private as u32);
        Reads { slots, held, own, scratch_slot: next - 1, rows_held, rows_own, rows_end, rows_scratch }
    }

    /// All slots where they are; empty lanes just behind them.
    pub fn shared(parameters: &Parameters) -> Reads {
        let slots = parameters.table(parameters.single()).slots() as u32;
        let rows_end = parameters.row().map_or(0, |row| {
            let table = parameters.table(row);
            (table.slots() * table.layout.stride / LANES) as u32
        });
        Reads { slots, held: 0, own: slots, scratch_slot: slots, rows_held: 0, rows_own: 0, rows_end, rows_scratch: rows_end }
    }

    /// Of a worker whose slots are its own, among `slots` of all; empty lanes in one behind its own.
    pub fn own(slots: usize, scratch_slot: usize) -> Reads {
        let (slots, scratch_slot) = (slots as u32, scratch_slot as u32);
        Reads { slots, held: 0, own: slots, scratch_slot, rows_held: 0, rows_own: 0, rows_end: 0, rows_scratch: 0 }
    }

    /// Where a slot of many weights is read, by its shared place; empty lanes, whose places are beyond, in a slot of the worker's.
    #[inline(always)]
    pub fn row(&self, place: u32) -> u32 {
        let shared = if place < self.rows_end { place } else { self.rows_scratch };
        if place < self.rows_held { place + self.rows_own } else { shared }
    }

    /// The same of sixteen.
    #[inline(always)]
    pub fn rows<U: Integers>(&self, places: U) -> U {
        let shared = places.less(U::of(self.rows_end), places, U::of(self.rows_scratch));
        places.less(U::of(self.rows_held), places.plus(U::of(self.rows_own)), shared)
    }

    /// Where sixteen slots are read.
    #[inline(always)]
    pub fn lie<U: Integers>(&self, slots: U) -> U {
        let shared = slots.less(U::of(self.slots), slots, U::of(self.scratch_slot));
        slots.less(U::of(self.held), slots.plus(U::of(self.own)), shared)
    }
}

/// A worker's private copies of the first slots of each table, with the way in which they are exchanged.
pub(crate) struct Replica<'t> {
    set: InstructionSet,
    /// Whether slots are of one weight; the copy; its exchange.
    tables: Vec<(bool, Copies<'t>, Box<dyn Passing>)>,
}

impl<'t> Replica<'t> {
    /// Starts from the shared values; `averages`: whether the rule's state is averages, `l1`: whether weights are drawn to 0.
    pub fn new(set: InstructionSet, parameters: &'t Parameters, worker: usize, averages: bool, l1: bool) -> Replica<'t> {
        let workers = parameters.shape.workers;
        assert!(worker < workers, "no such worker");
        let tables = parameters.tables().filter(|table| table.shape.private > 0).map(|table| {
            let (stride, cells) = (table.layout.stride, table.cells());
            // The last sixteen cells may reach beyond the held slots: into ones that the shared array has anyway, and the copy as padding.
            let vectors = (table.shape.private * stride).div_ceil(LANES);
            let own = &cells[table.shape.first_private(worker) * stride..];
            let mut copies = Copies {
                shared: cells.as_chunks().0,
                own: own.as_chunks().0,
                base: vec![Line([0.0; LANES]); vectors],
                is_state: table.layout.kinds(),
            };
            dispatch(set, TakeOver(&mut copies));
            (table.shape.width == SlotWidth::One, copies, exchange::of(Sharing { vectors, workers, averages, l1 }))
        });
        Replica { set, tables: tables.collect() }
    }

    /// Between two blocks of examples. `averaged`: how shared cells of slots of one weight are stored.
    pub fn exchange(&mut self, averaged: &Averaged<'_>) {
        for (is_single, copies, exchange) in &mut self.tables {
            let vectors = exchange.due_now(copies.base.len());
            if vectors > 0 {
                exchange.pass_some(self.set, 0..vectors, copies, if *is_single { averaged } else { &|_, _| false });
            }
        }
    }

    /// Hands over all that is left.
    pub fn finish(mut self, averaged: &Averaged<'_>) {
        for (is_single, copies, exchange) in &mut self.tables {
            exchange.pass_some(self.set, 0..copies.base.len(), copies, if *is_single { averaged } else { &|_, _| false });
        }
    }
}
