//! What a rule that tunes itself has learnt, and what it observes of the example at hand.
//!
//! YellowFin tunes by whole gradients, so its observations are summed over an example (or a batch) and taken once, after the steps. All of
//! that is one object here. Under every other rule it holds nothing and costs nothing: [`UpdateRule::learns`] is constant there.
use crate::{
    rules::{Clock, UpdateRule},
    simd::{LANES, Real, Vector},
};

/// A worker's memory of the gradients.
pub(crate) struct Learner<R: UpdateRule, V> {
    memory: R::Memory,
    observed: Observed<V>,
}

impl<R: UpdateRule, V: Vector> Learner<R, V> {
    /// Goes on from what was learnt before.
    #[inline(always)]
    pub fn new(memory: R::Memory) -> Self {
        Learner { memory, observed: Observed([V::of(0.0); 2]) }
    }

    /// Prepares the steps of the example that begins.
    #[inline(always)]
    pub fn prepare(&self, rule: &R, clock: &Clock) -> R::Step {
        rule.prepare(clock, &self.memory)
    }

    /// The same in the place of the last example's.
    #[inline(always)]
    pub fn prepare_next(&self, rule: &R, clock: &Clock, step: &mut R::Step) {
        rule.prepare_next(clock, &self.memory, step);
    }

    /// The sums that the steps of the example at hand add to.
    #[inline(always)]
    pub fn observed(&mut self) -> &mut Observed<V> {
        &mut self.observed
    }

    /// Ends the example: the rule learns from what its steps have shown.
    #[inline(always)]
    pub fn end(&mut self, rule: &R) {
        if rule.learns() {
            let sums = self.observed.sums();
            self.observed = Observed([V::of(0.0); 2]);
            rule.learn(&mut self.memory, sums);
        }
    }

    /// What the steps of a batch have shown, for whoever learns from it.
    #[inline(always)]
    pub fn sums(&self) -> [f32; 2] {
        self.observed.sums()
    }

    /// What was learnt.
    #[inline(always)]
    pub fn into_memory(self) -> R::Memory {
        self.memory
    }
}

/// Two sums over an example's steps, lane by lane.
pub(crate) struct Observed<V>([V; 2]);

impl<V: Vector> Observed<V> {
    /// Adds what a step of sixteen weights has shown.
    #[inline(always)]
    pub fn add<R: UpdateRule>(&mut self, rule: &R, [a, b]: [V; 2]) {
        if rule.learns() {
            self.0 = [self.0[0] + a, self.0[1] + b];
        }
    }

    /// Adds what a step of one weight has shown, spread over all lanes.
    #[inline(always)]
    pub fn add_one<R: UpdateRule>(&mut self, rule: &R, [a, b]: [f32; 2]) {
        self.add(rule, [V::of(a / LANES as f32), V::of(b / LANES as f32)]);
    }

    #[inline(always)]
    fn sums(&self) -> [f32; 2] {
        // Not by `map`: what that is given is compiled without the instruction set.
        [self.0[0].sum(), self.0[1].sum()]
    }
}

/// One step by the rule, of one weight or of sixteen: the new weight, and what the rule observes of the step (zeros, if it does not learn).
/// `read` is the state as it was when the weight was read, where a rule that revises is to know it.
#[inline(always)]
pub(crate) fn step<R: UpdateRule, T: Real>(
    rule: &R,
    step: &R::Step,
    w: T,
    g: T,
    state: &mut R::State<T>,
    read: &Option<R::State<T>>,
) -> (T, [T; 2]) {
    let before = *state;
    let w = match read {
        Some(read) if rule.revises() => rule.step_since(step, w, g, state, read),
        _ => rule.step(step, w, g, state),
    };
    let observed = if rule.learns() { rule.observe(g, &before, state) } else { [T::of(0.0); 2] };
    (w, observed)
}
