//! Rows in a packed file: where their tensors are, and the check of everything that a kernel relies on.

use super::{ClassSets, GROUP, Home, Rows};
use crate::{
    Recipe,
    labels::Labels,
    layout::{BLOCK, RECIPE, names},
    store::{Place, Reading, Store},
};
use hogwild_base::{Error, Progress, Result, threads};
use safetensors::Dtype;
use serde_json::{Value, json};
use std::{ops::Range, sync::Arc};

/// Rows in a file.
#[derive(Debug)]
pub(super) struct InFile {
    pub store: Store,
    tensors: Tensors,
    feature_count: Place,
    pub recipe: Option<Recipe>,
}

/// Where the numbers of rows are in a file.
#[derive(Clone, Copy, Debug)]
struct Tensors {
    row_start: Place,
    column: Place,
    value: Option<Place>,
    label: Place,
    weight: Option<Place>,
    idf: Option<Place>,
    class_start: Option<Place>,
    class: Option<Place>,
}

impl InFile {
    /// In how many rows each of the first `n` columns occurs.
    pub fn counts(&self, n: usize) -> Result<Vec<u64>> {
        self.store.numbers(self.feature_count, 0, n.min(self.feature_count.count))
    }

    /// What each feature was multiplied by, where that was done.
    pub fn idf(&self) -> Result<Vec<f32>> {
        let words = self.tensors.idf.map_or(Ok(Vec::new()), |idf| self.store.words(idf, 0, idf.count))?;
        Ok(words.into_iter().map(f32::from_bits).collect())
    }

    /// Where the numbers of some rows are, which have these cells.
    pub fn bytes(&self, rows: Range<usize>, cells: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let Tensors { row_start, column, value, label, weight, class_start, .. } = self.tensors;
        let by_row = [Some(row_start), Some(label), weight, class_start].into_iter().flatten().map(move |place| place.bytes(rows.clone()));
        by_row.chain([Some(column), value].into_iter().flatten().map(move |place| place.bytes(cells.clone())))
    }
}

impl Rows {
    /// Checks a file, unless it is known what a check `found`.
    pub(crate) fn in_store(mut store: Store, found: Option<&Value>, progress: &dyn Progress) -> Result<Rows> {
        let row_start = store.tensor(names::ROW_START, Dtype::U64)?;
        let rows = row_start.count.checked_sub(1).filter(|&rows| rows > 0).ok_or_else(|| store.bad("holds no rows"))?;
        if rows >= u32::MAX as usize {
            return Err(store.bad(format!("holds {rows} rows, and 4294967294 are the most; split it")));
        }
        let column = store.tensor(names::COLUMN, Dtype::U32)?;
        let optional = |name, dtype, count| if store.has(name) { store.sized(name, dtype, count).map(Some) } else { Ok(None) };
        let classes = if store.has(names::CLASS) { Some(store.tensor(names::CLASS, Dtype::U32)?) } else { None };
        let tensors = Tensors {
            class_start: optional(names::CLASS_START, Dtype::U64, rows + 1)?,
            class: classes,
            row_start,
            column,
            value: optional(names::VALUE, Dtype::F32, column.count)?,
            label: store.sized(names::LABEL, Dtype::F32, rows)?,
            weight: optional(names::WEIGHT, Dtype::F32, rows)?,
            idf: None,
        };
        let (columns, feature_count) = store.id_count("feature")?;
        let tensors = Tensors { idf: optional(names::IDF, Dtype::F32, columns)?, ..tensors };
        let recipe = match store.header_text(RECIPE) {
            "" => None,
            text => match serde_json::from_str(text).ok().as_ref().and_then(Recipe::from_json) {
                None => return Err(store.bad("says of its columns what this version does not know")),
                recipe => recipe,
            },
        };
        if tensors.class_start.is_some() != tensors.class.is_some() {
            return Err(store.bad("has `class` or `class_start` without the other"));
        }
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
            None => {
                super::fields::in_file(&store, columns)?;
                check(&store, &tensors, (columns, recipe.as_ref().map_or(0, |recipe| recipe.classes().len())), progress)?
            }
        };
        let sets = tensors.class_start.zip(tensors.class);
        Ok(Rows {
            row_start: store.cells(row_start),
            column: store.cells(column),
            value: tensors.value.map(|place| store.cells(place)),
            label: store.cells(tensors.label),
            weight: tensors.weight.map(|place| store.cells(place)),
            sets: sets.map(|(starts, classes)| ClassSets::new(store.cells(starts), store.cells(classes))),
            columns,
            longest_row,
            labels,
            is_relabelled: false,
            is_without_labels: false,
            home: Home::File(Arc::new(InFile { store, tensors, feature_count, recipe })),
        })
    }

    /// What the check found, for its record.
    pub(crate) fn found(&self) -> Value {
        json!({ "longest_row": self.longest_row, "labels": self.labels.to_json() })
    }
}

/// Checks everything that a kernel relies on. Gives the length of the longest row, and how the labels are.
fn check(store: &Store, tensors: &Tensors, (columns, classes): (usize, usize), progress: &dyn Progress) -> Result<(usize, Labels)> {
    let &Tensors { row_start, column, value, label, weight, idf, class_start, class } = tensors;
    let rows = label.count;
    // Columns are read once more by rows.
    let reading = Reading::new(store, column.bytes(0..column.count).len(), progress);
    let labels = (!store.is_unlabelled()).then_some((names::LABEL, label));
    let optional =
        [(names::VALUE, value), (names::WEIGHT, weight), (names::IDF, idf)].into_iter().filter_map(|(name, place)| Some((name, place?)));
    let finite: Vec<_> = labels.into_iter().chain(optional).collect();
    let mut below = vec![(names::COLUMN, column, columns)];
    if let Some((starts, class)) = class_start.zip(class) {
        below.push((names::CLASS, class, classes));
        let starts = store.numbers(starts, 0, starts.count)?;
        if starts.first() != Some(&0) || starts.last() != Some(&(class.count as u64)) || !starts.is_sorted() {
            return Err(store.bad("`class_start` does not ascend from 0 to the number of `class`"));
        }
    }
    store.verify(&finite, &below, &reading)?;
    // Rows in groups of a fixed number of rows; the cells of a group in pieces, so that no buffer depends on the data.
    let groups: Vec<Result<(usize, Labels)>> = threads::map(rows.div_ceil(GROUP), |group| {
        let first = group * GROUP;
        let count = GROUP.min(rows - first);
        let starts = store.numbers(row_start, first, count + 1)?;
        let longest = check_rows(store, column, first, &starts, &reading)?;
        let weights = weight.map_or(Ok(Vec::new()), |weight| store.words(weight, first, count))?;
        if let Some(at) = weights.iter().position(|&bits| f32::from_bits(bits) <= 0.0) {
            return Err(store.bad(format!("the weight of row {} is not above 0", first + at)));
        }
        Ok((longest, Labels::of(first, &store.words(label, first, count)?)))
    });
    let (mut longest_row, mut labels) = (0, Labels::NONE);
    for group in groups {
        let (longest, more) = group?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Fields, Ids,
        layout::{About, checksum, checksum_place, hash_blocks, lay_out},
    };
    use std::{path::Path, sync::atomic::Ordering::Relaxed};

    /// A packed file of these tensors.
    fn write(path: &Path, tensors: &[(&str, Dtype, &[u8])]) {
        let plan: Vec<_> = tensors.iter().map(|&(name, dtype, bytes)| (name, dtype, bytes.len() * 8 / dtype.bitsize())).collect();
        let mut bytes = lay_out(About { kind: "sparse", source: "test", ..About::default() }, &plan).unwrap().header;
        let header = bytes.len();
        tensors.iter().for_each(|(_, _, tensor)| bytes.extend_from_slice(tensor));
        std::fs::write(path, &bytes).unwrap();
        let file = std::fs::File::open(path).unwrap();
        let (hashes, _) = hash_blocks(&file, header as u64, bytes.len() as u64, |_, _| Ok(())).unwrap();
        let sum = checksum(&bytes[..header], &hashes);
        let place = checksum_place(&bytes[..header]).unwrap();
        bytes[place].copy_from_slice(sum.as_bytes());
        std::fs::write(path, &bytes).unwrap();
    }

    /// Two rows with three cells, of weights and fields as given.
    fn open(weights: &[f32], fields: &[u16]) -> Result<Rows> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.safetensors");
        let numbers = |numbers: &[u64]| bytemuck::cast_slice::<u64, u8>(numbers).to_vec();
        write(
            &path,
            &[
                (names::ROW_START, Dtype::U64, &numbers(&[0, 2, 3])),
                ("feature_name_start", Dtype::U64, &numbers(&[0, 3, 8])),
                ("feature_count", Dtype::U64, &numbers(&[2, 1])),
                ("field_id", Dtype::U64, &numbers(&[17, 4])),
                (names::COLUMN, Dtype::U32, bytemuck::cast_slice(&[0u32, 1, 0])),
                (names::LABEL, Dtype::F32, bytemuck::cast_slice(&[1f32, -1.0])),
                (names::WEIGHT, Dtype::F32, bytemuck::cast_slice(weights)),
                (names::FIELD, Dtype::U16, bytemuck::cast_slice(fields)),
                ("feature_name", Dtype::U8, b"ageprice"),
            ],
        );
        Rows::in_store(Store::open(&path)?, None, &())
    }

    #[test]
    fn weights_fields_and_names_are_read_and_checked() {
        let rows = open(&[0.5, 2.0], &[1, 0]).unwrap();
        let weights = rows.weight_cells().unwrap().iter().map(|bits| f32::from_bits(bits.load(Relaxed)));
        assert_eq!(weights.collect::<Vec<_>>(), [0.5, 2.0]);
        let fields = Fields { of: vec![1, 0], names: Ids::Numbers(vec![17, 4]) };
        assert_eq!(rows.fields().unwrap(), Some(fields));
        assert_eq!(rows.feature_ids().unwrap(), ["age", "price"].into_iter().collect());
        for (weights, fields, problem) in [
            (&[0.5, -1.0][..], &[1, 0][..], "the weight of row 1 is not above 0"),
            (&[0.0, 1.0], &[1, 0], "the weight of row 0 is not above 0"),
            (&[0.5, f32::NAN], &[1, 0], "entry 1 of `weight` is not finite"),
            (&[0.5], &[1, 0], "tensor `weight` has 1 entries instead of 2"),
            (&[0.5, 1.0], &[1, 2], "entry 1 of `feature_field` is not below 2"),
            (&[0.5, 1.0], &[1], "tensor `feature_field` has 1 entries instead of 2"),
        ] {
            let refused = open(weights, fields).unwrap_err().to_string();
            assert!(refused.contains(problem), "{refused}");
        }
    }
}
