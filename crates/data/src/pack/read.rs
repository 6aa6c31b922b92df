//! The first pass: each worker takes a chunk of text, parses it, counts its ids, and keeps or spills its rows.
//!
//! Nobody waits for another's chunk: the ids' codes depend on no order (see [`Dictionary`]), and where a chunk stands in its
//! input is settled at the end. What is shared is held for a short time each: the inputs while a chunk is read, a dictionary
//! while a chunk is counted.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use hogwild_base::{Error, Result, threads};

use super::chunked::{Before, Chunked, Lines};
use super::fields::{FieldsByCode, SharedFields};
use super::piece::{Piece, Place};
use super::room::Free;
use super::source::Source;
use super::{Known, Outcome, PackSettings};
use crate::dictionary::{Dictionary, TooMany};
use crate::file::write_at;
use crate::text::bins::Histograms;
use crate::text::chunk::Chunk;
use crate::text::collector::How;
use crate::text::input::Inputs;
use crate::text::parse::{DESCRIBED, Parsed, Report};
use crate::text::parts::Parts;
use crate::text::recipe::{Finding, MOST_CLASSES, Preparation, Recipe};
use crate::text::{Format, Labelling, OnBadRow};
use crate::{Kind, TargetCounts};

/// What has been read.
pub(crate) struct Read<'a> {
    pub(crate) format: Format,
    pub(crate) recipe: Option<Recipe>,
    /// Features, or users.
    pub(crate) first: Dictionary,
    pub(crate) items: Dictionary,
    pub(crate) fields: FieldsByCode,
    pub(crate) pieces: Vec<Piece<'a>>,
    pub(crate) spill: File,
    pub(crate) skipped: u64,
    pub(crate) first_skipped: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) targets: TargetCounts,
    /// Whether some label or rating is not given.
    pub(crate) unlabelled: bool,
    /// Bytes of text, and what `progress` was told last.
    pub(crate) bytes: u64,
    pub(crate) given: (u64, Option<u64>),
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the workers share.
struct Reader<'a> {
    source: Mutex<Source<'a>>,
    inputs: &'a [PathBuf],
    out: &'a Path,
    how: How,
    format: Format,
    first: Mutex<Dictionary>,
    items: Mutex<Dictionary>,
    fields: SharedFields,
    /// Whether features that stand in several fields are to be told apart.
    by_field: bool,
    found: Mutex<(Vec<Piece<'a>>, Vec<Lines>)>,
    observed: Mutex<Histograms>,
    may_read_again: bool,
    most_classes: usize,
    room: Free<'a>,
    spilled: AtomicU64,
    spill: File,
}

/// Reads everything.
pub(super) fn read<'a>(
    text: Inputs<'a>,
    inputs: &'a [PathBuf],
    out: &'a Path,
    settings: &'a PackSettings,
    known: Known<'_>,
    spill: File,
    room: Free<'a>,
) -> Result<Outcome<'a>> {
    let mut source = Source::new(text, inputs, settings, known.recipe.cloned())?;
    let Preparation { min_count, tfidf, hash_bits, .. } = settings.prepare;
    if settings.recipe.is_none() && (min_count.is_some_and(|least| least > 1) || tfidf.is_some() || hash_bits.is_some()) {
        let recipe = source.recipe.take().unwrap_or_else(|| Recipe::of(source.format));
        source.recipe = Some(Recipe { min_count: min_count.unwrap_or(1), tfidf, hash_bits, ..recipe });
    }
    let (format, how) = (source.format, source.how());
    #[cfg(feature = "arrow")]
    let tables = match crate::columnar::Tables::open(inputs, source.asked())? {
        Some((tables, recipe, notes)) => {
            source.recipe = Some(recipe);
            source.notes.extend(notes);
            Some(tables)
        }
        None => None,
    };
    let reader = Reader {
        source: Mutex::new(source),
        inputs,
        out,
        how,
        format,
        first: Mutex::default(),
        items: Mutex::default(),
        fields: SharedFields::default(),
        by_field: settings.fields && settings.recipe.is_none(),
        found: Mutex::default(),
        observed: Mutex::default(),
        may_read_again: known.may_read_again,
        most_classes: if settings.labelling == Labelling::Number { 2 } else { MOST_CLASSES },
        room,
        spilled: AtomicU64::new(0),
        spill,
    };
    #[cfg(feature = "arrow")]
    if let Some(tables) = tables {
        threads::everywhere(&|| reader.work_on(&tables));
        return reader.finish();
    }
    threads::everywhere(&|| reader.work());
    reader.finish()
}

impl<'a> Reader<'a> {
    fn work(&self) {
        let mut parsed = Parsed::default();
        self.work_by(&mut parsed);
        self.tell(&mut parsed.parts);
    }

    /// Has the dictionaries know what this worker counted by itself.
    fn tell(&self, parts: &mut Parts) {
        match parts {
            Parts::Examples(examples) => examples.features.tell(&mut lock(&self.first)),
            Parts::Ratings(rated) => {
                rated.users.tell(&mut lock(&self.first));
                rated.items.tell(&mut lock(&self.items));
            }
        }
    }

    fn work_by(&self, parsed: &mut Parsed) {
        let mut chunk = Chunk::default();
        loop {
            let mut source = lock(&self.source);
            let Some(number) = source.take(&mut chunk, self.out) else { return };
            let path = self.input(chunk.input);
            let Some((parser, start)) = source.lay_out(&mut chunk, path) else { return };
            drop(source);
            parser.parse(&chunk, start, &self.how, parsed);
            if self.stops_at(&parsed.report) {
                lock(&self.source).ended = true;
            }
            let before = if chunk.first { Before::Rows(0) } else { Before::AllRead };
            if !self.put_by(Chunked { number, input: chunk.input, before, bytes: chunk.end as u64 }, parsed) {
                return;
            }
        }
    }

    /// The same of tables in binary files.
    #[cfg(feature = "arrow")]
    fn work_on(&self, tables: &crate::columnar::Tables) {
        let mut parsed = Parsed::default();
        self.work_on_by(tables, &mut parsed);
        self.tell(&mut parsed.parts);
    }

    #[cfg(feature = "arrow")]
    fn work_on_by(&self, tables: &crate::columnar::Tables, parsed: &mut Parsed) {
        let mut own = crate::columnar::Own::default();
        loop {
            let batch = match tables.next(&mut own) {
                Ok(Some(batch)) => batch,
                Ok(None) => return,
                Err(problem) => return lock(&self.source).end(problem),
            };
            tables.read(&batch, &self.how, &mut own, parsed);
            // What comes before is read to its end, so that the first bad row is told.
            if self.stops_at(&parsed.report) {
                tables.end_behind(&batch);
            }
            let place = Chunked { number: batch.number, input: batch.input, before: Before::Rows(batch.before), bytes: batch.bytes };
            if !self.put_by(place, parsed) || !lock(&self.source).goes_on(batch.bytes, self.out) {
                return;
            }
        }
    }

    fn stops_at(&self, report: &Report) -> bool {
        self.how.on_bad_row == OnBadRow::Stop && report.bad_count > 0
    }

    /// Counts and keeps what was read of a chunk. Gives whether to go on.
    fn put_by(&self, place: Chunked, parsed: &mut Parsed) -> bool {
        let piece = self.keep(place.number, place.input, &mut parsed.parts);
        let targets = TargetCounts::of(parsed.parts.targets());
        let report = std::mem::take(&mut parsed.report);
        if !report.observed.is_empty() {
            lock(&self.observed).add(&report.observed);
        }
        match piece {
            Ok(piece) => {
                let mut found = lock(&self.found);
                found.0.extend((piece.rows > 0).then_some(piece));
                found.1.push(Lines { place, targets, report });
                true
            }
            Err(problem) => {
                lock(&self.source).end(problem);
                false
            }
        }
    }

    /// Counts the ids of some rows and puts the rows by.
    fn keep(&self, number: u64, input: usize, parts: &mut Parts) -> Result<Piece<'a>> {
        let too_many = |_: TooMany| Error::BadFile {
            path: self.input(input).to_owned(),
            problem: "brings more different ids than can be numbered, about 4278 million".into(),
            remedy: "hash the ids to fewer",
        };
        match parts {
            Parts::Examples(examples) => {
                examples.features.count(&self.first).map_err(too_many)?;
                if !examples.fields.is_empty() {
                    self.fields.note(examples.features.as_slice(), &examples.fields, examples.several_fields);
                }
            }
            Parts::Ratings(rated) => {
                rated.users.count(&self.first).map_err(too_many)?;
                rated.items.count(&self.items).map_err(too_many)?;
            }
        }
        let (piece, parts) = Piece::of(number, parts);
        let words: usize = parts.iter().map(|part| part.len()).sum();
        let place = if let Some(kept) = self.room.put(&parts) {
            Place::Kept(kept)
        } else {
            let begin = self.spilled.fetch_add(4 * words as u64, Relaxed);
            let mut at = begin;
            for part in parts {
                write_at(&self.spill, bytemuck::cast_slice(part), at).map_err(Error::io(self.out, "write beside"))?;
                at += 4 * part.len() as u64;
            }
            Place::Spilled(begin, words)
        };
        Ok(Piece { place, ..piece })
    }

    fn input(&self, input: usize) -> &Path {
        self.inputs.get(input).map_or(Path::new("-"), PathBuf::as_path)
    }

    /// Brings everything in order, and finds the first thing that was wrong.
    fn finish(self) -> Result<Outcome<'a>> {
        let (mut pieces, mut chunks) = std::mem::take(&mut *lock(&self.found));
        pieces.sort_unstable_by_key(|piece| piece.number);
        chunks.sort_unstable_by_key(|chunk| chunk.place.number);
        let (mut before, mut bytes, mut skipped, mut first_skipped, mut left_out) = (0, 0, 0, Vec::new(), 0);
        let (mut targets, mut headless) = (TargetCounts::NONE, false);
        let mut notes = std::mem::take(&mut lock(&self.source).text.notes);
        let recipe = lock(&self.source).recipe.take();
        if let Some(next) = self.amended(&recipe, &mut chunks)? {
            return Ok(Outcome::Again(next));
        }
        for chunk in chunks {
            before = chunk.before(before);
            let (input, report) = (chunk.place.input, chunk.report);
            targets = targets.join(chunk.targets);
            for bad in report.bad {
                let problem = bad.error(self.input(input), before);
                if self.how.on_bad_row == OnBadRow::Stop {
                    return Err(problem);
                }
                if first_skipped.len() < DESCRIBED {
                    first_skipped.push(problem.to_string());
                }
            }
            if let Some((line, text)) = report.counts {
                let path = self.input(input).display();
                notes.push(format!("{path}:{line}: `{text}` was taken for a line of counts, and left out"));
            }
            if let Some((line, text)) = report.headless.filter(|_| !headless) {
                let (path, line) = (self.input(input).display(), before + line);
                notes.push(format!(
                    "{path}:{line}: the row has no label: `{text}` was read as its first feature (other such rows are not told)"
                ));
                headless = true;
            }
            before += report.lines;
            bytes += chunk.place.bytes;
            skipped += report.bad_count;
            left_out += report.left_out;
        }
        let mut source = lock(&self.source);
        if let Some(problem) = source.problem.take() {
            return Err(source.end_of(problem, self.out));
        }
        let given = source.text.progress();
        notes.append(&mut source.notes);
        let what = if self.format.kind() == Kind::Ratings { "ratings" } else { "examples" };
        notes.extend((left_out > 0).then(|| format!("left out: {left_out} {what} of weight 0")));
        drop(source);
        if pieces.is_empty() {
            let none = "holds no examples at all";
            let (problem, remedy) = match (skipped, left_out) {
                (0, 0) => (none.to_owned(), "give text with one example a line"),
                (0, n) => (format!("{none} besides {n} of weight 0"), "give examples whose weights are above 0"),
                (n, _) => {
                    let first = first_skipped.first().map_or("", String::as_str);
                    (format!("{none} besides {n} bad rows, the first of them {first}"), "give text with one example a line")
                }
            };
            return Err(Error::BadFile { path: self.input(0).to_owned(), problem, remedy });
        }
        if self.by_field && self.fields.have_several() {
            if !self.may_read_again {
                let problem = "has indices that stand in several fields, for which it is read twice, and a pipe is read once".into();
                return Err(Error::BadFile { path: self.input(0).to_owned(), problem, remedy: "give a file" });
            }
            let recipe = recipe.unwrap_or_else(|| Recipe::of(self.format));
            return Ok(Outcome::Again(Recipe { by_field: true, ..recipe }));
        }
        let unlabelled = targets.count < pieces.iter().map(|piece| piece.rows as u64).sum();
        let own = |shared: Mutex<Dictionary>| shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Reader { format, first, items, fields, spill, .. } = self;
        let (first, items) = (own(first), own(items));
        Ok(Outcome::Read(Box::new(Read {
            format,
            // Of plain svmlight rows there is nothing to say.
            recipe: recipe.filter(|recipe| format != Format::Svmlight || *recipe != Recipe::of(format)),
            first,
            items,
            fields: fields.done(),
            pieces,
            spill,
            skipped,
            first_skipped,
            notes,
            targets,
            unlabelled,
            bytes,
            given,
        })))
    }

    /// The recipe by which the text is to be read again, if there is anything in it that the recipe does not say; with what was interrupted
    /// there is nothing.
    fn amended(&self, recipe: &Option<Recipe>, chunks: &mut [Lines]) -> Result<Option<Recipe>> {
        let Some(recipe) = recipe else { return Ok(None) };
        if lock(&self.source).problem.is_some() {
            return Ok(None);
        }
        let (mut before, mut found, mut classes) = (0, Vec::new(), recipe.classes.clone());
        for chunk in chunks {
            before = chunk.before(before);
            for (finding, bad) in std::mem::take(&mut chunk.report.findings) {
                if let Finding::Class(class) = &finding
                    && !classes.contains(class)
                {
                    classes.push(class.clone());
                }
                if classes.len() > self.most_classes {
                    return Err(bad.of_classes(&classes).error(self.input(chunk.place.input), before));
                }
                if !self.may_read_again {
                    return Err(bad.error(self.input(chunk.place.input), before));
                }
                found.push(finding);
            }
            before += chunk.report.lines;
        }
        if !found.is_empty() {
            return Ok(Some(recipe.clone().amend(found)));
        }
        let histograms = std::mem::take(&mut *lock(&self.observed));
        let Some(next) = histograms.fill(recipe) else { return Ok(None) };
        if !self.may_read_again {
            let problem = "needs to read the text twice, and what comes through a pipe is read once; give a file".into();
            return Err(Error::BadSetting { setting: "bins", value: "of a pipe".into(), problem });
        }
        Ok(Some(next))
    }
}
