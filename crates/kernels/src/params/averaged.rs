//! Stores in sight of an average: the sum that a weight's average comes from (see `transforms`) moves with every store.
//!
//! Out of the inner loop's way, one number at a time.
use crate::simd::LANES;
use atomic_float::AtomicF32;
use std::sync::atomic::Ordering::Relaxed;

/// Stores a weight and adds what that changes, weighted, to its sum. By a swap: so the changes of all workers add up to the weight's path,
/// whatever step of another one is overwritten.
pub(super) fn put_weight(cell: &AtomicF32, w: f32, sum: &AtomicF32, weight: f32) {
    let before = cell.swap(w, Relaxed);
    sum.fetch_add(weight * (w - before), Relaxed);
}

/// Stores sixteen numbers in the cells `at`. Where a weight lies, here is its sum at the same place of `sums`.
#[cold]
#[inline(never)]
pub(super) fn put(
    cells: &[AtomicF32],
    sums: &[AtomicF32],
    at: [usize; LANES],
    numbers: &[f32; LANES],
    weight: f32,
    is_weight: impl Fn(usize) -> bool,
) {
    for (i, (at, &x)) in at.into_iter().zip(numbers).enumerate() {
        if is_weight(i) { put_weight(&cells[at], x, &sums[at], weight) } else { cells[at].store(x, Relaxed) }
    }
}
