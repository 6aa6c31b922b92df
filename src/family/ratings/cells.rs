//! Cells of ratings, for workers that share no row: blocks of users by blocks of items.
//!
//! Rows are numbered by how frequent they are. A block is neighbours, of about as many ratings as any other block: the first ones are few
//! rows, so what they take of a cache is little, and strata take their time alike.
use crate::options::{Settings, rating_parts};
use hogwild_kernels::feed::Rating;

/// Which block each row belongs to.
pub(super) struct Cells {
    blocks: u32,
    /// By user, then by item.
    of_row: Vec<u32>,
}

impl Cells {
    /// Of ratings with row numbers, of so many users and items.
    pub fn new(ratings: &[Rating], users: usize, items: usize, settings: &Settings) -> Cells {
        let blocks = settings.parts.unwrap_or(rating_parts(ratings.len()).max(settings.threads));
        let mut counts = vec![0u64; users + items];
        for Rating { pair, .. } in ratings {
            counts[pair.user as usize] += 1;
            counts[pair.item as usize] += 1;
        }
        let of_row = [&counts[..users], &counts[users..]].into_iter().flat_map(|counts| cut(counts, ratings.len(), blocks)).collect();
        Cells { blocks: blocks as u32, of_row }
    }

    /// The number of a rating's cell: those of a block of users one after the other.
    pub fn of(&self, rating: &Rating) -> u32 {
        self.of_row[rating.pair.user as usize] * self.blocks + self.of_row[rating.pair.item as usize]
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        (self.blocks * self.blocks) as usize
    }
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

    #[test]
    fn blocks_have_as_many_ratings_each_and_few_rows_leave_some_empty() {
        let of = |counts: &[u64], blocks| cut(counts, counts.iter().sum::<u64>() as usize, blocks).collect::<Vec<_>>();
        assert_eq!(of(&[4, 2, 2, 1, 1, 1, 1], 3), [0, 1, 1, 2, 2, 2, 2]);
        assert_eq!(of(&[9, 1], 4), [1, 3]);
        assert_eq!(of(&[1; 6], 2), [0, 0, 0, 1, 1, 1]);
        assert_eq!(of(&[5], 1), [0]);
    }
}
