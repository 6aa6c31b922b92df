//! Slots as a server has them, copied into a message and put in the place of a replica's own.
use super::{Owned, Section, Writer, first, is_sum, load_sixteen, store_sixteen};
use crate::{
    params::{
        accrued::{BEFORE, BEFORE_BESIDE, HELD},
        layout::{ROW_STATE, SlotLayout},
        table::Table,
    },
    simd::{Isa, LANES, MOST, Real, Vector},
    wire,
};
use std::sync::atomic::Ordering::Relaxed;

/// Copies the server's slots that were changed by push number `from` or later; by number among them, which changed each last.
#[inline(always)]
pub(super) fn copy<I: Isa>(isa: I, table: &Table, owned: Owned, (changed, from): (&[u32], u32), to: &mut Writer<'_>) {
    let (slots, stride) = (table.slots(), table.layout.stride);
    if table.layout.tail.is_some() {
        let rows = table.cells().as_chunks().0;
        for slot in owned.slots(slots) {
            if changed[owned.number(slot)] >= from {
                let (bytes, mut line) = (to.row(slot), [0.0; LANES]);
                for (i, cells) in rows[slot * stride / LANES..][..stride / LANES].iter().enumerate() {
                    isa.load(cells).store(&mut line);
                    wire::set_line(bytes, i * LANES, &line);
                }
            }
        }
        return;
    }
    let mut numbers = [[0.0; LANES]; MOST];
    // All its sixteens, whole ones, one after the other.
    let mut rest = changed.as_chunks::<LANES>().0.iter();
    for sixteen in owned.sixteens(slots) {
        let Some(changed) = rest.next() else { break };
        let mut lanes = 0;
        for i in 0..LANES {
            lanes |= ((changed[i] >= from) as u32) << i;
        }
        lanes &= first(slots - sixteen * LANES);
        if lanes != 0 {
            let cells = load_sixteen(isa, table.cells(), sixteen, stride);
            for k in 0..stride {
                cells[k].store(&mut numbers[k]);
            }
            to.sixteen(sixteen, lanes, &numbers[..stride]);
        }
    }
}

/// Puts slots in the place of a table's own. Sums of gradients stay, as they have not been pushed; of rules that are to know what they read,
/// that is noted in the room beside.
#[inline(always)]
pub(super) fn put<I: Isa>(isa: I, table: &Table, section: &Section<'_>) {
    let SlotLayout { stride, .. } = table.layout;
    match &table.layout {
        SlotLayout { tail: None, .. } => put_narrow(isa, table, section),
        SlotLayout { rowwise: true, .. } => put_rowwise(isa, table, section),
        _ => {
            let (cells, room) = (table.cells(), table.accrued());
            for record in section.records() {
                for i in 0..stride {
                    let (at, x) = (record.number * stride + i, wire::number(record.numbers, i));
                    cells[at].store(x, Relaxed);
                    if !room.is_empty() && !is_sum(&table.layout, i) {
                        room[at].store(x, Relaxed);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn put_narrow<I: Isa>(isa: I, table: &Table, section: &Section<'_>) {
    let (cells, room, stride) = (table.cells(), table.accrued(), table.layout.stride);
    let zero = I::V::of(0.0);
    for record in section.records() {
        let is_sent = I::V::load(&record.sent());
        let before = load_sixteen(isa, cells, record.number, stride);
        let mut after = before;
        if table.layout.sums {
            let squares = I::V::load(&record.line(1));
            after = [I::V::load(&record.line(0)), squares, before[2], squares - (before[1] - before[3])];
        } else {
            for k in 0..stride {
                after[k] = I::V::load(&record.line(k));
            }
        }
        for k in 0..stride {
            after[k] = zero.less(is_sent, after[k], before[k]);
        }
        store_sixteen(isa, after, cells, record.number, stride);
        if !room.is_empty() && stride > 2 {
            let mut noted = load_sixteen(isa, room, record.number, stride);
            for k in 2..stride {
                noted[k] = zero.less(is_sent, after[k], noted[k]);
            }
            store_sixteen(isa, noted, room, record.number, stride);
        }
    }
}

#[inline(always)]
fn put_rowwise<I: Isa>(isa: I, table: &Table, section: &Section<'_>) {
    let (vectors, rows, room) = (table.layout.stride / LANES, table.cells().as_chunks().0, table.accrued().as_chunks().0);
    for record in section.records() {
        let row = &rows[record.number * vectors..][..vectors];
        let tail = &row[vectors - 1];
        let held = tail[HELD].load(Relaxed);
        for i in 0..vectors - 1 {
            let after = I::V::load(&wire::line(record.numbers, i * LANES));
            // Where it starts from moves with the row, or the way there would count as gradients.
            if held != 0.0 {
                let start = &room[record.number * vectors + i];
                isa.store(I::V::of(1.0 / held).mul_add(after - isa.load(&row[i]), isa.load(start)), start);
            }
            isa.store(after, &row[i]);
        }
        let line = wire::line(record.numbers, (vectors - 1) * LANES);
        // What the states have grown by since the last push stays, too.
        for (state, before) in [(1, BEFORE_BESIDE), (ROW_STATE, BEFORE)] {
            let grown = tail[state].load(Relaxed) - tail[before].load(Relaxed);
            tail[before].store(line[state] - grown, Relaxed);
        }
        for i in 0..LANES / 2 {
            tail[i].store(line[i], Relaxed); // behind lie sums
        }
    }
}
