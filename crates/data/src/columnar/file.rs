//! A file, its schema, and its rows by parts, each a few thousand rows at a time.
//!
//! Of Parquet a part is some rows of a row group: pages before them are passed over by their headers, so that several workers read one group.
//! Of Arrow's files it is the whole file, of which a batch is a part of memory as it is.

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use hogwild_base::{Error, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::arrow::ArrowFile;
use super::guard::guarded;
use super::{Container, bad};

/// Rows that are decoded at a time: what comes of them stays in a core's cache.
const BATCH: usize = 4096;

/// A file that was opened.
pub(super) struct TableFile {
    pub(super) path: PathBuf,
    pub(super) schema: SchemaRef,
    /// Of Parquet.
    metadata: Option<ArrowReaderMetadata>,
    /// Bytes of the file.
    pub(super) length: u64,
}

/// Some rows of a file.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// The row group.
    group: usize,
    /// Which rows of it.
    rows: Range<usize>,
    /// How many rows of the file are before them.
    pub(super) before: u64,
}

const REMEDY: &str = "write it again, or as CSV";

fn damaged(path: &Path, problem: String) -> Error {
    bad(path, format!("is damaged, or of a kind that is not read: {problem}"), REMEDY)
}

/// A part that is being read.
pub(super) struct Batches {
    path: PathBuf,
    /// What is told where it fails: the row group.
    place: String,
    /// Rows that are still to come, where the file says so.
    left: usize,
    /// None once it is read, or has failed.
    decoder: Option<Decoder>,
}

enum Decoder {
    Parquet(ParquetRecordBatchReader),
    /// A batch of the file is as large as it likes: slices of it are given.
    Arrow(Box<ArrowFile>, Option<(RecordBatch, usize)>),
}

impl Decoder {
    fn next(&mut self) -> std::result::Result<Option<RecordBatch>, String> {
        match self {
            Decoder::Parquet(reader) => reader.next().transpose().map_err(|problem| problem.to_string()),
            Decoder::Arrow(file, at_hand) => loop {
                if let Some((batch, start)) = at_hand
                    && *start < batch.num_rows()
                {
                    let slice = batch.slice(*start, BATCH.min(batch.num_rows() - *start));
                    *start += slice.num_rows();
                    return Ok(Some(slice));
                }
                match file.next()? {
                    Some(batch) => *at_hand = Some((batch, 0)),
                    None => return Ok(None),
                }
            },
        }
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        let mut decoder = self.decoder.take()?;
        // What has panicked is not asked again.
        let problem = match guarded(|| decoder.next().map(|batch| batch.map(|batch| (batch, decoder)))) {
            Ok(Some((batch, decoder))) => {
                self.left = self.left.saturating_sub(batch.num_rows());
                self.decoder = Some(decoder);
                return Some(Ok(batch));
            }
            Ok(None) if self.left == 0 => return None,
            Ok(None) => "it has fewer rows than the file says".into(),
            Err(problem) => problem,
        };
        Some(Err(damaged(&self.path, format!("{}{problem}", self.place))))
    }
}

impl TableFile {
    pub(super) fn open(path: &Path, container: Container) -> Result<TableFile> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let length = file.metadata().map_err(Error::io(path, "read"))?.len();
        let opened = guarded(|| match container {
            Container::Parquet => {
                let metadata = parquet_metadata(&file).map_err(|problem| problem.to_string())?;
                Ok((metadata.schema().clone(), Some(metadata)))
            }
            Container::Arrow => ArrowFile::open(file, None).map(|(schema, _)| (schema, None)),
        });
        let (schema, metadata) = opened.map_err(|problem| damaged(path, problem))?;
        Ok(TableFile { path: path.to_owned(), schema, metadata, length })
    }

    /// How many rows there are, where the file says so at once.
    pub(super) fn rows(&self) -> Option<u64> {
        let metadata = self.metadata.as_ref()?;
        let rows = (0..metadata.metadata().num_row_groups()).map(|group| self.rows_of(group) as u64);
        Some(rows.fold(0, u64::saturating_add))
    }

    fn rows_of(&self, group: usize) -> usize {
        let groups = self.metadata.as_ref().map(|metadata| metadata.metadata().row_groups());
        let rows = groups.and_then(|groups| groups.get(group)).map_or(0, |group| group.num_rows());
        usize::try_from(rows).unwrap_or(0)
    }

    /// Whether its parts are read by one worker each.
    pub(super) fn has_parts(&self) -> bool {
        self.metadata.is_some()
    }

    /// What comes behind a part, at most so many rows of it.
    pub(super) fn part_behind(&self, part: Option<&Part>, most: usize) -> Option<Part> {
        let Some(metadata) = &self.metadata else {
            return part.is_none().then_some(Part { group: 0, rows: 0..0, before: 0 });
        };
        let (mut group, mut start, before) =
            part.map_or((0, 0, 0), |part| (part.group, part.rows.end, part.before.saturating_add(part.rows.len() as u64)));
        while start >= self.rows_of(group) {
            (group, start) = (group + 1, 0);
            if group >= metadata.metadata().num_row_groups() {
                return None;
            }
        }
        Some(Part { group, rows: start..self.rows_of(group).min(start.saturating_add(most)), before })
    }

    /// The batches of a part, with these columns of the schema alone, in their order.
    pub(super) fn batches(&self, part: &Part, wanted: &[usize]) -> Result<Batches> {
        let file = File::open(&self.path).map_err(Error::io(&self.path, "open"))?;
        let decoder = guarded(|| match &self.metadata {
            Some(metadata) => {
                let mask = ProjectionMask::roots(metadata.parquet_schema(), wanted.iter().copied());
                let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata.clone());
                let builder = builder.with_row_groups(vec![part.group]).with_offset(part.rows.start).with_limit(part.rows.len());
                let reader = builder.with_batch_size(BATCH).with_projection(mask).build();
                reader.map(Decoder::Parquet).map_err(|problem| problem.to_string())
            }
            None => ArrowFile::open(file, Some(wanted)).map(|(_, file)| Decoder::Arrow(Box::new(file), None)),
        });
        let place = if self.has_parts() { format!("row group {}: ", part.group + 1) } else { String::new() };
        let decoder = decoder.map_err(|problem| damaged(&self.path, format!("{place}{problem}")))?;
        Ok(Batches { path: self.path.clone(), place, left: part.rows.len(), decoder: Some(decoder) })
    }
}

/// Texts are asked for as dictionaries, as which they lie in most files; with room for the dictionary of any file.
fn parquet_metadata(file: &File) -> parquet::errors::Result<ArrowReaderMetadata> {
    let found = ArrowReaderMetadata::load(file, ArrowReaderOptions::new())?;
    let coded = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let is_text = |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let as_read = |field: &Arc<Field>| {
        let kind = match field.data_type() {
            DataType::Dictionary(_, values) if !is_text(values) => values.as_ref().clone(),
            DataType::Dictionary(..) => coded(),
            kind if is_text(kind) => coded(),
            _ => return field.clone(),
        };
        Arc::new(field.as_ref().clone().with_data_type(kind))
    };
    let fields: Vec<_> = found.schema().fields().iter().map(as_read).collect();
    let schema = Schema::new_with_metadata(fields, found.schema().metadata().clone());
    ArrowReaderMetadata::try_new(found.metadata().clone(), ArrowReaderOptions::new().with_schema(Arc::new(schema)))
}

#[cfg(test)]
mod tests {
    use super::super::cells::Cells;
    use super::*;

    #[test]
    fn parts_have_all_rows_in_their_order() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/columnar/rows.parquet");
        let file = TableFile::open(&path, Container::Parquet).unwrap();
        // Row groups of 64.
        for most in [1, 50, 64, 1000] {
            let (mut part, mut numbers) = (None, Vec::new());
            while let Some(next) = file.part_behind(part.as_ref(), most) {
                assert_eq!(next.before, numbers.len() as u64);
                for batch in file.batches(&next, &[2]).unwrap() {
                    let batch = batch.unwrap();
                    let Cells::Numbers(cells, _) = Cells::of(batch.column(0)) else { panic!("no numbers") };
                    numbers.extend(cells);
                }
                part = Some(next);
            }
            assert!(numbers.into_iter().eq((0..300).map(|i| (i * 1_000_003 % 97) as f32)), "{most}");
        }
    }
}
