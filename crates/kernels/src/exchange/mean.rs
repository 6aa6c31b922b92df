//! The mean of the replicas' changes: local SGD (Zinkevich et al. 2010; Stich 2019) at the rate times the number of replicas.
//!
//! With N replicas, each at N times the rate: `w <- w + D / N` for a replica's change `D` of a weight since its last exchange. Sums of
//! squares (Adagrad's), by which steps shrink, take each change whole; averages (Adam's) go a part of the way to the replica's own, as added
//! changes could take them below 0.
use super::{Exchange, Passed, Sixteen, Tells};
use crate::simd::Vector;

pub(super) struct Mean {
    /// One over the replicas.
    part: f32,
    averages: bool,
}

impl Mean {
    pub fn new(replicas: usize, averages: bool) -> Mean {
        Mean { part: 1.0 / replicas as f32, averages }
    }
}

impl Exchange for Mean {
    fn tells(&self) -> Tells {
        // Averages go by where the replica's own are.
        if self.averages { Tells::All } else { Tells::Changes }
    }

    #[inline(always)]
    fn due(&mut self, vectors: usize) -> usize {
        vectors
    }

    #[inline(always)]
    fn pass<V: Vector>(&mut self, _vector: usize, Sixteen { own, base, shared, is_state }: Sixteen<V>) -> Passed<V> {
        let (part, change) = (V::of(self.part), own - base);
        let of_state = if self.averages { part * (own - shared) } else { change };
        let after = shared + V::of(0.0).less(is_state, of_state, part * change);
        Passed { shared: after, own: after }
    }
}
