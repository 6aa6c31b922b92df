//! What a Hogwild! worker sees: the shared tables, with the most frequent rows held privately.
//!
//! Zipf-distributed features make plain Hogwild! (Niu et al. 2011) stand still: every example touches the same few cache lines, and
//! two cores pass them back and forth. Rows are numbered by frequency, so the hot ones are a prefix: each worker keeps the first
//! `hot` rows in a private copy and, between blocks, adds what it changed to the shared array and takes over what others
//! did. The rest stays plain Hogwild!. `hot = 0` is the paper's algorithm.
//!
//! Reading happens in two phases: `gather` reads weights for the score, `step` reads weight and state again, applies the rule and stores
//! at once. Writing back what was gathered before the score would lose more of the other workers' updates.
#![allow(unsafe_code)]
use super::{Isa, LANES, Table, Weights, padded};
use crate::rules::{State, UpdateRule};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

pub(crate) struct Hogwild<'t, R: UpdateRule, I: Isa, const S: usize> {
    isa: I,
    rule: R,
    pub rate: f32,
    narrow: &'t [[AtomicF32; S]],
    wide: &'t Table,
    /// Weights a wide row, padded.
    width: usize,
    private: Vec<[f32; S]>,
    /// The shared values when the private ones were last exchanged.
    base: Vec<[f32; S]>,
    narrow_buffer: Vec<f32>,
    wide_buffer: Vec<f32>,
}

/// The largest of the rows, and how many of them, from the first, lie below `hot`.
#[inline(always)]
fn examine(rows: &[u32], hot: usize) -> (u32, usize) {
    let (blocks, rest) = rows.as_chunks::<LANES>();
    let mut most = [0; LANES];
    for block in blocks {
        for i in 0..LANES {
            most[i] = most[i].max(block[i]);
        }
    }
    let largest = most.into_iter().chain(rest.iter().copied()).fold(0, u32::max);
    if hot == 0 {
        return (largest, 0);
    }
    let whole = blocks.iter().take_while(|block| block.iter().fold(true, |all, &row| all & ((row as usize) < hot))).count() * LANES;
    (largest, whole + rows[whole..].iter().take_while(|&&row| (row as usize) < hot).count())
}

impl<'t, R, I, const S: usize> Hogwild<'t, R, I, S>
where
    R: UpdateRule,
    R::State: State<Cell = [f32; S]>,
    I: Isa,
{
    /// `longest`: the most rows that one `gather` or `step` names.
    pub fn new(isa: I, rule: R, rate: f32, narrow: &'t Table, wide: &'t Table, width: usize, hot: usize, longest: usize) -> Self {
        assert!(narrow.stride() == S && wide.stride() == wide_stride::<R>(width));
        let mut view = Hogwild {
            isa,
            rule,
            rate,
            narrow: narrow.cells().as_chunks().0,
            wide,
            width: padded(width),
            private: Vec::new(),
            base: Vec::new(),
            narrow_buffer: vec![0.0; padded(longest) * (1 + R::State::LEN)],
            wide_buffer: vec![0.0; wide.stride()],
        };
        view.private = (0..hot.min(narrow.rows())).map(|row| view.load(row as u32)).collect();
        view.base = view.private.clone();
        view
    }

    #[inline(always)]
    fn load(&self, row: u32) -> [f32; S] {
        self.isa.load(&self.narrow[row as usize])
    }

    /// How many of the rows, from the first, are private. All are within the table when this returns.
    #[inline(always)]
    fn checked(&self, rows: &[u32]) -> usize {
        let (largest, cut) = examine(rows, self.private.len());
        assert!((largest as usize) < self.narrow.len(), "row {largest} of {}", self.narrow.len());
        cut
    }

    /// Hands private changes to the shared array and takes over the changes of others. Called between blocks.
    #[inline(always)]
    pub fn exchange(&mut self) {
        for (cell, (mine, base)) in self.narrow.iter().zip(self.private.iter_mut().zip(&mut self.base)) {
            let mut shared = self.isa.load(cell);
            if mine != base {
                for k in 0..S {
                    shared[k] += mine[k] - base[k];
                }
                self.isa.store(shared, cell);
            }
            (*mine, *base) = (shared, shared);
        }
    }

    /// Asks for the cells of a wide row.
    #[inline(always)]
    pub fn prefetch_wide(&self, row: u32) {
        let stride = self.wide.stride();
        if let Some(cells) = self.wide.cells().get(row as usize * stride..) {
            for line in cells[..stride.min(cells.len())].iter().step_by(16) {
                self.isa.prefetch(line);
            }
        }
    }
}

impl<R, I, const S: usize> Weights for Hogwild<'_, R, I, S>
where
    R: UpdateRule,
    R::State: State<Cell = [f32; S]>,
    I: Isa,
{
    #[inline(always)]
    fn gather(&mut self, rows: &[u32], out: &mut [f32]) {
        let cut = self.checked(rows);
        let (hot, cold) = rows.split_at(cut);
        assert!(out.len() == padded(rows.len()));
        if let Some(last) = out.last_chunk_mut::<LANES>() {
            *last = [0.0; LANES];
        }
        let (narrow, private) = (self.narrow, &self.private[..]);
        let (out_hot, out_cold) = out.split_at_mut(cut);
        for (out, &row) in out_hot.iter_mut().zip(hot) {
            // SAFETY: `checked` compared each of these rows with `private.len()`.
            *out = unsafe { private.get_unchecked(row as usize) }[0];
        }
        for (out, &row) in out_cold.iter_mut().zip(cold) {
            // SAFETY: `checked` compared every row with `narrow.len()`.
            *out = unsafe { narrow.get_unchecked(row as usize) }[0].load(Relaxed);
        }
    }

    #[inline(always)]
    fn step(&mut self, rows: &[u32], gradient: &[f32]) {
        let cut = self.checked(rows);
        let (hot, cold) = rows.split_at(cut);
        let n = padded(rows.len());
        let (isa, narrow, private) = (self.isa, self.narrow, &mut self.private[..]);
        let buffer = &mut self.narrow_buffer[..n * (1 + R::State::LEN)];
        // SAFETY of `put` and `get`: i < rows.len() <= n and k <= LEN, so that k n + i < (1 + LEN) n.
        let put = |buffer: &mut [f32], i: usize, cell: [f32; S]| {
            for k in 0..1 + R::State::LEN {
                *unsafe { buffer.get_unchecked_mut(k * n + i) } = cell[k];
            }
        };
        let get = |buffer: &[f32], i: usize| -> [f32; S] {
            std::array::from_fn(|k| if k <= R::State::LEN { *unsafe { buffer.get_unchecked(k * n + i) } } else { 0.0 })
        };
        for (i, &row) in hot.iter().enumerate() {
            // SAFETY: `checked` compared each of these rows with `private.len()`.
            put(buffer, i, *unsafe { private.get_unchecked(row as usize) });
        }
        for (i, &row) in cold.iter().enumerate() {
            // SAFETY: `checked` compared every row with `narrow.len()`.
            put(buffer, cut + i, isa.load(unsafe { narrow.get_unchecked(row as usize) }));
        }
        let (weights, state) = buffer.split_at_mut(n);
        self.rule.step_all(self.rate, weights, gradient, state);
        for (i, &row) in hot.iter().enumerate() {
            // SAFETY: as above.
            *unsafe { private.get_unchecked_mut(row as usize) } = get(buffer, i);
        }
        for (i, &row) in cold.iter().enumerate() {
            // SAFETY: as above.
            isa.store(get(buffer, cut + i), unsafe { narrow.get_unchecked(row as usize) });
        }
    }

    #[inline(always)]
    fn gather_row(&mut self, row: u32, out: &mut [f32]) {
        let cells = &self.wide.row(row as usize)[..self.width];
        for (out, cells) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(cells.as_chunks::<LANES>().0) {
            *out = self.isa.load16(cells);
        }
    }

    #[inline(always)]
    fn step_row(&mut self, row: u32, gradient: &[f32]) {
        let cells = self.wide.row(row as usize).as_chunks::<LANES>().0;
        let buffer = &mut self.wide_buffer[..];
        for (out, cells) in buffer.as_chunks_mut::<LANES>().0.iter_mut().zip(cells) {
            *out = self.isa.load16(cells);
        }
        let (weights, state) = buffer.split_at_mut(self.width);
        self.rule.step_row(self.rate, weights, gradient, state);
        for (values, cells) in self.wide_buffer.as_chunks::<LANES>().0.iter().zip(cells) {
            self.isa.store16(*values, cells);
        }
    }
}

/// Cells of a wide row: weights, then state, each padded; 0 where a model has no wide rows.
pub(crate) fn wide_stride<R: UpdateRule>(width: usize) -> usize {
    if width == 0 { 0 } else { padded(width) + padded(R::row_state(padded(width))) }
}
