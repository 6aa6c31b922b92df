//! Labelled sparse rows.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use safetensors::Dtype;
use serde_json::{Value, json};

use super::super::layout::BLOCK;
use super::super::{Ids, TargetCounts};
use super::labels::Labels;
use super::spread::Spread;
use super::store::{Place, Reading, Store};
use crate::kind::is_bad;
use crate::text::Progress;
use hogwild_base::{Error, Result, threads};

/// Labelled sparse rows.
#[derive(Debug)]
pub struct Dataset {
    pub(super) store: Store,
    row_start: Place,
    column: Place,
    value: Option<Place>,
    label: Place,
    feature_count: Place,
    columns: usize,
    longest_row: usize,
    labels: Labels,
}

impl Dataset {
    /// Checks a file, unless it is known what a check `found`.
    pub(super) fn of(mut store: Store, found: Option<&Value>, progress: Progress<'_>) -> Result<Dataset> {
        let row_start = store.tensor("row_start", Dtype::U64)?;
        let rows = row_start.count.checked_sub(1).filter(|&rows| rows > 0).ok_or_else(|| store.bad("holds no rows"))?;
        if rows >= u32::MAX as usize {
            return Err(store.bad(format!("holds {rows} rows, and 4294967294 are the most; split it")));
        }
        let column = store.tensor("column", Dtype::U32)?;
        let value = if store.has("value") { Some(store.sized("value", Dtype::F32, column.count)?) } else { None };
        let label = store.sized("label", Dtype::F32, rows)?;
        let (columns, feature_count) = store.id_count("feature")?;
        let ends = (store.numbers(row_start, 0, 1)?, store.numbers(row_start, rows, 1)?);
        if ends != (vec![0], vec![column.count as u64]) {
            return Err(store.bad("`row_start` does not run from 0 to the number of cells"));
        }
        let known = found.and_then(|found| {
            let longest = found["longest_row"].as_u64().filter(|&longest| longest <= columns as u64)?;
            Some((longest as usize, Labels::from_json(&found["labels"])?))
        });
        store.trusted = known.is_some();
        let (longest_row, labels) = match known {
            Some(known) => known,
            None => check(&store, row_start, column, value, label, columns, progress)?,
        };
        Ok(Dataset { store, row_start, column, value, label, feature_count, columns, longest_row, labels })
    }

    /// What the check found, for its stamp.
    pub(super) fn found(&self) -> Value {
        json!({ "longest_row": self.longest_row, "labels": self.labels.to_json() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.store.path
    }

    /// How many examples.
    pub fn rows(&self) -> usize {
        self.label.count
    }

    /// How many different features.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many cells in all rows together.
    pub fn nonzeros(&self) -> u64 {
        self.column.count as u64
    }

    /// The length of the longest row.
    pub fn longest_row(&self) -> usize {
        self.longest_row
    }

    /// Whether every value is 1, so that none is stored.
    pub fn all_ones(&self) -> bool {
        self.value.is_none()
    }

    /// The label of a row; 0 beyond the end.
    #[inline]
    pub fn label(&self, row: usize) -> f32 {
        self.store.cells32(self.label).get(row).map_or(0.0, |bits| f32::from_bits(bits.load(Relaxed)))
    }

    /// Whether some rows have no label: such a file is for predictions only.
    pub fn is_unlabelled(&self) -> bool {
        self.store.is_unlabelled()
    }

    /// Whether a row could not be read, and merely keeps its place.
    pub fn is_bad(&self, row: usize) -> bool {
        is_bad(self.label(row).to_bits())
    }

    /// Which cells belong to a row: always a range within the cells, whatever has become of the file; empty beyond the end.
    #[inline]
    pub fn row_range(&self, row: usize) -> Range<usize> {
        let starts = self.store.map.cells64(self.row_start.start, self.row_start.count);
        let at = |row: usize| starts.get(row).map_or(0, |start| start.load(Relaxed).min(self.column.count as u64) as usize);
        let (start, end) = (at(row), at(row.saturating_add(1)));
        start..end.max(start)
    }

    /// The columns of all cells. Each was below [`columns`](Self::columns) when the file was opened.
    pub fn column_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.column)
    }

    /// The values of all cells, as the bits of `f32`; `None` when all are 1.
    pub fn value_cells(&self) -> Option<&[AtomicU32]> {
        self.value.map(|value| self.store.cells32(value))
    }

    /// Where each row's cells start, and where the last row's end.
    pub fn start_cells(&self) -> &[std::sync::atomic::AtomicU64] {
        self.store.map.cells64(self.row_start.start, self.row_start.count)
    }

    /// The labels, as the bits of `f32`.
    pub fn label_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.label)
    }

    /// Length of the file in bytes.
    pub fn bytes(&self) -> u64 {
        self.store.length
    }

    /// The rows cut into parts of about so many bytes: where each ends, ascending whatever has become of the file.
    pub fn cut(&self, bytes: u64) -> Vec<usize> {
        let (parts, starts) = (self.bytes().div_ceil(bytes.max(1)), self.start_cells());
        let cell = |i: u64| (self.nonzeros() as u128 * i as u128 / parts as u128) as u64;
        let mut last = 0;
        let row = |i: u64| {
            last = starts.partition_point(|start| start.load(Relaxed) < cell(i)).min(self.rows()).max(last);
            last
        };
        (1..parts).map(row).collect::<Vec<_>>().into_iter().chain([self.rows()]).collect()
    }

    /// Asks the system to read some rows, while we go on.
    pub fn will_need(&self, rows: Range<usize>) {
        self.places(rows).for_each(|bytes| self.store.will_need(bytes));
    }

    /// Reads some rows into memory, and waits for them.
    pub fn fetch(&self, rows: Range<usize>) {
        self.places(rows).for_each(|bytes| self.store.fetch(bytes));
    }

    /// Gives the memory that holds some rows of the file back to the system. They can still be read.
    pub fn release(&self, rows: Range<usize>) {
        self.places(rows).for_each(|bytes| self.store.release(bytes));
    }

    /// Where the numbers of some rows are in the file.
    fn places(&self, rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let cells = self.row_range(rows.start).start..self.row_range(rows.end.saturating_sub(1)).end;
        let of_cells = [Some(self.column), self.value].into_iter().flatten().map(move |place| place.bytes(cells.clone()));
        [self.row_start, self.label].map(|place| place.bytes(rows.clone())).into_iter().chain(of_cells)
    }

    /// How the labels are.
    pub fn labels(&self) -> Labels {
        self.labels
    }

    /// How the labels are, in short.
    pub fn targets(&self) -> TargetCounts {
        let Labels { spread, plus, others, .. } = self.labels;
        let Spread { min, min_count, max, max_count, count, .. } = spread;
        TargetCounts { min, min_count, max, max_count, count, plus, others }
    }

    /// The user's index of each column.
    pub fn feature_ids(&self) -> Result<Ids> {
        self.store.ids("feature")
    }

    /// In how many rows each column occurs, falling.
    pub fn feature_counts(&self) -> Result<Vec<u64>> {
        self.first_counts(self.feature_count.count)
    }

    /// The same of the first `n` columns, or of all.
    pub fn first_counts(&self, n: usize) -> Result<Vec<u64>> {
        self.store.numbers(self.feature_count, 0, n.min(self.feature_count.count))
    }

    /// Whether the file no longer holds what it did when opened. It is read for that if its time of modification is another.
    pub fn changed(&self) -> bool {
        self.store.changed()
    }

    /// # Errors
    /// When a part of the file could not be read through the mapping.
    pub fn whole(&self) -> Result<()> {
        self.store.whole()
    }
}

/// Checks everything that a kernel relies on. Gives the length of the longest row, and how the labels are.
fn check(
    store: &Store,
    row_start: Place,
    column: Place,
    value: Option<Place>,
    label: Place,
    columns: usize,
    progress: Progress<'_>,
) -> Result<(usize, Labels)> {
    let rows = label.count;
    // Columns are read once more by rows.
    let reading = Reading::new(store, column.bytes(0..column.count).len(), progress);
    let labels = (!store.is_unlabelled()).then_some(("label", label));
    let finite: Vec<_> = labels.into_iter().chain(value.map(|value| ("value", value))).collect();
    store.verify(&finite, &[("column", column, columns)], &reading)?;
    // Rows in groups of a fixed number of rows; the cells of a group in pieces, so that no buffer depends on the data.
    const GROUP: usize = 1 << 14;
    let groups = threads::map(rows.div_ceil(GROUP), |group| {
        let first = group * GROUP;
        let count = GROUP.min(rows - first);
        let starts = store.numbers(row_start, first, count + 1)?;
        let longest = check_rows(store, column, first, &starts, &reading)?;
        Ok((longest, Labels::of(first, &store.words(label, first, count)?)))
    });
    let (mut longest_row, mut labels) = (0, Labels::NONE);
    for group in groups {
        let (longest, more): (usize, Labels) = group?;
        longest_row = longest_row.max(longest);
        labels = labels.join(more);
    }
    Ok((longest_row, labels))
}

/// Requires the offsets of some rows to ascend, and the columns of each row to ascend strictly. Gives the longest length.
fn check_rows(store: &Store, column: Place, first: usize, starts: &[u64], reading: &Reading<'_>) -> Result<usize> {
    let (Some(&begin), Some(&end)) = (starts.first(), starts.last()) else { return Ok(0) };
    if !starts.is_sorted() || end > column.count as u64 {
        return Err(store.bad(format!("`row_start` does not ascend near row {first}")));
    }
    const PIECE: u64 = (BLOCK / 4) as u64;
    let (mut at, mut row, mut last) = (begin, 0, None);
    while at < end {
        let size = PIECE.min(end - at);
        let cells = store.words(column, at as usize, size as usize)?;
        let mut rest = cells.as_slice();
        while !rest.is_empty() {
            // The row's end; rows that end here or before are done.
            let stop = starts.get(row + 1).copied().unwrap_or(end);
            if stop <= at {
                row += 1;
                last = None;
                continue;
            }
            let (mine, others) = rest.split_at(rest.len().min((stop - at) as usize));
            if last.zip(mine.first()).is_some_and(|(last, next)| last >= *next)
                || !mine.iter().zip(mine.iter().skip(1)).fold(true, |good, (a, b)| good & (a < b))
            {
                return Err(store.bad(format!("the columns of row {} do not ascend", first + row)));
            }
            last = mine.last().copied();
            at += mine.len() as u64;
            rest = others;
        }
        let passed = column.bytes((at - size) as usize..at as usize);
        reading.add(passed.len()).map_err(Error::io(&store.path, "read"))?;
        store.passed(passed);
    }
    Ok(starts.windows(2).map(|pair| if let [a, b] = pair { (b - a) as usize } else { 0 }).max().unwrap_or(0))
}
