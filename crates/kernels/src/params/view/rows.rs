//! Slots of many weights as a worker reads them: a row of vectors, and a tail with the weight beside and the states that are one a row.
//!
//! The tail is a vector behind the weights and their state, or the second half of the last one where the slot is packed.
use super::Reading;
use crate::{
    params::layout::{self, HALF, NEAR_STATE, vectors},
    rules::UpdateRule,
    simd::{Integers, Isa, LANES, Line, MOST, Real},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// Pairs of cells of a vector.
pub(super) const PAIRS: u32 = LANES as u32 / 2;

impl<'t, R: UpdateRule, I: Isa> Reading<'t, R, I> {
    /// The cells of a slot of `n` vectors of weights, and its tail.
    #[inline(always)]
    pub fn row(&self, place: u32, n: usize) -> (&'t [[AtomicF32; LANES]], &'t [AtomicF32]) {
        let n = vectors(&self.rule, n);
        assert!(n > 0 && place <= self.last_row && n + self.behind == self.row_stride, "no place of such a slot");
        // SAFETY: as many vectors as a slot has lie from the last place on, as `new` has seen (without rows there is no place, as no slot has 0 vectors), and its tail is the last half
        // of them or more.
        // (With checked slices a feature of a factorization machine took 20 instructions more.)
        unsafe {
            let row = self.rows.get_unchecked(place as usize..place as usize + n);
            let first = place as usize * LANES + self.tail(n);
            (row, self.row_cells.get_unchecked(first..first + HALF))
        }
    }

    /// Sees that all of sixteen places are those of slots of `n` vectors of weights.
    #[inline(always)]
    pub fn check_rows(&self, places: &Line<u32>, n: usize) {
        let n = vectors(&self.rule, n);
        let are_places = I::U::of(self.last_row).none_below(I::U::load(places));
        assert!(n > 0 && are_places && n + self.behind == self.row_stride, "no places of such slots");
    }

    /// The weights of a slot of `n` vectors of them.
    ///
    /// # Safety
    /// The place is one of those that [`check_rows`](Self::check_rows) has seen for as many vectors.
    #[inline(always)]
    pub unsafe fn weights_at(&self, place: u32, n: usize) -> &'t [[AtomicF32; LANES]] {
        // SAFETY: as many vectors as a slot has lie from the last place on, as `new` has seen, and `n` is no more than those.
        unsafe { self.rows.get_unchecked(place as usize..place as usize + n) }
    }

    /// Adds the weights of the first `n` of sixteen slots, each times its factor, to two sums by turns. What lies behind the weights in the
    /// last vector of a packed slot comes with them.
    #[inline(always)]
    pub fn add_rows(&self, (places, n): (&Line<u32>, usize), factors: &[f32; LANES], [even, odd]: [&mut [I::V]; 2]) {
        self.check_rows(places, even.len());
        let vectors = even.len();
        let mut i = 0;
        while i < n {
            // SAFETY: the place was just checked.
            let (cells, factor) = (unsafe { self.weights_at(places.0[i], vectors) }, I::V::of(factors[i]));
            for k in 0..vectors {
                even[k] = self.isa.load(&cells[k]).mul_add(factor, even[k]);
            }
            i += 1;
            if i == n {
                break;
            }
            // SAFETY: as above.
            let (cells, factor) = (unsafe { self.weights_at(places.0[i], vectors) }, I::V::of(factors[i]));
            for k in 0..vectors {
                odd[k] = self.isa.load(&cells[k]).mul_add(factor, odd[k]);
            }
            i += 1;
        }
    }

    /// The vector behind the `n` of weights and state, of a slot that is not packed.
    #[inline(always)]
    pub fn vector_behind(&self, place: u32, n: usize) -> &'t [AtomicF32; LANES] {
        assert!(self.behind == 1, "a packed slot has none");
        &self.rows[place as usize + vectors(&self.rule, n)]
    }

    /// Where the weight beside lies, of a slot with so many vectors of weights and state.
    #[inline(always)]
    fn tail(&self, vectors: usize) -> usize {
        vectors * LANES - (1 - self.behind) * HALF
    }

    /// Of what is laid out as a row of `n` vectors under a row-wise rule: the cell beside the weights.
    #[inline(always)]
    pub fn beside<'s>(&self, row: &'s [[AtomicF32; LANES]], n: usize) -> Option<&'s AtomicF32> {
        row.get(self.tail(n) / LANES).map(|vector| &vector[self.tail(n) % LANES])
    }

    /// Whether 32-bit numbers tell all pairs of cells of slots of many weights, and the states of such a slot are near.
    #[inline(always)]
    pub fn has_near_states(&self) -> bool {
        self.row_state == NEAR_STATE && self.pairs_are_numbered()
    }

    /// Whether 32-bit numbers tell all pairs of cells of slots of many weights.
    #[inline(always)]
    pub fn pairs_are_numbered(&self) -> bool {
        self.rows.len() <= u32::MAX as usize / PAIRS as usize
    }

    /// The numbers of the pairs of cells where the weights beside sixteen rows of `n` vectors lie: of places that
    /// [`check_rows`](Self::check_rows) has seen, where states are [near](Self::has_near_states).
    #[inline(always)]
    pub fn tails(&self, places: &Line<u32>, n: usize) -> Line<u32> {
        let (mut tails, first) = (Line([0; LANES]), self.tail(n) as u32 / 2);
        I::U::load(places).times(I::U::of(PAIRS)).plus(I::U::of(first)).store(&mut tails);
        tails
    }

    /// Weights beside, their states, and those of rows; and what is behind them.
    #[inline(always)]
    pub fn load_tails(&self, tails: &Line<u32>) -> [I::V; MOST] {
        self.check_tails(tails);
        // SAFETY: four cells each, which are within the table, as just seen.
        unsafe { self.isa.gather(self.row_cells, tails, MOST) }
    }

    /// Stores them.
    #[inline(always)]
    pub fn store_tails(&self, tails: &Line<u32>, numbers: [I::V; MOST]) {
        self.check_tails(tails);
        // SAFETY: as above.
        unsafe { self.isa.scatter(numbers, self.row_cells, tails, MOST) }
    }

    #[inline(always)]
    fn check_tails(&self, tails: &Line<u32>) {
        // The last pair of the table but one. That there is a table, and that no number of a pair went beyond 32 bits, is what `check_rows` of
        // the places and `has_near_states` say.
        let last = (self.last_row_cell / 2).saturating_sub(1);
        assert!(I::U::of(last).none_below(I::U::load(tails)), "not places of this view");
    }

    /// The weights of the first `n` of sixteen slots, one slot's vectors behind the other's, and the weights beside; 0 for other lanes.
    #[inline(always)]
    pub fn gather_rows(&self, (places, n): (&Line<u32>, usize), (out, vectors): (&mut [I::V], usize), besides: &mut Line<f32>) {
        self.check_rows(places, vectors);
        *besides = Line([0.0; LANES]);
        let (tail, of_last) =
            (self.tail(layout::vectors(&self.rule, vectors)), if self.is_packed() { self.of_weights } else { I::V::of(1.0) });
        for i in 0..n {
            // SAFETY: the place was just checked, and the tail is in the slot's last vector.
            let (cells, beside) = unsafe {
                let first = places.0[i] as usize * LANES;
                (self.weights_at(places.0[i], vectors), self.row_cells.get_unchecked(first + tail))
            };
            let row = &mut out[i * vectors..][..vectors];
            for k in 0..vectors {
                let weights = self.isa.load(&cells[k]);
                row[k] = if k + 1 == vectors { weights * of_last } else { weights };
            }
            besides.0[i] = beside.load(Relaxed);
        }
    }

    /// Whether the weight beside and the states of a slot lie in its last vector of weights.
    #[inline(always)]
    pub fn is_packed(&self) -> bool {
        self.behind == 0
    }

    /// A slot's last vector of weights, without what lies behind them in a packed one.
    #[inline(always)]
    pub(super) fn last_weights(&self, weights: I::V) -> I::V {
        if self.is_packed() { weights * self.of_weights } else { weights }
    }
}
