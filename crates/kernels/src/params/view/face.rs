//! What a row of blocks meets: of each of many rows the block that is for it, side by side as one row.
//!
//! Field-aware factors are such rows. The blocks are read where they lie, four to a vector: to copy whole rows first, and to take blocks out of
//! the copies, took longer than all else.
use super::{Reading, rows::PAIRS};
use crate::{
    rules::UpdateRule,
    simd::{Integers, Isa, LANES, Line, Real, Vector},
};

/// Weights of a quarter of a vector.
const QUARTER: usize = LANES / 4;

impl<R: UpdateRule, I: Isa> Reading<'_, R, I> {
    /// See [`Weights::faces`](crate::params::Weights::faces): not where weights are worked out from a state, or states lie among them.
    #[inline(always)]
    pub fn faces(&self) -> bool {
        !self.rule.reads() && !self.rule.revises() && !self.is_packed() && self.pairs_are_numbered()
    }

    /// See [`Weights::face_places`](crate::params::Weights::face_places): places count pairs of cells then.
    #[inline(always)]
    pub fn face_places(&self, places: &mut [Line<u32>]) {
        for line in places {
            I::U::load(line).times(I::U::of(PAIRS)).store(line);
        }
    }

    /// See [`Weights::face`](crate::params::Weights::face).
    #[inline(always)]
    pub fn face(
        &self,
        (own, first): (u32, usize),
        (places, factors): (&[Line<u32>], &[[f32; LANES]]),
        to: &mut [[f32; LANES]],
    ) -> [I::V; 2] {
        let (vectors, row) = (to.len(), self.row(own, to.len()).0);
        let last = I::U::of(self.last_row.saturating_mul(PAIRS));
        let mut are_places = self.pairs_are_numbered() && first + QUARTER <= vectors * LANES;
        for line in places {
            are_places &= last.none_below(I::U::load(line));
        }
        assert!(are_places && factors.len() == vectors && places.len() * 4 >= vectors, "no places of such slots");
        let blocks = self.row_cells[first..].as_ptr();
        let [mut product, mut square] = [I::V::of(0.0); 2];
        for k in 0..vectors {
            let at = &places[k / 4].0.as_chunks().0[k % 4];
            // SAFETY: each place is one of a slot, as just seen, and a block is within it.
            let faced = unsafe { self.isa.load_blocks(blocks, at) } * I::V::load(&factors[k]);
            faced.store(&mut to[k]);
            product = self.isa.load(&row[k]).mul_add(faced, product);
            square = faced.mul_add(faced, square);
        }
        [product, square]
    }
}
