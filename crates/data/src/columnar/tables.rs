//! All files of a reading: laid out one after the other, then read part by part by whoever is free.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use arrow_array::RecordBatch;
use hogwild_base::{Result, threads};

use super::containers;
use super::file::{Batches, Part, TableFile};
use super::known::Known;
use super::layout::{Layout, layout};
use super::rows::read;
use crate::text::Asked;
use crate::text::collector::How;
use crate::text::examples::Examples;
use crate::text::parse::Parsed;
use crate::text::parts::Parts;
use crate::text::recipe::Recipe;

/// Batches of a part that are numbered: more than one has.
const MOST: u64 = 1 << 32;
/// How many rows a part has. To pass over what is before it, and to read dictionaries once more, should be little beside reading it.
const LEAST_ROWS: u64 = 1 << 14;
const MOST_ROWS: u64 = 1 << 18;
/// Parts for each thread, so that all end at about the same time.
const SHARES: u64 = 2;

/// The files, and which parts were taken.
pub(crate) struct Tables {
    files: Vec<(TableFile, Layout)>,
    /// Rows of a part, at most.
    rows: usize,
    shared: Mutex<Shared>,
    /// The number of the first batch that is not wanted.
    end: AtomicU64,
}

/// What is read next.
#[derive(Default)]
struct Shared {
    /// The number of the file, and the part that was taken of it last.
    input: usize,
    part: Option<Part>,
    /// How many parts were taken.
    parts: u64,
    /// A file without parts, of which each takes what comes next.
    open: Option<Opened>,
}

/// A part that is being read.
struct Opened {
    input: usize,
    /// The number of the next batch, and how many rows of the file are before it.
    number: u64,
    before: u64,
    batches: Batches,
}

/// What was read of a batch.
pub(crate) struct Batch {
    /// In the order of all.
    pub(crate) number: u64,
    /// The number of its file.
    pub(crate) input: usize,
    /// How many rows of the file are before it.
    pub(crate) before: u64,
    /// About how many bytes of the file were read for it.
    pub(crate) bytes: u64,
    rows: RecordBatch,
}

/// What a worker keeps from one batch to the next.
#[derive(Default)]
pub(crate) struct Own {
    open: Option<Opened>,
    known: Known,
}

impl Opened {
    fn next(&mut self, file: &TableFile) -> Option<Result<Batch>> {
        let rows = match self.batches.next()? {
            Ok(rows) => rows,
            Err(problem) => return Some(Err(problem)),
        };
        let (number, before, count) = (self.number, self.before, rows.num_rows() as u64);
        (self.number, self.before) = (number + 1, before.saturating_add(count));
        // Where the rows are not counted beforehand, all of it is told at once.
        let bytes = match file.rows() {
            Some(all) => (file.length as f64 * count as f64 / all.max(1) as f64) as u64,
            None if before == 0 => file.length,
            None => 0,
        };
        Some(Ok(Batch { number, input: self.input, before, bytes, rows }))
    }
}

impl Tables {
    /// Opens all files, if they are tables. Gives also how cells become features, and what is to be told.
    ///
    /// # Errors
    /// Files that are not read, or whose columns differ.
    pub(crate) fn open(inputs: &[PathBuf], asked: Asked<'_>) -> Result<Option<(Tables, Recipe, Vec<String>)>> {
        let Some(containers) = containers(inputs)? else { return Ok(None) };
        let (mut files, mut notes, mut recipe) = (Vec::new(), Vec::new(), asked.recipe.cloned());
        for (path, container) in inputs.iter().zip(containers) {
            let file = TableFile::open(path, container)?;
            let (layout, told) = layout(&file, Asked { recipe: recipe.as_ref(), ..asked })?;
            notes.extend(told.into_iter().map(|note| format!("{}: {note}", path.display())));
            recipe = Some(layout.recipe.clone());
            files.push((file, layout));
        }
        let all: u64 = files.iter().filter_map(|(file, _)| file.rows()).fold(0, u64::saturating_add);
        let rows = (all / (SHARES * threads::count() as u64)).clamp(LEAST_ROWS, MOST_ROWS) as usize;
        let tables = Tables { files, rows, shared: Mutex::default(), end: AtomicU64::new(u64::MAX) };
        Ok(recipe.map(|recipe| (tables, recipe, notes)))
    }

    /// Takes a batch that nobody has taken.
    ///
    /// # Errors
    /// A file that is damaged.
    pub(crate) fn next(&self, own: &mut Own) -> Result<Option<Batch>> {
        loop {
            if let Some(open) = &mut own.open {
                let next = self.files.get(open.input).and_then(|(file, _)| open.next(file)).transpose()?;
                match next {
                    Some(batch) if batch.number < self.end.load(Relaxed) => return Ok(Some(batch)),
                    _ => own.open = None,
                }
            }
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            let Shared { input, part, parts, open } = &mut *shared;
            let Some((file, layout)) = self.files.get(*input) else { return Ok(None) };
            if let Some(opened) = open {
                match opened.next(file).transpose()? {
                    Some(batch) => return Ok(Some(batch).filter(|batch| batch.number < self.end.load(Relaxed))),
                    None => *open = None,
                }
            }
            *part = file.part_behind(part.as_ref(), self.rows);
            let Some(taken) = part.clone() else {
                *input += 1;
                continue;
            };
            let number = *parts * MOST;
            *parts += 1;
            if number >= self.end.load(Relaxed) {
                return Ok(None);
            }
            let of = *input;
            let opened = |batches| Opened { input: of, number, before: taken.before, batches };
            if file.has_parts() {
                drop(shared);
                own.open = Some(opened(file.batches(&taken, &layout.wanted)?));
            } else {
                *open = Some(opened(file.batches(&taken, &layout.wanted)?));
            }
        }
    }

    /// Has no batch be taken that comes behind this one.
    pub(crate) fn end_behind(&self, batch: &Batch) {
        self.end.fetch_min(batch.number + 1, Relaxed);
    }

    /// Reads a batch.
    pub(crate) fn read(&self, batch: &Batch, how: &How, own: &mut Own, parsed: &mut Parsed) {
        let Some((_, layout)) = self.files.get(batch.input) else { return };
        let mut rows: Examples = std::mem::take(&mut parsed.parts).into();
        parsed.report = read(layout, &batch.rows, how, &mut own.known, &mut rows);
        parsed.parts = Parts::from(rows);
    }
}
