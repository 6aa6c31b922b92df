//! What passes between a loop and the formula of an erased rule: sixteen weights, their gradient and their state, in memory.
use super::{State, UpdateRule};
use crate::simd::{LANES, Line, Real, pairs};

/// The most numbers that a rule has beside a weight.
pub(super) const MOST_STATE: usize = 3;

/// What passes between a loop and a formula: weights, their gradient and state.
#[derive(Clone)]
pub struct Numbers(pub(super) [Line<f32>; 2 + MOST_STATE]);

impl Numbers {
    pub(crate) const ZERO: Numbers = Numbers([Line([0.0; LANES]); 2 + MOST_STATE]);

    /// Takes weights, and the gradient if there is one.
    #[inline(always)]
    pub(crate) fn set<V: Real>(&mut self, w: V, g: V) {
        w.spill(&mut self.0[0]);
        g.spill(&mut self.0[1]);
    }

    /// Takes number `k` of the state.
    #[inline(always)]
    pub(crate) fn set_state<V: Real>(&mut self, k: usize, x: V) {
        x.spill(&mut self.0[2 + k]);
    }

    /// The weights.
    #[inline(always)]
    pub(crate) fn weights<V: Real>(&self) -> V {
        V::fill(&self.0[0])
    }

    /// Number `k` of the state.
    #[inline(always)]
    pub(crate) fn state_number<V: Real>(&self, k: usize) -> V {
        V::fill(&self.0[2 + k])
    }

    #[inline(always)]
    pub(super) fn new<V: Real>(w: V, g: V, state: &[V; MOST_STATE]) -> Numbers {
        let mut numbers = Numbers::ZERO;
        numbers.set(w, g);
        numbers.put(2, state);
        numbers
    }

    #[inline(always)]
    pub(super) fn put<V: Real>(&mut self, at: usize, state: &[V]) {
        for (line, x) in pairs(&mut self.0[at..], state) {
            x.spill(line);
        }
    }

    #[inline(always)]
    pub(super) fn take<V: Real>(&self, at: usize, state: &mut [V]) {
        for (line, x) in pairs(&self.0[at..], state) {
            *x = V::fill(line);
        }
    }

    #[inline(always)]
    pub(super) fn state<R: UpdateRule, V: Real>(&self, at: usize) -> R::State<V> {
        let mut state = R::State::splat(V::of(0.0));
        self.take(at, state.as_mut());
        state
    }
}
