//! Rows from a sparse matrix as other programs hold it: numbers of any width, and as many columns as it says.
//!
//! Every number is read where it lies, and once more when it is copied: nothing else of the matrix is held.

use super::{
    Rows,
    csr::check_weights,
    numbered::Numbered,
    parts::{bad, check_lengths},
};
use crate::{
    Ids,
    cells::Cells,
    dictionary::{Dictionary, Ranked, sort_by_count},
};
use hogwild_base::{Result, memory, threads};
use std::ops::Range;

/// Numbers that say where a row starts, or which column a cell has.
pub trait Index: Copy + Send + Sync {
    /// As a number; negative ones are larger than any that is allowed.
    fn index(self) -> u64;
}

/// Numbers that are values of cells.
pub trait Number: Copy + Send + Sync {
    /// As it is trained on; infinite where it is too large.
    fn number(self) -> f32;
}

macro_rules! numbers {
    ($trait:ident $function:ident -> $to:ty: $($type:ty)*) => {$(
        impl $trait for $type {
            #[inline(always)]
            fn $function(self) -> $to {
                self as $to
            }
        }
    )*};
}
numbers! { Index index -> u64: i32 i64 u32 u64 }
numbers! { Number number -> f32: f32 f64 i32 i64 }

/// A sparse matrix in compressed rows (SciPy's `csr_matrix`), as [`Rows::from_matrix`] takes it.
#[derive(Debug)]
pub struct Matrix<'a, I, V> {
    /// Where each row's cells start among `columns`, and where the last row's end.
    pub row_start: &'a [I],
    /// The column of each cell, in any order, but in no row twice.
    pub columns: &'a [I],
    /// The value of each cell.
    pub values: &'a [V],
    /// How many columns there are, whether they occur or not.
    pub width: usize,
}

/// A plain table of all columns is used where there are at most so many for a cell, or so many in all.
const SPARSE: usize = 16;
const FEW: usize = 1 << 20;
/// Cells that one thread counts at a time, at least.
const PART: usize = 1 << 16;
/// Cells whose values are looked at before their columns are.
const LOOKED: usize = 1 << 12;

/// What one thread has seen of the cells.
struct Seen {
    counts: Vec<u32>,
    ones: bool,
    /// The first cell that can't be used.
    wrong: Option<usize>,
}

impl<I: Index, V: Number> Matrix<'_, I, V> {
    /// Whether there are cells for each row.
    ///
    /// # Errors
    /// Names what does not fit.
    pub fn check(&self) -> Result<()> {
        let starts = self.row_start.iter().map(|start| start.index());
        check_lengths(self.row_start.len().saturating_sub(1), self.row_start.len(), starts, self.columns.len(), Some(self.values.len()))
    }

    /// The same, and whether there is a label a row.
    pub(super) fn check_labels(&self, labels: &[f32]) -> Result<()> {
        let starts = self.row_start.iter().map(|start| start.index());
        check_lengths(labels.len(), self.row_start.len(), starts, self.columns.len(), Some(self.values.len()))?;
        match labels.iter().position(|label| !label.is_finite()) {
            Some(row) => Err(bad(format!("the label of row {row} (from 0) is {}", labels[row]), "leave the row out")),
            None => Ok(()),
        }
    }

    /// Counts how often each column occurs, and looks whether columns and values are such as can be used.
    fn look(&self, cells: Range<usize>, counts: &mut [u32]) -> (bool, Option<usize>) {
        let (mut ones, mut most, mut outside) = (0, 0, false);
        let (columns, values) = (&self.columns[cells.clone()], &self.values[cells.clone()]);
        // Some at a time: of values by themselves the compiler makes vectors. (Plain loops: without ThinLTO `zip` is a call, one a cell.)
        for start in (0..cells.len()).step_by(LOOKED) {
            let end = cells.len().min(start + LOOKED);
            for value in &values[start..end] {
                let bits = value.number().to_bits();
                ones |= bits ^ 1f32.to_bits();
                most = most.max(bits & !(1 << 31)); // of finite numbers that of the largest, and above it of others
            }
            for column in &columns[start..end] {
                match counts.get_mut(column.index() as usize) {
                    Some(count) => *count += 1,
                    None => outside = true,
                }
            }
        }
        let (ones, finite) = (ones == 0, most < f32::INFINITY.to_bits());
        let wrong = |&cell: &usize| !self.values[cell].number().is_finite() || self.columns[cell].index() >= self.width as u64;
        (ones, if finite && !outside { None } else { cells.clone().find(wrong) })
    }

    /// All cells are looked at. Counts, by column, where there is a table of them; and whether all values are 1.
    fn seen(&self, row_start: &[u64], has_table: bool) -> Result<(Vec<u32>, bool)> {
        let cells = self.columns.len();
        let width = if has_table { self.width } else { 0 };
        // A table a thread, as far as cells are worth it.
        let parts = (cells / PART.max(width)).clamp(1, threads::count());
        let part = |i: usize| cells * i / parts..cells * (i + 1) / parts;
        let see = |i: usize| {
            let mut counts = vec![0; width];
            let (ones, wrong) = if has_table { self.look(part(i), &mut counts) } else { self.look_alone(part(i)) };
            Seen { counts, ones, wrong }
        };
        let mut seen = threads::map(parts, see).into_iter();
        let Some(mut all) = seen.next() else { return Ok((Vec::new(), true)) };
        for Seen { counts, ones, wrong } in seen {
            all.counts.iter_mut().zip(&counts).for_each(|(sum, count)| *sum += count);
            (all.ones, all.wrong) = (all.ones & ones, all.wrong.or(wrong));
        }
        match all.wrong {
            Some(cell) => Err(self.wrong(row_start, cell)),
            None => Ok((all.counts, all.ones)),
        }
    }

    /// As [`look`](Self::look), without a table.
    fn look_alone(&self, cells: Range<usize>) -> (bool, Option<usize>) {
        let fits = |cell: usize| self.values[cell].number().is_finite() && self.columns[cell].index() < self.width as u64;
        (self.values[cells.clone()].iter().all(|value| value.number() == 1.0), cells.clone().find(|&cell| !fits(cell)))
    }

    /// What is wrong with a cell.
    pub(super) fn wrong(&self, row_start: &[u64], cell: usize) -> hogwild_base::Error {
        let row = row_start.partition_point(|&start| start <= cell as u64) - 1;
        let column = self.columns[cell].index();
        if column >= self.width as u64 {
            let problem = format!("row {row} (from 0) has column {}, and there are {} columns", column as i64, self.width);
            return bad(problem, "number columns from 0");
        }
        let problem = format!("the value of column {column} in row {row} (from 0) is not finite, or too large for 32 bits");
        bad(problem, "leave it out, or give a number below 3.4e38")
    }
}

impl Rows {
    /// Copies a sparse matrix with a label a row, and how much each row counts, above 0 (`None`: all alike). Columns are numbered by frequency;
    /// those that do not occur are left out.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::{Matrix, Rows};
    ///
    /// let matrix = Matrix { row_start: &[0i32, 2, 3], columns: &[900, 4, 4], values: &[0.5f64, 2.0, 1.0], width: 1000 };
    /// let rows = Rows::from_matrix(&matrix, &[1.0, -1.0], None)?;
    /// assert_eq!((rows.rows(), rows.columns(), rows.nonzeros()), (2, 2, 3));
    /// assert_eq!(rows.feature_ids()?.name(0), "4"); // in two rows
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Rows::from_csr`], to whose rows these are equal.
    pub fn from_matrix<I: Index, V: Number>(matrix: &Matrix<'_, I, V>, labels: &[f32], weights: Option<&[f32]>) -> Result<Rows> {
        threads::in_call(|| {
            let &Matrix { row_start, columns, values, width } = matrix;
            matrix.check_labels(labels)?;
            if let Some(weights) = weights {
                check_weights(labels.len(), weights)?;
                if let Some(row) = weights.iter().position(|&weight| weight == 0.0) {
                    return Err(bad(format!("the weight of row {row} (from 0) is 0"), "leave the row out"));
                }
            }
            let bytes = (columns.len() * 8 + labels.len() * 12) as u64;
            memory::ask(bytes, || "rows".into(), "give fewer, or pack them into a file")?;
            let row_start: Vec<u64> = row_start.iter().map(|start| start.index()).collect();
            let has_table = width <= u32::MAX as usize && width <= FEW.max(SPARSE.saturating_mul(columns.len()));
            let (counts, ones) = matrix.seen(&row_start, has_table)?;
            let value = (!ones).then_some(|cell: usize| values[cell].number());
            let twice = |(row, rank): (usize, u32), ids: &Ids| {
                let problem = format!("row {row} (from 0) has column {} twice", ids.name(rank as usize));
                bad(problem, "join its values first")
            };
            let (cells, ids, counts) = if has_table {
                let (rank, ids, counts) = ranked(&counts);
                let rank = |cell: usize| rank.get(columns[cell].index() as usize).copied().unwrap_or(0);
                let sorted = Numbered { row_start: &row_start, rank, value, counts: &counts }.sort();
                (sorted.map_err(|found| twice(found, &ids))?, ids, counts)
            } else {
                let (codes, Ranked { ids, counts, .. }) = by_dictionary(columns)?;
                let sorted = Numbered { row_start: &row_start, rank: |cell: usize| codes[cell], value, counts: &counts }.sort();
                (sorted.map_err(|found| twice(found, &ids))?, ids, counts)
            };
            let (columns, values) = cells;
            let labels = Cells::new(labels.to_vec());
            let weights = weights.filter(|weights| weights.iter().any(|&weight| weight != 1.0)).map(|weights| Cells::new(weights.to_vec()));
            Ok(Rows::in_memory(labels, Cells::new(row_start), Cells::new(columns), values.map(Cells::new), weights, ids, counts))
        })
    }
}

/// The rank of each column by falling count, then by number; ids and counts by rank.
fn ranked(counts: &[u32]) -> (Vec<u32>, Ids, Vec<u64>) {
    // The complement of the count above the column: plain words to be sorted, one compare each.
    let occurring = counts.iter().map(|&count| usize::from(count > 0)).sum::<usize>();
    let (mut keys, mut next) = (vec![0; occurring + 1], 0);
    for column in 0..counts.len() {
        // Where it does not occur, the next one takes its place: whether it does is hard to foretell.
        keys[next] = u64::from(!counts[column]) << 32 | column as u64;
        next += usize::from(counts[column] > 0);
    }
    keys.truncate(occurring);
    sort_by_count(&mut keys);
    let mut rank = vec![0; counts.len()];
    (0..).zip(&keys).for_each(|(place, &key)| rank[key as u32 as usize] = place);
    let ids = keys.iter().map(|&key| u64::from(key as u32)).collect();
    (rank, Ids::Numbers(ids), keys.into_iter().map(|key| u64::from(!((key >> 32) as u32))).collect())
}

/// The same by a dictionary, where there are far more columns than cells: with the rank of each cell.
fn by_dictionary<I: Index>(columns: &[I]) -> Result<(Vec<u32>, Ranked)> {
    let numbers: Vec<u64> = columns.iter().map(|column| column.index()).collect();
    let (mut codes, mut dictionary) = (Dictionary::codes_of(&numbers), Dictionary::default());
    let large: Vec<u64> = numbers.into_iter().filter(|&number| Dictionary::is_large(number)).collect();
    let too_many = |_| bad("have more different columns than can be numbered, about 4278 million".into(), "hash them to fewer");
    dictionary.count(&mut codes, &large).map_err(too_many)?;
    let ranked = dictionary.rank();
    codes.iter_mut().for_each(|code| *code = ranked.rank(*code));
    Ok((codes, ranked))
}
