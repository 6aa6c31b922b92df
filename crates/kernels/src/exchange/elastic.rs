//! Elastic averaging, asynchronous EASGD (Zhang, Choromanska & LeCun 2015, Algorithm 1): replica and centre are drawn to each other.
//!
//! Every tau examples, with `x` a replica's weight and `c` the centre's: `d = alpha (x - c); x <- x - d; c <- c + d`.
//!
//! Replicas step at the rate times their number, unlike in the paper: the centre takes a part of what each learns. Sums of squares
//! are shared as by [`Mean`](super::Mean): they take each change whole. (64 replicas on criteo end .02% worse than one worker. With sums of their
//! own they ended 4.2% worse: each sees too little for its steps to shrink.) The model is the centre. Averages of
//! gradients stay each replica's own, as the velocity does in algorithm 2: EAMSGD is `rule` nesterov.
use super::{Exchange, Passed, Sixteen};
use crate::simd::Vector;

pub(super) struct Elastic {
    /// How far the two move, as a share of their distance.
    alpha: f32,
    /// Whether the rule's state is averages, and not sums.
    averages: bool,
}

impl Elastic {
    pub fn new(alpha: f32, averages: bool) -> Elastic {
        Elastic { alpha, averages }
    }
}

impl Exchange for Elastic {
    const UNCHANGED: bool = true;

    #[inline(always)]
    fn due(&mut self, vectors: usize) -> usize {
        vectors
    }

    #[inline(always)]
    fn pass<V: Vector>(&mut self, _vector: usize, Sixteen { own, base, shared, is_state }: Sixteen<V>) -> Passed<V> {
        let (zero, d) = (V::of(0.0), V::of(self.alpha) * (own - shared));
        // Of averages the centre has those of the replica that came last: rules whose model is made of state need some.
        let state = if self.averages { own } else { shared + (own - base) };
        Passed { shared: zero.less(is_state, state, shared + d), own: zero.less(is_state, state, own - d) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{F32x16, LANES};

    #[test]
    fn both_move_and_their_sum_stays() {
        let of = |x: f32| F32x16([x; LANES]);
        let mut is_state = of(0.0);
        is_state.0[1] = 1.0;
        let cells = Sixteen { own: of(3.0), base: of(0.5), shared: of(1.0), is_state };
        let passed = Elastic::new(0.25, false).pass(0, cells);
        assert_eq!((passed.own.0[0], passed.shared.0[0]), (2.5, 1.5));
        assert_eq!((passed.own.0[1], passed.shared.0[1]), (3.5, 3.5));
        let passed = Elastic::new(0.25, true).pass(0, cells);
        assert_eq!((passed.own.0[1], passed.shared.0[1]), (3.0, 3.0));
    }

    /// Equations 2 and 3: all replicas exchange with the centre as it was, and their moves add up in it. Without gradients all come to the
    /// mean of where the replicas and, `1 / alpha` times, the centre began: `sum x + c` stays.
    #[test]
    fn the_synchronous_form_comes_to_agree() {
        let of = |x: f32| F32x16([x; LANES]);
        let (mut replicas, mut centre) = ([4.0f32, -1.0, 0.0], 1.0f32);
        let sum = replicas.iter().sum::<f32>() + centre;
        for _ in 0..200 {
            let (before, mut moved) = (centre, 0.0);
            for x in &mut replicas {
                let cells = Sixteen { own: of(*x), base: of(0.0), shared: of(before), is_state: of(0.0) };
                let passed = Elastic::new(0.2, false).pass(0, cells);
                assert_eq!(passed.own.0[0], *x - 0.2 * (*x - before));
                (*x, moved) = (passed.own.0[0], moved + passed.shared.0[0] - before);
            }
            centre += moved;
            assert!((replicas.iter().sum::<f32>() + centre - sum).abs() < 1e-4);
        }
        assert!(replicas.iter().chain([&centre]).all(|x| (x - sum / 4.0).abs() < 1e-4), "{replicas:?} {centre}");
    }
}
