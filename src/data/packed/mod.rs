//! Packed data: checked once when opened, then read through a mapping.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::SystemTime;

use rayon::prelude::*;
use safetensors::Dtype;

use super::file::read_at;
use super::layout::{BLOCK, Header, bad, checksum, hash_blocks, read_header};
use super::map::Map;
use super::{Format, Ids};
use crate::{Error, Result};

/// What a packed file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Labelled sparse rows.
    Sparse,
    /// Users' ratings of items.
    Ratings,
}

impl Kind {
    /// The name in the file's metadata.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Sparse => "sparse",
            Kind::Ratings => "ratings",
        }
    }
}

impl From<Format> for Kind {
    fn from(format: Format) -> Kind {
        match format {
            Format::Svmlight => Kind::Sparse,
            Format::Ratings => Kind::Ratings,
        }
    }
}

/// An open packed file.
#[derive(Debug)]
pub enum Packed {
    /// Labelled sparse rows.
    Sparse(Dataset),
    /// Users' ratings of items.
    Ratings(Ratings),
}

impl Packed {
    /// Opens a file and checks all of it, in parallel. A damaged, truncated or foreign file is refused with the reason.
    pub fn open(path: &Path) -> Result<Packed> {
        let store = Store::open(path)?;
        match store.header_text("kind") {
            "sparse" => Dataset::check(store).map(Packed::Sparse),
            "ratings" => Ratings::check(store).map(Packed::Ratings),
            other => Err(bad(path, format!("holds data of an unknown kind, {other:?}"))),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Packed::Sparse(data) => data.path(),
            Packed::Ratings(data) => data.path(),
        }
    }
}

/// Where a tensor is in the file.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: usize,
    count: usize,
    size: usize,
}

impl Place {
    fn end(self) -> usize {
        self.start + self.count * self.size
    }
}

/// The file itself, with its header.
#[derive(Debug)]
struct Store {
    path: PathBuf,
    file: File,
    map: Map,
    metadata: safetensors::tensor::Metadata,
    blanked: Vec<u8>,
    checksum: String,
    length: u64,
    modified: Option<SystemTime>,
}

impl Store {
    fn open(path: &Path) -> Result<Store> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let found = file.metadata().map_err(Error::io(path, "open"))?;
        if found.is_dir() {
            return Err(bad(path, "is a directory"));
        }
        let Header { metadata, blanked, checksum, length } = read_header(&file, path)?;
        let map = Map::new(&file).map_err(Error::io(path, "map"))?;
        if map.len() as u64 != length {
            return Err(bad(path, "changed its length while it was opened"));
        }
        Ok(Store { path: path.to_owned(), file, map, metadata, blanked, checksum, length, modified: found.modified().ok() })
    }

    fn header_text(&self, key: &str) -> &str {
        self.metadata.metadata().as_ref().and_then(|map| map.get(key)).map(String::as_str).unwrap_or_default()
    }

    fn bad(&self, problem: impl Into<String>) -> Error {
        bad(&self.path, problem)
    }

    fn has(&self, name: &str) -> bool {
        self.metadata.info(name).is_some()
    }

    fn tensor(&self, name: &str, dtype: Dtype) -> Result<Place> {
        let info = self.metadata.info(name).ok_or_else(|| self.bad(format!("has no tensor `{name}`")))?;
        let &[count] = info.shape.as_slice() else { return Err(self.bad(format!("tensor `{name}` has not one dimension"))) };
        if info.dtype != dtype {
            return Err(self.bad(format!("tensor `{name}` is {:?} instead of {dtype:?}", info.dtype)));
        }
        let size = dtype.bitsize() / 8;
        let start = self.blanked.len().saturating_add(info.data_offsets.0);
        let end = count.checked_mul(size).and_then(|bytes| bytes.checked_add(start));
        if end.is_none_or(|end| end as u64 > self.length) || !start.is_multiple_of(size) {
            return Err(self.bad(format!("tensor `{name}` is out of its place")));
        }
        Ok(Place { start, count, size })
    }

    fn sized(&self, name: &str, dtype: Dtype, count: usize) -> Result<Place> {
        let place = self.tensor(name, dtype)?;
        if place.count != count {
            return Err(self.bad(format!("tensor `{name}` has {} entries instead of {count}", place.count)));
        }
        Ok(place)
    }

    /// Compares the checksum; requires the `finite` tensors to be so, and the cells of the `below` ones to be below a bound.
    fn verify(&self, finite: &[(&str, Place)], below: &[(&str, Place, usize)]) -> Result<()> {
        let look = |from: usize, block: &[u8]| -> Option<String> {
            let part = |place: Place| {
                let (low, high) = (place.start.max(from), place.end().min(from + block.len()));
                let bytes = if low < high { block.get(low - from..high - from) } else { None };
                (low.saturating_sub(place.start) / 4, bytes.unwrap_or_default().as_chunks::<4>().0)
            };
            for &(name, place) in finite {
                let (first, cells) = part(place);
                // Without a branch in the loop, so that it is vectorised.
                if !cells.iter().fold(true, |good, &cell| good & f32::from_le_bytes(cell).is_finite()) {
                    let at = cells.iter().position(|&cell| !f32::from_le_bytes(cell).is_finite()).unwrap_or(0);
                    return Some(format!("entry {} of `{name}` is not finite", first + at));
                }
            }
            for &(name, place, bound) in below {
                let (first, cells) = part(place);
                let highest = cells.iter().fold(0, |highest, &cell| highest.max(u32::from_le_bytes(cell)));
                if !cells.is_empty() && highest as usize >= bound {
                    let at = cells.iter().position(|&cell| u32::from_le_bytes(cell) as usize >= bound).unwrap_or(0);
                    return Some(format!("entry {} of `{name}` is not below {bound}", first + at));
                }
            }
            None
        };
        let (hashes, problems) =
            hash_blocks(&self.file, self.blanked.len() as u64, self.length, look).map_err(Error::io(&self.path, "read"))?;
        if checksum(&self.blanked, &hashes) != self.checksum {
            return Err(self.bad("is damaged: its checksum is not that of its contents"));
        }
        problems.into_iter().flatten().next().map_or(Ok(()), |problem| Err(self.bad(problem)))
    }

    fn bytes(&self, place: Place, from: usize, count: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count * place.size];
        let at = place.start + from * place.size;
        read_at(&self.file, &mut bytes, at as u64).map_err(Error::io(&self.path, "read"))?;
        Ok(bytes)
    }

    fn numbers(&self, place: Place, from: usize, count: usize) -> Result<Vec<u64>> {
        let bytes = self.bytes(place, from, count)?;
        Ok(bytes.as_chunks::<8>().0.iter().map(|&cell| u64::from_le_bytes(cell)).collect())
    }

    fn words(&self, place: Place, from: usize, count: usize) -> Result<Vec<u32>> {
        let bytes = self.bytes(place, from, count)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|&cell| u32::from_le_bytes(cell)).collect())
    }

    fn cells32(&self, place: Place) -> &[AtomicU32] {
        self.map.cells32(place.start, place.count)
    }

    /// The ids under `what`, numbers or names.
    fn ids(&self, what: &str) -> Result<Ids> {
        let id = format!("{what}_id");
        if self.has(&id) {
            let place = self.tensor(&id, Dtype::U64)?;
            return self.numbers(place, 0, place.count).map(Ids::Numbers);
        }
        let starts = self.tensor(&format!("{what}_name_start"), Dtype::U64)?;
        let names = self.tensor(&format!("{what}_name"), Dtype::U8)?;
        let start = self.numbers(starts, 0, starts.count)?;
        if start.first() != Some(&0) || start.last() != Some(&(names.count as u64)) || !start.is_sorted() {
            return Err(self.bad(format!("`{what}_name_start` does not fit `{what}_name`")));
        }
        Ok(Ids::Names { start, bytes: self.bytes(names, 0, names.count)? })
    }

    /// How many ids there are under `what`; their counts must be as many.
    fn id_count(&self, what: &str) -> Result<(usize, Place)> {
        let id = format!("{what}_id");
        let count = if self.has(&id) { self.tensor(&id, Dtype::U64)?.count } else { self.ids(what)?.len() };
        Ok((count, self.sized(&format!("{what}_count"), Dtype::U64, count)?))
    }

    fn changed(&self) -> bool {
        self.file.metadata().map_or(true, |now| now.len() != self.length || now.modified().ok() != self.modified)
    }
}

/// How the labels of a data set are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Labels {
    /// The smallest.
    pub min: f32,
    /// The largest.
    pub max: f32,
    /// The first row whose label is not -1, 0 or 1, with that label.
    pub first_other: Option<(usize, f32)>,
    /// Whether some label is -1.
    pub has_minus: bool,
    /// Whether some label is 0.
    pub has_zero: bool,
    /// Whether some label is 1.
    pub has_plus: bool,
}

impl Labels {
    const NONE: Labels =
        Labels { min: f32::INFINITY, max: f32::NEG_INFINITY, first_other: None, has_minus: false, has_zero: false, has_plus: false };

    fn add(&mut self, row: usize, label: f32) {
        self.min = self.min.min(label);
        self.max = self.max.max(label);
        let (minus, zero, plus) = (label == -1.0, label == 0.0, label == 1.0);
        self.has_minus |= minus;
        self.has_zero |= zero;
        self.has_plus |= plus;
        if !(minus | zero | plus) && self.first_other.is_none() {
            self.first_other = Some((row, label));
        }
    }

    fn join(self, later: Labels) -> Labels {
        Labels {
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            first_other: self.first_other.or(later.first_other),
            has_minus: self.has_minus | later.has_minus,
            has_zero: self.has_zero | later.has_zero,
            has_plus: self.has_plus | later.has_plus,
        }
    }
}

/// Labelled sparse rows.
#[derive(Debug)]
pub struct Dataset {
    store: Store,
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
    fn check(store: Store) -> Result<Dataset> {
        let row_start = store.tensor("row_start", Dtype::U64)?;
        let rows = row_start.count.checked_sub(1).filter(|&rows| rows > 0).ok_or_else(|| store.bad("holds no rows"))?;
        let column = store.tensor("column", Dtype::U32)?;
        let value = if store.has("value") { Some(store.sized("value", Dtype::F32, column.count)?) } else { None };
        let label = store.sized("label", Dtype::F32, rows)?;
        let (columns, feature_count) = store.id_count("feature")?;
        let mut finite = vec![("label", label)];
        finite.extend(value.map(|value| ("value", value)));
        store.verify(&finite, &[("column", column, columns)])?;
        // Rows in groups of a fixed number of rows; the cells of a group in pieces, so that no buffer depends on the data.
        const GROUP: usize = 1 << 14;
        let groups: Vec<Result<(usize, Labels)>> = (0..rows.div_ceil(GROUP))
            .into_par_iter()
            .map(|group| {
                let first = group * GROUP;
                let count = GROUP.min(rows - first);
                let starts = store.numbers(row_start, first, count + 1)?;
                let longest = check_rows(&store, column, first, &starts)?;
                let mut labels = Labels::NONE;
                for (row, bits) in (first..).zip(store.words(label, first, count)?) {
                    labels.add(row, f32::from_bits(bits));
                }
                Ok((longest, labels))
            })
            .collect();
        let (mut longest_row, mut labels) = (0, Labels::NONE);
        for group in groups {
            let (longest, more) = group?;
            longest_row = longest_row.max(longest);
            labels = labels.join(more);
        }
        let ends = (store.numbers(row_start, 0, 1)?, store.numbers(row_start, rows, 1)?);
        if ends != (vec![0], vec![column.count as u64]) {
            return Err(store.bad("`row_start` does not run from 0 to the number of cells"));
        }
        Ok(Dataset { store, row_start, column, value, label, feature_count, columns, longest_row, labels })
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
    pub(crate) fn start_cells(&self) -> &[std::sync::atomic::AtomicU64] {
        self.store.map.cells64(self.row_start.start, self.row_start.count)
    }

    /// The labels, as the bits of `f32`.
    pub(crate) fn label_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.label)
    }

    /// How the labels are.
    pub fn labels(&self) -> Labels {
        self.labels
    }

    /// The user's index of each column.
    pub fn feature_ids(&self) -> Result<Ids> {
        self.store.ids("feature")
    }

    /// In how many rows each column occurs, falling.
    pub fn feature_counts(&self) -> Result<Vec<u64>> {
        self.store.numbers(self.feature_count, 0, self.feature_count.count)
    }

    /// Whether the file's size or time of modification is no longer what it was when opened.
    pub fn changed(&self) -> bool {
        self.store.changed()
    }
}

/// Requires the offsets of some rows to ascend, and the columns of each row to ascend strictly. Gives the longest length.
fn check_rows(store: &Store, column: Place, first: usize, starts: &[u64]) -> Result<usize> {
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
    }
    Ok(starts.windows(2).map(|pair| if let [a, b] = pair { (b - a) as usize } else { 0 }).max().unwrap_or(0))
}

/// Users' ratings of items, in the order of the text.
#[derive(Debug)]
pub struct Ratings {
    store: Store,
    user: Place,
    item: Place,
    rating: Place,
    user_count: Place,
    item_count: Place,
    users: usize,
    items: usize,
    mean: f64,
    min: f32,
    max: f32,
}

impl Ratings {
    fn check(store: Store) -> Result<Ratings> {
        let user = store.tensor("user", Dtype::U32)?;
        if user.count == 0 {
            return Err(store.bad("holds no ratings"));
        }
        let item = store.sized("item", Dtype::U32, user.count)?;
        let rating = store.sized("rating", Dtype::F32, user.count)?;
        let (users, user_count) = store.id_count("user")?;
        let (items, item_count) = store.id_count("item")?;
        store.verify(&[("rating", rating)], &[("user", user, users), ("item", item, items)])?;
        const GROUP: usize = BLOCK / 4;
        let groups: Vec<Result<(f64, f32, f32)>> = (0..rating.count.div_ceil(GROUP))
            .into_par_iter()
            .map(|group| {
                let first = group * GROUP;
                let cells = store.words(rating, first, GROUP.min(rating.count - first))?;
                let start = (0.0, f32::INFINITY, f32::NEG_INFINITY);
                Ok(cells
                    .iter()
                    .map(|&bits| f32::from_bits(bits))
                    .fold(start, |(sum, min, max), rating| (sum + f64::from(rating), min.min(rating), max.max(rating))))
            })
            .collect();
        let (mut sum, mut min, mut max) = (0.0, f32::INFINITY, f32::NEG_INFINITY);
        for group in groups {
            let (more, low, high) = group?;
            (sum, min, max) = (sum + more, min.min(low), max.max(high));
        }
        let mean = sum / rating.count as f64;
        Ok(Ratings { store, user, item, rating, user_count, item_count, users, items, mean, min, max })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.store.path
    }

    /// How many different users.
    pub fn users(&self) -> usize {
        self.users
    }

    /// How many different items.
    pub fn items(&self) -> usize {
        self.items
    }

    /// How many ratings.
    pub fn len(&self) -> usize {
        self.rating.count
    }

    /// Whether there is none; never so for an open file.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The mean rating.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The smallest rating.
    pub fn min(&self) -> f32 {
        self.min
    }

    /// The largest rating.
    pub fn max(&self) -> f32 {
        self.max
    }

    /// Who rated. Each was below [`users`](Self::users) when the file was opened.
    pub fn user_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.user)
    }

    /// What was rated. Each was below [`items`](Self::items) when the file was opened.
    pub fn item_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.item)
    }

    /// The ratings, as the bits of `f32`.
    pub fn rating_cells(&self) -> &[AtomicU32] {
        self.store.cells32(self.rating)
    }

    /// The user's own names of the users.
    pub fn user_ids(&self) -> Result<Ids> {
        self.store.ids("user")
    }

    /// The user's own names of the items.
    pub fn item_ids(&self) -> Result<Ids> {
        self.store.ids("item")
    }

    /// How many ratings each user gave, falling.
    pub fn user_counts(&self) -> Result<Vec<u64>> {
        self.store.numbers(self.user_count, 0, self.user_count.count)
    }

    /// How many ratings each item has, falling.
    pub fn item_counts(&self) -> Result<Vec<u64>> {
        self.store.numbers(self.item_count, 0, self.item_count.count)
    }

    /// Whether the file's size or time of modification is no longer what it was when opened.
    pub fn changed(&self) -> bool {
        self.store.changed()
    }
}
