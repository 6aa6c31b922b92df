//! Replicas whose changes agree count once, unrelated ones add up: adaptive summation (Maleki et al. 2021) of asynchronous replicas, by band.
//!
//! `D` is a replica's change since its last exchange, `O` that of the others meanwhile. With `f = <D, O> / <O, O>`, at least 0 and at most 1,
//! the replica hands on `D - f O`: what of its change the others have not made yet. Features are numbered by frequency, so bands of like
//! frequency are ranges of them: the first vector, then a quarter of an octave each; each band has its own `f`. The rate is that of one
//! worker, so rules without sums that damp it, as SGD, stay stable with many replicas.
use super::{Exchange, Passed, Sixteen};
use crate::simd::Vector;

/// A quarter of an octave each, of 2^64 vectors at most.
const BANDS: usize = 1 + 4 * 64;

pub(super) struct Overlap {
    /// Of averages, how much of the way to the replica's own they go; of sums none, as they take each change whole.
    part: Option<f32>,
    /// By band: `<D, O>` and `<O, O>`.
    products: Vec<[f64; 2]>,
}

impl Overlap {
    pub fn new(replicas: usize, averages: bool) -> Overlap {
        Overlap { part: averages.then_some(1.0 / replicas as f32), products: vec![[0.0; 2]; BANDS] }
    }
}

/// The band of a vector.
fn band(vector: usize) -> usize {
    let Some(octave) = vector.checked_ilog2() else { return 0 };
    let quarter = if octave >= 2 { vector >> (octave - 2) } else { vector << (2 - octave) } & 3;
    1 + 4 * octave as usize + quarter
}

impl Exchange for Overlap {
    const LOOKS: bool = true;

    #[inline(always)]
    fn due(&mut self, vectors: usize) -> usize {
        vectors
    }

    #[inline(always)]
    fn look<V: Vector>(&mut self, vector: usize, Sixteen { own, base, shared, is_state }: Sixteen<V>) {
        if vector == 0 {
            self.products.fill([0.0; 2]);
        }
        let zero = V::of(0.0);
        let others = zero.less(is_state, zero, shared - base);
        let [both, squares] = &mut self.products[band(vector)];
        *both += ((own - base) * others).sum() as f64;
        *squares += (others * others).sum() as f64;
    }

    #[inline(always)]
    fn pass<V: Vector>(&mut self, vector: usize, Sixteen { own, base, shared, is_state }: Sixteen<V>) -> Passed<V> {
        let [both, squares] = self.products[band(vector)];
        let f = if squares > 0.0 { (both / squares).clamp(0.0, 1.0) } else { 0.0 };
        let (zero, change) = (V::of(0.0), own - base);
        let of_weight = V::of(-f as f32).mul_add(shared - base, change);
        let of_state = if let Some(part) = self.part { V::of(part) * (own - shared) } else { change };
        let after = shared + zero.less(is_state, of_state, of_weight);
        Passed { shared: after, own: after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{F32x16, LANES};

    /// What a weight is after an exchange, where the replica and the others have made these changes from 0.
    fn after(own: [f32; 2], others: [f32; 2]) -> [f32; 2] {
        let line = |[a, b]: [f32; 2]| F32x16(std::array::from_fn(|i| [a, b].get(i).copied().unwrap_or(0.0)));
        let zero = F32x16([0.0; LANES]);
        let cells = Sixteen { own: line(own), base: zero, shared: line(others), is_state: zero };
        let mut overlap = Overlap::new(2, false);
        overlap.look(0, cells);
        let passed = overlap.pass(0, cells);
        [passed.shared.0[0], passed.shared.0[1]]
    }

    #[test]
    fn changes_that_agree_count_once_and_unrelated_ones_add_up() {
        assert_eq!(after([1.0, 2.0], [1.0, 2.0]), [1.0, 2.0]);
        assert_eq!(after([1.0, 0.0], [0.0, 1.0]), [1.0, 1.0]);
        assert_eq!(after([1.0, 0.0], [-1.0, 0.0]), [0.0, 0.0]);
        assert_eq!(after([0.5, 0.0], [1.0, 0.0]), [1.0, 0.0]);
    }

    #[test]
    fn bands_are_quarters_of_octaves() {
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(band), [0, 1, 5, 7, 9, 10, 11, 12, 13, 13, 14]);
    }
}
