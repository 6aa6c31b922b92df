//! Labelled sparse rows: one face for those in a packed file, in our own memory, and in memory that was lent.
//!
//! Columns are numbered by falling frequency, so that what is read most often lies together, and ascend in each row. The numbers are
//! [`Cells`] wherever they lie. What only a file has (pages to read ahead and to give back, a time of change) is in `file.rs`; of rows in
//! memory these functions do nothing.

mod buckets;
mod counted;
mod csr;
mod examples;
mod fields;
mod file;
mod labelled;
mod matrix;
mod number;
mod numbered;
mod parts;
mod sets;

use crate::{Ids, Recipe, TargetCounts, cells::Cells, kind::is_bad, labels::Labels, spread::Spread, store::Store};
use file::InFile;
use hogwild_base::Result;
use std::{
    ops::Range,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
};

pub use csr::RowsCsr;
pub use examples::Examples;
pub use fields::Fields;
pub use matrix::Matrix;
pub use number::{Index, Number};
pub use parts::RowParts;
pub use sets::ClassSets;

/// Labelled sparse rows: examples, each with a label and some features.
///
/// They come from a packed file ([`Data::open`](crate::Data::open)), from a matrix in memory ([`Rows::from_csr`]), or from memory in which
/// they lie already as they are used ([`Rows::from_parts`]).
#[derive(Debug)]
pub struct Rows {
    row_start: Cells<u64>,
    column: Cells<u32>,
    value: Option<Cells<f32>>,
    label: Cells<f32>,
    weight: Option<Cells<f32>>,
    sets: Option<ClassSets>,
    columns: usize,
    longest_row: usize,
    labels: Labels,
    /// Whether the labels are others than those of the file.
    is_relabelled: bool,
    /// Whether labels are not to be looked at.
    is_without_labels: bool,
    home: Home,
}

/// Where rows lie, with what is seldom asked for.
#[derive(Clone, Debug)]
enum Home {
    File(Arc<InFile>),
    Memory { ids: Arc<Ids>, counts: Arc<Vec<u64>>, fields: Option<Arc<Fields>> },
}

/// What errors call rows that lie in no file.
const IN_MEMORY: &str = "rows in memory";
/// Labels are counted by groups of so many, wherever they lie: so their mean has the same bits.
const GROUP: usize = 1 << 14;

impl Rows {
    /// What errors call them: the path of their file, or `rows in memory`.
    pub fn name(&self) -> &Path {
        self.store().map_or(Path::new(IN_MEMORY), |store| &store.path)
    }

    /// Whether they lie in a file, of which the system holds in memory what it has room for.
    pub fn is_mapped(&self) -> bool {
        self.store().is_some()
    }

    /// The file, where there is one.
    pub(crate) fn store(&self) -> Option<&Store> {
        match &self.home {
            Home::File(file) => Some(&file.store),
            Home::Memory { .. } => None,
        }
    }

    /// How many examples.
    pub fn rows(&self) -> usize {
        self.label.len()
    }

    /// How many different features.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many cells in all rows together.
    pub fn nonzeros(&self) -> u64 {
        self.column.len() as u64
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
        self.label.get(row).map_or(0.0, |bits| f32::from_bits(bits.load(Relaxed)))
    }

    /// How much a row counts; 1 beyond the end, and where all count alike.
    #[inline]
    pub fn weight(&self, row: usize) -> f32 {
        let bits = self.weight.as_deref().and_then(|weights| weights.get(row));
        bits.map_or(1.0, |bits| f32::from_bits(bits.load(Relaxed)))
    }

    /// Whether some rows have no label: such rows are for predictions only.
    pub fn is_unlabelled(&self) -> bool {
        self.is_without_labels || !self.is_relabelled && self.store().is_some_and(Store::is_unlabelled)
    }

    /// Whether a row could not be read, and merely keeps its place.
    pub fn is_bad(&self, row: usize) -> bool {
        is_bad(self.label(row).to_bits())
    }

    /// Which cells belong to a row: always a range within the cells, whatever has become of the file; empty beyond the end.
    #[inline]
    pub fn row_range(&self, row: usize) -> Range<usize> {
        let at = |row: usize| self.row_start.get(row).map_or(0, |start| start.load(Relaxed).min(self.column.len() as u64) as usize);
        let (start, end) = (at(row), at(row.saturating_add(1)));
        start..end.max(start)
    }

    /// The columns of all cells. Each was below [`columns`](Self::columns) when the rows were opened.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn column_cells(&self) -> &[AtomicU32] {
        &self.column
    }

    /// The values of all cells, as the bits of `f32`; `None` when all are 1.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn value_cells(&self) -> Option<&[AtomicU32]> {
        self.value.as_deref()
    }

    /// Where each row's cells start, and where the last row's end.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn start_cells(&self) -> &[AtomicU64] {
        &self.row_start
    }

    /// The labels, as the bits of `f32`.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn label_cells(&self) -> &[AtomicU32] {
        &self.label
    }

    /// How much each row counts, as the bits of `f32`, above 0; `None` when all count alike.
    #[doc(hidden)] // to be loaded, never stored: the memory may be that of a file
    pub fn weight_cells(&self) -> Option<&[AtomicU32]> {
        self.weight.as_deref()
    }

    /// The classes of each row, where rows have any number of them; the [`label`](Self::label) is then how many.
    pub fn class_sets(&self) -> Option<&ClassSets> {
        self.sets.as_ref()
    }

    /// The labels that are words (or that stand in lists), in their order; none where labels are numbers. Of three words or more a label is
    /// its place, of two -1 and +1.
    pub fn class_names(&self) -> &[String] {
        let given = self.sets.as_ref().and_then(ClassSets::names);
        given.unwrap_or_else(|| self.recipe().map_or(&[], Recipe::classes))
    }

    /// Length of the file, or of what they take of memory, in bytes.
    pub fn bytes(&self) -> u64 {
        let in_memory = || {
            let per_row = size_of::<u64>() + size_of::<f32>() * if self.weight.is_some() { 2 } else { 1 };
            let per_cell = size_of::<u32>() + self.value.as_ref().map_or(0, |_| size_of::<f32>());
            (self.rows() * per_row + self.column.len() * per_cell) as u64
        };
        self.store().map_or_else(in_memory, |store| store.length)
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
        self.in_file(rows, Store::will_need);
    }

    /// Reads some rows into memory, and waits for them.
    pub fn fetch(&self, rows: Range<usize>) {
        self.in_file(rows, Store::fetch);
    }

    /// Gives the memory that holds some rows of the file back to the system. They can still be read.
    pub fn release(&self, rows: Range<usize>) {
        self.in_file(rows, Store::release);
    }

    /// Does something for each place that some rows have in the file.
    fn in_file(&self, rows: Range<usize>, work: impl Fn(&Store, Range<usize>)) {
        if let Home::File(file) = &self.home {
            let cells = self.row_range(rows.start).start..self.row_range(rows.end.saturating_sub(1)).end;
            file.bytes(rows, cells).for_each(|bytes| work(&file.store, bytes));
        }
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

    /// What the user calls each column.
    pub fn feature_ids(&self) -> Result<Ids> {
        match &self.home {
            Home::File(file) => file.store.ids("feature"),
            Home::Memory { ids, .. } => Ok(Ids::clone(ids)),
        }
    }

    /// What was done to the text that they come from, where that is more than to read it: how raw rows become such rows.
    pub fn recipe(&self) -> Option<&Recipe> {
        match &self.home {
            Home::File(file) => file.recipe.as_ref(),
            Home::Memory { .. } => None,
        }
    }

    /// The same with the features that it goes by, where it goes by any: what other text is packed by, so that it fits these rows.
    ///
    /// # Errors
    /// When the dictionary cannot be read.
    pub fn whole_recipe(&self) -> Result<Option<Recipe>> {
        let Some(recipe) = self.recipe().cloned() else { return Ok(None) };
        Ok(Some(if recipe.needs_vocabulary() { recipe.with_vocabulary(self.feature_ids()?.into(), self.idf()?) } else { recipe }))
    }

    /// What the occurrences of each feature in bags of words were multiplied by; none where they were not.
    pub fn idf(&self) -> Result<Vec<f32>> {
        match &self.home {
            Home::File(file) => file.idf(),
            Home::Memory { .. } => Ok(Vec::new()),
        }
    }

    /// In how many rows each column occurs, falling.
    pub fn feature_counts(&self) -> Result<Vec<u64>> {
        self.first_counts(self.columns)
    }

    /// The same of the first `n` columns, or of all.
    pub fn first_counts(&self, n: usize) -> Result<Vec<u64>> {
        let n = n.min(self.columns);
        match &self.home {
            Home::File(file) => file.counts(n),
            Home::Memory { counts, .. } => Ok(counts.iter().take(n).copied().collect()),
        }
    }

    /// Whether the file no longer holds what it did when opened. It is read for that if its time of modification is another.
    pub fn changed(&self) -> bool {
        self.store().is_some_and(Store::changed)
    }

    /// # Errors
    /// When a part of the file could not be read through the mapping.
    pub fn whole(&self) -> Result<()> {
        self.store().map_or(Ok(()), Store::whole)
    }
}
