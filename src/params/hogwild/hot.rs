//! Private hot rows: how each worker's copies and the shared cells are exchanged.
use super::Hogwild;
use crate::{
    params::{Isa, LANES, Real, Vector},
    rules::UpdateRule,
};
use atomic_float::AtomicF32;

impl<'t, R: UpdateRule, I: Isa> Hogwild<'t, R, I> {
    /// Shared cells, private cells and base, by sixteen. The last sixteen may reach beyond the hot rows: into rows that the shared
    /// array has anyway and that the private part has as padding.
    #[inline(always)]
    fn hot_cells(&self) -> (&'t [[AtomicF32; LANES]], &'t [[AtomicF32; LANES]]) {
        let private = &self.cells[self.private as usize * Self::STRIDE..];
        (self.cells.as_chunks().0, private.as_chunks().0)
    }

    /// Starts from the shared values.
    pub(super) fn take_over(&mut self) {
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

    /// Hands private changes to the shared array and takes over the changes of others. Changes of weights and sums add up; averages
    /// move a worker's part of the way to its own: their changes' sum would overshoot, and with many workers explode. So do weights of
    /// the hottest rows under rules whose steps do not shrink: between two exchanges each worker takes them all the way to where it wants them.
    #[inline(always)]
    pub(super) fn exchange_first(&mut self, n: usize) {
        let (usual, hottest) = (I::V::load(&self.share.0), hottest(self.hot as usize, Self::STRIDE));
        let (shared, private) = self.hot_cells();
        for (i, (base, (shared, private))) in self.base[..n].iter_mut().zip(shared.iter().zip(private)).enumerate() {
            let share = if R::AVERAGES && i < hottest { I::V::of(self.part_of_all) } else { usual };
            let (mine, mut before, now) = (self.isa.load(private), I::V::load(&base.0), self.isa.load(shared));
            if R::AVERAGES {
                before = share.less(I::V::of(1.0), now, before);
            }
            let change = mine - before;
            let now = share.mul_add(change, now);
            if change.abs().sum() != 0.0 {
                self.isa.store(now, shared);
            }
            self.isa.store(now, private);
            now.store(&mut base.0);
        }
    }
}

/// How many vectors of sixteen cells, of `hot` rows, are the hottest sixteenth.
pub(in crate::params) fn hottest(hot: usize, stride: usize) -> usize {
    (hot * stride).div_ceil(LANES).div_ceil(16)
}
