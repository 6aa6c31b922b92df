//! Rows in memory that is laid out as it is used: ours, or lent. Nothing is copied; all is checked as in a file.

use super::{GROUP, Home, IN_MEMORY, Rows};
use crate::{Ids, cells::Cells, labels::Labels};
use hogwild_base::{Error, Result};
use std::{
    path::Path,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

/// The parts of rows, as [`Rows::from_parts`] takes them.
#[derive(Debug)]
pub struct RowParts {
    /// A label a row.
    pub labels: Cells<f32>,
    /// Where each row's cells start, and where the last row's end.
    pub row_start: Cells<u64>,
    /// The column of each cell: by falling number of rows that have it, and ascending in each row.
    pub columns: Cells<u32>,
    /// The value of each cell; none where all are 1.
    pub values: Option<Cells<f32>>,
    /// How much each row counts, above 0; none where all count alike.
    pub weights: Option<Cells<f32>>,
    /// What the user calls each column.
    pub ids: Ids,
}

impl Rows {
    /// Takes rows as they lie in memory, ours or lent (see [`Cells::new`]), and copies none of it.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::{Cells, Ids, RowParts, Rows};
    ///
    /// let rows = Rows::from_parts(RowParts {
    ///     labels: Cells::new(vec![1.0, -1.0]),
    ///     row_start: Cells::new(vec![0, 2, 3]),
    ///     columns: Cells::new(vec![0, 1, 0]),
    ///     values: None,
    ///     weights: None,
    ///     ids: Ids::Numbers(vec![7, 3]),
    /// })?;
    /// assert_eq!((rows.rows(), rows.columns(), rows.feature_counts()?), (2, 2, vec![2, 1]));
    /// # Ok::<(), hogwild_base::Error>(())
    /// ```
    ///
    /// # Errors
    /// When lengths do not fit, labels or values are not finite, or columns are not numbered and ordered as said.
    /// [`Rows::from_csr`] takes columns in any order.
    pub fn from_parts(parts: RowParts) -> Result<Rows> {
        let RowParts { labels, row_start, columns, values, weights, ids } = parts;
        let (rows, cells) = (labels.len(), columns.len());
        check_lengths(rows, row_start.len(), row_start.iter().map(|start| start.load(Relaxed)), cells, values.as_ref().map(|v| v.len()))?;
        if let Some(weights) = weights.as_ref().filter(|weights| weights.len() != rows) {
            return Err(bad(format!("there are {} weights of {rows} rows", weights.len()), "give a weight a row"));
        }
        for (what, numbers) in [("label", Some(&labels)), ("value", values.as_ref()), ("weight", weights.as_ref())] {
            let bits = numbers.into_iter().flat_map(|numbers| numbers.iter()).map(|bits| bits.load(Relaxed));
            check_finite(what, bits)?;
        }
        let weight = |bits: &AtomicU32| f32::from_bits(bits.load(Relaxed));
        if let Some(row) = weights.as_ref().and_then(|weights| weights.iter().position(|bits| weight(bits) <= 0.0)) {
            return Err(bad(format!("the weight of row {row} (from 0) is not above 0"), "leave the row out"));
        }
        let counts = count(&row_start, &columns, ids.len())?;
        Ok(Rows::in_memory(labels, row_start, columns, values, weights, ids, counts))
    }

    /// A few rows that were just parsed.
    pub(crate) fn of_few(
        labels: Vec<f32>,
        row_start: Vec<u64>,
        columns: Vec<u32>,
        values: Option<Vec<f32>>,
        (ids, counts): (Ids, Vec<u64>),
    ) -> Rows {
        let (labels, row_start, columns) = (Cells::new(labels), Cells::new(row_start), Cells::new(columns));
        Rows::in_memory(labels, row_start, columns, values.map(Cells::new), None, ids, counts)
    }

    /// Of numbers that were checked.
    pub(super) fn in_memory(
        label: Cells<f32>,
        row_start: Cells<u64>,
        column: Cells<u32>,
        value: Option<Cells<f32>>,
        weight: Option<Cells<f32>>,
        ids: Ids,
        counts: Vec<u64>,
    ) -> Rows {
        let lengths = row_start.windows(2).map(|pair| (pair[1].load(Relaxed) - pair[0].load(Relaxed)) as usize);
        let longest_row = lengths.max().unwrap_or(0);
        let labels = Labels::in_groups(&label, GROUP);
        let (columns, home) = (counts.len(), Home::Memory { ids: ids.into(), counts: counts.into(), fields: None });
        Rows {
            row_start,
            column,
            value,
            label,
            weight,
            sets: None,
            columns,
            longest_row,
            labels,
            is_relabelled: false,
            is_without_labels: false,
            home,
        }
    }
}

/// An error about rows in memory.
pub(super) fn bad(problem: String, remedy: &'static str) -> Error {
    Error::BadFile { path: Path::new(IN_MEMORY).to_owned(), problem, remedy }
}

/// Requires that there are rows, and cells for each of them.
pub(super) fn check_lengths(
    rows: usize,
    starts: usize,
    mut each_start: impl Iterator<Item = u64>,
    cells: usize,
    values: Option<usize>,
) -> Result<()> {
    const REMEDY: &str = "give a label a row, one row_start more, and a value a column";
    if rows == 0 {
        return Err(bad("there are none".into(), "give at least one"));
    }
    if rows >= u32::MAX as usize {
        return Err(bad(format!("there are {rows}, and 4294967294 are the most"), "give fewer"));
    }
    if starts != rows + 1 {
        return Err(bad(format!("row_start has {starts} entries, and there are {rows} labels"), REMEDY));
    }
    if let Some(values) = values.filter(|&values| values != cells) {
        return Err(bad(format!("there are {values} values of {cells} columns"), REMEDY));
    }
    let first = each_start.next();
    let mut last = first.unwrap_or(0);
    for (row, start) in each_start.enumerate() {
        if start < last || start > cells as u64 {
            let problem = format!("row {row} (from 0) would have the cells {last} to {start} of {cells}");
            return Err(bad(problem, "let row_start ascend from 0 to the number of columns"));
        }
        last = start;
    }
    if (first, last) != (Some(0), cells as u64) {
        let problem = format!("row_start runs from {} to {last}, and there are {cells} columns", first.unwrap_or(0));
        return Err(bad(problem, "let row_start ascend from 0 to the number of columns"));
    }
    Ok(())
}

/// Requires numbers to be finite, by their bits.
fn check_finite(what: &str, mut bits: impl Iterator<Item = u32>) -> Result<()> {
    let found = bits.position(|bits| !f32::from_bits(bits).is_finite());
    found.map_or(Ok(()), |at| Err(bad(format!("{what} {at} (from 0) is not finite"), "leave it out")))
}

/// In how many rows each column occurs. Requires columns to ascend in each row, and their counts to fall.
fn count(row_start: &[AtomicU64], columns: &[AtomicU32], count: usize) -> Result<Vec<u64>> {
    const REMEDY: &str = "give them to Rows::from_csr, which numbers and orders columns";
    let mut counts = vec![0; count];
    for (row, pair) in row_start.windows(2).enumerate() {
        let mut last = None;
        for cell in &columns[pair[0].load(Relaxed) as usize..pair[1].load(Relaxed) as usize] {
            let column = cell.load(Relaxed);
            if last >= Some(column) {
                return Err(bad(format!("the columns of row {row} (from 0) do not ascend"), REMEDY));
            }
            last = Some(column);
            match counts.get_mut(column as usize) {
                Some(count) => *count += 1,
                None => return Err(bad(format!("row {row} (from 0) has column {column}, and {count} have an id"), "give an id a column")),
            }
        }
    }
    if let Some(at) = counts.windows(2).position(|pair| pair[0] < pair[1]) {
        let problem = format!("column {} occurs in {} rows, and column {at} in {}", at + 1, counts[at + 1], counts[at]);
        return Err(bad(problem, REMEDY));
    }
    Ok(counts)
}
