//! What a Hogwild! worker sees: the shared parameters, with the most frequent rows held privately.
//!
//! Zipf-distributed features make plain Hogwild! (Niu et al. 2011) stand still: every example touches the same few cache lines, and
//! two cores pass them back and forth. Rows are numbered by frequency, so the hot ones are a prefix: each worker has the first
//! `hot` rows in a private copy and, between blocks, adds what it changed to the shared array and takes over what others
//! did. The rest stays plain Hogwild!. `hot = 0` is the paper's algorithm.
//!
//! Reading happens in two phases: `gather` reads weights for the score, `step` reads weight and state again, applies the rule and stores
//! at once. Writing back what was gathered before the score would lose more of the other workers' updates. Where hardly anybody can
//! have written meanwhile (one worker, private rows, rows that are rare), what was gathered serves again: on two threads that saves a
//! tenth of the time.
#![allow(unsafe_code)]
mod hot;
mod wide;

use super::{
    Aiding, Parameters, Places, Weights,
    learner::{self, Learner},
    table::{first_private, stride, vectors},
};
use crate::{
    aids::Adjuster,
    rules::{Clock, Layout, State, UpdateRule},
    simd::{Integers, Isa, LANES, Line, MOST, Real, Vector},
};
use atomic_float::AtomicF32;
use std::{marker::PhantomData, sync::atomic::Ordering::Relaxed};

/// So many of the most frequent rows are taken to be in a near cache.
const NEAR: u32 = 4096;

pub struct Hogwild<'t, R: UpdateRule, I: Isa, A> {
    aiding: PhantomData<A>,
    isa: I,
    rule: R,
    step: R::Step,
    learner: Learner<R, I::V>,
    adjuster: Adjuster,
    /// The sums of weighted changes, laid out as the parameters; empty without averaging.
    sums: &'t [AtomicF32],
    wide_sums: &'t [[AtomicF32; LANES]],
    /// Room for a row's changed gradient.
    room: Vec<I::V>,
    /// One over the workers.
    part_of_all: f32,
    /// By cell of sixteen: 1 where state lies, 0 where a weight does.
    is_state: Line<f32>,
    /// The narrow cells.
    cells: &'t [AtomicF32],
    /// The wide cells.
    wide: &'t [[AtomicF32; LANES]],
    /// Vectors of a wide row.
    wide_stride: usize,
    /// How many narrow rows are shared, and how many of those are hot.
    rows: u32,
    hot: u32,
    /// The first private row, and the row for empty lanes.
    private: u32,
    nowhere: u32,
    /// Whether what was gathered for the score serves for the step too.
    reuse: bool,
    /// Weights of a wide row, and one over them.
    width: usize,
    part: f32,
    large: bool,
    /// The shared values when the private ones were last exchanged, by sixteen cells.
    base: Vec<Line<f32>>,
    /// Of the hottest sixteenth of the private rows, under rules that keep averages.
    trends: Vec<hot::Trend>,
    exchanges: usize,
    /// Weights and state by block of the present example.
    gathered: Vec<[I::V; MOST]>,
}

impl<'t, R: UpdateRule, I: Isa, A: Aiding> Hogwild<'t, R, I, A> {
    /// Cells a narrow row.
    const STRIDE: usize = stride::<R>();

    /// What worker number `worker` sees, going on from `memory`; `blocks`: the most that an example has.
    pub fn new(isa: I, rule: R, memory: R::Memory, adjuster: Adjuster, parameters: &'t Parameters, worker: usize, blocks: usize) -> Self {
        let shape = parameters.shape;
        assert!(worker < shape.workers && parameters.is_for(&Layout::of(&rule)), "parameters laid out for another rule");
        let private = first_private(&shape, worker) as u32;
        let nowhere = first_private(&shape, worker + 1) as u32 - 1;
        let hot_vectors = (shape.hot * Self::STRIDE).div_ceil(LANES);
        let mut view = Hogwild {
            aiding: PhantomData,
            isa,
            rule,
            step: rule.prepare(&Clock::default(), &memory),
            learner: Learner::new(memory),
            adjuster,
            sums: parameters.narrow_sums(),
            wide_sums: parameters.wide_sums(),
            room: vec![I::V::of(0.0); shape.width.div_ceil(LANES)],
            part_of_all: 1.0 / shape.workers as f32,
            is_state: Line(std::array::from_fn(|i| (i % Self::STRIDE > 0) as u8 as f32)),
            cells: parameters.narrow_cells(),
            wide: parameters.wide_vectors(),
            wide_stride: parameters.wide_place(1) as usize,
            rows: shape.narrow as u32,
            hot: shape.hot as u32,
            private,
            nowhere,
            reuse: shape.workers == 1 || shape.rare,
            width: shape.width,
            part: 1.0 / shape.width.max(1) as f32,
            large: shape.narrow > 1 << 19,
            exchanges: 0,
            base: vec![Line([0.0; LANES]); hot_vectors],
            trends: vec![hot::Trend::NONE; if rule.averages() { hot_vectors.div_ceil(16) } else { 0 }],
            gathered: vec![[I::V::of(0.0); MOST]; blocks],
        };
        view.take_over();
        view
    }

    /// Begins an example.
    #[inline(always)]
    pub fn begin(&mut self, clock: &Clock) {
        self.step = self.learner.prepare(&self.rule, clock);
        if A::ON {
            self.adjuster.begin(clock);
        }
    }

    /// Ends an example.
    #[inline(always)]
    pub fn end(&mut self) {
        self.learner.end(&self.rule);
    }

    /// Exchanges all hot rows and gives back what the rule has learnt.
    #[inline(always)]
    pub fn finish(mut self) -> R::Memory {
        self.exchange_first(self.base.len());
        self.learner.into_memory()
    }

    /// Places are of this view. They are taken from where the feed has put them some examples ago, and not copied: narrow loads from a line
    /// that was just stored whole wait for it (criteo on one thread: 5%).
    #[inline(always)]
    fn check(&self, places: &Line<u32>) {
        assert!(I::U::of(place::<R>(self.nowhere)).none_below(I::U::load(places)), "not places of this view");
    }

    /// What the rule has observed since the view was made, of rules that learn: for whoever has not called [`end`](Self::end).
    #[inline(always)]
    pub fn observed(&self) -> [f32; 2] {
        self.learner.sums()
    }

    /// A block's gradient after clipping and noise, which empty lanes do not get.
    #[inline(always)]
    fn adjusted(&mut self, places: &Line<u32>, gradient: I::V) -> I::V {
        let mut line = [0.0; LANES];
        gradient.store(&mut line);
        self.adjuster.adjust(&mut line);
        for (g, &place) in line.iter_mut().zip(&places.0) {
            if place == self::place::<R>(self.nowhere) {
                *g = 0.0;
            }
        }
        I::V::load(&line)
    }
}

impl<R: UpdateRule, I: Isa, A: Aiding> Places<I> for Hogwild<'_, R, I, A> {
    /// Hot ones in the private part, others where they are, empty lanes nowhere.
    #[inline(always)]
    fn place(&self, rows: I::U, places: &mut Line<u32>) {
        let all = I::U::of;
        let shared = rows.less(all(self.rows), rows, all(self.nowhere));
        let mut at = rows.less(all(self.hot), rows.plus(all(self.private)), shared);
        if Self::STRIDE > 2 {
            at = at.plus(at);
        }
        at.store(places);
        // The most frequent rows are near anyway.
        if self.large && !all(NEAR).none_below(rows) {
            self.isa.prefetch_rows(self.cells, places, Self::STRIDE);
        }
    }

    #[inline(always)]
    fn prefetch_wide(&self, place: u32, vectors: usize) {
        let vectors = if vectors > 0 { self::vectors(&self.rule, vectors) + 1 } else { self.wide_stride };
        for i in 0..vectors {
            self.isa.prefetch(self.wide.as_ptr().wrapping_add(place as usize + i));
        }
    }
}

/// A row's place, as `Isa::gather` counts: in units of two cells where a row has two or more.
#[inline(always)]
fn place<R: UpdateRule>(row: u32) -> u32 {
    row * (const { stride::<R>() } as u32).div_ceil(2)
}

/// How many cells a place counts.
#[inline(always)]
fn unit<R: UpdateRule>() -> usize {
    if const { stride::<R>() } == 1 { 1 } else { 2 }
}

/// A weight after a proximal step of L1: nearer to 0 by the threshold, and no further than 0.
#[inline(always)]
pub(crate) fn drawn_to_0<V: Real>(w: V, threshold: V) -> V {
    let zero = V::of(0.0);
    w.less(zero, zero.min(w + threshold), zero.max(w - threshold))
}

/// Stores a weight and adds what that changes, weighted, to the sum that its average comes from. By a swap: so the changes of all workers
/// add up to the weight's path, whatever step of another one is overwritten.
fn put(cell: &AtomicF32, w: f32, sum: &AtomicF32, weight: f32) {
    let before = cell.swap(w, Relaxed);
    sum.fetch_add(weight * (w - before), Relaxed);
}

/// The same for sixteen rows, with their state. Out of the inner loop's way: one number at a time.
#[cold]
#[inline(never)]
fn put_rows(cells: &[AtomicF32], sums: &[AtomicF32], rows: [usize; LANES], stride: usize, numbers: &[[f32; LANES]; MOST], weight: f32) {
    for (lane, row) in rows.into_iter().enumerate() {
        put(&cells[row], numbers[0][lane], &sums[row], weight);
        for k in 1..stride {
            cells[row + k].store(numbers[k][lane], Relaxed);
        }
    }
}

/// The same for sixteen neighbouring cells, of which every `stride`-th is a weight.
#[cold]
#[inline(never)]
fn put_cells(cells: &[AtomicF32; LANES], sums: &[AtomicF32; LANES], stride: usize, numbers: &[f32; LANES], weight: f32) {
    for (i, ((cell, sum), &x)) in cells.iter().zip(sums).zip(numbers).enumerate() {
        if i % stride == 0 { put(cell, x, sum, weight) } else { cell.store(x, Relaxed) }
    }
}

impl<R: UpdateRule, I: Isa, A: Aiding> Weights for Hogwild<'_, R, I, A> {
    type V = I::V;

    #[inline(always)]
    fn gather(&mut self, block: usize, places: &Line<u32>) -> I::V {
        self.check(places);
        // SAFETY: the places are within the table, as just seen; nobody else writes to the borrowed line.
        let gathered = unsafe { self.isa.gather(self.cells, places, Self::STRIDE) };
        self.gathered[block][..Self::STRIDE].copy_from_slice(&gathered[..Self::STRIDE]);
        if self.rule.reads() { self.rule.read(&self.step, gathered[0], &state_of::<R, _>(&gathered[1..])) } else { gathered[0] }
    }

    #[inline(always)]
    fn step(&mut self, block: usize, places: &Line<u32>, mut gradient: I::V, l1: Option<I::V>) {
        if A::ON && self.adjuster.active {
            gradient = self.adjusted(places, gradient);
        }
        self.check(places);
        let mut cells = [I::V::of(0.0); MOST];
        if self.reuse || I::U::load(places).none_below(I::U::of(place::<R>(self.private))) {
            cells[..Self::STRIDE].copy_from_slice(&self.gathered[block][..Self::STRIDE]);
        } else {
            // SAFETY: the places are within the table, as just seen.
            cells = unsafe { self.isa.gather(self.cells, places, Self::STRIDE) };
        }
        let mut state = state_of::<R, _>(&cells[1..]);
        let (w, observed) = learner::step(&self.rule, &self.step, cells[0], gradient, &mut state);
        cells[0] = w;
        self.learner.observed().add(&self.rule, observed);
        if let Some(l1) = l1 {
            cells[0] = drawn_to_0(cells[0], self.rule.rate(&self.step, &state) * l1);
        }
        let state = state.as_ref();
        cells[1..][..state.len()].copy_from_slice(state);
        if A::ON && !self.sums.is_empty() {
            let mut numbers = [[0.0; LANES]; MOST];
            for (to, from) in numbers.iter_mut().zip(cells) {
                from.store(to);
            }
            let rows = places.0.map(|place| place as usize * unit::<R>());
            return put_rows(self.cells, self.sums, rows, Self::STRIDE, &numbers, self.adjuster.weight_of_now);
        }
        // SAFETY: as for the gather.
        unsafe { self.isa.scatter(cells, self.cells, places, Self::STRIDE) };
    }

    #[inline(always)]
    fn gather_row(&mut self, row: u32, out: &mut [I::V]) -> f32 {
        let (cells, tail) = self.wide_row(row, out.len());
        let n = out.len();
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.isa.load(&cells[i]);
            if self.rule.reads() {
                *out = self.rule.read(&self.step, *out, &wide::wide_state::<R, I>(self.isa, cells, n, i));
            }
        }
        let beside = tail[0].load(Relaxed);
        if self.rule.reads() { self.rule.read(&self.step, beside, &load_state::<R>(&tail[1..])) } else { beside }
    }

    #[inline(always)]
    fn step_row(&mut self, row: u32, gradient: &[I::V], square: f32, beside: f32) {
        if A::ON && self.adjuster.active {
            self.step_row_adjusted(row, gradient, beside);
        } else {
            self.step_row_as_is(row, gradient, square, beside);
        }
    }
}

/// The first numbers as a rule's state.
#[inline(always)]
pub(crate) fn state_of<R: UpdateRule, V: Vector>(numbers: &[V]) -> R::State<V> {
    let mut state = R::State::splat(V::of(0.0));
    let n = state.as_ref().len();
    state.as_mut().copy_from_slice(&numbers[..n]);
    state
}

#[inline(always)]
pub(crate) fn load_state<R: UpdateRule>(cells: &[AtomicF32]) -> R::State<f32> {
    let mut state = R::State::<f32>::splat(0.0);
    for (s, cell) in state.as_mut().iter_mut().zip(cells) {
        *s = cell.load(Relaxed);
    }
    state
}

#[inline(always)]
fn store_state<R: UpdateRule>(state: R::State<f32>, cells: &[AtomicF32]) {
    for (&s, cell) in state.as_ref().iter().zip(cells) {
        cell.store(s, Relaxed);
    }
}
