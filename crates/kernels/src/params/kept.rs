//! The state of rows as they were read, for rules that revise their steps by what came in since.
//!
//! Of slots of one weight all numbers are gathered for the score; of a row only the weights are. So under a rule that revises the state of
//! the rows read last is kept until their step, in the room that examples of slots of one weight have for what they gather: under other rules
//! nothing is to be made, filled or dropped. `n` vectors of a row are `n + 1` blocks there: of each vector its state, then that of the weight
//! beside, with the row's place.
use super::{
    layout::state_len,
    view::{Reading, load_state, row_state, state_of},
};
use crate::{
    rules::UpdateRule,
    simd::{Isa, LANES, Line, MOST, Real, copy},
};

/// Rows that are read before the first of them steps: a user's and an item's.
const ROWS: usize = 2;

/// Keeps the state of a row, in the room of the row before the last.
#[inline(always)]
pub(super) fn keep<R: UpdateRule, I: Isa>(read: &Reading<'_, R, I>, place: u32, n: usize, room: &mut Vec<[I::V; MOST]>) {
    if room.len() < ROWS * (n + 1) {
        make(room, n);
    }
    let (rule, state_len, last) = (&read.rule, state_len(&read.rule), (ROWS - 1) * (n + 1));
    let (cells, tail) = read.row(place, n);
    for i in 0..last {
        room[i] = room[i + n + 1];
    }
    let row = &mut room[last..last + n + 1];
    for i in 0..n {
        copy(&row_state::<R, I>(read.isa, rule, cells, n, i).as_ref()[..state_len], &mut row[i][1..]);
    }
    row[n][0] = I::V::of(name(place));
    let beside = load_state(rule, &tail[1..]);
    for k in 0..state_len {
        row[n][1 + k] = I::V::of(beside.as_ref()[k]);
    }
}

/// Makes room, once a view.
#[cold]
#[inline(never)]
fn make<V: Real>(room: &mut Vec<[V; MOST]>, n: usize) {
    room.resize(ROWS * (n + 1), [V::of(0.0); MOST]);
}

/// What is kept of a row. Nothing in a batch, whose steps have no delay.
#[inline(always)]
pub(super) fn row<V: Real>(room: &[[V; MOST]], place: u32, n: usize) -> Option<&[[V; MOST]]> {
    let mut found = None;
    if room.len() < ROWS * (n + 1) {
        return found;
    }
    for i in 0..ROWS {
        let row = &room[i * (n + 1)..(i + 1) * (n + 1)];
        if first(row[n][0]).to_bits() == name(place).to_bits() {
            found = Some(row);
        }
    }
    found
}

/// The kept state of a row's vector `i`.
#[inline(always)]
pub(super) fn vector<R: UpdateRule, V: Real>(row: Option<&[[V; MOST]]>, i: usize) -> Option<R::State<V>> {
    match row {
        Some(row) => Some(state_of::<R, V>(&row[i][1..])),
        None => None,
    }
}

/// The kept state of the weight beside a row of `n` vectors.
#[inline(always)]
pub(super) fn beside<R: UpdateRule, V: Real>(row: Option<&[[V; MOST]]>, n: usize) -> Option<R::State<f32>> {
    match row {
        Some(row) => {
            let [_, a, b, c] = row[n];
            Some(state_of::<R, f32>(&[first(a), first(b), first(c)]))
        }
        None => None,
    }
}

/// A place as the bits of a number, which is only stored and compared; those of 0 are no place, as room begins.
#[inline(always)]
fn name(place: u32) -> f32 {
    f32::from_bits(place.wrapping_add(1))
}

#[inline(always)]
fn first<V: Real>(x: V) -> f32 {
    let mut line = Line([0.0; LANES]);
    x.spill(&mut line);
    line.0[0]
}
