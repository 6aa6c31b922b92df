//! Slots of one weight in parts, each of one worker alone.
//!
//! Slots are numbered by how frequent they are, and dealt out in turns, forwards and backwards: so the hottest are spread, and parts have
//! about as many nonzeros. A part's slots lie together, behind them one that takes what is written to empty lanes: two parts share no
//! cache line, nor a pair of them.
use super::{TableShape, replica::Reads};
use crate::simd::LANES;

/// Where slots lie that are dealt out to parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    slots: usize,
    /// How many parts there are.
    pub count: usize,
}

impl Parts {
    /// So many slots in `count` parts, at least one.
    pub fn new(slots: usize, count: usize) -> Parts {
        Parts { slots, count: count.max(1) }
    }

    /// The table that holds all of them.
    pub fn table(&self) -> TableShape {
        TableShape::single(self.count * self.room())
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// The part of a slot, and where the slot lies in the table.
    ///
    /// ```
    /// let parts = hogwild_kernels::params::Parts::new(100, 3);
    /// assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|slot| parts.of(slot).0), [0, 1, 2, 2, 1, 0, 0]);
    /// ```
    pub fn of(&self, slot: usize) -> (usize, usize) {
        let (turn, i) = (slot / self.count, slot % self.count);
        let part = if turn.is_multiple_of(2) { i } else { self.count - 1 - i };
        (part, part * self.room() + turn)
    }

    /// Numbers by slot as they lie in the table; 0 where no slot does.
    pub fn laid(&self, numbers: &[f32]) -> Vec<f32> {
        let mut laid = vec![0.0; if numbers.is_empty() { 0 } else { self.count * self.room() }];
        for (slot, &number) in numbers.iter().enumerate().take(self.slots) {
            laid[self.of(slot).1] = number;
        }
        laid
    }

    /// The numbers of all slots, of those that lie in the table.
    pub fn gathered(&self, laid: &[f32]) -> Vec<f32> {
        (0..self.slots).map(|slot| laid[self.of(slot).1]).collect()
    }

    /// Where a part's empty lanes lie: behind all that is its own.
    pub(crate) fn scratch(&self, part: usize) -> usize {
        (part + 1) * self.room() - 1
    }

    /// What a part's worker reads.
    pub(crate) fn reads(&self, part: usize) -> Reads {
        Reads::own(self.count * self.room(), self.scratch(part))
    }

    /// Slots of a part, in whole pairs of lines even of one cell each.
    fn room(&self) -> usize {
        (self.slots.div_ceil(self.count) + 1).next_multiple_of(2 * LANES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slot_has_a_place_of_its_own_within_its_part() {
        for (slots, count) in [(1, 1), (1, 5), (100, 3), (4096, 64), (31, 1), (32, 1)] {
            let parts = Parts::new(slots, count);
            let mut places: Vec<usize> = (0..slots)
                .map(|slot| parts.of(slot))
                .map(|(part, place)| {
                    assert!(place / parts.room() == part && place < parts.scratch(part) && part < count);
                    place
                })
                .collect();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), slots);
            let numbers: Vec<f32> = (0..slots).map(|slot| slot as f32).collect();
            assert_eq!(parts.gathered(&parts.laid(&numbers)), numbers);
            assert!(parts.laid(&[]).is_empty());
        }
    }

    #[test]
    fn parts_of_zipf_features_have_about_as_many_nonzeros() {
        let parts = Parts::new(10_000, 8);
        let mut sums = [0.0; 8];
        (0..10_000).for_each(|slot| sums[parts.of(slot).0] += 1.0 / (1.0 + slot as f64));
        let (most, all) = (sums.iter().copied().fold(0.0, f64::max), sums.iter().sum::<f64>());
        // The most frequent feature alone is more than a tenth.
        assert!(most < all / 8.0 + 0.8, "{sums:?}");
    }
}
