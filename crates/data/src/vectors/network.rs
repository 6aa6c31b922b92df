//! A bitonic network over vectors, all of whose comparisons put the lesser key first.
//!
//! So keys beyond the end, which would be the largest, never come to a place before it: a comparison with one is left out, and lists need not
//! be as long as a power of two. First each vector is sorted: many at once lane by lane, whose lanes become vectors, few each by itself. Then
//! sorted runs are merged: the first comparison turns one of two runs round, later ones are of halves, quarters and so on. Four vectors at a
//! time stay in registers.
use super::{LINE, NONE, lanes::Set};

/// Vectors that are merged in registers.
const GROUP: usize = 4;
/// Of so many vectors of a full set, the lanes are sorted; fewer are sorted each by itself. By a count of instructions: to sort lanes and turn
/// them takes about 200 with AVX-512 and 70 with AVX2, however many vectors there are; a vector by itself takes 30, or 24. So the first is
/// worth it from 6 or 7 vectors of 16 on, and from 3 of 8.
const MANY: (usize, usize) = (3, 8);

/// Sorts columns and says where each stood, by keys of a column and a place below it. True: there are equal ones.
#[inline(always)]
pub(super) fn sort_placed<S: Set>(set: S, columns: &mut [u32], places: &mut [u32], keys: &mut [u32]) -> bool {
    let count = columns.len();
    let bits = usize::BITS - count.saturating_sub(1).leading_zeros();
    let (keys, places) = (&mut keys[..count.next_multiple_of(LINE)], &mut places[..count]);
    for i in 0..count {
        keys[i] = columns[i] << bits | i as u32;
    }
    keys[count..].fill(NONE);
    sort(set, keys);
    let (keys, mask) = (&keys[..count], (1u32 << bits).wrapping_sub(1));
    for i in 0..count {
        columns[i] = keys[i] >> bits;
        places[i] = keys[i] & mask;
    }
    let mut equal = false;
    for i in 1..count {
        equal |= columns[i] == columns[i - 1];
    }
    equal
}

/// Sorts keys, whose number is a multiple of the lanes.
#[inline(always)]
pub(super) fn sort<S: Set>(set: S, keys: &mut [u32]) {
    let vectors = keys.len() / S::LANES;
    let many = S::LANES * MANY.0 / MANY.1;
    for start in (0..vectors).step_by(S::LANES) {
        let count = S::LANES.min(vectors - start);
        let own = &mut keys[start * S::LANES..(start + count) * S::LANES];
        if count >= many {
            set.sort_lanes(own, count);
        }
        for group in own.chunks_mut(GROUP * S::LANES) {
            match (count >= many, group.len() / S::LANES) {
                (true, 4) => runs::<S, 4>(set, group, false),
                (true, 3) => runs::<S, 3>(set, group, false),
                (true, 2) => runs::<S, 2>(set, group, false),
                (true, _) => {}
                (false, 4) => runs::<S, 4>(set, group, true),
                (false, 3) => runs::<S, 3>(set, group, true),
                (false, 2) => runs::<S, 2>(set, group, true),
                (false, _) => runs::<S, 1>(set, group, true),
            }
        }
    }
    let mut run = GROUP;
    while run < vectors {
        merge(set, keys, 2 * run);
        run *= 2;
    }
}

/// Sorts up to four vectors, each of which is sorted unless it is to be.
#[inline(always)]
fn runs<S: Set, const N: usize>(set: S, keys: &mut [u32], alone: bool) {
    let mut rows = [set.load(keys); N];
    for i in 0..N {
        rows[i] = set.load(&keys[i * S::LANES..]);
    }
    if alone {
        for row in &mut rows {
            *row = sort_one(set, *row);
        }
    }
    // Runs of one vector, then of two.
    turn::<S, N>(set, &mut rows, 0, 1);
    turn::<S, N>(set, &mut rows, 2, 3);
    if N > 1 {
        finish(set, &mut rows);
    }
    if N > 2 {
        turn::<S, N>(set, &mut rows, 0, 3);
        turn::<S, N>(set, &mut rows, 1, 2);
        halve::<S, N>(set, &mut rows, 0, 1);
        halve::<S, N>(set, &mut rows, 2, 3);
        finish(set, &mut rows);
    }
    for i in 0..N {
        set.store(rows[i], &mut keys[i * S::LANES..]);
    }
}

/// Sorts one vector.
#[inline(always)]
fn sort_one<S: Set>(set: S, row: S::V) -> S::V {
    let row = set.cross::<1>(row);
    let row = set.cross::<1>(set.cross::<3>(row));
    let row = set.cross::<1>(set.cross::<2>(set.cross::<7>(row)));
    if S::LANES == 8 { row } else { set.cross::<1>(set.cross::<2>(set.cross::<4>(set.cross::<15>(row)))) }
}

/// Orders the keys of one vector and those of another from its end on.
#[inline(always)]
fn turn<S: Set, const N: usize>(set: S, rows: &mut [S::V; N], a: usize, b: usize) {
    if b < N {
        let (low, high) = set.order(rows[a], set.reverse(rows[b]));
        (rows[a], rows[b]) = (low, set.reverse(high));
    }
}

/// Orders the keys of two vectors.
#[inline(always)]
fn halve<S: Set, const N: usize>(set: S, rows: &mut [S::V; N], a: usize, b: usize) {
    if b < N {
        (rows[a], rows[b]) = set.order(rows[a], rows[b]);
    }
}

/// The comparisons within vectors, which are the last of each merge.
#[inline(always)]
fn finish<S: Set, const N: usize>(set: S, rows: &mut [S::V; N]) {
    for row in rows {
        let halves = if S::LANES == 16 { set.cross::<8>(*row) } else { *row };
        *row = set.cross::<1>(set.cross::<2>(set.cross::<4>(halves)));
    }
}

/// Merges runs by twos, to runs of `run` vectors: eight at least.
#[inline(always)]
fn merge<S: Set>(set: S, keys: &mut [u32], run: usize) {
    let vectors = keys.len() / S::LANES;
    for start in (0..vectors).step_by(run) {
        let last = start + run - 1;
        for i in (last + 1).saturating_sub(vectors)..run / 2 {
            let (a, b) = ((start + i) * S::LANES, (last - i) * S::LANES);
            let (low, high) = set.order(set.load(&keys[a..]), set.reverse(set.load(&keys[b..])));
            set.store(low, &mut keys[a..]);
            set.store(set.reverse(high), &mut keys[b..]);
        }
    }
    let mut half = run / 4;
    while half >= GROUP {
        for start in (0..vectors).step_by(2 * half) {
            for i in start..(start + half).min(vectors.saturating_sub(half)) {
                let (a, b) = (i * S::LANES, (i + half) * S::LANES);
                let (low, high) = set.order(set.load(&keys[a..]), set.load(&keys[b..]));
                set.store(low, &mut keys[a..]);
                set.store(high, &mut keys[b..]);
            }
        }
        half /= 2;
    }
    for group in keys.chunks_mut(GROUP * S::LANES) {
        match group.len() / S::LANES {
            4 => last::<S, 4>(set, group),
            3 => last::<S, 3>(set, group),
            2 => last::<S, 2>(set, group),
            _ => last::<S, 1>(set, group),
        }
    }
}

/// The comparisons within four vectors.
#[inline(always)]
fn last<S: Set, const N: usize>(set: S, keys: &mut [u32]) {
    let mut rows = [set.load(keys); N];
    for i in 0..N {
        rows[i] = set.load(&keys[i * S::LANES..]);
    }
    halve::<S, N>(set, &mut rows, 0, 2);
    halve::<S, N>(set, &mut rows, 1, 3);
    halve::<S, N>(set, &mut rows, 0, 1);
    halve::<S, N>(set, &mut rows, 2, 3);
    finish(set, &mut rows);
    for i in 0..N {
        set.store(rows[i], &mut keys[i * S::LANES..]);
    }
}
