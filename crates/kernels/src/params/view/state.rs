//! A rule's state out of cells, and back.
use crate::{
    params::layout::state_len,
    rules::{State, UpdateRule},
    simd::{Isa, LANES, Real, copy, pairs},
};
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// The state of vector `i` of the `n` of a slot.
#[inline(always)]
pub(crate) fn row_state<R: UpdateRule, I: Isa>(isa: I, rule: &R, cells: &[[AtomicF32; LANES]], n: usize, i: usize) -> R::State<I::V> {
    let mut state = R::State::splat(I::V::of(0.0));
    for (k, s) in state.as_mut()[..state_len(rule)].iter_mut().enumerate() {
        *s = isa.load(&cells[n * (1 + k) + i]);
    }
    state
}

/// The first numbers as a rule's state.
#[inline(always)]
pub(crate) fn state_of<R: UpdateRule, V: Real>(numbers: &[V]) -> R::State<V> {
    let mut state = R::State::splat(V::of(0.0));
    let n = state.as_ref().len();
    copy(&numbers[..n], state.as_mut());
    state
}

#[inline(always)]
pub(crate) fn load_state<R: UpdateRule>(rule: &R, cells: &[AtomicF32]) -> R::State<f32> {
    let mut state = R::State::<f32>::splat(0.0);
    for (s, cell) in pairs(&mut state.as_mut()[..state_len(rule)], cells) {
        *s = cell.load(Relaxed);
    }
    state
}

#[inline(always)]
pub(crate) fn store_state<R: UpdateRule>(rule: &R, state: R::State<f32>, cells: &[AtomicF32]) {
    for (&s, cell) in pairs(&state.as_ref()[..state_len(rule)], cells) {
        cell.store(s, Relaxed);
    }
}
