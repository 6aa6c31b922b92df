//! Rows from a sparse matrix as other programs hold it: numbers of any width, and as many columns as it says.
//!
//! Every number is read where it lies, and once more when it is copied: nothing else of the matrix is held.

use super::{
    Rows,
    counted::Counted,
    csr::check_weights,
    number::{Index, Number},
    numbered::{Numbered, Table, Wrong},
    parts::{bad, check_lengths},
};
use crate::{
    Ids,
    cells::Cells,
    dictionary::{Dictionary, Ranked},
};
use hogwild_base::{Result, memory, threads};
use std::ops::Range;

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
    counts: Counted,
    ones: bool,
    /// Whether columns are such as there are.
    fits: bool,
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

    /// Counts how often each column occurs, and looks whether there are such columns, and whether all values are 1.
    fn look(&self, cells: Range<usize>, has_table: bool) -> Seen {
        let mut seen = Seen { counts: Counted::new(if has_table { self.width } else { 0 }), ones: true, fits: true };
        let (columns, values) = (&self.columns[cells.clone()], &self.values[cells]);
        // Some at a time: of values by themselves the compiler makes vectors. (Plain loops: without ThinLTO `zip` is a call, one a cell.)
        for start in (0..columns.len()).step_by(LOOKED) {
            let end = columns.len().min(start + LOOKED);
            if seen.ones {
                let mut others = 0;
                for value in &values[start..end] {
                    others |= value.number().to_bits() ^ 1f32.to_bits();
                }
                seen.ones = others == 0;
            }
            let columns = &columns[start..end];
            seen.fits &=
                if has_table { seen.counts.count(columns) } else { columns.iter().all(|column| column.index() < self.width as u64) };
        }
        seen
    }

    /// All columns are looked at. Counts where there is a table of them; and whether all values are 1. Whether they are finite is seen when they
    /// are copied.
    fn seen(&self, row_start: &[u64], has_table: bool) -> Result<(Counted, bool)> {
        let cells = self.columns.len();
        let width = if has_table { self.width } else { 0 };
        // A table a thread, as far as cells are worth it.
        let parts = (cells / PART.max(width)).clamp(1, threads::count());
        let seen = threads::map(parts, |i| self.look(cells * i / parts..cells * (i + 1) / parts, has_table));
        let (mut counts, mut ones) = (None, true);
        for seen in seen {
            if !seen.fits {
                return Err(self.wrong_first(row_start));
            }
            ones &= seen.ones;
            match &mut counts {
                None => counts = Some(seen.counts),
                Some(counts) => counts.add(seen.counts),
            }
        }
        Ok((counts.unwrap_or_else(|| Counted::new(width)), ones))
    }

    /// What is wrong with the first cell that can't be used.
    #[cold]
    fn wrong_first(&self, row_start: &[u64]) -> hogwild_base::Error {
        let is_wrong = |&cell: &usize| !self.values[cell].number().is_finite() || self.columns[cell].index() >= self.width as u64;
        self.wrong(row_start, (0..self.columns.len()).find(is_wrong).unwrap_or(0))
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
            let values = (!ones).then_some(values);
            let wrong = |wrong: Wrong, ids: &Ids| match wrong {
                Wrong::Value => matrix.wrong_first(&row_start),
                Wrong::Twice(row, rank) => {
                    let problem = format!("row {row} (from 0) has column {} twice", ids.name(rank as usize));
                    bad(problem, "join its values first")
                }
            };
            let (cells, ids, counts) = if has_table {
                let (rank, ids, counts) = counts.ranked();
                let ranks = Table { columns, ranks: &rank };
                let sorted = Numbered { row_start: &row_start, ranks, values, counts: &counts }.sort();
                (sorted.map_err(|found| wrong(found, &ids))?, ids, counts)
            } else {
                let (codes, Ranked { ids, counts, .. }) = by_dictionary(columns)?;
                let sorted = Numbered { row_start: &row_start, ranks: |cell: usize| codes[cell], values, counts: &counts }.sort();
                (sorted.map_err(|found| wrong(found, &ids))?, ids, counts)
            };
            let (columns, values) = cells;
            let labels = Cells::new(labels.to_vec());
            let weights = weights.filter(|weights| weights.iter().any(|&weight| weight != 1.0)).map(|weights| Cells::new(weights.to_vec()));
            Ok(Rows::in_memory(labels, Cells::new(row_start), Cells::new(columns), values.map(Cells::new), weights, ids, counts))
        })
    }
}

/// Ranks by a dictionary, where there are far more columns than cells: with the rank of each cell.
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
