//! Private copies of the most frequent slots, exchanged often where staleness costs most.
//!
//! Sums (Adagrad's) and the weights whose steps they shrink take each worker's change whole. Averages (Adam's) move one worker's part of
//! the way to its own: added changes could take them below 0. Of weights under other rules the hottest sixteenth may be ones that each
//! worker takes all the way to where it wants them between two exchanges, as the bias: the sum of such changes goes beyond. They take one
//! worker's part, and of two workers as much more as their changes go on instead of turning back. (More workers are slower to see each
//! other's turns than such weights are to run away.)
use super::{Exchange, Passed, Sharing, Sixteen};
use crate::simd::{LANES, Line, Vector};

/// How long the products of successive changes are remembered.
const MEMORY: f32 = 0.9;
/// How fast a share falls with the correlation of successive changes.
const FALL: f32 = 3.0;

pub(super) struct Hot {
    exchanges: usize,
    /// One over the workers.
    part: f32,
    averages: bool,
    l1: bool,
    /// How much more than one worker's part weights may take that go on: of the first vector, of the others.
    room: [Line<f32>; 2],
    /// Of the hottest sixteenth of the vectors, under rules that keep averages.
    trends: Vec<Trend>,
}

impl Hot {
    pub fn new(Sharing { vectors, workers, averages, l1 }: Sharing) -> Hot {
        let part = 1.0 / workers as f32;
        let more = if part == 0.5 { 0.5 } else { 0.0 };
        // The bias, whose gradient is the largest, always runs away.
        let room = [Line(std::array::from_fn(|lane| if lane == 0 { 0.0 } else { more })), Line([more; LANES])];
        let trends = vec![Trend::NONE; if averages { vectors.div_ceil(16) } else { 0 }];
        Hot { exchanges: 0, part, averages, l1, room, trends }
    }
}

/// Of a worker's private vectors one over this many, from the first, pass at its exchange of that number, from 1.
#[inline(always)]
pub fn part_due(exchange: usize) -> usize {
    match exchange {
        n if n.is_multiple_of(16) => 1,
        n if n.is_multiple_of(4) => 4,
        _ => 16,
    }
}

impl Exchange for Hot {
    /// What staleness costs goes with the updates missed, and those get fewer with rank: so the hottest sixteenth is exchanged every
    /// time, a quarter every fourth time, all every sixteenth. Exchanging 1,024 rows every time instead, and keeping no more private, was
    /// a sixth slower (imdb_1gram, two threads: .88 ns a nonzero against .75).
    #[inline(always)]
    fn due(&mut self, vectors: usize) -> usize {
        self.exchanges += 1;
        vectors.div_ceil(part_due(self.exchanges))
    }

    #[inline(always)]
    fn pass<V: Vector>(&mut self, vector: usize, Sixteen { own, base, shared, is_state }: Sixteen<V>) -> Passed<V> {
        let (part, zero) = (V::of(self.part), V::of(0.0));
        let change = own - base;
        let mut given = change;
        if self.averages {
            let mut share = V::of(1.0);
            if let Some(trend) = self.trends.get_mut(vector) {
                share = V::load(&self.room[vector.min(1)].0).mul_add(trend.goes_on(change), part);
            }
            given = zero.less(is_state, part * (own - shared), share * change);
        }
        let mut after = shared + given;
        if self.l1 {
            // Each worker has drawn the weight to 0: their changes' sum is not to cross it.
            after = zero.less(is_state, after, zero.less(-(shared * after), zero, after));
        }
        Passed { shared: after, own: after }
    }
}

/// How a worker's changes of sixteen cells go on from exchange to exchange.
#[derive(Clone, Copy)]
struct Trend {
    last: Line<f32>,
    /// Averages of changes times the last ones, and of their squares.
    products: Line<f32>,
    squares: Line<f32>,
}

impl Trend {
    const NONE: Trend = Trend { last: Line([0.0; LANES]), products: Line([0.0; LANES]), squares: Line([0.0; LANES]) };

    /// Takes a change; gives how far the changes go on, from 0 (each turns back half of the last one's way, or more) to 1.
    #[inline(always)]
    fn goes_on<V: Vector>(&mut self, change: V) -> V {
        let (kept, new) = (V::of(MEMORY), V::of(1.0 - MEMORY));
        let products = kept.mul_add(V::load(&self.products.0), new * change * V::load(&self.last.0));
        let squares = kept.mul_add(V::load(&self.squares.0), new * change * change);
        change.store(&mut self.last.0);
        products.store(&mut self.products.0);
        squares.store(&mut self.squares.0);
        let correlation = products / squares.max(V::of(f32::MIN_POSITIVE));
        V::of(FALL).mul_add(correlation, V::of(1.0)).max(V::of(0.0)).min(V::of(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::F32x16;

    /// What two workers' changes from 1 make of the shared cells, of a weight (lane 1) and of a number of state (lane 2).
    fn pass(averages: bool, l1: bool, vector: usize, changes: [f32; 2]) -> [f32; 2] {
        let sharing = Sharing { vectors: 32, workers: 2, averages, l1 };
        let mut is_state = F32x16([0.0; LANES]);
        is_state.0[2] = 1.0;
        let mut shared = F32x16([1.0; LANES]);
        for change in changes {
            let cells = Sixteen { own: F32x16([1.0 + change; LANES]), base: F32x16([1.0; LANES]), shared, is_state };
            shared = Hot::new(sharing).pass(vector, cells).shared;
        }
        [shared.0[1], shared.0[2]]
    }

    #[test]
    fn sums_add_up_and_averages_move_a_part_of_the_way() {
        assert_eq!(pass(false, false, 0, [0.5, 0.25]), [1.75, 1.75]);
        // Frequent weights: half of a change, and as much again for one that goes on (a first change goes on); then half of the way to
        // 1.25.
        assert_eq!(pass(true, false, 1, [0.5, 0.25]), [1.75, 1.25]);
        assert_eq!(pass(true, false, 9, [0.5, 0.25]), [1.75, 1.25]);
    }

    #[test]
    fn weights_that_turn_back_take_one_workers_part() {
        let mut hot = Hot::new(Sharing { vectors: 32, workers: 2, averages: true, l1: false });
        let mut given = |change: f32| {
            let cells = [change, 0.0, 0.0, 0.0].map(|x| F32x16([x; LANES]));
            let [own, base, shared, is_state] = cells;
            hot.pass(1, Sixteen { own, base, shared, is_state }).shared.0[1]
        };
        given(1.0);
        assert_eq!(given(-1.0), -0.5);
    }

    #[test]
    fn l1_does_not_take_a_weight_across_0() {
        assert_eq!(pass(false, true, 0, [-0.75, -0.75]), [0.0, -0.5]);
        assert_eq!(pass(false, false, 0, [-0.75, -0.75]), [-0.5, -0.5]);
    }

    #[test]
    fn all_is_exchanged_every_sixteenth_time() {
        let mut hot = Hot::new(Sharing { vectors: 320, workers: 2, averages: false, l1: false });
        let due: Vec<usize> = (0..16).map(|_| hot.due(320)).collect();
        assert_eq!((due[..4].to_vec(), due[15]), (vec![20, 20, 20, 80], 320));
    }
}
