//! What a Hogwild! worker sees: the shared parameters, with the most frequent rows held privately.
//!
//! Zipf-distributed features make plain Hogwild! (Niu et al. 2011) stand still: every example touches the same few cache lines, and
//! two cores pass them back and forth. Rows are numbered by frequency, so the hot ones are a prefix: each worker has the first
//! `hot` rows in a private copy and, between blocks, adds what it changed to the shared array and takes over what others
//! did. The rest stays plain Hogwild!. `hot = 0` is the paper's algorithm.
//!
//! Reading happens in two phases: `gather` reads weights for the score, `step` reads weight and state again, applies the rule and stores
//! at once. Writing back what was gathered before the score would lose more of the other workers' updates. Where nobody else can
//! have written meanwhile (one worker, or a block of private rows), what was gathered serves again.
#![allow(unsafe_code)]
use super::{
    Integers, Isa, LANES, Line, MOST, Parameters, Real, Vector, Weights,
    table::{ROW_STATE, first_private, stride, vectors},
};
use crate::rules::{Clock, State, UpdateRule};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// So many of the most frequent rows are taken to be in a near cache.
const NEAR: u32 = 4096;

pub(crate) struct Hogwild<'t, R: UpdateRule, I: Isa> {
    isa: I,
    rule: R,
    step: R::Step,
    memory: R::Memory,
    /// Sums of what the rule observes of the example at hand.
    observed: [I::V; 2],
    /// One over the workers.
    part_of_all: f32,
    /// By cell of sixteen: what part of a private change goes into the shared numbers.
    share: Line<f32>,
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
    alone: bool,
    /// One over the weights of a wide row.
    part: f32,
    large: bool,
    /// The shared values when the private ones were last exchanged, by sixteen cells.
    base: Vec<Line<f32>>,
    exchanges: usize,
    /// By block of the present example.
    places: Vec<Line<u32>>,
    gathered: Vec<[I::V; MOST]>,
}

impl<'t, R: UpdateRule, I: Isa> Hogwild<'t, R, I> {
    /// Cells a narrow row.
    const STRIDE: usize = stride::<R>();

    /// What worker number `worker` sees, going on from `memory`; `blocks`: the most that an example has.
    pub fn new(isa: I, rule: R, memory: R::Memory, parameters: &'t Parameters, worker: usize, blocks: usize) -> Self {
        let shape = parameters.shape;
        assert!(worker < shape.workers && parameters.is_for::<R>(), "parameters laid out for another rule");
        let private = first_private(&shape, worker) as u32;
        let nowhere = first_private(&shape, worker + 1) as u32 - 1;
        let mut view = Hogwild {
            isa,
            rule,
            step: rule.prepare(&Clock::default(), &memory),
            memory,
            observed: [I::V::of(0.0); 2],
            part_of_all: 1.0 / shape.workers as f32,
            share: Line(std::array::from_fn(|i| if R::AVERAGES && i % Self::STRIDE > 0 { 1.0 / shape.workers as f32 } else { 1.0 })),
            cells: parameters.narrow_cells(),
            wide: parameters.wide_vectors(),
            wide_stride: parameters.wide_place(1) as usize,
            rows: shape.narrow as u32,
            hot: shape.hot as u32,
            private,
            nowhere,
            alone: shape.workers == 1,
            part: 1.0 / shape.width.max(1) as f32,
            large: shape.narrow > 1 << 19,
            exchanges: 0,
            base: vec![Line([0.0; LANES]); (shape.hot * Self::STRIDE).div_ceil(LANES)],
            places: vec![Line([place::<R>(nowhere); LANES]); blocks],
            gathered: vec![[I::V::of(0.0); MOST]; blocks],
        };
        view.take_over();
        view
    }

    /// Shared cells, private cells and base, by sixteen. The last sixteen may reach beyond the hot rows: into rows that the shared
    /// array has anyway and that the private part has as padding.
    #[inline(always)]
    fn hot_cells(&self) -> (&'t [[AtomicF32; LANES]], &'t [[AtomicF32; LANES]]) {
        let private = &self.cells[self.private as usize * Self::STRIDE..];
        (self.cells.as_chunks().0, private.as_chunks().0)
    }

    /// Begins an example.
    #[inline(always)]
    pub fn begin(&mut self, clock: &Clock) {
        self.step = self.rule.prepare(clock, &self.memory);
    }

    /// Ends an example.
    #[inline(always)]
    pub fn end(&mut self) {
        if R::LEARNS {
            self.rule.learn(&mut self.memory, std::mem::replace(&mut self.observed, [I::V::of(0.0); 2]).map(I::V::sum));
        }
    }

    /// Exchanges all hot rows and gives back what the rule has learnt.
    #[inline(always)]
    pub fn finish(mut self) -> R::Memory {
        self.exchange_first(self.base.len());
        self.memory
    }

    #[inline(always)]
    fn step_vector(rule: &R, step: &R::Step, observed: &mut [I::V; 2], w: I::V, g: I::V, state: &mut R::State<I::V>) -> I::V {
        let before = *state;
        let w = rule.step(step, w, g, state);
        if R::LEARNS {
            let [a, b] = rule.observe(g, &before, state);
            *observed = [observed[0] + a, observed[1] + b];
        }
        w
    }

    #[inline(always)]
    fn step_number(&mut self, w: f32, g: f32, state: &mut R::State<f32>) -> f32 {
        let before = *state;
        let w = self.rule.step(&self.step, w, g, state);
        if R::LEARNS {
            // One lane of many.
            for (sum, x) in self.observed.iter_mut().zip(self.rule.observe(g, &before, state)) {
                *sum = *sum + I::V::of(x / LANES as f32);
            }
        }
        w
    }

    /// Starts from the shared values.
    fn take_over(&mut self) {
        let (shared, private) = self.hot_cells();
        for (base, (shared, private)) in self.base.iter_mut().zip(shared.iter().zip(private)) {
            let now = self.isa.load(shared);
            self.isa.store(now, private);
            now.store(&mut base.0);
        }
    }

    /// Called between blocks. What staleness costs goes with the updates missed, and those get fewer with rank: so the hottest
    /// sixteenth is exchanged every time, a quarter every fourth time, all every sixteenth. Exchanging 1,024 rows every time
    /// instead, and keeping no more private, was a sixth slower (imdb_1gram, two threads: .88 ns a nonzero against .75).
    #[inline(always)]
    pub fn exchange(&mut self) {
        self.exchanges += 1;
        let part = match self.exchanges {
            n if n.is_multiple_of(16) => 1,
            n if n.is_multiple_of(4) => 4,
            _ => 16,
        };
        self.exchange_first(self.base.len().div_ceil(part));
    }

    /// Hands private changes to the shared array and takes over the changes of others. Changes of weights and sums add up; averages
    /// move a worker's part of the way to its own: their changes' sum would overshoot, and with many workers explode. So do weights of
    /// the hottest rows under rules whose steps do not shrink: between two exchanges each worker takes them all the way to where it wants them.
    #[inline(always)]
    fn exchange_first(&mut self, n: usize) {
        let (usual, hottest) = (I::V::load(&self.share.0), self.base.len().div_ceil(16));
        let (shared, private) = self.hot_cells();
        for (i, (base, (shared, private))) in self.base[..n].iter_mut().zip(shared.iter().zip(private)).enumerate() {
            let share = if R::AVERAGES && i < hottest { I::V::of(self.part_of_all) } else { usual };
            let (mine, mut before, now) = (self.isa.load(private), I::V::load(&base.0), self.isa.load(shared));
            if R::AVERAGES {
                before = share.less(I::V::of(1.0), now, before);
            }
            let change = mine - before;
            let now = share.mul_add(change, now);
            if change.abs().sum() != 0.0 {
                self.isa.store(now, shared);
            }
            self.isa.store(now, private);
            now.store(&mut base.0);
        }
    }

    /// Where sixteen rows lie, for [`gather`](Weights::gather): hot ones in the private part, others where they are, empty lanes
    /// nowhere. Worked out, and asked for, some examples ahead.
    #[inline(always)]
    pub fn place(&self, rows: I::U, places: &mut Line<u32>) {
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

    /// Asks for the cells of a wide row of `vectors` of weights, or, if that is 0, of as many as it has.
    #[inline(always)]
    pub fn prefetch_wide(&self, place: u32, vectors: usize) {
        let vectors = if vectors > 0 { self::vectors::<R>(vectors) + 1 } else { self.wide_stride };
        for i in 0..vectors {
            self.isa.prefetch(self.wide.as_ptr().wrapping_add(place as usize + i));
        }
    }

    /// The state of vector `i` of the `n` of a wide row.
    #[inline(always)]
    fn wide_state(&self, cells: &[[AtomicF32; LANES]], n: usize, i: usize) -> R::State<I::V> {
        let mut state = R::State::splat(I::V::of(0.0));
        for (k, s) in state.as_mut().iter_mut().enumerate() {
            *s = self.isa.load(&cells[n * (1 + k) + i]);
        }
        state
    }

    /// The cells of a wide row of `n` vectors of weights, and its tail.
    #[inline(always)]
    fn wide_row(&self, place: u32, n: usize) -> (&'t [[AtomicF32; LANES]], &'t [AtomicF32; LANES]) {
        let (place, n) = (place as usize, vectors::<R>(n));
        let row = &self.wide[place..place + n + 1];
        (row, &row[n])
    }
}

/// A row's place, as `Isa::gather` counts: in units of two cells where a row has two or more.
#[inline(always)]
fn place<R: UpdateRule>(row: u32) -> u32 {
    row * (const { stride::<R>() } as u32).div_ceil(2)
}

impl<R: UpdateRule, I: Isa> Weights for Hogwild<'_, R, I> {
    type V = I::V;

    #[inline(always)]
    fn gather(&mut self, block: usize, places: &Line<u32>) -> I::V {
        let at = I::U::load(places);
        assert!(I::U::of(place::<R>(self.nowhere)).none_below(at), "not places of this view");
        at.store(&mut self.places[block]);
        // SAFETY: the places are within the table, as just seen; nobody else writes to the borrowed line.
        let gathered = unsafe { self.isa.gather(self.cells, places, Self::STRIDE) };
        self.gathered[block][..Self::STRIDE].copy_from_slice(&gathered[..Self::STRIDE]);
        if R::READS { self.rule.read(&self.step, gathered[0], &state_of::<R, _>(&gathered[1..])) } else { gathered[0] }
    }

    #[inline(always)]
    fn step(&mut self, block: usize, gradient: I::V) {
        // Not a copy: narrow loads from a line that was just stored whole wait for it.
        let places = &self.places[block];
        let mut cells = [I::V::of(0.0); MOST];
        if self.alone || I::U::load(places).none_below(I::U::of(place::<R>(self.private))) {
            cells[..Self::STRIDE].copy_from_slice(&self.gathered[block][..Self::STRIDE]);
        } else {
            // SAFETY: each of `self.places` is from `gather`, which has seen it, or from `new`.
            cells = unsafe { self.isa.gather(self.cells, places, Self::STRIDE) };
        }
        let mut state = state_of::<R, _>(&cells[1..]);
        cells[0] = Self::step_vector(&self.rule, &self.step, &mut self.observed, cells[0], gradient, &mut state);
        let state = state.as_ref();
        cells[1..][..state.len()].copy_from_slice(state);
        // SAFETY: as for the gather.
        unsafe { self.isa.scatter(cells, self.cells, places, Self::STRIDE) };
    }

    #[inline(always)]
    fn gather_row(&mut self, row: u32, out: &mut [I::V]) -> f32 {
        let (cells, tail) = self.wide_row(row, out.len());
        let n = out.len();
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.isa.load(&cells[i]);
            if R::READS {
                *out = self.rule.read(&self.step, *out, &self.wide_state(cells, n, i));
            }
        }
        let beside = tail[0].load(Relaxed);
        if R::READS { self.rule.read(&self.step, beside, &load_state::<R>(&tail[1..])) } else { beside }
    }

    #[inline(always)]
    fn step_row(&mut self, row: u32, gradient: &[I::V], square: f32, beside: f32) {
        let (isa, rule, n) = (self.isa, self.rule, gradient.len());
        let (cells, tail) = self.wide_row(row, n);
        if R::ROWWISE {
            let (mut row_state, mut state) = (load_state::<R>(&tail[ROW_STATE..]), load_state::<R>(&tail[1..]));
            let (scale, scale_beside) = (rule.row_scale(&self.step, &row_state), rule.row_scale(&self.step, &state));
            tail[0].store(Real::mul_add(-scale_beside, beside, tail[0].load(Relaxed)), Relaxed);
            for (cells, &g) in cells.iter().zip(gradient) {
                isa.store(I::V::of(-scale).mul_add(g, isa.load(cells)), cells);
            }
            rule.row_state(Real::max(square, 0.0) * self.part, &mut row_state);
            rule.row_state(beside * beside, &mut state);
            store_state::<R>(row_state, &tail[ROW_STATE..]);
            store_state::<R>(state, &tail[1..]);
            return;
        }
        let mut state = load_state::<R>(&tail[1..]);
        tail[0].store(self.step_number(tail[0].load(Relaxed), beside, &mut state), Relaxed);
        store_state::<R>(state, &tail[1..]);
        for (i, &g) in gradient.iter().enumerate() {
            let mut state = self.wide_state(cells, n, i);
            let w = Self::step_vector(&rule, &self.step, &mut self.observed, isa.load(&cells[i]), g, &mut state);
            isa.store(w, &cells[i]);
            for (k, &s) in state.as_ref().iter().enumerate() {
                isa.store(s, &cells[n * (1 + k) + i]);
            }
        }
    }
}

/// The first numbers as a rule's state.
#[inline(always)]
fn state_of<R: UpdateRule, V: Vector>(numbers: &[V]) -> R::State<V> {
    let mut state = R::State::splat(V::of(0.0));
    let n = state.as_ref().len();
    state.as_mut().copy_from_slice(&numbers[..n]);
    state
}

#[inline(always)]
pub(super) fn load_state<R: UpdateRule>(cells: &[AtomicF32]) -> R::State<f32> {
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
