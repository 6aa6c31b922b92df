//! Rows of factors as they lie while four ratings at a time step them, under a row-wise rule with one number of state.
//!
//! The first four cells of a row's last vector are `[weight beside, squared length of the row, its state, the row's state]`, where `its` is
//! of the weight beside: one move of sixteen bytes has all that a rating needs of a row but its factors. The squared length is kept as
//! factors move, which saves two of three sums a rating; it is summed anew before the row's first turn of each epoch, so that rounding does
//! not add up.
#![allow(unsafe_code)]
use super::{Parameters, layout::ROW_STATE};
use crate::{
    models::Width,
    rules::Layout,
    simd::{Isa, LANES, Real, Vector},
};
use atomic_float::AtomicF32;
use std::{marker::PhantomData, ops::Range, sync::atomic::Ordering::Relaxed};

/// The rows of a task's parameters.
#[derive(Clone, Copy)]
pub(crate) struct QuadRows<'t, W> {
    rows: &'t [[AtomicF32; LANES]],
    /// Vectors of factors in a row: as many as the width says, if it does.
    vectors: usize,
    width: PhantomData<W>,
}

/// A row: its vectors of factors lie from here on, and one more behind them.
#[derive(Clone, Copy)]
pub(crate) struct RowAt<'t, W> {
    /// Into the whole row: what is read behind the first vector is of the same borrow.
    first: *const AtomicF32,
    vectors: usize,
    width: PhantomData<(&'t [AtomicF32], W)>,
}

impl<'t, W: Width> QuadRows<'t, W> {
    /// # Panics
    /// When the parameters are laid out for another rule, or have no rows of this width.
    pub fn new(parameters: &'t Parameters, rule: &Layout) -> Self {
        assert!(parameters.is_for(rule) && rule.rowwise && rule.state == 1, "parameters laid out for another rule");
        let table = parameters.row().map(|number| parameters.table(number)).expect("a model of ratings has rows");
        let vectors = table.layout.stride / LANES - 1;
        assert!(W::VECTORS == 0 || W::VECTORS == vectors, "rows of another width");
        QuadRows { rows: table.cells().as_chunks().0, vectors, width: PhantomData }
    }

    /// Vectors of factors in a row.
    #[inline(always)]
    pub fn vectors(&self) -> usize {
        if W::VECTORS > 0 { W::VECTORS } else { self.vectors }
    }

    /// The row at a place.
    #[inline(always)]
    pub fn row(&self, place: u32) -> RowAt<'t, W> {
        let row = &self.rows[place as usize..place as usize + self.vectors() + 1];
        RowAt { first: row.as_ptr().cast(), vectors: self.vectors, width: PhantomData }
    }

    /// Makes rows ready for their first turn of an epoch: those at these places, which nobody else has at hand. `first`: of the run's first
    /// epoch, before which numbers lie as all else has them.
    #[inline(always)]
    pub fn prepare<I: Isa>(&self, isa: I, places: Range<u32>, first: bool) {
        for row in self.rows[places.start as usize..places.end as usize].chunks_exact(self.vectors() + 1) {
            let (factors, last) = row.split_at(self.vectors());
            let mut squares = I::V::of(0.0);
            for vector in factors {
                let vector = isa.load(vector);
                squares = vector.mul_add(vector, squares);
            }
            let tail = &last[0];
            if first {
                tail[3].store(tail[ROW_STATE].load(Relaxed), Relaxed);
                tail[2].store(tail[1].load(Relaxed), Relaxed);
            }
            tail[1].store(squares.sum(), Relaxed);
        }
    }
}

impl<W: Width> RowAt<'_, W> {
    #[inline(always)]
    fn vectors(&self) -> usize {
        if W::VECTORS > 0 { W::VECTORS } else { self.vectors }
    }

    /// Where vector `i` of the row begins, the one behind the factors included. Where the width is known, so is `i` to the compiler, and no
    /// check is left: with checked slices a rating took 85 instructions instead of 60.
    #[inline(always)]
    fn vector(&self, i: usize) -> *const AtomicF32 {
        assert!(i <= self.vectors(), "no such vector of a row");
        self.first.wrapping_add(i * LANES)
    }

    /// Loads a vector of factors.
    #[inline(always)]
    pub fn load<I: Isa>(&self, isa: I, i: usize) -> I::V {
        // SAFETY: `QuadRows::row` has seen that as many vectors as the row has lie behind the first, in the slice that is borrowed.
        unsafe {
            match i {
                1 if W::VECTORS > 1 => isa.load_behind::<{ VECTOR }>(self.first),
                _ => isa.load_behind::<0>(self.vector(i)),
            }
        }
    }

    /// Stores a vector of factors.
    #[inline(always)]
    pub fn store<I: Isa>(&self, isa: I, i: usize, values: I::V) {
        // SAFETY: as above.
        unsafe {
            match i {
                1 if W::VECTORS > 1 => isa.store_behind::<{ VECTOR }>(values, self.first),
                _ => isa.store_behind::<0>(values, self.vector(i)),
            }
        }
    }
}

#[cfg(test)]
impl<W: Width> RowAt<'_, W> {
    /// As it is kept.
    pub fn squared_length(&self) -> f32 {
        // SAFETY: as above.
        unsafe { &*self.vector(self.vectors()).add(1) }.load(Relaxed)
    }
}

/// Bytes of a vector.
const VECTOR: usize = LANES * size_of::<f32>();

/// What of four rows is no factor.
#[inline(always)]
pub(crate) fn load_tails<I: Isa, W: Width>(isa: I, [a, b, c, d]: [RowAt<'_, W>; 4]) -> I::V {
    // SAFETY: as in `RowAt::load`.
    unsafe {
        match W::VECTORS {
            2 => isa.load_quarters::<{ 2 * VECTOR }>([a.vector(0), b.vector(0), c.vector(0), d.vector(0)]),
            _ => {
                let n = a.vectors();
                isa.load_quarters::<0>([a.vector(n), b.vector(n), c.vector(n), d.vector(n)])
            }
        }
    }
}

/// Stores it.
#[inline(always)]
pub(crate) fn store_tails<I: Isa, W: Width>(isa: I, values: I::V, [a, b, c, d]: [RowAt<'_, W>; 4]) {
    // SAFETY: as in `RowAt::load`.
    unsafe {
        match W::VECTORS {
            2 => isa.store_quarters::<{ 2 * VECTOR }>(values, [a.vector(0), b.vector(0), c.vector(0), d.vector(0)]),
            _ => {
                let n = a.vectors();
                isa.store_quarters::<0>(values, [a.vector(n), b.vector(n), c.vector(n), d.vector(n)])
            }
        }
    }
}
