//! The mean of the replicas' changes: local SGD (Zinkevich et al. 2010; Stich 2019) at the rate times the number of replicas.
//!
//! With N replicas, each at N times the rate: `w <- w + D / N` for a replica's change `D` of a weight since its last exchange. Sums of
//! squares (Adagrad's), by which steps shrink, take each change whole; averages (Adam's) take a part as weights do, as added changes could
//! take them below 0.
use super::{Exchange, Passed, Sixteen};
use crate::simd::Vector;

pub(super) struct Mean {
    /// One over the replicas.
    part: f32,
    /// What of a change the rule's state takes.
    of_state: f32,
}

impl Mean {
    pub fn new(replicas: usize, averages: bool) -> Mean {
        let part = 1.0 / replicas as f32;
        Mean { part, of_state: if averages { part } else { 1.0 } }
    }
}

impl Exchange for Mean {
    #[inline(always)]
    fn due(&mut self, vectors: usize) -> usize {
        vectors
    }

    #[inline(always)]
    fn pass<V: Vector>(&mut self, _vector: usize, Sixteen { own, base, shared, is_state }: Sixteen<V>) -> Passed<V> {
        let part = V::of(0.0).less(is_state, V::of(self.of_state), V::of(self.part));
        let after = part.mul_add(own - base, shared);
        Passed { shared: after, own: after }
    }
}
