//! Cells get the ranks of their columns, and each row is sorted by these: the last step from a matrix to rows.
//!
//! Columns are at random among the ranks, so comparisons would be mispredicted. A cell becomes a key: its rank, and below it its place in the
//! row. Keys are sorted by vectors (`crate::vectors`), at 1 to 2 ns each, and values are fetched by the places. Where the processor has no
//! vectors for that, rows are sorted by buckets of ranks (`buckets.rs`). Long rows are sorted digit by digit; and so are rows of
//! more than 64 cells whose keys are beyond 32 bits, for to look up the bucket of so many ranks misses the cache (300 cells a row, ten million
//! columns: all of it took 1.5 times as long and more by buckets).
//!
//! Ranks come from a table that may be larger than the caches. Then each is asked for some rows ahead: while it comes, rows are sorted.

use super::{
    buckets::{Buckets, ByBuckets},
    number::{Index, Number},
};
use crate::{pack::sort::RowSorter, vectors, wide::ask_for, zeroed::Zeroed};
use hogwild_base::threads;
use std::{
    convert::Infallible,
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Cells that one thread takes at a time, about.
const PART: usize = 1 << 17;
/// How many cells ahead ranks are asked for.
const AHEAD: usize = 1 << 9;
/// Bytes of a table of ranks that stays in a near cache.
const NEAR: usize = 1 << 20;

/// The rank of the column of each cell.
pub(super) trait Ranks: Sync {
    /// The one of a cell.
    fn of(&self, cell: usize) -> u32;
    /// Whether they come from far memory, and so are to be asked for.
    fn are_far(&self) -> bool {
        false
    }
    /// Asks for the one of a cell.
    fn ask(&self, _cell: usize) {}
}

impl<F: Fn(usize) -> u32 + Sync> Ranks for F {
    #[inline(always)]
    fn of(&self, cell: usize) -> u32 {
        self(cell)
    }
}

/// The rank of each column, by a table.
pub(super) struct Table<'a, I> {
    pub columns: &'a [I],
    pub ranks: &'a [u32],
}

impl<I: Index> Ranks for Table<'_, I> {
    #[inline(always)]
    fn of(&self, cell: usize) -> u32 {
        self.ranks.get(self.columns[cell].index() as usize).copied().unwrap_or(0)
    }

    fn are_far(&self) -> bool {
        size_of_val(self.ranks) > NEAR
    }

    #[inline(always)]
    fn ask(&self, cell: usize) {
        if let Some(rank) = self.ranks.get(self.columns[cell].index() as usize) {
            ask_for(rank);
        }
    }
}

/// What is numbered.
pub(super) struct Numbered<'a, R, V> {
    /// Where each row's cells start, and where the last row's end; checked.
    pub row_start: &'a [u64],
    pub ranks: R,
    /// The value of each cell; none where all are 1.
    pub values: Option<&'a [V]>,
    /// How often each rank occurs; all ranks are below their number.
    pub counts: &'a [u64],
}

/// The columns and values of all cells, by ascending columns in each row.
pub(super) type Sorted = Result<(Zeroed<u32>, Option<Zeroed<f32>>), Wrong>;

/// Why there are none: of several, that is told which comes first here, and of equal columns those of the first row. (So threads may find
/// them in any order.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wrong {
    /// A value is not finite.
    Value,
    /// The first row that has a column twice, and its rank.
    Twice(usize, u32),
}

impl<R: Ranks, V: Number> Numbered<'_, R, V> {
    /// Numbers and sorts.
    pub fn sort(&self) -> Sorted {
        self.sort_by(vectors::Sort::best())
    }

    fn sort_by(&self, sort: Option<vectors::Sort>) -> Sorted {
        let (rows, cells) = (self.row_start.len() - 1, self.row_start.last().copied().unwrap_or(0) as usize);
        let (mut columns, mut values) = (Zeroed::new(cells), self.values.map(|_| Zeroed::new(cells)));
        let mut parts = Vec::new();
        let (mut rest, mut rest_values, mut row) = (columns.as_mut(), values.as_mut().map(Zeroed::as_mut).unwrap_or_default(), 0);
        while row < rows {
            let end = self.end_of(row, rows);
            let (mine, others) = rest.split_at_mut((self.row_start[end] - self.row_start[row]) as usize);
            let (mine_values, others_values) = rest_values.split_at_mut(mine.len().min(rest_values.len()));
            parts.push((row..end, mine, mine_values));
            (rest, rest_values, row) = (others, others_values, end);
        }
        let bits = usize::BITS - self.counts.len().saturating_sub(1).leading_zeros();
        let buckets = sort.is_none().then(|| Buckets::of(self.counts, cells, rows));
        let desk = || Desk { sorter: RowSorter::by(sort, bits), by_buckets: buckets.as_ref().map(ByBuckets::new), numbers: Vec::new() };
        // The least of all, whichever thread was first.
        let wrong = Mutex::new(None);
        let Ok(()) = threads::each(parts, desk, |desk, (rows, columns, values)| {
            if let Some(found) = self.part(rows, columns, values, desk) {
                let mut first = wrong.lock().unwrap_or_else(PoisonError::into_inner);
                *first = first.into_iter().chain([found]).min();
            }
            Ok::<(), Infallible>(())
        });
        match wrong.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(wrong) => Err(wrong),
            None => Ok((columns, values)),
        }
    }

    /// The end of the rows from `row` on that are a part.
    fn end_of(&self, row: usize, rows: usize) -> usize {
        let starts = self.row_start;
        (row + starts[row..=rows].partition_point(|&start| start <= starts[row] + PART as u64)).saturating_sub(1).clamp(row + 1, rows)
    }

    /// Sorts the rows of a part. Gives what is wrong first.
    fn part(&self, rows: Range<usize>, mut columns: &mut [u32], mut values: &mut [f32], desk: &mut Desk<'_>) -> Option<Wrong> {
        let (mut twice, mut wrong) = (None, 0);
        let end = self.row_start[rows.end] as usize;
        let mut asked = (self.row_start[rows.start] as usize + AHEAD).min(end);
        for row in rows {
            let cells = self.row_start[row] as usize..self.row_start[row + 1] as usize;
            let first = cells.start;
            let (mine, others) = std::mem::take(&mut columns).split_at_mut(cells.len());
            let held = cells.len().min(values.len()); // none where all are 1
            let (mine_values, others_values) = std::mem::take(&mut values).split_at_mut(held);
            (columns, values) = (others, others_values);
            if desk.numbers.len() < held {
                desk.numbers.resize(held, 0.0);
            }
            // One behind the other, in a loop of which the compiler makes vectors; then from the nearest cache.
            let mut numbers = std::mem::take(&mut desk.numbers);
            if let Some(values) = &self.values {
                let values = &values[cells];
                for i in 0..held {
                    numbers[i] = values[i].number();
                    // The highest bit is set where all bits of the exponent are: by what is not finite.
                    wrong |= (numbers[i].to_bits() & !(1 << 31)) + (1 << 23);
                }
            }
            // (Plain loops: without ThinLTO `zip` and its like are calls, one a cell.)
            for i in 0..mine.len() {
                mine[i] = self.ranks.of(first + i);
            }
            if self.ranks.are_far() {
                for cell in asked..(asked + mine.len()).min(end) {
                    self.ranks.ask(cell);
                }
                asked = (asked + mine.len()).min(end);
            }
            let (places, found) = desk.row(mine);
            for i in 0..held {
                mine_values[i] = numbers[places[i] as usize];
            }
            desk.numbers = numbers;
            if let Some(column) = found {
                twice = twice.or(Some(Wrong::Twice(row, column)));
            }
        }
        if wrong >> 31 == 0 { twice } else { Some(Wrong::Value) }
    }
}

/// How rows are sorted, with the room of one thread.
struct Desk<'a> {
    sorter: RowSorter,
    /// Where there are no vectors.
    by_buckets: Option<ByBuckets<'a>>,
    /// Values of a row, as they come.
    numbers: Vec<f32>,
}

impl Desk<'_> {
    /// Sorts the columns of a row. Gives where each stood, and the least that is there twice.
    #[inline]
    fn row(&mut self, columns: &mut [u32]) -> (&[u32], Option<u32>) {
        if let Some(by_buckets) = &mut self.by_buckets
            && let Some(twice) = by_buckets.sort(columns)
        {
            return (by_buckets.places(), twice);
        }
        let (places, equal) = self.sorter.sort_placed(columns);
        (places, if equal { twice(columns) } else { None })
    }
}

/// The first of sorted columns that is there twice.
#[cold]
fn twice(columns: &[u32]) -> Option<u32> {
    columns.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By all vectors that this processor has, and by none.
    fn ways() -> impl Iterator<Item = Option<vectors::Sort>> {
        vectors::Sort::all().into_iter().map(Some).chain([None])
    }

    #[test]
    fn as_the_standard_library() {
        let mut state = 1u64;
        let mut draw = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        };
        // Also rows that are too long for buckets, and for vectors.
        for (columns, rows, longest) in
            [(1, 5, 1), (2, 3, 2), (300, 2000, 90), (70_000, 900, 200), (1 << 20, 60, 9), (100_000, 2, 150_000), (1 << 21, 90, 5000)]
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
                let values: Vec<f32> = cells.iter().map(|cell| cell.1).collect();
                let values = (!ones).then_some(&values[..]);
                let numbered = Numbered { row_start: &row_start, ranks: |cell: usize| cells[cell].0, values, counts: &counts };
                let mut expected = all.clone();
                expected.iter_mut().for_each(|row| row.sort_unstable_by_key(|&(column, _)| column));
                let expected = expected.concat();
                for sort in ways() {
                    let sorted = hogwild_base::Threads::new(2).run(|| numbered.sort_by(sort)).unwrap();
                    assert!(sorted.0.iter().zip(&expected).all(|(a, b)| *a == b.0) && sorted.0.len() == expected.len(), "{columns}");
                    assert_eq!(sorted.1.map(|values| values.iter().zip(&expected).all(|(a, b)| *a == b.1)), (!ones).then_some(true));
                }
            }
        }
    }

    #[test]
    fn a_column_that_is_there_twice_is_told() {
        let columns = [3, 1, 2, 0, 2, 2, 2];
        let numbered =
            Numbered { row_start: &[0, 2, 5, 7], ranks: |cell: usize| columns[cell], values: None::<&[f32]>, counts: &[1, 1, 4, 1] };
        for sort in ways() {
            assert_eq!(numbered.sort_by(sort).err(), Some(Wrong::Twice(1, 2)));
        }
    }

    #[test]
    fn a_value_that_is_not_finite_is_told() {
        for wrong in [f64::NAN, f64::INFINITY, 1e300, -1e300] {
            let values = [1.0, 2.0, wrong, 3.0];
            let numbered = Numbered { row_start: &[0, 2, 4], ranks: |cell: usize| cell as u32, values: Some(&values[..]), counts: &[1; 4] };
            for sort in ways() {
                assert_eq!(numbered.sort_by(sort).err(), Some(Wrong::Value));
            }
        }
    }

    /// Two threads, of which either may be first.
    #[test]
    fn the_first_of_several_parts_is_told() {
        let rows = 20_000u64;
        assert!(8 * rows > PART as u64);
        let row_start: Vec<u64> = (0..=rows).map(|row| 8 * row).collect();
        let (counts, last) = ([rows; 8], rows as usize - 1);
        let told = |twice: &[usize], not_finite: Option<usize>| {
            let mut columns: Vec<u32> = (0..8 * rows).map(|cell| cell as u32 % 8).collect();
            twice.iter().for_each(|row| columns[8 * row + 3] = 5);
            let mut values = vec![1f32; columns.len()];
            not_finite.into_iter().for_each(|row| values[8 * row + 7] = f32::NAN);
            let ranks = |cell: usize| columns[cell];
            let numbered = Numbered { row_start: &row_start, ranks, values: Some(&values[..]), counts: &counts };
            let told = |sort| hogwild_base::Threads::new(2).run(|| numbered.sort_by(sort)).err();
            ways().map(told).collect::<Vec<_>>()
        };
        let all = |wrong| vec![wrong; ways().count()];
        assert_eq!(told(&[], None), all(None));
        assert_eq!(told(&[last], None), all(Some(Wrong::Twice(last, 5))));
        assert_eq!(told(&[9, 7, last], None), all(Some(Wrong::Twice(7, 5))));
        assert_eq!(told(&[0], Some(last)), all(Some(Wrong::Value)));
        assert_eq!(told(&[last], Some(0)), all(Some(Wrong::Value)));
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
            let values: Vec<f32> = cells.iter().map(|&cell| cell as f32).collect();
            let numbered = Numbered { row_start: &row_start, ranks: |cell: usize| cells[cell], values: Some(&values[..]), counts: &counts };
            for sort in ways() {
                let (columns, values) = numbered.sort_by(sort).unwrap();
                assert!(columns[8 * 4000..].iter().copied().eq(8..8 + rare), "{rare}");
                assert!(values.unwrap().iter().zip(&columns[..]).all(|(a, &b)| *a == b as f32), "{rare}");
            }
        }
    }
}
