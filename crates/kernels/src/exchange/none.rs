//! No exchange: workers that hold nothing privately, as in the paper's Hogwild! and by batches.
use super::{Exchange, Passed, Sixteen};
use crate::simd::Vector;

pub(super) struct None;

impl Exchange for None {
    #[inline(always)]
    fn due(&mut self, _vectors: usize) -> usize {
        0
    }

    #[inline(always)]
    fn pass<V: Vector>(&mut self, _vector: usize, cells: Sixteen<V>) -> Passed<V> {
        Passed { shared: cells.shared, own: cells.own }
    }
}
