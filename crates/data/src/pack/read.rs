//! The first pass: each worker takes a chunk of text, parses it, counts its ids, and keeps or spills its rows.
//!
//! Nobody waits for another's chunk: the ids' codes depend on no order (see [`Dictionary`]), and where a chunk stands in its
//! input is settled at the end. What is shared is held for a short time each: the inputs while a chunk is read, a dictionary
//! while a chunk is counted.

use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::dictionary::{Dictionary, TooMany};
use super::super::file::write_at;
use super::super::format::{Asked, Bad, DESCRIBED, Found, Guess, Parsed, Table, first_row, guess, parse};
use super::super::input::{Chunk, Inputs};
use super::super::{Format, OnBadRow, Repeated, TargetCounts};
use super::{PackSettings, interrupted};
use hogwild_base::{Error, Result};

/// How much of the rows is kept in memory; the rest is spilled.
const KEPT: u64 = 112 << 20;
/// How many chunks may say nothing about the format.
const UNDECIDED: usize = 8;

/// A chunk's rows as 32-bit cells: lengths, labels, codes, values (left out when all are 1); or users, items, ratings.
pub(super) struct Piece {
    number: u64,
    pub(super) rows: usize,
    pub(super) cells: usize,
    /// Whether every value is 1.
    pub(super) ones: bool,
    pub(super) place: Place,
}

/// Where a piece is.
pub(super) enum Place {
    Kept(Vec<u32>),
    /// At this byte of the spill file, so many cells.
    Spilled(u64, usize),
}

/// What has been read.
pub(super) struct Read {
    pub(super) format: Format,
    /// Features, or users.
    pub(super) first: Dictionary,
    pub(super) items: Dictionary,
    pub(super) pieces: Vec<Piece>,
    pub(super) spill: File,
    pub(super) skipped: u64,
    pub(super) first_skipped: Vec<String>,
    pub(super) notes: Vec<String>,
    pub(super) targets: TargetCounts,
    /// Whether some label or rating is not given.
    pub(super) unlabelled: bool,
    /// Bytes of text, and what `progress` was told last.
    pub(super) bytes: u64,
    pub(super) given: (u64, Option<u64>),
}

/// What is known of a chunk besides its rows.
struct Lines {
    number: u64,
    input: usize,
    first: bool,
    lines: u64,
    bytes: u64,
    bad: Vec<Bad>,
    bad_count: u64,
    targets: TargetCounts,
    counts: Option<(u64, String)>,
    headless: Option<(u64, String)>,
    unlabelled: bool,
}

/// The inputs, and the chunks that had to be looked at for the format.
struct Source<'a> {
    text: Inputs<'a>,
    ahead: VecDeque<Chunk>,
    next: u64,
    ended: bool,
    problem: Option<Error>,
    /// Of ratings: how the input at hand is laid out.
    found: Option<Arc<Found>>,
    settings: &'a PackSettings,
    notes: Vec<String>,
}

impl Source<'_> {
    /// The next chunk's number, or `None` when there is none or reading was stopped.
    fn take(&mut self, chunk: &mut Chunk, out: &Path) -> Option<u64> {
        if self.ended || (self.ahead.is_empty() && self.problem.is_some()) {
            return None;
        }
        match self.ahead.pop_front() {
            Some(ahead) => *chunk = ahead,
            None => match self.text.next_chunk(chunk) {
                Ok(true) => {}
                end => {
                    self.ended = true;
                    self.problem = end.err();
                    return None;
                }
            },
        }
        if !self.text.proceed() {
            self.ended = true;
            self.problem = Some(interrupted(out));
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }

    /// Looks how an input of ratings is laid out, in its first lines. Gives it for this chunk; `None` when it is refused.
    fn lay_out(&mut self, chunk: &Chunk, path: &Path) -> Option<Arc<Found>> {
        if let Some(found) = self.found.as_ref().filter(|found| !chunk.first && found.decided) {
            return Some(found.clone());
        }
        let &PackSettings { format, expected, ref columns, unlabelled, .. } = self.settings;
        let doubtful = format.is_none() && columns.is_none();
        let known = expected == Some(Format::Ratings);
        match Table::find(chunk.lines(), Asked { columns: columns.as_ref(), doubtful, known, unlabelled }) {
            Ok(found) => {
                self.found = Some(Arc::new(found.later()));
                self.notes.extend(found.note.iter().map(|note| format!("{}: {note}", path.display())));
                Some(Arc::new(found))
            }
            Err(bad) => {
                self.ended = true;
                self.problem = Some(bad.error(path, 0));
                None
            }
        }
    }

    /// Looks for the format in the first chunks, which come again.
    fn detect(&mut self, inputs: &[PathBuf]) -> Result<Option<Format>> {
        let mut before = 0;
        while self.ahead.len() < UNDECIDED {
            let mut chunk = Chunk::default();
            match self.text.next_chunk(&mut chunk) {
                Ok(true) => {}
                // What is wrong with the input is told after what is wrong with the rows before it.
                end => {
                    self.problem = end.err();
                    return Ok(None);
                }
            }
            if chunk.first {
                before = 0;
            }
            match guess(chunk.lines()) {
                Guess::Nothing => before += memchr::memchr_iter(b'\n', chunk.lines()).count() as u64,
                Guess::Is(format) => {
                    let expected = self.settings.expected.unwrap_or(format);
                    // As ratings without a rating, rows would be read without a word.
                    if let Some(bad) = (expected != format && expected == Format::Ratings).then(|| first_row(chunk.lines())).flatten() {
                        return Err(bad.error(inputs.get(chunk.input).map_or(Path::new("-"), PathBuf::as_path), before));
                    }
                    self.ahead.push_back(chunk);
                    return Ok(Some(expected));
                }
                Guess::Refused(bad) => return Err(bad.error(inputs.get(chunk.input).map_or(Path::new("-"), PathBuf::as_path), before)),
            }
            self.ahead.push_back(chunk);
        }
        Ok(None)
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the workers share.
struct Reader<'a> {
    source: Mutex<Source<'a>>,
    inputs: &'a [PathBuf],
    out: &'a Path,
    on_bad_row: OnBadRow,
    settings: &'a PackSettings,
    format: Format,
    first: Mutex<Dictionary>,
    items: Mutex<Dictionary>,
    found: Mutex<(Vec<Piece>, Vec<Lines>)>,
    kept: AtomicU64,
    spilled: AtomicU64,
    spill: File,
}

/// Reads everything.
pub(super) fn read<'a>(text: Inputs<'a>, inputs: &'a [PathBuf], out: &'a Path, settings: &'a PackSettings, spill: File) -> Result<Read> {
    let (ahead, notes) = (VecDeque::new(), Vec::new());
    let mut source = Source { text, ahead, next: 0, ended: false, problem: None, found: None, settings, notes };
    let format = match (settings.format, &settings.columns) {
        (Some(Format::Svmlight), Some(_)) => {
            let problem = "is of tables of ratings; leave it out, or give --format ratings".into();
            return Err(Error::BadSetting { setting: "--columns", value: "with --format svmlight".into(), problem });
        }
        (Some(format), _) => format,
        (None, Some(_)) => Format::Ratings,
        // Labels alone, or nothing that looks like either: the parser of svmlight will say what is wrong.
        (None, None) => source.detect(inputs)?.or(settings.expected).unwrap_or(Format::Svmlight),
    };
    if format == Format::Ratings && settings.repeated != Repeated::Error {
        let problem = "is of the indices of svmlight rows, and these are ratings; leave it out".into();
        return Err(Error::BadSetting { setting: "--repeated", value: settings.repeated.name().into(), problem });
    }
    let reader = Reader {
        source: Mutex::new(source),
        inputs,
        out,
        on_bad_row: settings.on_bad_row,
        settings,
        format,
        first: Mutex::default(),
        items: Mutex::default(),
        found: Mutex::default(),
        kept: AtomicU64::new(0),
        spilled: AtomicU64::new(0),
        spill,
    };
    rayon::scope(|scope| {
        for _ in 0..rayon::current_num_threads() {
            scope.spawn(|_| reader.work());
        }
    });
    reader.finish()
}

impl Reader<'_> {
    fn work(&self) {
        let (mut chunk, mut rows) = (Chunk::default(), Parsed::new(self.settings));
        loop {
            let mut source = lock(&self.source);
            let Some(number) = source.take(&mut chunk, self.out) else { return };
            let found = match self.format {
                Format::Svmlight => Default::default(),
                Format::Ratings => match source.lay_out(&chunk, self.input(chunk.input)) {
                    Some(found) => found,
                    None => return,
                },
            };
            drop(source);
            parse(&chunk, self.format, &found, self.on_bad_row, &mut rows);
            let piece = self.keep(number, &chunk, &mut rows);
            let stop = self.on_bad_row == OnBadRow::Stop && rows.bad_count > 0;
            let targets = TargetCounts::of(if self.format == Format::Ratings { &rows.values } else { &rows.labels });
            let lines = Lines {
                number,
                input: chunk.input,
                first: chunk.first,
                lines: rows.lines,
                bytes: chunk.end as u64,
                bad: std::mem::take(&mut rows.bad),
                bad_count: rows.bad_count,
                targets,
                counts: rows.counts.take(),
                headless: rows.headless.take(),
                unlabelled: rows.unlabelled,
            };
            let mut source = lock(&self.source);
            source.ended |= stop;
            match piece {
                Ok(piece) => {
                    drop(source);
                    let mut found = lock(&self.found);
                    found.0.extend((piece.rows > 0).then_some(piece));
                    found.1.push(lines);
                }
                Err(problem) => {
                    source.ended = true;
                    source.problem.get_or_insert(problem);
                    return;
                }
            }
        }
    }

    /// Counts the ids of some rows and puts the rows by.
    fn keep(&self, number: u64, chunk: &Chunk, rows: &mut Parsed) -> Result<Piece> {
        let too_many = |_: TooMany| Error::BadFile {
            path: self.input(chunk.input).to_owned(),
            problem: "brings more different ids than can be numbered, about 4278 million".into(),
            remedy: "hash the ids to fewer",
        };
        let text = chunk.padded();
        lock(&self.first).count(&mut rows.codes, rows.others.keys(text)).map_err(too_many)?;
        lock(&self.items).count(&mut rows.items, rows.other_items.keys(text)).map_err(too_many)?;
        let ratings = self.format == Format::Ratings;
        let ones = rows.ones && !ratings;
        let values: &[u32] = if ones { &[] } else { bytemuck::cast_slice(&rows.values) };
        let parts: [&[u32]; 5] = [&rows.lengths, bytemuck::cast_slice(&rows.labels), &rows.codes, &rows.items, values];
        let (count, cells_in_rows) = if ratings { (rows.codes.len(), 0) } else { (rows.labels.len(), rows.codes.len()) };
        let cells: usize = parts.iter().map(|part| part.len()).sum();
        let bytes = 4 * cells as u64;
        let place = if self.kept.fetch_add(bytes, Relaxed) + bytes <= KEPT {
            Place::Kept(parts.concat())
        } else {
            let begin = self.spilled.fetch_add(bytes, Relaxed);
            let mut at = begin;
            for part in parts {
                write_at(&self.spill, bytemuck::cast_slice(part), at).map_err(Error::io(self.out, "write beside"))?;
                at += 4 * part.len() as u64;
            }
            Place::Spilled(begin, cells)
        };
        Ok(Piece { number, rows: count, cells: cells_in_rows, ones, place })
    }

    fn input(&self, input: usize) -> &Path {
        self.inputs.get(input).map_or(Path::new("-"), PathBuf::as_path)
    }

    /// Brings everything in order, and finds the first thing that was wrong.
    fn finish(self) -> Result<Read> {
        let (mut pieces, mut chunks) = std::mem::take(&mut *lock(&self.found));
        pieces.sort_unstable_by_key(|piece| piece.number);
        chunks.sort_unstable_by_key(|chunk| chunk.number);
        let (mut before, mut bytes, mut skipped, mut first_skipped) = (0, 0, 0, Vec::new());
        let (mut targets, mut headless) = (TargetCounts::NONE, false);
        let mut notes = std::mem::take(&mut lock(&self.source).text.notes);
        let unlabelled = chunks.iter().any(|chunk| chunk.unlabelled);
        for chunk in chunks {
            targets = targets.join(chunk.targets);
            if chunk.first {
                before = 0;
            }
            for bad in chunk.bad {
                let problem = bad.error(self.input(chunk.input), before);
                if self.on_bad_row == OnBadRow::Stop {
                    return Err(problem);
                }
                if first_skipped.len() < DESCRIBED {
                    first_skipped.push(problem.to_string());
                }
            }
            if let Some((line, text)) = chunk.counts {
                let path = self.input(chunk.input).display();
                notes.push(format!("{path}:{line}: `{text}` was taken for a line of counts, and left out"));
            }
            if let Some((line, text)) = chunk.headless.filter(|_| !headless) {
                let (path, line) = (self.input(chunk.input).display(), before + line);
                notes.push(format!(
                    "{path}:{line}: the row has no label: `{text}` was read as its first feature (other such rows are not told)"
                ));
                headless = true;
            }
            before += chunk.lines;
            bytes += chunk.bytes;
            skipped += chunk.bad_count;
        }
        let mut source = lock(&self.source);
        if let Some(problem) = source.problem.take() {
            // Standard input, when it was being waited for, ends with a problem of its own.
            return Err(if source.text.proceed() { problem } else { interrupted(self.out) });
        }
        let given = source.text.progress();
        notes.append(&mut source.notes);
        drop(source);
        if pieces.is_empty() {
            let problem = match skipped {
                0 => "holds no examples at all".to_owned(),
                n => {
                    let first = first_skipped.first().map_or("", String::as_str);
                    format!("holds no examples at all besides {n} bad rows, the first of them {first}")
                }
            };
            return Err(Error::BadFile { path: self.input(0).to_owned(), problem, remedy: "give text with one example a line" });
        }
        let own = |shared: Mutex<Dictionary>| shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Reader { format, first, items, spill, .. } = self;
        let (first, items) = (own(first), own(items));
        Ok(Read { format, first, items, pieces, spill, skipped, first_skipped, notes, targets, unlabelled, bytes, given })
    }
}
