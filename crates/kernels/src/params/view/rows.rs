//! Slots of many weights as a worker reads them: a row of vectors, and a tail with the weight beside and the states that are one a row.
//!
//! The tail is a vector behind the weights and their state, or the second half of the last one where the slot is packed.
use super::Reading;
use crate::{
    params::layout::{HALF, ROW_STATE, vectors},
    rules::UpdateRule,
    simd::{Integers, Isa, LANES, Line, MOST, Real},
};
use atomic_float::AtomicF32;

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

    /// Whether 32-bit numbers tell all cells of slots of many weights.
    #[inline(always)]
    pub fn row_cells_are_numbered(&self) -> bool {
        self.rows.len() <= (u32::MAX as usize + 1) / LANES
    }

    /// Of sixteen rows of `n` vectors under a row-wise rule with one number of state: the numbers of the cells where the weights beside and
    /// the rows' states lie.
    #[inline(always)]
    pub fn tails(&self, places: &Line<u32>, n: usize) -> [Line<u32>; 2] {
        let tail = self.tail(n) as u32;
        let [mut besides, mut states] = [Line([0; LANES]); 2];
        for i in 0..LANES {
            let first = places.0[i].wrapping_mul(LANES as u32).wrapping_add(tail);
            // Behind the weight beside lies its state: places of such pairs count two cells.
            (besides.0[i], states.0[i]) = (first / 2, first + ROW_STATE as u32);
        }
        [besides, states]
    }

    /// Weights beside with their states, and states of rows.
    #[inline(always)]
    pub fn load_tails(&self, [besides, states]: &[Line<u32>; 2]) -> [[I::V; MOST]; 2] {
        self.check_tails([besides, states]);
        // SAFETY: pairs of cells, and single ones, which are within the table, as just seen.
        unsafe { [self.isa.gather(self.row_cells, besides, 2), self.isa.gather(self.row_cells, states, 1)] }
    }

    /// Stores them.
    #[inline(always)]
    pub fn store_tails(&self, [besides, states]: &[Line<u32>; 2], numbers: [[I::V; MOST]; 2]) {
        self.check_tails([besides, states]);
        // SAFETY: as above.
        unsafe {
            self.isa.scatter(numbers[0], self.row_cells, besides, 2);
            self.isa.scatter(numbers[1], self.row_cells, states, 1);
        }
    }

    #[inline(always)]
    fn check_tails(&self, [besides, states]: [&Line<u32>; 2]) {
        // The last cell of a whole vector has an odd number, so a pair below it is whole. Without rows it is 0, and a state has at least the
        // number of `ROW_STATE`.
        let last = self.last_row_cell;
        assert!(
            I::U::of(last / 2).none_below(I::U::load(besides)) && I::U::of(last).none_below(I::U::load(states)),
            "not places of this view"
        );
    }

    /// A slot's last vector of weights, without what lies behind them in a packed one.
    #[inline(always)]
    pub(super) fn last_weights(&self, weights: I::V) -> I::V {
        if self.behind == 0 { weights * self.of_weights } else { weights }
    }
}
