//! Cells of ratings, for workers that share no row: blocks of users by blocks of items.
//!
//! Rows are numbered by how frequent they are. A block is neighbours, of about as many ratings as any other block: the first ones are few
//! rows, so what they take of a cache is little, and strata take their time alike.
//!
//! Where four ratings are in flight, the side with more rows is cut finer, into so many blocks that a cell has some thousand ratings. The
//! rows of such a block stay in the first cache, and those of all blocks of the other side together pass by within one band.
use crate::options::{Settings, rating_parts};
use hogwild_kernels::{Bands, feed::Rating};
use std::ops::Range;

/// Blocks of the side that is cut coarsely, where four ratings are in flight and nothing is said: enough for 8 threads, of which each finds
/// a free cell, but of few ratings fewer, as then more of a row come in one go (Gowalla by logistic loss, 10 epochs: loss .419 with 4
/// blocks, .425 with 16). More only for more threads, as another number gives another model.
const BLOCKS: usize = 16;
const LEAST: usize = 4;
/// Ratings for each such block.
const OF_BLOCK: usize = 250_000;
/// Ratings of a cell then, about. With fewer, more rows come from another core's cache for each rating; with more, there are fewer blocks
/// of the finer side, and ratings of one item come in longer goes: ml10m with a block for each 1,000 users has RMSE .8350 instead of .8349.
const CELL: usize = 4096;

/// Which block each row belongs to.
pub(super) struct Cells {
    /// By user, then by item.
    of_row: Vec<u32>,
    /// How many blocks of users there are, and of items.
    blocks: [usize; 2],
    /// Where one side is cut finer.
    pub bands: Option<Bands>,
}

impl Cells {
    /// As many blocks of users as of items.
    pub fn square(ratings: &[Rating], users: usize, items: usize, settings: &Settings) -> Cells {
        let blocks = settings.parts.unwrap_or(rating_parts(ratings.len()).max(settings.threads));
        Cells { of_row: of_rows(ratings, [users, items], [blocks; 2]), blocks: [blocks; 2], bands: None }
    }

    /// More blocks of the side that has more rows.
    pub fn in_bands(ratings: &[Rating], users: usize, items: usize, settings: &Settings) -> Cells {
        // By the data alone: any number of threads is to give the same model.
        let suits = || (ratings.len() / OF_BLOCK).clamp(LEAST, BLOCKS).min(rating_parts(ratings.len())).max(1);
        let coarse = settings.parts.unwrap_or_else(suits);
        let fine = (ratings.len() / (CELL * coarse)).next_multiple_of(coarse).max(coarse);
        let side = (items > users) as usize;
        let blocks = if side == 0 { [fine, coarse] } else { [coarse, fine] };
        Cells { of_row: of_rows(ratings, [users, items], blocks), blocks, bands: Some(Bands { blocks: coarse, fine: side }) }
    }

    /// The number of a rating's cell: those of a block of users, or of the finer side, one after the other.
    pub fn of(&self, rating: &Rating) -> u32 {
        let [user, item] = [rating.pair.user, rating.pair.item].map(|row| self.of_row[row as usize]);
        match self.bands {
            Some(Bands { blocks, fine: 1 }) => item * blocks as u32 + user,
            _ => user * self.blocks[1] as u32 + item,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.blocks[0] * self.blocks[1]
    }

    /// The rows of each block of users, of which there are so many, and of each block of items.
    pub fn rows(&self, users: usize) -> [Vec<Range<u32>>; 2] {
        let (of_users, of_items) = self.of_row.split_at(users);
        let rows = |of: &[u32], before: usize, blocks: usize| {
            let start = |block: usize| (before + of.partition_point(|&other| (other as usize) < block)) as u32;
            (0..blocks).map(|block| start(block)..start(block + 1)).collect()
        };
        [rows(of_users, 0, self.blocks[0]), rows(of_items, users, self.blocks[1])]
    }
}

/// The block of each row, by user, then by item.
fn of_rows(ratings: &[Rating], [users, items]: [usize; 2], blocks: [usize; 2]) -> Vec<u32> {
    let mut counts = vec![0u64; users + items];
    for Rating { pair, .. } in ratings {
        counts[pair.user as usize] += 1;
        counts[pair.item as usize] += 1;
    }
    let sides = [&counts[..users], &counts[users..]].into_iter().zip(blocks);
    sides.flat_map(|(counts, blocks)| cut(counts, ratings.len(), blocks)).collect()
}

/// The block of each row, by how many ratings come before it.
fn cut(counts: &[u64], ratings: usize, blocks: usize) -> impl Iterator<Item = u32> {
    counts.iter().scan(0, move |before, count| {
        let middle = *before + count / 2;
        *before += count;
        Some((middle * blocks as u64 / ratings.max(1) as u64).min(blocks as u64 - 1) as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hogwild_kernels::models::Pair;

    #[test]
    fn blocks_have_as_many_ratings_each_and_few_rows_leave_some_empty() {
        let of = |counts: &[u64], blocks| cut(counts, counts.iter().sum::<u64>() as usize, blocks).collect::<Vec<_>>();
        assert_eq!(of(&[4, 2, 2, 1, 1, 1, 1], 3), [0, 1, 1, 2, 2, 2, 2]);
        assert_eq!(of(&[9, 1], 4), [1, 3]);
        assert_eq!(of(&[1; 6], 2), [0, 0, 0, 1, 1, 1]);
        assert_eq!(of(&[5], 1), [0]);
    }

    #[test]
    fn the_side_with_more_rows_is_cut_finer() {
        for (users, items, fine) in [(200, 40, 0), (40, 200, 1)] {
            let pair = |i: u32| Pair::new(i % users, i / 7 % items, users);
            let ratings: Vec<Rating> = (0..40_000).map(|i| Rating { pair: pair(i), value: 1.0 }).collect();
            let cells = Cells::in_bands(&ratings, users as usize, items as usize, &Settings::for_ratings());
            let Some(bands) = cells.bands else { panic!("bands") };
            assert!(bands.fine == fine && bands.blocks == 4 && cells.blocks[fine] >= cells.blocks[1 - fine]);
            let rows = cells.rows(users as usize);
            for rating in &ratings {
                let cell = cells.of(rating) as usize;
                let (of_fine, of_coarse) = (cell / bands.blocks, cell % bands.blocks);
                let places = [rating.pair.user, rating.pair.item];
                assert!(rows[fine][of_fine].contains(&places[fine]) && rows[1 - fine][of_coarse].contains(&places[1 - fine]));
            }
        }
    }
}
