//! Rows of a data set, read where they lie.
use super::{Feed, Weighting, groups::DenseMasks};
use crate::{
    loss::{Loss, Taken},
    models::{Block, ENDS, Model, Row},
    params::Places,
    seeds::Stream,
    simd::{Integers, Isa, math::mixed, pairs},
    targets::Targets,
};
use std::{
    ops::Range,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

/// Rows of a sparse data set.
///
/// The file is mapped and may change under us: columns are copied into private memory by relaxed loads, and a row number
/// beyond the parameters is an empty lane, so that a changed file can give wrong numbers but never a place outside the parameters.
pub struct SparseFeed<'a> {
    cells: RowCells<'a>,
    fetched: usize,
    targets: Targets,
    weighting: Option<Weighting<'a>>,
    /// The most frequent slots of each row, where a loop goes by groups of examples.
    dense: Option<DenseMasks>,
    /// Held-out share as a threshold on the row's hash.
    holdout: u64,
    seed: u64,
}

/// The cells of a data set of rows, which may change under us.
#[derive(Clone, Copy)]
pub struct RowCells<'a> {
    /// Where each row's columns start, and where the last row's end.
    pub starts: &'a [AtomicU64],
    /// The bits of each row's label.
    pub labels: &'a [AtomicU32],
    /// The columns of all rows.
    pub columns: &'a [AtomicU32],
    /// The bits of their values; none where all are 1.
    pub values: Option<&'a [AtomicU32]>,
    /// The length of the longest row.
    pub longest: usize,
}

/// Nonzeros of the examples that are asked for.
const FETCHED: usize = 1024;

impl<'a> SparseFeed<'a> {
    /// Of which a share, 0 to 1, is held out by hash and seed; labels as they are until [`with_targets`](Self::with_targets).
    pub fn new(cells: RowCells<'a>, targets: Targets, holdout: f64, seed: u64) -> Self {
        SparseFeed {
            // Not so far that they drive the parameters out of the nearest cache: six examples of imdb_1gram (2% to 4% faster than twelve).
            fetched: (FETCHED / (cells.columns.len() / cells.labels.len().max(1)).max(1)).clamp(4, 12),
            cells,
            targets,
            weighting: None,
            dense: None,
            holdout: (holdout * u64::MAX as f64) as u64,
            seed,
        }
    }

    /// The same with rows that do not count alike: by weights of their own, and by those of two classes, which `by_class` gives by the summed
    /// weights of -1 and of +1 among what is trained on.
    pub fn with_weights(mut self, own: Option<&'a [AtomicU32]>, by_class: impl FnOnce([f64; 2]) -> [f64; 2]) -> Self {
        let taken = |label: f32| self.targets.taken.of(label);
        let trained = |each: &mut dyn FnMut(u32, f32)| self.each_trained(|row, label| each(row, taken(label)));
        let mut sums = [0.0; 2];
        let as_given = Weighting::new(own, [1.0; 2], trained);
        trained(&mut |row, target| sums[(target > 0.0) as usize] += as_given.of(row, target) as f64);
        self.weighting = Some(Weighting::new(own, by_class(sums), trained));
        self
    }

    /// The same with rows that count as their weights say, whatever those of others are: of a stream, which has no mean weight.
    pub fn with_weights_as_given(self, own: &'a [AtomicU32]) -> Self {
        SparseFeed { weighting: Some(Weighting::as_given(own)), ..self }
    }

    /// The same for loops that go by groups of examples, with so many vectors of the most frequent slots dense.
    pub fn with_dense(self, vectors: usize) -> Self {
        SparseFeed { dense: Some(DenseMasks::of(&self.cells, vectors)), ..self }
    }

    /// Which of the most frequent slots the rows have, where that is known.
    pub(crate) fn dense(&self) -> Option<&DenseMasks> {
        self.dense.as_ref()
    }

    /// The same with targets by the labels that are trained on, which are told.
    pub fn with_targets(mut self, loss: Loss, taken: Taken, standardize: bool) -> (Self, Targets) {
        self.targets = Targets::new(loss, taken, standardize, |each| {
            self.each_trained(|row, label| each(label, self.weight_of(row, taken.of(label)) as f64));
        });
        let targets = self.targets;
        (self, targets)
    }

    /// Goes through the rows that are trained on, with their labels.
    fn each_trained(&self, mut each: impl FnMut(u32, f32)) {
        let rows = (0..).zip(self.cells.labels).filter(|&(row, _)| self.trains_on(row));
        rows.for_each(|(row, label)| each(row, f32::from_bits(label.load(Relaxed))));
    }

    /// How much a row counts beside others, by its target.
    pub(super) fn weight_of(&self, row: u32, target: f32) -> f32 {
        self.weighting.map_or(1.0, |weighting| weighting.of(row, target))
    }

    /// How much rows count, where they do not count alike.
    pub fn weighting(&self) -> Option<Weighting<'a>> {
        self.weighting
    }

    /// Where a row's cells are, if a file that may have changed still says so.
    #[inline(always)]
    fn range(&self, position: u32) -> Range<usize> {
        let starts = &self.cells.starts[position as usize..][..2];
        let [start, end] = [starts[0].load(Relaxed) as usize, starts[1].load(Relaxed) as usize];
        start..start.wrapping_add(end.wrapping_sub(start).min(self.cells.longest))
    }

    /// The columns of a row and the bits of their values, if not all are 1: as many.
    #[inline(always)]
    pub(super) fn features(&self, position: u32) -> (&'a [AtomicU32], Option<&'a [AtomicU32]>) {
        let range = self.range(position);
        let columns = self.cells.columns.get(range.clone()).unwrap_or_default();
        match self.cells.values.map(|values| values.get(range).unwrap_or_default()) {
            Some(values) if values.len() == columns.len() => (columns, Some(values)),
            Some(_) => (&[], None),
            None => (columns, None),
        }
    }

    /// A row's target.
    #[inline(always)]
    pub(super) fn label(&self, position: u32) -> f32 {
        self.targets.target(f32::from_bits(self.cells.labels[position as usize].load(Relaxed)))
    }

    /// The cells of all rows.
    pub(super) fn cells(&self) -> &RowCells<'a> {
        &self.cells
    }

    /// Whether all values are 1.
    pub(crate) fn has_ones(&self) -> bool {
        self.cells.values.is_none()
    }

    /// The length of the longest row.
    pub(crate) fn longest_row(&self) -> usize {
        self.cells.longest
    }

    /// How many rows there are, held out or not, and how many nonzeros.
    pub fn sizes(&self) -> (usize, usize) {
        (self.cells.labels.len(), self.cells.columns.len())
    }

    /// A row's target, and its features by row number of the parameters, in place of what is there.
    pub(super) fn copy_row(&self, position: u32, features: &mut Vec<(u32, f32)>) -> f32 {
        let range = self.range(position);
        let columns = self.cells.columns.get(range.clone()).unwrap_or_default();
        let values = self.cells.values.map(|values| values.get(range).unwrap_or_default());
        let value = |i: usize| values.map_or(1.0, |values| values.get(i).map_or(0.0, |x| f32::from_bits(x.load(Relaxed))));
        features.clear();
        features.extend(columns.iter().enumerate().map(|(i, column)| (column.load(Relaxed).saturating_add(1), value(i))));
        self.targets.target(f32::from_bits(self.cells.labels[position as usize].load(Relaxed)))
    }

    /// Units of a few consecutive rows: about as many as a page holds, and no more than a block.
    pub fn units(&self, block: u32) -> Vec<Range<u32>> {
        let rows = self.cells.labels.len() as u32;
        let unit = block.clamp(1, 16);
        (0..rows).step_by(unit as usize).map(|start| start..rows.min(start.saturating_add(unit))).collect()
    }

    /// The units without the rows that are held out; few rows one by one.
    pub fn kept_units(&self, units: &[Range<u32>]) -> Vec<Range<u32>> {
        const FEW: usize = 8192;
        if self.cells.labels.len() > FEW && self.holdout == 0 {
            return units.to_vec();
        }
        let rows = units.iter().cloned().flatten().filter(|&row| self.trains_on(row));
        let mut kept: Vec<Range<u32>> = Vec::new();
        for row in rows {
            match kept.last_mut() {
                Some(last) if self.cells.labels.len() > FEW && last.end == row && last.len() < 16 => last.end += 1,
                _ => kept.push(row..row + 1),
            }
        }
        kept
    }

    #[inline(always)]
    fn trains_on(&self, position: u32) -> bool {
        self.holdout == 0 || !self.is_held_out(position)
    }

    /// Whether the row at a position is kept out of training, by a hash of position and seed.
    pub fn is_held_out(&self, position: u32) -> bool {
        let x = Stream::Holdout.seed(self.seed).wrapping_add((position as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        mixed(x) < self.holdout
    }
}

impl<M: Model<Example = Row>> Feed<M> for SparseFeed<'_> {
    const SHUFFLE: bool = true;
    /// So that reading, placing and asking for them is done while the processor waits for others.
    const AHEAD: usize = 3;

    fn fetched(&self) -> usize {
        self.fetched
    }

    fn longest(&self) -> usize {
        self.cells.longest
    }

    fn room(&self, _noise: u64) -> Row {
        Row::with_room(self.cells.longest)
    }

    fn chooses(&self) -> bool {
        self.holdout > 0
    }

    #[inline(always)]
    fn keeps(&self, position: u32) -> bool {
        self.trains_on(position)
    }

    #[inline(always)]
    fn read<I: Isa>(&self, isa: I, position: u32, row: &mut Row, places: &impl Places<I>) -> f32 {
        let range = self.range(position);
        let columns = self.cells.columns.get(range.clone()).unwrap_or_default();
        let values = self.cells.values.map(|values| values.get(range).unwrap_or_default());
        (row.features, row.position) = (columns.len(), position);
        let one = I::U::of(1);
        let (whole, rest) = columns.as_chunks();
        let (blocks, last) = row.blocks.split_at_mut(whole.len());
        let (last, end) = (&mut last[0], &ENDS[rest.len()]);
        let mut bits = I::U::of(1f32.to_bits());
        match values.map(|values| values.as_chunks()) {
            Some((values, rest)) => {
                for (block, (columns, values)) in pairs(blocks.iter_mut(), pairs(whole, values)) {
                    isa.load_line(values).store_bits(&mut block.values);
                    put(isa.load_line(columns).plus(one), block, places);
                }
                bits = isa.load_some(rest);
            }
            None => {
                for (block, columns) in pairs(blocks.iter_mut(), whole) {
                    bits.store_bits(&mut block.values);
                    put(isa.load_line(columns).plus(one), block, places);
                }
            }
        }
        bits.and(I::U::load(&end.keep)).or(I::U::load(&end.value)).store_bits(&mut last.values);
        put(isa.load_some(rest).plus(one).and(I::U::load(&end.keep)).or(I::U::load(&end.row)), last, places);
        if let Some(first) = M::FIRST_ROW {
            // Columns ascend: the last are the rarest.
            let near = places.near_slots();
            for column in columns.iter().rev() {
                let slot = column.load(Relaxed).wrapping_add(first);
                if slot < near {
                    break;
                }
                places.prefetch_slot(slot, M::ROW_VECTORS);
            }
        }
        self.targets.target(f32::from_bits(self.cells.labels[position as usize].load(Relaxed)))
    }

    #[inline(always)]
    fn prefetch_place<I: Isa>(&self, isa: I, position: u32) {
        isa.prefetch(&self.cells.starts[position as usize]);
        isa.prefetch(&self.cells.labels[position as usize]);
    }

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32, _places: &impl Places<I>) {
        let range = self.range(position);
        isa.prefetch_all(self.cells.columns.get(range.clone()).unwrap_or_default());
        if let Some(values) = self.cells.values {
            isa.prefetch_all(values.get(range).unwrap_or_default());
        }
    }

    fn weighs(&self) -> bool {
        self.weighting.is_some()
    }

    #[inline(always)]
    fn weight(&self, position: u32, target: f32) -> f32 {
        self.weight_of(position, target)
    }

    #[inline(always)]
    fn size(&self, row: &Row) -> u64 {
        row.features as u64
    }
}

/// Puts sixteen rows into a block, with their places.
#[inline(always)]
fn put<I: Isa>(rows: I::U, block: &mut Block, places: &impl Places<I>) {
    rows.store(&mut block.rows);
    places.place(rows, &mut block.places);
}
