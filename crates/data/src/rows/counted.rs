//! How often each column of a matrix occurs, and the ranks that follow.
//!
//! Nearly all columns of large tables occur seldom: a byte a column holds their counts, so that a table of a million columns stays in a near
//! cache. A column whose byte runs over is noted: a list of 1/256 of the cells at most.

use super::number::Index;
use crate::{Ids, zeroed::Zeroed};
use hogwild_base::threads;
use std::cmp::Reverse;

/// How often columns occur.
pub(super) struct Counted {
    /// The last byte of each count.
    low: Zeroed<u8>,
    /// The columns whose byte ran over: each as often as it did.
    more: Vec<u32>,
}

impl Counted {
    /// Of so many columns, none of which has occurred.
    pub fn new(width: usize) -> Counted {
        Counted { low: Zeroed::new(width), more: Vec::new() }
    }

    /// Counts columns. False: there is no such column as one of them.
    pub fn count<I: Index>(&mut self, columns: &[I]) -> bool {
        let (low, more, mut fit) = (self.low.as_mut(), &mut self.more, true);
        for column in columns {
            let column = column.index() as usize;
            match low.get_mut(column) {
                Some(low) => {
                    *low = low.wrapping_add(1);
                    if *low == 0 {
                        note(more, column);
                    }
                }
                None => fit = false,
            }
        }
        fit
    }

    /// Adds what was counted elsewhere, of as many columns.
    pub fn add(&mut self, other: Counted) {
        for (column, (low, &others)) in self.low.as_mut().iter_mut().zip(&other.low[..]).enumerate() {
            *low = low.wrapping_add(others);
            if *low < others {
                note(&mut self.more, column);
            }
        }
        self.more.extend(other.more);
    }

    /// The rank of each column by falling count, then by number; ids and counts by rank. What is said of columns that do not occur is nothing.
    pub fn ranked(mut self) -> (Zeroed<u32>, Ids, Vec<u64>) {
        let width = self.low.len();
        let many = self.many();
        // Their bytes would put them elsewhere.
        many.iter().for_each(|&(column, _)| self.low.as_mut()[column as usize] = 0);
        let low = &self.low[..];
        let (mut some, mut once) = (0, 0);
        for some_columns in low.chunks(255) {
            // Sums of bytes: of them the compiler makes vectors.
            let (mut of_some, mut of_once) = (0u8, 0u8);
            for &low in some_columns {
                of_some += u8::from(low > 0);
                of_once += u8::from(low == 1);
            }
            (some, once) = (some + usize::from(of_some), once + usize::from(of_once));
        }
        let (mut rank, mut ids) = (Zeroed::new(width), vec![0u64; many.len() + some + 1]);
        let ranks: &mut [u32] = rank.as_mut();
        // Those that occur once are the most and the last: they need no table of places. Whether one is among them is hard to foretell, so
        // that each is put where the next of them belongs.
        let (mut several, mut next, mut last) = (vec![0u32; some - once + 1], 0, many.len() + some - once);
        for column in 0..width {
            let (is_once, is_several) = (low[column] == 1, low[column] > 1);
            several[next] = column as u32;
            next += usize::from(is_several);
            ids[last] = column as u64;
            ranks[column] = if is_once { last as u32 } else { 0 };
            last += usize::from(is_once);
        }
        for (place, &(column, _)) in many.iter().enumerate() {
            (ranks[column as usize], ids[place]) = (place as u32, column.into());
        }
        let several = &several[..next];
        let mut places = [0usize; 256];
        several.iter().for_each(|&column| places[low[column as usize] as usize] += 1);
        let mut counts: Vec<u64> = many.iter().map(|&(_, count)| count).collect();
        for (count, place) in places.iter_mut().enumerate().rev() {
            let begin = counts.len();
            counts.resize(begin + *place, count as u64);
            *place = begin;
        }
        counts.resize(counts.len() + once, 1);
        for &column in several {
            let place = &mut places[low[column as usize] as usize];
            (ranks[column as usize], ids[*place]) = (*place as u32, column.into());
            *place += 1;
        }
        ids.truncate(counts.len());
        (rank, Ids::Numbers(ids), counts)
    }

    /// The columns whose bytes ran over, with their counts, by rank.
    fn many(&mut self) -> Vec<(u32, u64)> {
        threads::sort_unstable_by(&mut self.more, u32::cmp);
        let count = |times: &[u32]| (times[0], times.len() as u64 * 256 + u64::from(self.low[times[0] as usize]));
        let mut many: Vec<(u32, u64)> = self.more.chunk_by(|a, b| a == b).map(count).collect();
        many.sort_unstable_by_key(|&(column, count)| (Reverse(count), column));
        many
    }
}

/// Out of the loops, whose numbers so stay in registers.
#[cold]
#[inline(never)]
fn note(more: &mut Vec<u32>, column: usize) {
    more.push(column as u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_counts_of_any_size() {
        let of = [3u64, 0, 1, 256, 255, 1, 0, 70_000, 512, 2, 256, 1, 257, 3];
        for cut in [0, 1, 2, 100, 255, 256, 1000] {
            let (mut first, mut second) = (Counted::new(of.len()), Counted::new(of.len()));
            for (column, &count) in of.iter().enumerate() {
                (0..count).for_each(|i| assert!(if i < cut { &mut first } else { &mut second }.count(&[column as u32])));
            }
            assert!(!first.count(&[of.len() as u32]) && !first.count(&[-1i32]));
            first.add(second);
            let (rank, ids, counts) = first.ranked();
            let mut order: Vec<usize> = (0..of.len()).filter(|&column| of[column] > 0).collect();
            order.sort_by_key(|&column| Reverse(of[column]));
            assert_eq!(counts, order.iter().map(|&column| of[column]).collect::<Vec<_>>());
            assert!((0..order.len()).all(|i| ids.number(i) == Some(order[i] as u64) && rank[order[i]] == i as u32));
        }
        assert!(Counted::new(5).ranked().2.is_empty());
    }
}
