//! What is done to several rows where a rule has no way to take them at once: one after the other.
use super::{Reading, Steps};
use crate::{
    params::Weights,
    rules::UpdateRule,
    simd::{Isa, LANES, Line, Real, Vector, copy, pairs},
};
use std::slice::ChunksExactMut;

/// The slot of one lane, stepped with its block: the others have no gradient.
#[inline(always)]
pub(in crate::params) fn one_lane<R: UpdateRule, I: Isa, S: Steps<R, I> + ?Sized>(
    steps: &mut S,
    read: &Reading<'_, R, I>,
    block: usize,
    places: &Line<u32>,
    lane: usize,
    gradient: f32,
) {
    let mut gradients = [0.0; LANES];
    gradients[lane] = gradient;
    steps.step(read, block, places, I::V::load(&gradients), None);
}

/// Rows whose gradients are vectors of their own, each times its factor, stepped one after the other.
#[inline(always)]
pub(in crate::params) fn each<R: UpdateRule, I: Isa, S: Steps<R, I> + ?Sized>(
    steps: &mut S,
    read: &Reading<'_, R, I>,
    (places, n): (&Line<u32>, usize),
    factors: &[f32; LANES],
    (gradients, vectors): (&mut [I::V], usize),
    squares: &Line<f32>,
    besides: I::V,
) {
    let mut beside = [0.0; LANES];
    besides.store(&mut beside);
    for i in 0..n {
        let gradient = &mut gradients[i * vectors..][..vectors];
        for k in 0..vectors {
            gradient[k] = I::V::of(factors[i]) * gradient[k];
        }
        steps.step_row(read, places.0[i], gradient, factors[i] * factors[i] * squares.0[i], beside[i]);
    }
}

/// Rows that face a sum without themselves, stepped one after the other.
#[inline(always)]
pub(in crate::params) fn against<R: UpdateRule, I: Isa, S: Steps<R, I> + ?Sized>(
    steps: &mut S,
    read: &Reading<'_, R, I>,
    (places, n): (&Line<u32>, usize),
    values: &[f32; LANES],
    (sum, by): (&[I::V], f32),
    (rows, room): (&[I::V], &mut [I::V]),
    besides: I::V,
) {
    let (mut beside, vectors) = ([0.0; LANES], sum.len());
    besides.store(&mut beside);
    for i in 0..n {
        let square = face_sum(values[i], (sum, by), &rows[i * vectors..][..vectors], &mut room[..vectors]);
        steps.step_row(read, places.0[i], &room[..vectors], values[i] * values[i] * square, beside[i]);
    }
}

/// `x (sum - by x row)`, and the squared length of what `x` multiplies.
#[inline(always)]
pub(crate) fn face_sum<V: Vector>(x: f32, (sum, by): (&[V], f32), row: &[V], gradient: &mut [V]) -> f32 {
    let mut square = V::of(0.0);
    for k in 0..sum.len() {
        let g = V::of(-(by * x)).mul_add(row[k], sum[k]);
        (gradient[k], square) = (V::of(x) * g, g.mul_add(g, square));
    }
    square.sum()
}

/// A row whose gradient is a vector times a factor, stepped by what that comes to.
#[inline(always)]
pub(in crate::params) fn times<R: UpdateRule, I: Isa, S: Steps<R, I> + ?Sized>(
    steps: &mut S,
    read: &Reading<'_, R, I>,
    place: u32,
    factor: f32,
    (gradient, square): (&[[f32; LANES]], f32),
    room: &mut [I::V],
) {
    for (to, g) in pairs(&mut *room, gradient) {
        *to = I::V::of(factor) * I::V::load(g);
    }
    steps.step_row(read, place, room, factor * factor * square, 0.0);
}

/// Rows whose gradients are one vector, each times its factor, stepped one after the other.
#[inline(always)]
pub(in crate::params) fn one_by_one<R: UpdateRule, I: Isa, S: Steps<R, I> + ?Sized>(
    steps: &mut S,
    read: &Reading<'_, R, I>,
    (places, n): (&Line<u32>, usize),
    factors: &[f32; LANES],
    (gradient, square): (&[I::V], f32),
    room: &mut [I::V],
) {
    for i in 0..n {
        for k in 0..gradient.len() {
            room[k] = I::V::of(factors[i]) * gradient[k];
        }
        steps.step_row(read, places.0[i], room, factors[i] * factors[i] * square, 0.0);
    }
}

/// Rows that are each read into `row`, and added times their factors to two sums by turns. They are kept in `kept`, as far as that goes.
///
/// Two rows a turn: a sum that is chosen as the program runs would lie in memory, and each addition would wait for a store.
#[inline(always)]
pub(crate) fn add_one_by_one<W: Weights + ?Sized>(
    weights: &mut W,
    (places, n): (&Line<u32>, usize),
    factors: &[f32; LANES],
    [even, odd]: [&mut [W::V]; 2],
    row: &mut [W::V],
    kept: &mut ChunksExactMut<'_, W::V>,
) {
    let mut i = 0;
    while i < n {
        weights.gather_weights(places.0[i], row);
        add(row, factors[i], even, kept);
        i += 1;
        if i == n {
            break;
        }
        weights.gather_weights(places.0[i], row);
        add(row, factors[i], odd, kept);
        i += 1;
    }
}

#[inline(always)]
fn add<V: Vector>(row: &[V], factor: f32, sum: &mut [V], kept: &mut ChunksExactMut<'_, V>) {
    for k in 0..row.len() {
        sum[k] = row[k].mul_add(V::of(factor), sum[k]);
    }
    if let Some(kept) = kept.next() {
        copy(row, kept);
    }
}
