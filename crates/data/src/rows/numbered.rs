//! Cells get the ranks of their columns, and each row is sorted by these: the last step from a matrix to rows.
//!
//! Columns are at random among the ranks, so comparisons would be mispredicted. Some rows at a time, about as many cells as a second-level
//! cache holds, are sorted together, digit by digit: a cell is one number, its row above its rank above its value. Only the rank's digits
//! are sorted by; a last pass by row then puts each cell into its place.

use hogwild_base::threads;
use std::{
    convert::Infallible,
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Cells that are sorted together, about.
const BLOCK: usize = 1 << 14;
/// Cells that one thread takes at a time, about.
const PART: usize = 1 << 17;
/// The most bits of a digit: the counts of all of them stay in the nearest cache.
const DIGIT: u32 = 10;
const DIGITS: usize = 1 << DIGIT;

/// What is numbered.
pub(super) struct Numbered<'a, R, V> {
    /// Where each row's cells start, and where the last row's end; checked.
    pub row_start: &'a [u64],
    /// The rank of the column of a cell.
    pub rank: R,
    /// The value of a cell; none where all are 1.
    pub value: Option<V>,
    /// All ranks are below.
    pub columns: usize,
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
            let end = self.end_of(row, PART, usize::MAX);
            let (mine, others) = rest.split_at_mut((self.row_start[end] - self.row_start[row]) as usize);
            let (mine_values, others_values) = rest_values.split_at_mut(mine.len().min(rest_values.len()));
            parts.push((row..end, mine, mine_values));
            (rest, rest_values, row) = (others, others_values, end);
        }
        // The first row in order, whichever thread was first.
        let twice = Mutex::new(None);
        let Ok(()) = threads::each(parts, Buffers::default, |buffers, (rows, columns, values)| {
            if let Some(found) = self.part(rows, columns, values, buffers) {
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

    /// The end of the rows from `row` on that have about so many cells together, and are no more than so many.
    fn end_of(&self, row: usize, cells: usize, most: usize) -> usize {
        let (starts, rows) = (self.row_start, self.row_start.len() - 1);
        let last = rows.min(row.saturating_add(most));
        (row + starts[row..].partition_point(|&start| start <= starts[row] + cells as u64)).saturating_sub(1).clamp(row + 1, last)
    }

    /// Sorts the rows of a part, block by block. Gives the first that has a column twice.
    fn part(&self, rows: Range<usize>, mut columns: &mut [u32], mut values: &mut [f32], buffers: &mut Buffers) -> Option<(usize, u32)> {
        let bits = (u32::BITS - (self.columns.max(2) as u32 - 1).leading_zeros()).max(1);
        let most_rows = 1usize << (u32::BITS - bits).min(16);
        let (mut row, mut twice) = (rows.start, None);
        while row < rows.end {
            let end = self.end_of(row, BLOCK, most_rows).min(rows.end);
            let cells = (self.row_start[end] - self.row_start[row]) as usize;
            let (mine, others) = std::mem::take(&mut columns).split_at_mut(cells);
            let held = cells.min(values.len()); // none where all are 1
            let (mine_values, others_values) = std::mem::take(&mut values).split_at_mut(held);
            (columns, values) = (others, others_values);
            self.block(row..end, bits, mine, mine_values, buffers);
            let at = |other: usize| (self.row_start[other] - self.row_start[row]) as usize;
            for row in row..end {
                let sorted = &mine[at(row)..at(row + 1)];
                for i in 1..sorted.len() {
                    if sorted[i - 1] == sorted[i] {
                        twice = twice.or(Some((row, sorted[i])));
                    }
                }
            }
            row = end;
        }
        twice
    }

    /// Sorts the rows of a block.
    fn block(&self, rows: Range<usize>, bits: u32, columns: &mut [u32], values: &mut [f32], buffers: &mut Buffers) {
        let Buffers { keys, buffer, places, ends } = buffers;
        let begin = self.row_start[rows.start];
        let cells = (self.row_start[rows.end] - begin) as usize;
        keys.resize(cells, 0);
        let mut at = 0;
        for row in rows.clone() {
            let high = ((row - rows.start) as u64) << (32 + bits);
            for cell in self.row_start[row] as usize..self.row_start[row + 1] as usize {
                let value = self.value.as_ref().map_or(0, |value| value(cell).to_bits());
                keys[at] = high | u64::from((self.rank)(cell)) << 32 | u64::from(value);
                at += 1;
            }
        }
        buffer.resize(keys.len(), 0);
        let passes = bits.div_ceil(DIGIT);
        let width = bits.div_ceil(passes);
        let digit = |key: u64, pass: u32| (key >> (32 + pass * width)) as usize & ((1 << width.min(bits - pass * width)) - 1);
        for pass in 0..passes {
            sort_by(keys, buffer, places, 1 << width, |key| digit(key, pass));
            std::mem::swap(keys, buffer);
        }
        ends.clear();
        ends.extend(self.row_start[rows].iter().map(|&start| (start - begin) as u32));
        let rank = (1u64 << bits) - 1;
        for at in 0..keys.len() {
            let key = keys[at];
            let end = &mut ends[(key >> (32 + bits)) as usize];
            let at = *end as usize;
            *end += 1;
            columns[at] = (key >> 32 & rank) as u32;
            if !values.is_empty() {
                values[at] = f32::from_bits(key as u32);
            }
        }
    }
}

/// Sorts keys by a digit, stably. (Plain loops: without ThinLTO `zip` and its like are calls, one a cell.)
#[inline(always)]
fn sort_by(keys: &[u64], sorted: &mut [u64], places: &mut [u32; DIGITS], digits: usize, digit: impl Fn(u64) -> usize) {
    let sorted = &mut sorted[..keys.len()];
    places[..digits].fill(0);
    for &key in keys {
        places[digit(key) & (DIGITS - 1)] += 1;
    }
    let mut sum = 0;
    for place in &mut places[..digits] {
        sum += std::mem::replace(place, sum);
    }
    for &key in keys {
        let place = &mut places[digit(key) & (DIGITS - 1)];
        sorted[*place as usize] = key;
        *place += 1;
    }
}

/// Room of one thread.
struct Buffers {
    keys: Vec<u64>,
    buffer: Vec<u64>,
    /// Where the next cell of a digit belongs.
    places: Box<[u32; DIGITS]>,
    /// Where the next cell of a row belongs.
    ends: Vec<u32>,
}

impl Default for Buffers {
    fn default() -> Buffers {
        Buffers { keys: Vec::new(), buffer: Vec::new(), places: Box::new([0; DIGITS]), ends: Vec::new() }
    }
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
        for (columns, rows, longest) in [(1, 5, 1), (2, 3, 2), (300, 2000, 90), (70_000, 900, 200), (1 << 31, 60, 9), (100_000, 2, 90_000)]
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
            for ones in [false, true] {
                let value = (!ones).then_some(|cell: usize| cells[cell].1);
                let numbered = Numbered { row_start: &row_start, rank: |cell: usize| cells[cell].0, value, columns: columns as usize };
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
        let numbered =
            Numbered { row_start: &[0, 2, 5, 7], rank: |cell: usize| columns[cell], value: None::<fn(usize) -> f32>, columns: 4 };
        assert_eq!(numbered.sort().unwrap_err(), (1, 2));
    }
}
