//! Strata of a matrix of ratings (DSGD: Gemulla, Nijkamp, Haas & Sismanis 2011): blocks that can train side by side, as no two of them share
//! a user or an item.
//!
//! Users are cut into as many blocks as items. Block `a` of users with block `b` of items is a cell, and the cells that a permutation pairs
//! are a stratum: whole rows of parameters belong to one cell of it. An epoch goes through as many strata as there are blocks, so that each
//! cell has one turn. Which permutations, in which order, is drawn anew each epoch: a fixed order is learnt along with the ratings.
use rand::{Rng, seq::SliceRandom};
use std::ops::Range;

/// A cell's turn in an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// How many turns its users, and its items, have had before: as many as strata.
    pub stratum: usize,
    /// Whose blocks it holds.
    pub users: usize,
    pub items: usize,
    /// Its units in the plan.
    pub units: Range<usize>,
}

/// An epoch's turns, stratum by stratum. `ends`: where the units of each cell end, those of a block of users one after the other.
///
/// # Panics
/// When the cells are no square.
pub(crate) fn turns(ends: &[usize], random: &mut impl Rng) -> Vec<Turn> {
    let blocks = ends.len().isqrt();
    assert!(blocks * blocks == ends.len(), "as many blocks of users as of items");
    let mut drawn = || {
        let mut numbers: Vec<usize> = (0..blocks).collect();
        numbers.shuffle(random);
        numbers
    };
    let (shifts, names) = (drawn(), drawn());
    let mut turns = Vec::with_capacity(ends.len());
    for (stratum, shift) in shifts.into_iter().enumerate() {
        for users in drawn() {
            let items = names[(users + shift) % blocks];
            let cell = users * blocks + items;
            let start = if cell == 0 { 0 } else { ends[cell - 1] };
            turns.push(Turn { stratum, users, items, units: start..ends[cell] });
        }
    }
    turns
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
                assert!(sorted(|turn| turn.users) == every && sorted(|turn| turn.items) == every);
                assert!(turns.iter().all(|turn| turn.stratum == stratum));
            }
            let mut units: Vec<usize> = all.iter().flat_map(|turn| turn.units.clone()).collect();
            units.sort_unstable();
            assert_eq!(units, (0..3 * blocks * blocks).collect::<Vec<_>>());
            assert!(blocks < 5 || all != of(2), "each epoch has an order of its own");
        }
    }
}
