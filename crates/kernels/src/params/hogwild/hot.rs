//! Private hot rows: how each worker's copies and the shared cells are exchanged.
use super::{Hogwild, put_cells};
use crate::{
    params::Aiding,
    rules::UpdateRule,
    simd::{Isa, LANES, Line, Real, Vector},
};
use atomic_float::AtomicF32;

/// How long the products of successive changes are remembered.
const MEMORY: f32 = 0.9;
/// How fast a share falls with the correlation of successive changes.
const FALL: f32 = 3.0;

/// How a worker's changes of sixteen cells go on from exchange to exchange.
#[derive(Clone, Copy)]
pub(crate) struct Trend {
    last: Line<f32>,
    /// Averages of changes times the last ones, and of their squares.
    products: Line<f32>,
    squares: Line<f32>,
}

impl Trend {
    pub const NONE: Trend = Trend { last: Line([0.0; LANES]), products: Line([0.0; LANES]), squares: Line([0.0; LANES]) };

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

impl<'t, R: UpdateRule, I: Isa, A: Aiding> Hogwild<'t, R, I, A> {
    /// Shared cells, private cells and base, by sixteen. The last sixteen may reach beyond the hot rows: into rows that the shared
    /// array has anyway and that the private part has as padding.
    #[inline(always)]
    fn hot_cells(&self) -> (&'t [[AtomicF32; LANES]], &'t [[AtomicF32; LANES]]) {
        let private = &self.cells[self.private as usize * Self::STRIDE..];
        (self.cells.as_chunks().0, private.as_chunks().0)
    }

    /// Starts from the shared values.
    pub(crate) fn take_over(&mut self) {
        let (shared, private) = self.hot_cells();
        for (base, (shared, private)) in self.base.iter_mut().zip(shared.iter().zip(private)) {
            let now = self.isa.load(shared);
            self.isa.store(now, private);
            now.store(&mut base.0);
        }
    }

    /// Called between blocks. What staleness costs goes with the updates missed, and those get fewer with rank: so the hottest
    /// sixteenth is exchanged every time, a quarter every fourth time, all every sixteenth. Exchanging 1,024 rows every time
    /// instead, and keeping no more private, was a sixth slower (imdb_1gram, two threads: .88 ns a nonzero against .75).
    #[inline(always)]
    pub fn exchange(&mut self) {
        self.exchanges += 1;
        let part = match self.exchanges {
            n if n.is_multiple_of(16) => 1,
            n if n.is_multiple_of(4) => 4,
            _ => 16,
        };
        self.exchange_first(self.base.len().div_ceil(part));
    }

    /// Hands private changes to the shared array and takes over the changes of others.
    ///
    /// Sums (Adagrad's) and the weights whose steps they shrink take each worker's change whole. Averages (Adam's) move one worker's part
    /// of the way to its own: added changes could take them below 0. Of weights under other rules the hottest sixteenth may be ones that
    /// each worker takes all the way to where it wants them between two exchanges, as the bias: the sum of such changes goes
    /// beyond. They take one worker's part, and of two workers as much more as their changes go on instead of turning back. (More
    /// workers are slower to see each other's turns than such weights are to run away.)
    #[inline(always)]
    pub(crate) fn exchange_first(&mut self, n: usize) {
        let (part, zero) = (I::V::of(self.part_of_all), I::V::of(0.0));
        // The bias, whose gradient is the largest, is always such a weight.
        let more = if self.part_of_all == 0.5 { 0.5 } else { 0.0 };
        let room = [std::array::from_fn(|lane| if lane == 0 { 0.0 } else { more }), [more; LANES]];
        let is_state = I::V::load(&self.is_state.0);
        let (shared, private) = self.hot_cells();
        let sums: &[[AtomicF32; LANES]] = self.sums.as_chunks().0;
        let weight = self.adjuster.weight_of_now; // an average is that of the shared weight's path
        for (i, (base, (shared, private))) in self.base[..n].iter_mut().zip(shared.iter().zip(private)).enumerate() {
            let (mine, before, now) = (self.isa.load(private), I::V::load(&base.0), self.isa.load(shared));
            let change = mine - before;
            let mut given = change;
            if self.rule.averages() {
                let mut share = I::V::of(1.0);
                if let Some(trend) = self.trends.get_mut(i) {
                    share = I::V::load(&room[i.min(1)]).mul_add(trend.goes_on(change), part);
                }
                given = zero.less(is_state, part * (mine - now), share * change);
            }
            let mut after = now + given;
            if A::ON && self.adjuster.l1 {
                // Each worker has drawn the weight to 0: their changes' sum is not to cross it.
                after = zero.less(is_state, after, zero.less(-(now * after), zero, after));
            }
            if let Some(sums) = sums.get(i).filter(|_| A::ON) {
                let mut numbers = [0.0; LANES];
                after.store(&mut numbers);
                put_cells(shared, sums, Self::STRIDE, &numbers, weight);
            } else if change.abs().sum() != 0.0 {
                self.isa.store(after, shared);
            }
            let now = after;
            self.isa.store(now, private);
            now.store(&mut base.0);
        }
    }
}
