//! Slots with their numbers, as replicas and parameter servers send them to each other.
//!
//! A replica takes what it has [accrued](super::accrued) out of its room and sends it; a server steps the centre's slots by it. A server
//! sends slots as they are; a replica puts them in the place of its own. Only slots that have changed travel. Slots belong to servers by
//! sixteens.
#![allow(unsafe_code)]
use super::{
    Parameters,
    layout::{ROW_STATE, SlotLayout},
    replica::Reads,
    table::Table,
    view::{Reading, load_state, row_state, store_state},
};
use crate::{
    rules::{Erased, UpdateRule},
    simd::{InstructionSet, Isa, Job, LANES, Line, MOST, Real, Vector, copy, dispatch, pairs},
};
use atomic_float::AtomicF32;
use std::{ops::Range, sync::atomic::Ordering::Relaxed};

/// Some slots of a table, ascending, with as many numbers each as the table's layout has cells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    pub slots: Vec<u32>,
    pub numbers: Vec<f32>,
}

/// Which slots belong to a server: every `of`-th sixteen of them, beginning with number `server`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owned {
    pub server: usize,
    pub of: usize,
}

impl Owned {
    /// Its slots of so many.
    pub fn slots(self, all: usize) -> impl Iterator<Item = usize> {
        self.sixteens(all).flat_map(move |sixteen| sixteen * LANES..all.min((sixteen + 1) * LANES))
    }

    fn sixteens(self, all: usize) -> impl Iterator<Item = usize> {
        (self.server..all.div_ceil(LANES)).step_by(self.of)
    }

    /// The number of one of its slots among them.
    pub fn number(self, slot: u32) -> usize {
        slot as usize / LANES / self.of * LANES + slot as usize % LANES
    }

    /// All slots.
    pub const ALL: Owned = Owned { server: 0, of: 1 };
}

impl Changes {
    /// Takes the sums of the server's slots out of the room beside a table's slots.
    pub fn take(set: InstructionSet, table: &Table, owned: Owned) -> Changes {
        let mut changes = Changes::default();
        dispatch(set, Take { table, owned, changes: &mut changes });
        changes
    }

    /// A table's slots as they are: of the server's, those that are to be sent by their number among them.
    pub fn copy(table: &Table, owned: Owned, is_sent: impl Fn(usize) -> bool) -> Changes {
        let mut changes = Changes::default();
        match table.layout.stride {
            1 => changes.copy_narrow::<1>(table, owned, is_sent),
            2 => changes.copy_narrow::<2>(table, owned, is_sent),
            4 => changes.copy_narrow::<4>(table, owned, is_sent),
            stride => {
                for (number, slot) in owned.slots(table.slots()).enumerate() {
                    if is_sent(number) {
                        changes.add(slot, &table.cells()[slot * stride..][..stride]);
                    }
                }
            }
        }
        changes
    }

    /// The same of slots of one weight: with the number of their cells known, a slot is a move or two.
    fn copy_narrow<const CELLS: usize>(&mut self, table: &Table, owned: Owned, is_sent: impl Fn(usize) -> bool) {
        let all: &[[AtomicF32; CELLS]] = &table.cells().as_chunks().0[..table.slots()];
        let mut number = 0;
        for sixteen in owned.sixteens(all.len()) {
            let start = sixteen * LANES;
            for (i, cells) in all[start..all.len().min(start + LANES)].iter().enumerate() {
                if is_sent(number) {
                    self.add_narrow(start + i, cells);
                }
                number += 1;
            }
        }
    }

    /// Adds a slot as it is.
    fn add(&mut self, slot: usize, cells: &[AtomicF32]) {
        self.slots.push(slot as u32);
        self.numbers.extend(cells.iter().map(|cell| cell.load(Relaxed)));
    }

    /// The same of a slot of one weight.
    #[inline(always)]
    fn add_narrow<const CELLS: usize>(&mut self, slot: usize, cells: &[AtomicF32; CELLS]) {
        let mut numbers = [0.0; CELLS];
        for i in 0..CELLS {
            numbers[i] = cells[i].load(Relaxed);
        }
        self.slots.push(slot as u32);
        self.numbers.extend_from_slice(&numbers);
    }

    /// Puts them in the place of a table's own. Where the room beside is for gradients, all state but the first number is noted there, for
    /// rules that are to know what they read.
    pub fn put(&self, table: &Table) {
        let (layout, cells, room) = (&table.layout, table.cells(), table.accrued());
        match layout.stride {
            1 => self.put_narrow::<1>(cells),
            2 => self.put_narrow::<2>(cells),
            4 => self.put_narrow::<4>(cells),
            stride => {
                for (&slot, numbers) in pairs(&self.slots, self.numbers.chunks_exact(stride)) {
                    pairs(&cells[slot as usize * stride..], numbers).for_each(|(cell, &x)| cell.store(x, Relaxed));
                }
            }
        }
        let read: Vec<usize> = if room.is_empty() { Vec::new() } else { (0..layout.stride).filter(|&i| !is_sum(layout, i)).collect() };
        if !read.is_empty() {
            for (&slot, numbers) in pairs(&self.slots, self.numbers.chunks_exact(layout.stride)) {
                read.iter().for_each(|&i| room[slot as usize * layout.stride + i].store(numbers[i], Relaxed));
            }
        }
    }

    fn put_narrow<const CELLS: usize>(&self, all: &[AtomicF32]) {
        let all: &[[AtomicF32; CELLS]] = all.as_chunks().0;
        for (&slot, numbers) in pairs(&self.slots, self.numbers.as_chunks::<CELLS>().0) {
            let cells = &all[slot as usize];
            for i in 0..CELLS {
                cells[i].store(numbers[i], Relaxed);
            }
        }
    }
}

/// Whether a cell of a slot's room has a sum; the others have what was read.
fn is_sum(layout: &SlotLayout, cell: usize) -> bool {
    match layout.tail {
        None => cell < 2,
        Some(tail) if cell >= tail => cell < tail + 2 || layout.state == 0 && cell >= tail + ROW_STATE,
        Some(_) => cell < 2 * layout.part,
    }
}

/// See [`Changes::take`].
struct Take<'a> {
    table: &'a Table,
    owned: Owned,
    changes: &'a mut Changes,
}

impl Job for Take<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Take { table, owned, changes } = self;
        let (layout, slots, room) = (&table.layout, table.slots(), table.accrued());
        let stride = layout.stride;
        let sums: Vec<bool> = (0..stride).map(|cell| is_sum(layout, cell)).collect();
        let vectors: Vec<Line<f32>> = (0..stride.max(LANES) / LANES)
            .map(|vector| Line(std::array::from_fn(|i| sums[(vector * LANES + i) % stride] as u8 as f32)))
            .collect();
        // Of narrow slots sixteen are looked at together, as many vectors as a slot has cells.
        let (group, all) = if layout.tail.is_some() { (1, stride / LANES) } else { (LANES, stride) };
        for sixteen in owned.sixteens(slots) {
            let mut slot = sixteen * LANES;
            let end = slots.min(slot + LANES);
            while slot < end {
                let lines: &[[AtomicF32; LANES]] = room[slot * stride..].as_chunks().0;
                let mut size = I::V::of(0.0);
                for i in 0..all {
                    size = size + isa.load(&lines[i]).abs() * I::V::load(&vectors[i % vectors.len()].0);
                }
                if size.sum() != 0.0 {
                    match stride {
                        1 => take_narrow::<1>(room, slot..end, &sums, changes),
                        2 => take_narrow::<2>(room, slot..end, &sums, changes),
                        4 => take_narrow::<4>(room, slot..end, &sums, changes),
                        _ => take_row(room, slot, &sums, changes),
                    }
                }
                slot += group;
            }
        }
    }
}

/// Takes those of some slots of one weight that have sums.
#[inline(never)]
fn take_narrow<const CELLS: usize>(room: &[AtomicF32], slots: Range<usize>, sums: &[bool], changes: &mut Changes) {
    let mut is_sum = [false; CELLS];
    is_sum.copy_from_slice(sums);
    for (i, cells) in room.as_chunks::<CELLS>().0[slots.clone()].iter().enumerate() {
        let mut has_sum = false;
        for i in 0..CELLS {
            has_sum |= is_sum[i] && cells[i].load(Relaxed) != 0.0;
        }
        if has_sum {
            changes.add_narrow(slots.start + i, cells);
            for i in 0..CELLS {
                if is_sum[i] {
                    cells[i].store(0.0, Relaxed);
                }
            }
        }
    }
}

/// Takes a slot of many weights.
#[inline(never)]
fn take_row(room: &[AtomicF32], slot: usize, sums: &[bool], changes: &mut Changes) {
    let cells = &room[slot * sums.len()..][..sums.len()];
    changes.add(slot, cells);
    for (cell, _) in pairs(cells, sums).filter(|&(_, &is_sum)| is_sum) {
        cell.store(0.0, Relaxed);
    }
}

/// Has the rule step a table's slots by what replicas have accrued.
pub(crate) struct Apply<'a, 'r> {
    pub rule: Erased<'r>,
    pub step: <Erased<'r> as UpdateRule>::Step,
    pub parameters: &'a Parameters,
    /// The number of a table.
    pub table: usize,
    pub changes: &'a Changes,
    /// What the square of a sum of gradients counts beside the sum of their squares.
    pub together: f32,
}

impl<'r> Job for Apply<'_, 'r> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self, isa: I) {
        let Apply { rule, step, parameters, table, changes, together } = self;
        let layout = parameters.table(table).layout;
        let read = Reading::new(isa, rule, step, parameters, Reads::shared(parameters));
        for (some, numbers) in pairs(changes.slots.chunks(LANES), changes.numbers.chunks(LANES * layout.stride)) {
            if Some(table) == parameters.row() {
                for (&slot, numbers) in pairs(some, numbers.chunks_exact(layout.stride)) {
                    step_row(&read, &layout, slot, numbers, together);
                }
            } else {
                step_sixteen(&read, some, numbers, together);
            }
        }
    }
}

/// Steps up to sixteen slots of one weight.
#[inline(always)]
fn step_sixteen<'r, I: Isa>(read: &Reading<'_, Erased<'r>, I>, some: &[u32], numbers: &[f32], together: f32) {
    let stride = read.stride();
    let mut places = Line([read.place(read.reads.scratch_slot); LANES]);
    let mut sums = [Line([0.0; LANES]); MOST];
    for (lane, &slot) in some.iter().enumerate() {
        places.0[lane] = read.place(slot);
        for k in 0..stride {
            sums[k].0[lane] = numbers[lane * stride + k];
        }
    }
    let mut cells = read.gather(&places); // which checks
    let sum = |k: usize| I::V::load(&sums[k].0);
    let (mut state, seen) = ([cells[1], cells[2], cells[3]], [cells[1], sum(2), sum(3)]);
    let (g, squares) = (sum(0), squares(sum(0), sum(1), I::V::of(together)));
    cells[0] = read.rule.step_summed(&read.step, cells[0], g, squares, &mut state, &seen);
    copy(&state, &mut cells[1..]);
    // SAFETY: the places were just checked.
    unsafe { read.isa.scatter(cells, read.cells, &places, stride) };
}

/// Steps a slot of many weights and the weight beside them.
#[inline(always)]
fn step_row<'r, I: Isa>(read: &Reading<'_, Erased<'r>, I>, layout: &SlotLayout, slot: u32, numbers: &[f32], together: f32) {
    let (isa, rule, step, n) = (read.isa, &read.rule, &read.step, layout.part / LANES);
    let (cells, tail) = read.row(slot * read.row_stride as u32, n);
    let (lines, sums_beside) = (numbers.as_chunks::<LANES>().0, &numbers[layout.stride - LANES..]);
    let (mut state, w) = (load_state(rule, &tail[1..]), tail[0].load(Relaxed));
    let seen = [state[0], sums_beside[2], sums_beside[3]];
    let (g, of_beside) = (sums_beside[0], squares(sums_beside[0], sums_beside[1], together));
    tail[0].store(rule.step_summed(step, w, g, of_beside, &mut state, &seen), Relaxed);
    store_state(rule, state, &tail[1..]);
    if rule.rowwise() {
        let mut square = I::V::of(0.0);
        for i in 0..n {
            square = I::V::load(&lines[i]).mul_add(I::V::load(&lines[i]), square);
        }
        let mut of_row = load_state(rule, &tail[ROW_STATE..]);
        rule.row_state(sums_beside[ROW_STATE] + together * square.sum() / layout.weights as f32, &mut of_row);
        store_state(rule, of_row, &tail[ROW_STATE..]);
        let scale = I::V::of(-rule.row_scale(step, &of_row));
        for i in 0..n {
            isa.store(scale.mul_add(I::V::load(&lines[i]), isa.load(&cells[i])), &cells[i]);
        }
        return;
    }
    for i in 0..n {
        let sum = |k: usize| if k <= layout.state { I::V::load(&lines[n * k + i]) } else { I::V::of(0.0) };
        let mut state = row_state::<_, I>(isa, rule, cells, n, i);
        let seen = [state[0], sum(2), sum(3)];
        let (g, squares) = (sum(0), squares(sum(0), sum(1), I::V::of(together)));
        isa.store(rule.step_summed(step, isa.load(&cells[i]), g, squares, &mut state, &seen), &cells[i]);
        for k in 0..layout.state {
            isa.store(state[k], &cells[n * (1 + k) + i]);
        }
    }
}

/// What the state takes for a push.
#[inline(always)]
fn squares<V: Real>(sum: V, squares: V, together: V) -> V {
    (together * sum).mul_add(sum, squares)
}
