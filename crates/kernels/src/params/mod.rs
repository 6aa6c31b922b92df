//! The shared parameters: where they lie, how they are moved, and what a worker sees of them.
//!
//! [`Parameters`] are [tables](Table) of slots: a slot is one weight (a feature's) or a row of them (a user's factors), with the rule's
//! numbers beside. `layout` says how those lie in cells, `cells` is the memory. A worker's `view` reads slots where its `replica` has them;
//! its steps go to the cells at once (`step_now`, `step_row`) or to the sums of a batch (`sum`, `gradients`, `batch_step`).
//!
//! # Why there is no data race
//! Every shared number is an [`AtomicF32`](atomic_float::AtomicF32), loaded and stored `Relaxed`; a relaxed access is never a data
//! race. Nothing here lends out `&mut` to shared memory or claims `Sync` for a type that lacks it. What Hogwild! gives up is not
//! soundness but some updates: two workers that read, compute and store the same cell at once leave one of the two results.
//!
//! How cells are moved to and from vector registers: see [`simd`](crate::simd).
//!
//! # Memory ordering
//! `Relaxed` throughout: no worker draws a conclusion from one cell about another. Starting and joining the worker threads orders
//! everything before and after an epoch.
mod accrued;
mod averaged;
mod batch_step;
mod cells;
mod centre;
mod changes;
mod dense;
mod finish;
mod gradients;
mod kept;
mod layout;
mod learner;
mod parameters;
mod parts;
mod plain;
pub(crate) mod quads;
mod replica;
mod replicas;
mod slot;
mod step_now;
mod step_row;
#[cfg(test)]
mod step_row_tests;
mod sum;
mod table;
mod view;

use crate::simd::{Isa, LANES, Line, Real, Vector, copy, pairs};
pub(crate) use batch_step::Step;
pub(crate) use centre::{CentreEnd, Records, ReplicaEnd, VectorRange};
pub(crate) use changes::{Apply, Move, Owned, Section};
pub(crate) use dense::Dense;
pub use finish::Finish;
pub(crate) use gradients::{Gradients, Merge};
pub use layout::SlotWidth;
pub use parameters::{Parameters, Shape};
pub use parts::Parts;
pub use plain::Plain;
pub(crate) use replica::{Reads, Replica};
pub use replicas::Between;
pub(crate) use replicas::{SECTIONS, Side};
pub use slot::Slot;
pub(crate) use step_now::Stepping;
pub(crate) use sum::Summing;
pub use table::{Beside, Table, TableShape};
pub(crate) use view::{add_one_by_one, face_sum};

/// Where slots lie, for [`Weights`]: worked out, and asked for, some examples ahead.
pub trait Places<I: Isa> {
    /// What [`gather`](Weights::gather) is to be given for sixteen slots of one weight; lanes beyond the table are empty.
    fn place(&self, slots: I::U, places: &mut Line<u32>);
    /// Asks for the cells of a slot of `vectors` of weights, or, if that is 0, of as many as it has.
    fn prefetch_row(&self, place: u32, vectors: usize);
    /// How many of the most frequent slots of many weights are taken to be in a near cache.
    fn near_slots(&self) -> u32;
    /// The same of a slot of many weights by its number.
    fn prefetch_slot(&self, slot: u32, vectors: usize);
}

/// Whether a worker is compiled with what `transforms` does. The usual run is not: asking whether it is on took a tenth of a rating's time.
pub trait Transforming: Send + Sync + 'static {
    /// Whether it is.
    const ON: bool;
    /// Whether gradients are summed beside the weights, where the loop with everything asks whether they are.
    const ACCRUES: bool;
}

/// With everything.
pub struct FullLoop;
/// Without.
pub struct PlainLoop;
/// Without, but with sums of the gradients: of a row-wise rule.
pub struct AccruingLoop;

impl Transforming for FullLoop {
    const ON: bool = true;
    const ACCRUES: bool = false;
}

impl Transforming for PlainLoop {
    const ON: bool = false;
    const ACCRUES: bool = false;
}

impl Transforming for AccruingLoop {
    const ON: bool = false;
    const ACCRUES: bool = true;
}

/// All that a model may do with parameters.
///
/// Slots of one weight each (a feature's) go by sixteen. Slots of many (a user's factors) go one by one, with one more weight beside them
/// (a user's bias). A lane whose slot number is beyond the table, such as [`Slot::EMPTY`], holds nothing: what is read there is to be
/// multiplied by zero, and steps there are lost.
pub trait Weights {
    /// Sixteen numbers at a time: [`F32x16`](crate::simd::F32x16) in a user's own implementation.
    type V: Vector;
    /// Reads the weights of sixteen different slots, the example's block number `block`.
    fn gather(&mut self, block: usize, slots: &Line<u32>) -> Self::V;
    /// Applies the update rule to sixteen slots: those last gathered as block `block`. With `l1` each weight then takes a proximal step:
    /// it is drawn to 0 by `l1` times the rate of its step.
    fn step(&mut self, block: usize, slots: &Line<u32>, gradient: Self::V, l1: Option<Self::V>);
    /// The weight of one slot of a block, as [`gather`](Self::gather) reads them, where the others are of no use.
    #[inline(always)]
    fn gather_one(&mut self, block: usize, slots: &Line<u32>, lane: usize) -> f32 {
        let mut weights = [0.0; LANES];
        self.gather(block, slots).store(&mut weights);
        weights[lane]
    }
    /// The step of that slot alone.
    #[inline(always)]
    fn step_one(&mut self, block: usize, slots: &Line<u32>, lane: usize, gradient: f32) {
        let mut gradients = [0.0; LANES];
        gradients[lane] = gradient;
        self.step(block, slots, Self::V::load(&gradients), None);
    }
    /// Where a worker has a slot of many weights, by the place where all have it: for [`gather_weights`](Self::gather_weights) and the steps
    /// that follow.
    #[inline(always)]
    fn row_place(&self, place: u32) -> u32 {
        place
    }
    /// Where sixteen slots of many weights are, by the numbers of slots of one weight of which the first `first` have none: there are `rows`
    /// of them, `stride` places apart. Of others it gives a place of empty lanes.
    #[inline(always)]
    fn row_places(&self, slots: &Line<u32>, (first, rows, stride): (u32, u32, u32), places: &mut Line<u32>) {
        for i in 0..LANES {
            places.0[i] = self.row_place(slots.0[i].wrapping_sub(first).min(rows) * stride);
        }
    }
    /// Reads a slot of many weights; returns the weight beside them. `out` is as long as the slot, in vectors.
    fn gather_row(&mut self, slot: u32, out: &mut [Self::V]) -> f32;
    /// Reads the first `n` of some slots of many weights, one slot's vectors behind the other's, so many a slot. The weights beside go into
    /// `besides`, which is 0 in all other lanes.
    #[inline(always)]
    fn gather_rows(&mut self, (slots, n): (&Line<u32>, usize), (out, vectors): (&mut [Self::V], usize), besides: &mut Line<f32>) {
        *besides = Line([0.0; LANES]);
        for i in 0..n {
            besides.0[i] = self.gather_row(slots.0[i], &mut out[i * vectors..][..vectors]);
        }
    }
    /// Whether [`face`](Self::face) is the way to read blocks of rows: not where it takes whole rows for each of them, as it does by default.
    #[doc(hidden)]
    #[inline(always)]
    fn faces(&self) -> bool {
        false
    }
    /// Makes the places of slots of many weights what [`face`](Self::face) takes as those of others.
    #[doc(hidden)]
    #[inline(always)]
    fn face_places(&self, _places: &mut [Line<u32>]) {}
    /// What a slot of many weights faces of others: into quarter `q` of `to` go four weights of the slot at the `q`-th place of those, from
    /// number `first` on, a multiple of four, times the numbers at the same place of `factors`. Gives its product with the slot at `own`, and
    /// with itself, both still by lane. `to` and `room` are as long as a slot.
    #[doc(hidden)]
    #[inline(always)]
    fn face(
        &mut self,
        (own, first): (u32, usize),
        (places, factors): (&[Line<u32>], &[[f32; LANES]]),
        to: &mut [[f32; LANES]],
        room: &mut [Self::V],
    ) -> [Self::V; 2] {
        let mut line = [0.0; LANES];
        for (q, &place) in places.iter().flat_map(|places| &places.0).take(4 * to.len()).enumerate() {
            self.gather_weights(place, room);
            room[first / LANES].store(&mut line);
            copy(&line[first % LANES..][..4], &mut to[q / 4][q % 4 * 4..]);
        }
        self.gather_weights(own, room);
        let [mut product, mut square] = [Self::V::of(0.0); 2];
        for k in 0..to.len() {
            let faced = Self::V::load(&to[k]) * Self::V::load(&factors[k]);
            faced.store(&mut to[k]);
            (product, square) = (room[k].mul_add(faced, product), faced.mul_add(faced, square));
        }
        [product, square]
    }
    /// The same without the weight beside them.
    #[inline(always)]
    fn gather_weights(&mut self, slot: u32, out: &mut [Self::V]) {
        self.gather_row(slot, out);
    }
    /// Adds the weights of the first `n` of some slots, each times its factor, to two sums by turns: so no addition waits for the one
    /// before. In lanes beyond the slots' width the sums may be anything. `room` is as long as a slot.
    #[inline(always)]
    fn add_rows(&mut self, (slots, n): (&Line<u32>, usize), factors: &[f32; LANES], sums: [&mut [Self::V]; 2], room: &mut [Self::V]) {
        add_one_by_one(self, (slots, n), factors, sums, room, &mut [].chunks_exact_mut(1));
    }
    /// Replaces a slot of many weights, past the update rule; the weight beside them stays. For models that say where weights are to be, as by a
    /// projection.
    fn set_row(&mut self, slot: u32, row: &[Self::V]);
    /// What the step at hand multiplies gradients with, by a rule without state; 0 by a rule that does not tell.
    fn rate(&self) -> f32;
    /// Applies the update rule to a slot of many weights and to the weight beside them. `square` is the gradient's squared length (but for
    /// rounding, which may take it below 0), which row-wise rules go by.
    fn step_row(&mut self, slot: u32, gradient: &[Self::V], square: f32, beside: f32);
    /// The same for the first `n` of some slots, each with a gradient of its own: its factor times so many of `gradients`, one slot's behind
    /// the other's. `squares` are the squared lengths of what is multiplied, `besides` the gradients of the weights beside. `gradients` are
    /// only room afterwards. The slots from `n` on are to be [places](Self::row_places) of empty lanes.
    #[inline(always)]
    fn step_each(
        &mut self,
        (slots, n): (&Line<u32>, usize),
        factors: &[f32; LANES],
        (gradients, vectors): (&mut [Self::V], usize),
        squares: &Line<f32>,
        besides: Self::V,
    ) {
        let mut beside = [0.0; LANES];
        besides.store(&mut beside);
        for i in 0..n {
            let gradient = &mut gradients[i * vectors..][..vectors];
            for k in 0..vectors {
                gradient[k] = Self::V::of(factors[i]) * gradient[k];
            }
            self.step_row(slots.0[i], gradient, factors[i] * factors[i] * squares.0[i], beside[i]);
        }
    }
    /// The same for slots whose gradients are `x (sum - by x row)`: each of `rows` is what was read of a slot, each of `values` its `x`. The
    /// second of `rows` is room for a slot at least.
    #[inline(always)]
    fn step_against(
        &mut self,
        (slots, n): (&Line<u32>, usize),
        values: &[f32; LANES],
        (sum, by): (&[Self::V], f32),
        (rows, room): (&[Self::V], &mut [Self::V]),
        besides: Self::V,
    ) {
        let (mut beside, vectors) = ([0.0; LANES], sum.len());
        besides.store(&mut beside);
        for i in 0..n {
            let square = face_sum(values[i], (sum, by), &rows[i * vectors..][..vectors], &mut room[..vectors]);
            self.step_row(slots.0[i], &room[..vectors], values[i] * values[i] * square, beside[i]);
        }
    }
    /// The same as for one where the gradient is `gradient` times a factor, and `square` the squared length of what is multiplied; the weight beside
    /// stays. `room` is as long as a slot.
    #[inline(always)]
    fn step_row_times(&mut self, slot: u32, factor: f32, (gradient, square): (&[[f32; LANES]], f32), room: &mut [Self::V]) {
        for (to, g) in pairs(&mut *room, gradient) {
            *to = Self::V::of(factor) * Self::V::load(g);
        }
        self.step_row(slot, room, factor * factor * square, 0.0);
    }
    /// The same for the first `n` of some slots whose gradients are one vector, each times its factor; `square` is the squared length of
    /// that vector. The weights beside them stay. `singles`: where the slots of one weight with the same numbers lie, of which a row-wise rule
    /// may take the state in place of that of the rows. `room` is as long as a slot.
    #[inline(always)]
    fn step_rows(
        &mut self,
        (slots, n): (&Line<u32>, usize),
        _singles: &Line<u32>,
        factors: &[f32; LANES],
        (gradient, square): (&[Self::V], f32),
        room: &mut [Self::V],
    ) {
        for i in 0..n {
            for k in 0..gradient.len() {
                room[k] = Self::V::of(factors[i]) * gradient[k];
            }
            self.step_row(slots.0[i], room, factors[i] * factors[i] * square, 0.0);
        }
    }
}
