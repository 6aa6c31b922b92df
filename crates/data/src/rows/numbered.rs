//! Cells get the ranks of their columns, and each row is sorted by these: the last step from a matrix to rows.
//!
//! Columns are at random among the ranks, so comparisons would be mispredicted. But how often each rank occurs is known: ranks are divided
//! into buckets that are hit about equally often, some for each cell of a row. So a row's cells are counted by bucket and put into their
//! buckets' places. A bucket seldom gets two, and insertion mends what is not sorted then. All of it stays in the nearest cache. Long rows
//! are sorted digit by digit: buckets would get too many cells, or be too many themselves.
//!
//! It takes half the time of sorting digit by digit on imdb_1gram (141 cells a row, 512 buckets), and two thirds on Criteo (33 cells, 128).
//! Where millions of columns are hit about alike it takes longer than digit by digit: to look a bucket up misses the cache.

use crate::pack::sort::sort_pairs;
use hogwild_base::threads;
use std::{
    convert::Infallible,
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Cells that one thread takes at a time, about.
const PART: usize = 1 << 17;
/// Buckets for each cell of a row of mean length, and how many there are at least and at most.
const A_CELL: usize = 2;
const BUCKETS: (usize, usize) = (16, 512);
/// Cells of a row for each bucket, at most, and cells of a row at most: longer rows are sorted digit by digit.
const CROWD: usize = 4;
const LONG: usize = 512;
/// Cells that are moved by insertion for each cell of a row, at most: a row that needs more is unlike the others.
const MOVES: usize = 8;

/// What is numbered.
pub(super) struct Numbered<'a, R, V> {
    /// Where each row's cells start, and where the last row's end; checked.
    pub row_start: &'a [u64],
    /// The rank of the column of a cell.
    pub rank: R,
    /// The value of a cell; none where all are 1.
    pub value: Option<V>,
    /// How often each rank occurs; all ranks are below their number.
    pub counts: &'a [u64],
}

/// The columns and values of all cells, by ascending columns in each row; or the first row that has a column twice, and its rank.
pub(super) type Sorted = Result<(Vec<u32>, Option<Vec<f32>>), (usize, u32)>;

impl<R: Fn(usize) -> u32 + Sync, V: Fn(usize) -> f32 + Sync> Numbered<'_, R, V> {
    /// Numbers and sorts.
    pub fn sort(&self) -> Sorted {
        let (rows, cells) = (self.row_start.len() - 1, self.row_start.last().copied().unwrap_or(0) as usize);
        let (mut columns, mut values) = (vec![0; cells], self.value.as_ref().map(|_| vec![0f32; cells]));
        let mut parts = Vec::new();
        let (mut rest, mut rest_values, mut row) = (columns.as_mut_slice(), values.as_deref_mut().unwrap_or_default(), 0);
        while row < rows {
            let end = self.end_of(row);
            let (mine, others) = rest.split_at_mut((self.row_start[end] - self.row_start[row]) as usize);
            let (mine_values, others_values) = rest_values.split_at_mut(mine.len().min(rest_values.len()));
            parts.push((row..end, mine, mine_values));
            (rest, rest_values, row) = (others, others_values, end);
        }
        let count = (A_CELL * cells / rows.max(1)).next_power_of_two().clamp(BUCKETS.0, BUCKETS.1);
        let buckets = buckets(self.counts, count);
        // The first row in order, whichever thread was first.
        let twice = Mutex::new(None);
        let room = || Room { places: vec![0; count], ..Room::default() };
        let Ok(()) = threads::each(parts, room, |room, (rows, columns, values)| {
            if let Some(found) = self.part(rows, columns, values, &buckets, room) {
                let mut first = twice.lock().unwrap_or_else(PoisonError::into_inner);
                *first = first.into_iter().chain([found]).min();
            }
            Ok::<(), Infallible>(())
        });
        match twice.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(twice) => Err(twice),
            None => Ok((columns, values)),
        }
    }

    /// The end of the rows from `row` on that are a part.
    fn end_of(&self, row: usize) -> usize {
        let (starts, rows) = (self.row_start, self.row_start.len() - 1);
        (row + starts[row..].partition_point(|&start| start <= starts[row] + PART as u64)).saturating_sub(1).clamp(row + 1, rows)
    }

    /// Sorts the rows of a part. Gives the first that has a column twice.
    fn part(
        &self,
        rows: Range<usize>,
        mut columns: &mut [u32],
        mut values: &mut [f32],
        buckets: &[u16],
        room: &mut Room,
    ) -> Option<(usize, u32)> {
        let mut twice = None;
        for row in rows {
            let cells = self.row_start[row] as usize..self.row_start[row + 1] as usize;
            let (mine, others) = std::mem::take(&mut columns).split_at_mut(cells.len());
            let held = cells.len().min(values.len()); // none where all are 1
            let (mine_values, others_values) = std::mem::take(&mut values).split_at_mut(held);
            (columns, values) = (others, others_values);
            let found = if mine.len() <= LONG.min(CROWD * room.places.len()) {
                self.put(cells.start, mine, mine_values, buckets, room);
                settle(mine, mine_values)
            } else {
                self.take(cells.start, mine, mine_values);
                Err(Unsettled)
            };
            if let Some(column) = found.unwrap_or_else(|Unsettled| sort(mine, mine_values, self.counts.len(), room)) {
                twice = twice.or(Some((row, column)));
            }
        }
        twice
    }

    /// Puts a row's cells into the places of their buckets. (Plain loops: without ThinLTO `zip` and its like are calls, one a cell.)
    fn put(&self, first: usize, columns: &mut [u32], values: &mut [f32], buckets: &[u16], room: &mut Room) {
        let count = columns.len();
        let Room { places, ranks, .. } = room;
        if ranks.len() < count {
            ranks.resize(count, 0);
        }
        let ranks = &mut ranks[..count];
        places.fill(0);
        for i in 0..count {
            let rank = (self.rank)(first + i);
            ranks[i] = rank;
            places[buckets[rank as usize] as usize] += 1;
        }
        sum_up(places);
        match &self.value {
            Some(value) => {
                for i in 0..count {
                    let place = &mut places[buckets[ranks[i] as usize] as usize];
                    columns[*place as usize] = ranks[i];
                    values[*place as usize] = value(first + i);
                    *place += 1;
                }
            }
            None => {
                for i in 0..count {
                    let place = &mut places[buckets[ranks[i] as usize] as usize];
                    columns[*place as usize] = ranks[i];
                    *place += 1;
                }
            }
        }
    }

    /// Takes a row's cells as they come.
    fn take(&self, first: usize, columns: &mut [u32], values: &mut [f32]) {
        for i in 0..columns.len() {
            columns[i] = (self.rank)(first + i);
        }
        if let Some(value) = &self.value {
            for i in 0..values.len() {
                values[i] = value(first + i);
            }
        }
    }
}

/// Room of one thread.
#[derive(Default)]
struct Room {
    /// By bucket how many cells it has, then where the next one belongs.
    places: Vec<u16>,
    /// The ranks of a row.
    ranks: Vec<u32>,
    /// The cells of a row that is sorted digit by digit.
    pairs: Vec<u64>,
    buffer: Vec<u64>,
}

/// The bucket of each rank: ascending, and each hit by about as many cells as another.
fn buckets(counts: &[u64], buckets: usize) -> Vec<u16> {
    let all = counts.iter().sum::<u64>().max(1) as u128;
    let mut before = 0;
    let of = |&count: &u64| {
        let middle = before + count / 2;
        before += count;
        (middle as u128 * buckets as u128 / all).min(buckets as u128 - 1) as u16
    };
    counts.iter().map(of).collect()
}

/// Puts the sum of the numbers before it in place of each.
fn sum_up(places: &mut [u16]) {
    let mut before = 0;
    for place in places {
        before += std::mem::replace(place, before);
    }
}

/// More is to be moved than insertion is good for.
struct Unsettled;

/// Sorts cells that nearly are. Gives the least column that is there twice.
fn settle(columns: &mut [u32], values: &mut [f32]) -> Result<Option<u32>, Unsettled> {
    let (mut moves, mut twice) = (MOVES * columns.len(), None);
    for i in 1..columns.len() {
        let column = columns[i];
        if columns[i - 1] < column {
            continue;
        }
        let (mut at, value) = (i, values.get(i).copied());
        while at > 0 && columns[at - 1] > column {
            columns[at] = columns[at - 1];
            if value.is_some() {
                values[at] = values[at - 1];
            }
            at -= 1;
        }
        columns[at] = column;
        if let Some(value) = value {
            values[at] = value;
        }
        if at > 0 && columns[at - 1] == column {
            twice = twice.into_iter().chain([column]).min();
        }
        moves = moves.checked_sub(i - at).ok_or(Unsettled)?;
    }
    Ok(twice)
}

/// The same of cells in any order, whose columns are below `width`.
#[cold]
fn sort(columns: &mut [u32], values: &mut [f32], width: usize, room: &mut Room) -> Option<u32> {
    let Room { pairs, buffer, .. } = room;
    let value = |i: usize| values.get(i).map_or(0, |value| value.to_bits());
    pairs.clear();
    pairs.extend(columns.iter().enumerate().map(|(i, &column)| u64::from(column) << 32 | u64::from(value(i))));
    sort_pairs(pairs, buffer, usize::BITS - width.saturating_sub(1).leading_zeros());
    columns.iter_mut().zip(&*pairs).for_each(|(column, &pair)| *column = (pair >> 32) as u32);
    values.iter_mut().zip(&*pairs).for_each(|(value, &pair)| *value = f32::from_bits(pair as u32));
    columns.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_standard_library() {
        let mut state = 1u64;
        let mut draw = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        };
        // Also rows that are too long for buckets.
        for (columns, rows, longest) in [(1, 5, 1), (2, 3, 2), (300, 2000, 90), (70_000, 900, 200), (1 << 20, 60, 9), (100_000, 2, 150_000)]
        {
            let mut all: Vec<Vec<(u32, f32)>> = Vec::new();
            for _ in 0..rows {
                let mut row: Vec<u32> = (0..draw() % (longest + 1)).map(|_| (draw() % columns) as u32).collect();
                row.sort_unstable();
                row.dedup();
                let mut row: Vec<(u32, f32)> = row.into_iter().map(|column| (column, draw() as f32 - 1e9)).collect();
                (0..row.len()).for_each(|i| row.swap(i, draw() as usize % (i + 1)));
                all.push(row);
            }
            let row_start: Vec<u64> = std::iter::once(0)
                .chain(all.iter().scan(0, |sum, row| {
                    *sum += row.len() as u64;
                    Some(*sum)
                }))
                .collect();
            let cells = all.concat();
            let mut counts = vec![0; columns as usize];
            cells.iter().for_each(|cell| counts[cell.0 as usize] += 1);
            for ones in [false, true] {
                let value = (!ones).then_some(|cell: usize| cells[cell].1);
                let numbered = Numbered { row_start: &row_start, rank: |cell: usize| cells[cell].0, value, counts: &counts };
                let sorted = hogwild_base::Threads::new(2).run(|| numbered.sort()).unwrap();
                let mut expected = all.clone();
                expected.iter_mut().for_each(|row| row.sort_unstable_by_key(|&(column, _)| column));
                let expected = expected.concat();
                assert!(sorted.0.iter().zip(&expected).all(|(a, b)| *a == b.0) && sorted.0.len() == expected.len(), "{columns}");
                assert_eq!(sorted.1.map(|values| values.iter().zip(&expected).all(|(a, b)| *a == b.1)), (!ones).then_some(true));
            }
        }
    }

    #[test]
    fn a_column_that_is_there_twice_is_told() {
        let columns = [3, 1, 2, 0, 2, 2, 2];
        let numbered = Numbered {
            row_start: &[0, 2, 5, 7],
            rank: |cell: usize| columns[cell],
            value: None::<fn(usize) -> f32>,
            counts: &[1, 1, 4, 1],
        };
        assert_eq!(numbered.sort().unwrap_err(), (1, 2));
    }

    /// Its cells all come into the last bucket, or are too many for buckets.
    #[test]
    fn a_row_unlike_the_others() {
        for rare in [60, 3000] {
            let mut rows: Vec<Vec<u32>> = (0..4000).map(|_| (0..8).collect()).collect();
            rows.push((0..rare).map(|i| 8 + i * 1231 % rare).collect());
            let row_start: Vec<u64> = (0..=4000).map(|row| 8 * row).chain([8 * 4000 + rare as u64]).collect();
            let (cells, mut counts) = (rows.concat(), vec![4000; 8]);
            counts.resize(8 + rare as usize, 1);
            let value = |cell: usize| cells[cell] as f32;
            let numbered = Numbered { row_start: &row_start, rank: |cell: usize| cells[cell], value: Some(value), counts: &counts };
            let (columns, values) = numbered.sort().unwrap();
            assert!(columns[8 * 4000..].iter().copied().eq(8..8 + rare), "{rare}");
            assert!(values.unwrap().iter().zip(&columns).all(|(a, &b)| *a == b as f32), "{rare}");
        }
    }

    #[test]
    fn sums_of_what_is_before() {
        let mut places = [3, 0, 1, 2, 60_000, 0, 0, 5];
        sum_up(&mut places);
        assert_eq!(places, [0, 3, 3, 4, 6, 60_006, 60_006, 60_006]);
    }
}
