//! Steps taken at once, by the rule: a worker of Hogwild!.
//!
//! A step reads weight and state again, applies the rule and stores. Writing back what was gathered before the score would lose more of the
//! other workers' updates. Where hardly anybody can have written meanwhile (one worker, private slots, slots that are rare), what was
//! gathered serves again: on two threads that saves a tenth of the time.
#![allow(unsafe_code)]
mod steps;

use super::{
    Parameters, Transforming, Weights,
    accrued::Accrued,
    averaged,
    kept::{Kept, PAIR},
    learner::{self, Learner},
    replica::Reads,
    view::{Reading, View, state_of},
};
use crate::{
    rules::{Clock, Numbers, UpdateRule},
    simd::{Isa, LANES, Line, MOST, Real, Vector, copy, pairs},
    transforms::Adjuster,
};
use atomic_float::AtomicF32;
use std::marker::PhantomData;

/// What a worker of Hogwild! sees.
pub(crate) type Stepping<'t, R, I, A> = View<'t, R, I, StepNow<'t, R, I, A>>;

pub(crate) struct StepNow<'t, R: UpdateRule, I: Isa, A> {
    transforming: PhantomData<A>,
    pub(super) learner: Learner<R, I::V>,
    pub(super) adjuster: Adjuster,
    /// The sums of weighted changes, laid out as the parameters; empty without averaging.
    sums: &'t [AtomicF32],
    pub(super) row_sums: &'t [[AtomicF32; LANES]],
    /// The sums of gradients, likewise; empty where they are not summed.
    pub(super) accrued: Accrued<'t>,
    /// Room for a row's changed gradient.
    pub(super) room: Vec<I::V>,
    /// Whether what was gathered for the score serves for the step too.
    reuse: bool,
    /// Weights of a slot of many, and one over them.
    pub(super) width: usize,
    pub(super) part: f32,
    /// Weights and state by block of the present example; or, of a rule that revises, the state of [rows](kept).
    pub(super) gathered: Vec<[I::V; MOST]>,
    /// The state of the example's rows, under a rule that revises.
    pub(super) kept: Kept<I::V>,
    /// Of a rule that is called: steps that wait for the call, and where they go.
    pub(super) called: Vec<Numbers>,
    waiting: Waiting<I::V>,
}

/// Where steps go that wait for a call, and the thresholds that are to follow them under L1.
struct Waiting<V> {
    n: usize,
    places: Vec<Line<u32>>,
    thresholds: Vec<V>,
    l1: bool,
}

/// How many steps of sixteen weights wait for one call at most.
const WAITING: usize = 16;

impl<V: Vector> Waiting<V> {
    fn new(most: usize) -> Self {
        Waiting { n: 0, places: vec![Line([0; LANES]); most], thresholds: vec![V::of(0.0); most], l1: false }
    }
}

impl<'t, R: UpdateRule, I: Isa, A: Transforming> Stepping<'t, R, I, A> {
    /// What a worker sees that reads slots as `reads` says, going on from `memory`; `blocks`: the most that an example has.
    pub fn new(isa: I, rule: R, memory: R::Memory, adjuster: Adjuster, parameters: &'t Parameters, reads: Reads, blocks: usize) -> Self {
        let shape = &parameters.shape;
        let row = parameters.row().map(|row| parameters.table(row));
        let width = row.map_or(0, |row| row.layout.weights);
        let learner = Learner::new(memory);
        let single = parameters.table(parameters.single());
        let accrued = Accrued { cells: single.accrued(), rows: row.map_or(&[], |row| row.accrued().as_chunks().0) };
        assert!(!accrued.is_on() || accrued.cells.len() == single.cells().len(), "sums of other parameters");
        assert!(accrued.is_on() || !A::ACCRUES, "no room for sums of gradients");
        assert!(!accrued.is_on() || accrued.rows.len() == row.map_or(0, |row| row.cells().len() / LANES), "sums of other parameters");
        View {
            read: Reading::new(isa, rule, learner.prepare(&rule, &Clock::default()), parameters, reads),
            steps: StepNow {
                transforming: PhantomData,
                learner,
                adjuster,
                sums: single.sums(),
                row_sums: row.map_or(&[], |row| row.sums().as_chunks().0),
                accrued,
                room: vec![I::V::of(0.0); width.div_ceil(LANES)],
                reuse: shape.workers == 1 || shape.rare,
                width,
                part: 1.0 / width.max(1) as f32,
                gathered: vec![[I::V::of(0.0); MOST]; blocks],
                kept: Kept::new(if single.slots() > 0 { blocks * LANES } else { PAIR }),
                called: vec![Numbers::ZERO; if R::ERASED { WAITING } else { 0 }],
                waiting: Waiting::new(if R::ERASED { WAITING } else { 0 }),
            },
        }
    }

    /// The same for a worker that owns what it steps: what was gathered last of a block serves for the step.
    pub fn owning(mut self) -> Self {
        self.steps.reuse = true;
        self
    }

    /// Steps sixteen slots as they are now, whatever was gathered before: in a plain loop, of a rule that is not called. (To keep what scores
    /// gather, and to ask at each step whether it serves, took a tenth of the time.)
    #[inline(always)]
    pub fn step_as_is(&mut self, places: &Line<u32>, gradient: I::V) {
        if A::ON || R::ERASED {
            return self.step(0, places, gradient, None);
        }
        let View { read, steps } = self;
        let mut cells = read.gather(places);
        let mut state = state_of::<R, _>(&cells[1..]);
        let gathered = if read.rule.revises() { Some(state) } else { None };
        let (w, observed) = learner::step(&read.rule, &read.step, cells[0], gradient, &mut state, &gathered);
        steps.learner.observed().add(&read.rule, observed);
        cells[0] = w;
        copy(state.as_ref(), &mut cells[1..]);
        // SAFETY: the gathering has checked the places.
        unsafe { steps.store(read, places, cells) };
    }

    /// Begins an example.
    #[inline(always)]
    pub fn begin(&mut self, clock: &Clock) {
        self.steps.learner.prepare_next(&self.read.rule, clock, &mut self.read.step);
        if A::ON {
            self.steps.adjuster.begin(clock);
        }
    }

    /// Ends an example.
    #[inline(always)]
    pub fn end(&mut self) {
        self.finish_steps();
        self.steps.learner.end(&self.read.rule);
    }

    /// Takes the steps that wait.
    #[inline(always)]
    pub fn finish_steps(&mut self) {
        if R::ERASED {
            self.steps.call(&self.read);
        }
    }

    /// What the rule has learnt.
    #[inline(always)]
    pub fn into_memory(self) -> R::Memory {
        self.steps.learner.into_memory()
    }

    /// What the rule has observed since the view was made, of rules that learn: for whoever has not called [`end`](Self::end).
    #[inline(always)]
    pub fn observed(&self) -> [f32; 2] {
        self.steps.learner.sums()
    }

    /// How sixteen neighbouring shared cells are stored in sight of their average, which is that of the shared weight's path.
    #[inline(always)]
    pub fn averaged(&self) -> impl Fn(usize, &[f32; LANES]) -> bool + use<'t, R, I, A> {
        let (cells, sums, weight) = (self.read.cells, self.steps.sums, self.steps.adjuster.weight_of_now);
        let stride = self.read.stride();
        move |vector, numbers| {
            let averages = A::ON && !sums.is_empty();
            if averages {
                let at = std::array::from_fn(|i| vector * LANES + i);
                averaged::put(cells, sums, at, numbers, weight, |i| i % stride == 0);
            }
            averages
        }
    }
}

impl<R: UpdateRule, I: Isa, A: Transforming> StepNow<'_, R, I, A> {
    /// A block's gradient after clipping and noise, which empty lanes do not get.
    #[inline(always)]
    fn adjusted(&mut self, scratch_slot: u32, places: &Line<u32>, gradient: I::V) -> I::V {
        let mut line = [0.0; LANES];
        gradient.store(&mut line);
        self.adjuster.adjust(&mut line);
        for (g, &place) in pairs(&mut line, &places.0) {
            if place == scratch_slot {
                *g = 0.0;
            }
        }
        I::V::load(&line)
    }

    /// Stores weights and state after a step.
    ///
    /// # Safety
    /// The places were [checked](Reading::check).
    #[inline(always)]
    unsafe fn store(&self, read: &Reading<'_, R, I>, places: &Line<u32>, cells: [I::V; MOST]) {
        let stride = read.stride();
        if A::ON && !self.sums.is_empty() {
            for (k, numbers) in cells[..stride].iter().enumerate() {
                let mut line = [0.0; LANES];
                numbers.store(&mut line);
                let at = std::array::from_fn(|i| places.0[i] as usize * read.unit() + k);
                averaged::put(read.cells, self.sums, at, &line, self.adjuster.weight_of_now, |_| k == 0);
            }
            return;
        }
        // SAFETY: the places are within the table, as the caller has seen.
        unsafe { read.isa.scatter(cells, read.cells, places, stride) };
    }

    /// Has a rule that is called take the steps that wait.
    #[inline(always)]
    pub(super) fn call(&mut self, read: &Reading<'_, R, I>) {
        let rule = &read.rule;
        let n = std::mem::take(&mut self.waiting.n);
        if n == 0 {
            return;
        }
        rule.step_all(&read.step, I::V::SET, &mut self.called[..n]);
        for i in 0..n {
            let mut cells = [self.called[i].weights::<I::V>(); MOST];
            for k in 1..MOST {
                cells[k] = self.called[i].state_number(k - 1);
            }
            if self.waiting.l1 {
                let rate = rule.rate(&read.step, &state_of::<R, _>(&cells[1..]));
                cells[0] = drawn_to_0(cells[0], rate * self.waiting.thresholds[i]);
            }
            let places = &self.waiting.places[i];
            read.check(places);
            // SAFETY: the places were checked.
            unsafe { self.store(read, places, cells) };
        }
        self.waiting.l1 = false;
    }
}

/// A weight after a proximal step of L1: nearer to 0 by the threshold, and no further than 0.
#[inline(always)]
pub(crate) fn drawn_to_0<V: Real>(w: V, threshold: V) -> V {
    let zero = V::of(0.0);
    w.less(zero, zero.min(w + threshold), zero.max(w - threshold))
}
