//! Private hot rows: how each worker's copies and the shared cells are exchanged.
use super::Hogwild;
use crate::{
    params::{Aiding, Isa, LANES, Real, Vector},
    rules::UpdateRule,
};
use atomic_float::AtomicF32;

impl<'t, R: UpdateRule, I: Isa, A: Aiding> Hogwild<'t, R, I, A> {
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

    /// Hands private changes to the shared array and takes over the changes of others.
    ///
    /// Sums (Adagrad's) and the weights whose steps they shrink take each worker's change whole. Averages (Adam's) move one worker's part
    /// of the way to its own: added changes could take them below 0. Weights under other rules take the share of the change that they
    /// bear: where each worker takes a weight all the way to where it wants it between two exchanges, as with the bias, the
    /// changes' sum goes beyond, and the next change comes back. So a share grows when a change goes on as the last one did,
    /// and falls when it turns, between one worker's part and all.
    #[inline(always)]
    pub(super) fn exchange_first(&mut self, n: usize) {
        let (part, zero) = (I::V::of(self.part_of_all), I::V::of(0.0));
        let is_state = I::V::load(&self.is_state.0);
        let (shared, private) = self.hot_cells();
        let sums: &[[AtomicF32; LANES]] = self.sums.as_chunks().0;
        let weight = I::V::of(self.adjuster.weight_of_now);
        for (i, (base, (shared, private))) in self.base[..n].iter_mut().zip(shared.iter().zip(private)).enumerate() {
            let (mine, before, now) = (self.isa.load(private), I::V::load(&base.0), self.isa.load(shared));
            let change = mine - before;
            let mut given = change;
            if R::AVERAGES {
                let (known, last) = (I::V::load(&self.shares[i].0), I::V::load(&self.changes[i].0));
                let (goes_on, grown, fallen) = (change * last, (known + known).min(I::V::of(1.0)), (known * I::V::of(0.8)).max(part));
                let share = goes_on.less(zero, fallen, zero.less(goes_on, grown, known));
                share.store(&mut self.shares[i].0);
                change.store(&mut self.changes[i].0);
                given = zero.less(is_state, part * (mine - now), share * change);
            }
            let now = now + given;
            if change.abs().sum() != 0.0 {
                self.isa.store(now, shared);
            }
            self.isa.store(now, private);
            now.store(&mut base.0);
            // An average is that of the shared weight's path.
            if let Some(sum) = sums.get(i) {
                self.isa.store(weight.mul_add(given, self.isa.load(sum)), sum);
            }
        }
    }
}
