//! What a replica's gradients have come to since the last push, taken out of its table.
//!
//! See [`accrued`](crate::params::accrued) for where it lies.
use super::{Owned, Writer, is_sum, lanes, load_sixteen, store_sixteen};
use crate::{
    params::{
        accrued::{BEFORE, BEFORE_BESIDE, GRADIENT_BESIDE, HELD},
        layout::ROW_STATE,
        table::Table,
    },
    simd::{Isa, LANES, MOST, Real, Vector},
    wire,
};
use std::sync::atomic::Ordering::Relaxed;

/// Of slots of one weight: sums in the slot itself, or in the room beside.
#[inline(always)]
pub(super) fn narrow<I: Isa>(isa: I, table: &Table, owned: Owned, to: &mut Writer<'_>) {
    let (slots, stride, zero) = (table.slots(), table.layout.stride, I::V::of(0.0));
    let mut numbers = [[0.0; LANES]; MOST];
    for sixteen in owned.sixteens(slots) {
        let (sums, count, size) = if table.layout.sums {
            let [w, squares, gradient, before] = load_sixteen(isa, table.cells(), sixteen, stride);
            let more = squares - before;
            let size = gradient.abs() + more.abs();
            // NaN is sent, too: the run is to see it.
            if size.sum() == 0.0 {
                continue;
            }
            store_sixteen(isa, [w, squares, zero, squares], table.cells(), sixteen, stride);
            ([gradient, more, zero, zero], 2, size)
        } else {
            let sums = load_sixteen(isa, table.accrued(), sixteen, stride);
            let (mut after, mut size) = (sums, zero);
            for k in 0..stride {
                if is_sum(&table.layout, k) {
                    size = size + sums[k].abs();
                    after[k] = zero;
                }
            }
            if size.sum() == 0.0 {
                continue;
            }
            store_sixteen(isa, after, table.accrued(), sixteen, stride);
            (sums, stride, size)
        };
        for k in 0..count {
            sums[k].store(&mut numbers[k]);
        }
        to.sixteen(sixteen, lanes(size, slots - sixteen * LANES), &numbers[..count]);
    }
}

/// Of slots of many weights, from the room beside.
#[inline(always)]
pub(super) fn rows(table: &Table, owned: Owned, to: &mut Writer<'_>) {
    let (stride, room) = (table.layout.stride, table.accrued());
    for slot in owned.slots(table.slots()) {
        let cells = &room[slot * stride..][..stride];
        if (0..stride).all(|i| !is_sum(&table.layout, i) || cells[i].load(Relaxed) == 0.0) {
            continue;
        }
        let bytes = to.row(slot);
        for (vector, cells) in cells.as_chunks::<LANES>().0.iter().enumerate() {
            let mut line = [0.0; LANES];
            for i in 0..LANES {
                line[i] = cells[i].load(Relaxed);
                if is_sum(&table.layout, vector * LANES + i) {
                    cells[i].store(0.0, Relaxed);
                }
            }
            wire::set_line(bytes, vector * LANES, &line);
        }
    }
}

/// Of rows with one rate each: their gradients follow from how far they have moved.
#[inline(always)]
pub(super) fn rowwise<I: Isa>(isa: I, table: &Table, owned: Owned, to: &mut Writer<'_>) {
    let (vectors, rows, room) = (table.layout.stride / LANES, table.cells().as_chunks().0, table.accrued().as_chunks().0);
    for slot in owned.slots(table.slots()) {
        let (row, start) = (&rows[slot * vectors..][..vectors], &room[slot * vectors..][..vectors]);
        let tail = &row[vectors - 1];
        let held = tail[HELD].load(Relaxed);
        if held == 0.0 {
            continue;
        }
        let bytes = to.row(slot);
        let (by, mut line) = (I::V::of(-1.0 / held), [0.0; LANES]);
        for i in 0..vectors - 1 {
            by.mul_add(isa.load(&row[i]), isa.load(&start[i])).store(&mut line);
            wire::set_line(bytes, i * LANES, &line);
        }
        line = [0.0; LANES];
        line[0] = tail[GRADIENT_BESIDE].load(Relaxed);
        line[1] = tail[1].load(Relaxed) - tail[BEFORE_BESIDE].load(Relaxed);
        line[ROW_STATE] = tail[ROW_STATE].load(Relaxed) - tail[BEFORE].load(Relaxed);
        wire::set_line(bytes, (vectors - 1) * LANES, &line);
        tail[GRADIENT_BESIDE].store(0.0, Relaxed);
        tail[HELD].store(0.0, Relaxed);
    }
}
