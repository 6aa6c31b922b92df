//! The shared array: cells of `AtomicF32` in one anonymous mapping, and how rows lie in it.
//!
//! A narrow row is `[weight, state, padding to 1, 2 or 4]`. Behind the shared rows each worker has its private copies of the first
//! `hot` rows and one row that takes what is written to empty lanes, so that every lane of every block has a place, all reached alike.
//!
//! A wide row is `[factors | state | weight beside, its state]`, each part in whole vectors of sixteen; under a row-wise rule
//! `[factors | weight beside, its state; state of the row]`.
//!
//! The mapping is page-aligned, so rows never straddle a cache line needlessly; transparent huge pages are advised, as a random
//! row is otherwise a miss in the page tables too.
use super::Slot;
use crate::{
    rules::{Layout, State, UpdateRule},
    simd::{LANES, MOST},
};
use atomic_float::AtomicF32;
use hogwild_base::{Error, Result, memory};
use memmap2::{MmapMut, MmapRaw};
use std::sync::atomic::Ordering::Relaxed;

/// Where in the last vector of a wide row the state of the row begins, under a row-wise rule.
pub(crate) const ROW_STATE: usize = 4;

/// What helps where they do not fit into memory.
const LESS: &str = "use fewer features, a smaller --rank, or a rule with less state";

pub(crate) struct Table {
    map: MmapRaw,
    cells: usize,
}

impl Table {
    /// A table of zeros.
    pub(crate) fn new(rows: usize, stride: usize) -> Result<Table> {
        let cells = rows.checked_mul(stride).filter(|&n| n <= isize::MAX as usize / size_of::<f32>());
        let bytes = (rows as u64).saturating_mul((stride * size_of::<f32>()) as u64);
        let refused = || memory::refused(bytes, format!("{rows} rows of parameters"), LESS);
        let cells = cells.ok_or_else(refused)?;
        let map = MmapMut::map_anon((cells * size_of::<f32>()).max(1)).map_err(|_| refused())?;
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::HugePage); // advice: without it everything works, only slower
        Ok(Table { map: map.into(), cells })
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    pub(crate) fn cells(&self) -> &[AtomicF32] {
        // SAFETY: the mapping is private to this table, lives as long as `self`, is page-aligned, holds `cells` x 4 initialised (zero)
        // bytes, and is only ever accessed through these atomic cells. AtomicF32 has the layout of f32.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr() as *const AtomicF32, self.cells) }
    }
}

/// How many rows of each kind a model has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shape {
    /// Narrow rows.
    pub narrow: usize,
    /// Wide rows.
    pub wide: usize,
    /// Weights of a wide row.
    pub width: usize,
    /// How many narrow rows, from the first, each worker holds privately.
    pub hot: usize,
    /// Whether the other narrow rows are so rare that two workers hardly ever have one at hand at once.
    pub rare: bool,
    pub workers: usize,
    /// Whether there is room for the sums that averages come from.
    pub averaged: bool,
}

/// A weight as the model is to have it, of the weight and its state.
type Weight<'a> = dyn Fn(f32, &[f32]) -> f32 + 'a;

/// How a weight as it is trained becomes a weight as the model is to have it.
pub struct Finish<'a> {
    /// The rule's [`finish`](UpdateRule::finish) of a weight and its state.
    rule: Box<Weight<'a>>,
    /// Numbers of state beside each weight.
    state: usize,
    /// What the sum of weighted changes is multiplied by, where the model is the average (see `aids`).
    average: Option<f32>,
}

impl<'a> Finish<'a> {
    /// By the step that would come next.
    pub fn new<R: UpdateRule>(rule: &'a R, step: R::Step, average: Option<f32>) -> Finish<'a> {
        if rule.rowwise() {
            return Finish { rule: Box::new(|w, _| w), state: 0, average };
        }
        let finish = move |w, numbers: &[f32]| {
            let mut state = R::State::splat(0.0);
            state.as_mut().copy_from_slice(numbers);
            rule.finish(&step, w, &state)
        };
        Finish { rule: Box::new(finish), state: <R::State<f32> as State<f32>>::LEN, average }
    }

    /// `state` gives the numbers beside the weight.
    fn weight(&self, w: f32, sum: impl FnOnce() -> f32, state: impl Fn(usize) -> f32) -> f32 {
        if let Some(scale) = self.average {
            return w - scale * sum();
        }
        let mut numbers = [0.0; MOST];
        for (k, number) in numbers[..self.state].iter_mut().enumerate() {
            *number = state(k);
        }
        (self.rule)(w, &numbers[..self.state])
    }
}

/// All parameters of a model under a rule.
pub struct Parameters {
    narrow: Table,
    wide: Table,
    /// Of narrow and wide rows, laid out as they are: where a weight is, here is the sum of its weighted changes (see `aids`).
    sums: Option<(Table, Table)>,
    pub shape: Shape,
    /// Cells a narrow row.
    stride: usize,
    /// Cells a wide row.
    wide_stride: usize,
}

impl Parameters {
    /// Weights zero, the rule's state at its beginning.
    pub fn new(shape: Shape, layout: &Layout) -> Result<Parameters> {
        let shape = Shape { hot: shape.hot.min(shape.narrow), ..shape };
        let (stride, wide_stride) = (layout.stride(), LANES * (layout.vectors(shape.width.div_ceil(LANES)) + 1));
        let rows = first_private(&shape, shape.workers);
        // Places are 32-bit numbers.
        for (rows, stride, most) in [(rows, stride, Slot::MOST), (shape.wide, wide_stride, u32::MAX as usize / (wide_stride / LANES))] {
            if rows > most {
                return Err(Error::TooManyRows { rows, bytes_a_row: stride * size_of::<f32>(), most });
            }
        }
        let what = || format!("the parameters of {} rows, with the rule's state and two copies of the model,", rows + shape.wide);
        let weights = (rows as u64).saturating_add((shape.wide as u64).saturating_mul(1 + shape.width as u64));
        let copies = weights.saturating_mul(2 * size_of::<f32>() as u64); // the last good one, and the next
        memory::ask(Self::bytes(layout, &shape).saturating_add(copies), what, LESS)?;
        let tables = || Ok((Table::new(rows, stride)?, Table::new(shape.wide, wide_stride)?));
        let ((narrow, wide), sums) = (tables()?, shape.averaged.then(tables).transpose()?);
        let new = Parameters { narrow, wide, sums, shape, stride, wide_stride };
        new.reset(layout);
        Ok(new)
    }

    /// What they take of memory.
    pub fn bytes(layout: &Layout, shape: &Shape) -> u64 {
        let of = |rows: usize, factors| (rows as u64).saturating_mul(layout.row_bytes(factors) as u64);
        let wide = if shape.wide > 0 { of(shape.wide, shape.width) } else { 0 };
        of(first_private(shape, shape.workers), 0).saturating_add(wide).saturating_mul(1 + shape.averaged as u64)
    }

    /// Makes all as it was when new, but for sums of changes.
    pub fn reset(&self, layout: &Layout) {
        let initial = &layout.initial[..layout.state];
        let fill = |cells: &[AtomicF32], x: f32| cells.iter().for_each(|cell| cell.store(x, Relaxed));
        for row in self.narrow.cells().chunks_exact(self.stride) {
            row[0].store(0.0, Relaxed);
            row[1..].iter().zip(initial).for_each(|(cell, &x)| cell.store(x, Relaxed));
        }
        let part = self.shape.width.next_multiple_of(LANES);
        for row in self.wide.cells().chunks_exact(self.wide_stride) {
            let tail = &row[self.wide_stride - LANES..];
            fill(&row[..part], 0.0);
            tail[0].store(0.0, Relaxed);
            for (k, &x) in initial.iter().enumerate() {
                tail[1 + k].store(x, Relaxed);
                if layout.rowwise { tail[ROW_STATE + k].store(x, Relaxed) } else { fill(&row[part * (1 + k)..][..part], x) }
            }
        }
    }

    /// Whether rows are laid out for the rule.
    pub(crate) fn is_for(&self, layout: &Layout) -> bool {
        self.stride == layout.stride() && self.wide_stride == LANES * (layout.vectors(self.shape.width.div_ceil(LANES)) + 1)
    }

    /// Cells a narrow row.
    pub(crate) fn stride(&self) -> usize {
        self.stride
    }

    #[inline(always)]
    pub(crate) fn narrow_cells(&self) -> &[AtomicF32] {
        self.narrow.cells()
    }

    /// The wide rows' cells in vectors. A row begins at its [`place`](Self::wide_place).
    #[inline(always)]
    pub(crate) fn wide_vectors(&self) -> &[[AtomicF32; LANES]] {
        self.wide.cells().as_chunks().0
    }

    /// The sums of narrow rows' weighted changes; empty without averaging.
    pub(crate) fn narrow_sums(&self) -> &[AtomicF32] {
        self.sums.as_ref().map_or(&[], |(narrow, _)| narrow.cells())
    }

    /// The same of wide rows.
    pub(crate) fn wide_sums(&self) -> &[[AtomicF32; LANES]] {
        self.sums.as_ref().map_or(&[], |(_, wide)| wide.cells().as_chunks().0)
    }

    /// Vectors of a wide row of so many weights, with its state.
    pub fn wide_stride(layout: &Layout, width: usize) -> u32 {
        (layout.vectors(width.div_ceil(LANES)) + 1) as u32
    }

    /// Where a wide row begins, as [`Weights`](super::Weights) of these parameters want to be told.
    pub fn wide_place(&self, row: u32) -> u32 {
        row * (self.wide_stride / LANES) as u32
    }

    /// The weights of the narrow rows as a model is to have them.
    pub fn narrow_weights(&self, view: &Finish<'_>) -> Vec<f32> {
        let sum = |i: usize| self.narrow_sums()[i * self.stride].load(Relaxed);
        let rows = self.narrow.cells().chunks_exact(self.stride).take(self.shape.narrow).enumerate();
        rows.map(|(i, row)| view.weight(row[0].load(Relaxed), || sum(i), |k| row[1 + k].load(Relaxed))).collect()
    }

    /// The weights of a wide row, likewise.
    pub fn wide_weights(&self, row: usize, view: &Finish<'_>) -> impl Iterator<Item = f32> {
        let start = row * self.wide_stride;
        let cells = &self.wide.cells()[start..][..self.wide_stride];
        let part = self.shape.width.next_multiple_of(LANES);
        let state = move |i: usize, k: usize| cells[part * (1 + k) + i].load(Relaxed);
        (0..self.shape.width).map(move |i| view.weight(cells[i].load(Relaxed), || self.wide_sum(start + i), |k| state(i, k)))
    }

    /// The weight beside a wide row, likewise.
    pub fn beside(&self, row: usize, view: &Finish<'_>) -> f32 {
        let start = (row + 1) * self.wide_stride - LANES;
        let tail = &self.wide.cells()[start..];
        view.weight(tail[0].load(Relaxed), || self.wide_sum(start), |k| tail[1 + k].load(Relaxed))
    }

    fn wide_sum(&self, cell: usize) -> f32 {
        self.wide_sums()[cell / LANES][cell % LANES].load(Relaxed)
    }

    /// Gives wide rows their first weights.
    pub fn set_wide(&self, mut weight: impl FnMut() -> f32) {
        for row in self.wide.cells().chunks_exact(self.wide_stride) {
            row[..self.shape.width].iter().for_each(|cell| cell.store(weight(), Relaxed));
        }
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        let shared = &self.narrow.cells()[..self.shape.narrow * self.stride];
        shared.iter().chain(self.wide.cells()).all(|cell| cell.load(Relaxed).is_finite())
    }
}

/// Cells a narrow row.
pub const fn stride<R: UpdateRule>() -> usize {
    let cells = 1 + <R::State<f32> as State<f32>>::LEN;
    assert!(cells <= MOST, "a rule has at most three numbers of state");
    cells.next_power_of_two()
}

/// Vectors of factors and their state in a wide row of `n` vectors of factors.
#[inline(always)]
pub(crate) fn vectors<R: UpdateRule>(rule: &R, n: usize) -> usize {
    if rule.rowwise() { n } else { n * (1 + <R::State<f32> as State<f32>>::LEN) }
}

/// The first narrow row that belongs to worker number `worker`. Workers share no cache line, nor a pair of them.
pub(crate) fn first_private(shape: &Shape, worker: usize) -> usize {
    shape.narrow.next_multiple_of(2 * LANES) + worker * (shape.hot.next_multiple_of(LANES) + 1).next_multiple_of(2 * LANES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Adagrad;

    #[test]
    fn what_cannot_be_mapped_is_told_as_memory_and_what_cannot_be_numbered_is_not() {
        for rows in [1 << 56, usize::MAX / 2] {
            let error = Table::new(rows, 4).err().unwrap();
            assert!(matches!(error, Error::NoRoom { .. }) && error.to_string().contains(LESS), "{error}");
        }
        let narrow = Shape { narrow: u32::MAX as usize, workers: 1, ..Shape::default() };
        let wide = Shape { wide: 1 << 31, width: 32, workers: 1, ..Shape::default() };
        for (shape, says) in [(narrow, "2147483647 are the most"), (wide, "or a smaller --rank")] {
            let error = Parameters::new(shape, &Layout::of(&Adagrad::default())).err().unwrap();
            assert!(matches!(error, Error::TooManyRows { .. }) && error.to_string().contains(says), "{error}");
        }
    }
}
