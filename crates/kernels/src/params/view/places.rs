//! Where slots lie as a worker has them, and how they are asked for ahead of their turn.
use super::View;
use crate::{
    params::{Places, layout},
    rules::UpdateRule,
    simd::{Integers, Isa, Line},
};

/// So many of the most frequent slots are taken to be in a near cache.
const NEAR: u32 = 4096;

impl<R: UpdateRule, I: Isa, S> Places<I> for View<'_, R, I, S> {
    /// Held slots in the private copy, others where they are, empty lanes in the scratch slot.
    #[inline(always)]
    fn place(&self, slots: I::U, places: &mut Line<u32>) {
        let mut at = self.read.reads.lie(slots);
        if self.read.stride() > 2 {
            at = at.plus(at);
        }
        at.store(places);
        // The most frequent ones are near anyway.
        if self.read.large && !I::U::of(NEAR).none_below(slots) {
            self.read.isa.prefetch_rows(self.read.cells, places, self.read.stride());
        }
    }

    #[inline(always)]
    fn prefetch_row(&self, place: u32, vectors: usize) {
        let vectors = if vectors > 0 { layout::vectors(&self.read.rule, vectors) + self.read.behind } else { self.read.row_stride };
        for i in 0..vectors {
            self.read.isa.prefetch(self.read.rows.as_ptr().wrapping_add(place as usize + i));
        }
    }

    #[inline(always)]
    fn near_slots(&self) -> u32 {
        self.read.near
    }

    #[inline(always)]
    fn prefetch_slot(&self, slot: u32, vectors: usize) {
        let first = slot as usize * self.read.row_stride;
        if first >= self.read.rows.len() {
            return; // a feature without a row
        }
        for i in 0..if vectors > 0 { vectors } else { self.read.row_stride } {
            self.read.isa.prefetch(self.read.rows.as_ptr().wrapping_add(first + i));
        }
    }
}
