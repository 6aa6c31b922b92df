//! Strata of a matrix of ratings (DSGD: Gemulla, Nijkamp, Haas & Sismanis 2011): blocks that can train side by side, as no two of them share
//! a user or an item.
//!
//! Users are cut into blocks, and items. Block `a` of users with block `b` of items is a cell, and cells that share no block are a stratum:
//! whole rows of parameters belong to one cell of it. Which cells, in which order, is drawn anew each epoch: a fixed order is learnt along
//! with the ratings.
//!
//! With as many blocks of users as of items an epoch goes through as many strata as there are blocks. Or one side is cut finer: as many of
//! its blocks as the other side has are a band, and an epoch goes through band after band. So all ratings of a user come within a short
//! time, and those of an item are spread over the epoch, which learns better than either alone (see docs/what-binds-speed.md).
use rand::{Rng, seq::SliceRandom};
use std::ops::Range;

/// A cell's turn in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// How many turns its block of users, and that of items, have had before.
    pub before: [usize; 2],
    /// The numbers of these blocks.
    pub blocks: [usize; 2],
    /// Its units in the plan.
    pub units: Range<usize>,
}

/// How many blocks there are where one side is cut finer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bands {
    /// Blocks of the side that is cut coarsely.
    pub blocks: usize,
    /// Which side is cut finer: 0 for users, 1 for items.
    pub fine: usize,
}

/// An epoch's turns, stratum by stratum. `ends`: where the units of each cell end, those of a block of users one after the other.
///
/// # Panics
/// When the cells are no square.
pub(crate) fn turns(ends: &[usize], random: &mut impl Rng) -> Vec<Turn> {
    let blocks = ends.len().isqrt();
    assert!(blocks * blocks == ends.len(), "as many blocks of users as of items");
    let (shifts, names) = (drawn(blocks, random), drawn(blocks, random));
    let mut turns = Vec::with_capacity(ends.len());
    for (stratum, shift) in shifts.into_iter().enumerate() {
        for users in drawn(blocks, random) {
            let items = names[(users + shift) % blocks];
            turns.push(Turn { before: [stratum; 2], blocks: [users, items], units: units(ends, users * blocks + items) });
        }
    }
    turns
}

/// An epoch's turns, band by band; cells without ratings have none. `ends`: where the units of each cell end, those of a block of the finer
/// side one after the other.
pub(crate) fn in_bands(ends: &[usize], Bands { blocks, fine }: Bands, random: &mut impl Rng) -> Vec<Turn> {
    let (blocks, coarse) = (blocks.max(1), 1 - fine);
    let all = ends.len() / blocks;
    let mut had = [vec![0; all], vec![0; blocks]];
    let mut turns = Vec::with_capacity(ends.len());
    for band in drawn(all, random).chunks(blocks) {
        let (shifts, names) = (drawn(blocks, random), drawn(blocks, random));
        for shift in shifts {
            for (i, &of_fine) in band.iter().enumerate() {
                let of_coarse = names[(i + shift) % blocks];
                let units = units(ends, of_fine * blocks + of_coarse);
                if units.is_empty() {
                    continue;
                }
                let (mut before, mut numbers) = ([0; 2], [0; 2]);
                (before[fine], before[coarse]) = (had[0][of_fine], had[1][of_coarse]);
                (numbers[fine], numbers[coarse]) = (of_fine, of_coarse);
                (had[0][of_fine], had[1][of_coarse]) = (had[0][of_fine] + 1, had[1][of_coarse] + 1);
                turns.push(Turn { before, blocks: numbers, units });
            }
        }
    }
    turns
}

/// The numbers below `count` in an order by lot.
fn drawn(count: usize, random: &mut impl Rng) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    numbers.shuffle(random);
    numbers
}

/// The units of a cell.
fn units(ends: &[usize], cell: usize) -> Range<usize> {
    if cell == 0 { 0..ends[0] } else { ends[cell - 1]..ends[cell] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seeds::Stream;

    #[test]
    fn each_cell_has_one_turn_and_none_of_a_stratum_share_a_block() {
        for blocks in [1, 2, 5, 16] {
            let ends: Vec<usize> = (1..=blocks * blocks).map(|cell| 3 * cell).collect();
            let of = |epoch| turns(&ends, &mut Stream::Order { epoch }.random(1));
            let all = of(1);
            for (stratum, turns) in all.chunks(blocks).enumerate() {
                let sorted = |of: fn(&Turn) -> usize| {
                    let mut numbers: Vec<usize> = turns.iter().map(of).collect();
                    numbers.sort_unstable();
                    numbers
                };
                let every: Vec<usize> = (0..blocks).collect();
                assert!(sorted(|turn| turn.blocks[0]) == every && sorted(|turn| turn.blocks[1]) == every);
                assert!(turns.iter().all(|turn| turn.before == [stratum; 2]));
            }
            let mut units: Vec<usize> = all.iter().flat_map(|turn| turn.units.clone()).collect();
            units.sort_unstable();
            assert_eq!(units, (0..3 * blocks * blocks).collect::<Vec<_>>());
            assert!(blocks < 5 || all != of(2), "each epoch has an order of its own");
        }
    }

    #[test]
    fn bands_give_each_cell_one_turn_and_count_those_before() {
        for (blocks, all, fine) in [(1, 1, 0), (1, 7, 1), (3, 3, 0), (3, 8, 1), (16, 64, 0)] {
            // The first cell has no ratings.
            let ends: Vec<usize> = (0..blocks * all).map(|cell| 2 * cell).collect();
            let of = |epoch| in_bands(&ends, Bands { blocks, fine }, &mut Stream::Order { epoch }.random(1));
            let turns = of(1);
            assert_eq!(turns.len(), blocks * all - 1);
            let mut had = [vec![0; all.max(blocks)], vec![0; all.max(blocks)]];
            for turn in &turns {
                for side in 0..2 {
                    assert_eq!(turn.before[side], had[side][turn.blocks[side]]);
                    had[side][turn.blocks[side]] += 1;
                }
            }
            // A stratum of a band shares no block.
            let full = turns.iter().skip(blocks * blocks).take(blocks).map(|turn| turn.blocks);
            assert!(
                full.clone().all(|a| full.clone().filter(|b| a[0] == b[0] || a[1] == b[1]).count() == 1)
                    || all % blocks > 0
                    || all == blocks
            );
            let mut units: Vec<usize> = turns.iter().flat_map(|turn| turn.units.clone()).collect();
            units.sort_unstable();
            assert_eq!(units, (0..2 * (blocks * all - 1)).collect::<Vec<_>>());
            assert!(all < 5 || turns != of(2), "each epoch has an order of its own");
        }
    }
}
