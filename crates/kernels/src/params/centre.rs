//! An exchange with a centre that lies elsewhere: what a replica tells of its cells, and what it hears.
//!
//! It is the exchange of a [`Side`](super::Side), which has both ends in one memory, to the same bits. Here the centre's end ([`CentreEnd`]) puts
//! what it is told beside the shared cells, has them pass, and answers with what the replica's end ([`ReplicaEnd`]) is to have. Cells go by
//! vectors. A replica tells changes alone, where the [exchange](crate::exchange) needs no more; else all its cells, each once where they have
//! not changed since the last exchange. It hears of vectors that it has told, and of those that others have changed since.
mod records;

use super::{
    Between, Parameters,
    cells::Cells,
    replicas::{lanes_changed, slots_of},
};
use crate::{
    exchange::{Copies, Passing, Tells},
    simd::{InstructionSet, LANES, Line},
    wire::Reader,
};
use atomic_float::AtomicF32;
use hogwild_base::{Result, memory};
pub(crate) use records::Records;
use records::Writer;
use std::{ops::Range, sync::atomic::Ordering::Relaxed};

/// Which vectors of each table belong to a shard: a range, one of `of` of about equal length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VectorRange {
    pub number: usize,
    pub of: usize,
}

impl VectorRange {
    fn range(self, vectors: usize) -> Range<usize> {
        vectors * self.number / self.of..vectors * (self.number + 1) / self.of
    }
}

/// Sixteen neighbouring cells.
type Sixteen = [AtomicF32; LANES];

fn load(cells: &Sixteen) -> [f32; LANES] {
    std::array::from_fn(|i| cells[i].load(Relaxed))
}

fn store(numbers: &[f32; LANES], cells: &Sixteen) {
    cells.iter().zip(numbers).for_each(|(cell, &x)| cell.store(x, Relaxed));
}

/// The shared cells of each table, and how many of them slots take: behind those lie private ones.
fn tables(parameters: &Parameters) -> impl Iterator<Item = (&[Sixteen], usize, usize)> {
    parameters.tables().map(|table| {
        let (slots, stride) = (table.slots(), table.layout.stride);
        (&table.cells().as_chunks().0[..(slots * stride).div_ceil(LANES)], slots, stride)
    })
}

fn room(vectors: usize) -> Result<Vec<Line<f32>>> {
    memory::ask((vectors * size_of::<Line<f32>>()) as u64, || "what replicas exchange".into(), "use fewer `replicas`")?;
    Ok(vec![Line([0.0; LANES]); vectors])
}

/// A replica's end.
pub(crate) struct ReplicaEnd<'t> {
    tells: Tells,
    /// Whether the replica goes on between telling and hearing.
    late: bool,
    tables: Vec<Own<'t>>,
}

struct Own<'t> {
    cells: &'t [Sixteen],
    slots: usize,
    stride: usize,
    /// By vector: the values after the last exchange.
    base: Vec<Line<f32>>,
    /// Its own values when they were told; empty where it waits for the answer.
    before: Vec<Line<f32>>,
}

impl<'t> ReplicaEnd<'t> {
    /// A replica, which has to hear of all before it begins.
    ///
    /// # Errors
    /// When there is too little memory.
    pub fn new(parameters: &'t Parameters, between: Between, late: bool) -> Result<ReplicaEnd<'t>> {
        let own = |(cells, slots, stride): (&'t [Sixteen], usize, usize)| {
            Ok(Own { cells, slots, stride, base: room(cells.len())?, before: if late { room(cells.len())? } else { Vec::new() } })
        };
        Ok(ReplicaEnd { tells: between.passing().told(), late, tables: tables(parameters).map(own).collect::<Result<_>>()? })
    }

    /// Adds to a message what a shard has to know of each table. Gives how many slots of its part the replica has changed, and their numbers.
    pub fn tell(&mut self, part: VectorRange, message: &mut Vec<u8>) -> [u64; 2] {
        let (tells, late) = (self.tells, self.late);
        self.tables.iter_mut().fold([0; 2], |sum, table| {
            let slots = table.tell(tells, late, part, message);
            [sum[0] + slots, sum[1] + slots * table.stride as u64]
        })
    }

    /// Reads what a shard answers, of all tables; `first`: it has not answered before, and so is to tell of all its cells.
    ///
    /// # Errors
    /// When it is damaged, or not of these parameters; then nothing has been done.
    pub fn read<'b>(&self, part: VectorRange, first: bool, reader: &mut Reader<'b>) -> Result<Vec<Records<'b>>> {
        let read = |table: &Own<'_>| {
            let range = part.range(table.cells.len());
            let told = Records::open(reader, range.clone())?;
            // Values take the place of the replica's own, sixteen at a time.
            if let Some(record) = told.iter().find(|record| record.lanes != Records::ALL || record.two) {
                return Err(reader.bad(format!("has not one number of each lane of sixteen {}", record.vector)));
            }
            if (first || self.tells == Tells::All) && told.iter().count() != range.len() {
                return Err(reader.bad(format!("tells not all of the {} sixteens that the replica has", range.len())));
            }
            Ok(told)
        };
        self.tables.iter().map(read).collect()
    }

    /// Takes over what was read. The replica has what the centre gives, and what it has learnt since it told.
    pub fn hear(&mut self, tables: &[Records<'_>]) {
        for (own, told) in self.tables.iter_mut().zip(tables) {
            for record in told.iter() {
                let (cells, mut now) = (&own.cells[record.vector], record.line(0));
                own.base[record.vector] = Line(now);
                if let Some(before) = own.before.get(record.vector).filter(|_| self.late) {
                    for i in 0..LANES {
                        let is = cells[i].load(Relaxed);
                        if is.to_bits() != before.0[i].to_bits() {
                            now[i] = is + (now[i] - before.0[i]);
                        }
                    }
                }
                store(&now, cells);
            }
        }
    }

    /// Begins as the centre is, whatever was learnt.
    pub fn begin(&mut self, part: VectorRange, tables: &[Records<'_>]) {
        for (own, told) in self.tables.iter_mut().zip(tables) {
            for record in told.iter() {
                own.base[record.vector] = Line(record.line(0));
            }
            // Where nobody has changed anything, base and centre are alike.
            for vector in part.range(own.cells.len()) {
                store(&own.base[vector].0, &own.cells[vector]);
            }
        }
    }
}

impl Own<'_> {
    fn tell(&mut self, tells: Tells, late: bool, part: VectorRange, message: &mut Vec<u8>) -> u64 {
        let (mut writer, mut slots, mut last) = (Writer::new(message), 0, usize::MAX);
        for vector in part.range(self.cells.len()) {
            let (own, base) = (load(&self.cells[vector]), self.base[vector].0);
            if late {
                self.before[vector] = Line(own);
            }
            let changed = lanes_changed(&own, &base);
            match tells {
                Tells::Changes if changed == 0 => {}
                Tells::Changes => writer.add(vector, changed, &[std::array::from_fn(|i| own[i] - base[i])]),
                Tells::All if changed == 0 => writer.add(vector, Records::ALL, &[own]),
                Tells::All => writer.add(vector, Records::ALL, &[own, base]),
            }
            slots += slots_of(changed, vector, (self.slots, self.stride), &mut last);
        }
        writer.end();
        slots
    }
}

/// The centre's end: its part of all tables.
pub(crate) struct CentreEnd<'t> {
    set: InstructionSet,
    part: VectorRange,
    tells: Tells,
    tables: Vec<Shared<'t>>,
}

struct Shared<'t> {
    /// How many vectors the table has, and the number of the first one here.
    all: usize,
    first: usize,
    cells: &'t [Sixteen],
    /// Of whoever exchanges: its own values, and those at the last exchange; after it both are what it is to have.
    own: Cells,
    base: Vec<Line<f32>>,
    is_state: Vec<Line<f32>>,
    /// By vector: the exchange that changed it last; 0 for none.
    changed: Vec<u32>,
    passing: Box<dyn Passing>,
}

impl<'t> CentreEnd<'t> {
    /// # Errors
    /// When there is too little memory.
    pub fn new(set: InstructionSet, parameters: &'t Parameters, between: Between, part: VectorRange) -> Result<CentreEnd<'t>> {
        let shared = |((cells, _, _), table): ((&'t [Sixteen], usize, usize), &super::Table)| {
            let (all, range, mut is_state) = (cells.len(), part.range(cells.len()), table.layout.kinds());
            let (first, count, kinds) = (range.start, range.len(), is_state.len());
            is_state.rotate_left(first % kinds);
            let (own, base, changed) = (Cells::new(count, LANES)?, room(count)?, vec![0; count]);
            Ok(Shared { all, first, cells: &cells[range], own, base, is_state, changed, passing: between.passing() })
        };
        let tables = tables(parameters).zip(parameters.tables()).map(shared).collect::<Result<_>>()?;
        Ok(CentreEnd { set, part, tells: between.passing().told(), tables })
    }

    /// Reads what a replica tells, of all tables.
    ///
    /// # Errors
    /// When it is damaged, or not of these parameters; then nothing has been done.
    pub fn read<'b>(&self, reader: &mut Reader<'b>) -> Result<Vec<Records<'b>>> {
        let read = |table: &Shared<'_>| {
            let range = self.part.range(table.all);
            let told = Records::open(reader, range.clone())?;
            let is_whole = || told.iter().filter(|record| record.lanes == Records::ALL).count() == range.len();
            if self.tells == Tells::All && !is_whole() {
                return Err(reader.bad(format!("tells not all of the {} sixteens that are exchanged", range.len())));
            }
            if self.tells == Tells::Changes && told.iter().any(|record| record.two) {
                return Err(reader.bad("has two numbers of a lane, where its change is due".into()));
            }
            Ok(told)
        };
        self.tables.iter().map(read).collect()
    }

    /// Has what was told pass; it is the shard's exchange of this number, from 1.
    pub fn pass(&mut self, tables: &[Records<'_>], number: u32) {
        for (shared, told) in self.tables.iter_mut().zip(tables) {
            shared.pass(self.set, self.tells, told, number);
        }
    }

    /// Adds to a message what the replica is to have that has just exchanged: of what it has told, and of what changed by exchange `from` or
    /// later.
    pub fn answer(&self, from: u32, message: &mut Vec<u8>) {
        for shared in &self.tables {
            match self.tells {
                Tells::Changes => shared.answer(from, message),
                Tells::All => {
                    let mut writer = Writer::new(message);
                    shared.base.iter().enumerate().for_each(|(i, base)| writer.add(shared.first + i, Records::ALL, &[base.0]));
                    writer.end();
                }
            }
        }
    }

    /// Adds to a message what exchange `from` or a later one has changed of the centre; all by 0. Where replicas tell all, all is other than
    /// they have it.
    pub fn changed(&self, from: u32, message: &mut Vec<u8>) {
        let from = if self.tells == Tells::All { 0 } else { from };
        self.tables.iter().for_each(|shared| shared.answer(from, message));
    }
}

impl Shared<'_> {
    fn pass(&mut self, set: InstructionSet, tells: Tells, told: &Records<'_>, number: u32) {
        let Shared { first, cells, own, base, is_state, changed, passing, .. } = self;
        let own = own.cells().as_chunks().0;
        let (base_now, is_state_now) = (std::mem::take(base), std::mem::take(is_state));
        let mut copies = Copies { shared: cells, own, base: base_now, is_state: is_state_now };
        let mut run = 0..0;
        for record in told.iter() {
            let vector = record.vector - *first;
            if vector != run.end {
                passing.pass_some(set, run, &mut copies, &|_, _| false);
                run = vector..vector;
            }
            run.end += 1;
            let line = record.line(0);
            store(&line, &own[vector]);
            copies.base[vector] = match tells {
                Tells::Changes => Line([0.0; LANES]),
                Tells::All => Line(if record.two { record.line(1) } else { line }),
            };
            changed[vector] = number;
        }
        passing.pass_some(set, run, &mut copies, &|_, _| false);
        (*base, *is_state) = (copies.base, copies.is_state);
    }

    fn answer(&self, from: u32, message: &mut Vec<u8>) {
        let mut writer = Writer::new(message);
        for (i, (cells, &changed)) in self.cells.iter().zip(&self.changed).enumerate() {
            if changed >= from {
                writer.add(self.first + i, Records::ALL, &[load(cells)]);
            }
        }
        writer.end();
    }
}
