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

use hogwild_base::{Error, Result, threads};

use super::piece::{Piece, Place};
use super::{PackSettings, interrupted};
use crate::dictionary::{Dictionary, TooMany};
use crate::file::write_at;
use crate::text::chunk::Chunk;
use crate::text::collector::{How, Named};
use crate::text::guess::{Guess, guess};
use crate::text::input::Inputs;
use crate::text::parse::{DESCRIBED, Parsed, Parser, Report, Start};
use crate::text::parts::Parts;
use crate::text::{Asked, Format, OnBadRow, Repeated, row_for_model};
use crate::{Kind, TargetCounts};

/// How much of the rows is kept in memory; the rest is spilled.
const KEPT: u64 = 112 << 20;
/// How many chunks may say nothing about the format.
const UNDECIDED: usize = 8;

/// What has been read.
pub(crate) struct Read {
    pub(crate) format: Format,
    /// Features, or users.
    pub(crate) first: Dictionary,
    pub(crate) items: Dictionary,
    pub(crate) pieces: Vec<Piece>,
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

/// What is known of a chunk besides its rows.
struct Lines {
    number: u64,
    input: usize,
    first: bool,
    bytes: u64,
    targets: TargetCounts,
    report: Report,
}

/// The inputs, and the chunks that had to be looked at for the format.
struct Source<'a> {
    text: Inputs<'a>,
    ahead: VecDeque<Chunk>,
    next: u64,
    ended: bool,
    problem: Option<Error>,
    format: Format,
    /// How the input at hand is laid out, once there was a line to tell by.
    layout: Option<Arc<dyn Parser>>,
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

    /// How the input of a chunk is laid out, by its first lines, and where the lines of this chunk begin; `None` when it is refused.
    fn lay_out(&mut self, chunk: &Chunk, path: &Path) -> Option<(Arc<dyn Parser>, Start)> {
        if let Some(layout) = self.layout.as_ref().filter(|_| !chunk.first) {
            return Some((layout.clone(), Start::default()));
        }
        let &PackSettings { format, expected, ref columns, unlabelled, .. } = self.settings;
        let asked = Asked {
            columns: columns.as_ref(),
            doubtful: format.is_none() && columns.is_none(),
            known: expected == Some(self.format.kind()),
            unlabelled,
        };
        match self.format.begin(chunk.lines(), asked) {
            Ok(begun) => {
                self.layout = begun.decided.then(|| begun.format.clone());
                self.notes.extend(begun.note.map(|note| format!("{}: {note}", path.display())));
                Some((begun.format, begun.start))
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
                    let expected = self.settings.expected.filter(|&kind| kind != format.kind());
                    // As ratings without a rating, rows would be read without a word.
                    if let Some(bad) = expected.filter(|&kind| kind == Kind::Ratings).and_then(|_| row_for_model(chunk.lines())) {
                        return Err(bad.error(inputs.get(chunk.input).map_or(Path::new("-"), PathBuf::as_path), before));
                    }
                    self.ahead.push_back(chunk);
                    return Ok(Some(expected.map_or(format, Format::usual)));
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
    how: How,
    format: Format,
    first: Mutex<Dictionary>,
    items: Mutex<Dictionary>,
    found: Mutex<(Vec<Piece>, Vec<Lines>)>,
    kept: AtomicU64,
    spilled: AtomicU64,
    spill: File,
}

/// Reads everything.
pub(crate) fn read<'a>(text: Inputs<'a>, inputs: &'a [PathBuf], out: &'a Path, settings: &'a PackSettings, spill: File) -> Result<Read> {
    let usual = Format::usual(settings.expected.unwrap_or(Kind::Sparse));
    let (ahead, notes) = (VecDeque::new(), Vec::new());
    let mut source = Source { text, ahead, next: 0, ended: false, problem: None, format: usual, layout: None, settings, notes };
    source.format = match (settings.format, &settings.columns) {
        (Some(format), _) => format,
        (None, Some(_)) => Format::usual(Kind::Ratings),
        // Labels alone, or nothing that looks like any format: the parser will say what is wrong.
        (None, None) => source.detect(inputs)?.unwrap_or(usual),
    };
    let format = source.format;
    if format.kind() != Kind::Ratings && settings.columns.is_some() {
        let problem = "is of tables of ratings; leave it out, or give `format` ratings".into();
        return Err(Error::BadSetting { setting: "columns", value: format!("with format {}", format.name()), problem });
    }
    if format.kind() == Kind::Ratings && settings.repeated != Repeated::Error {
        let problem = "is of the indices of svmlight rows, and these are ratings; leave it out".into();
        return Err(Error::BadSetting { setting: "repeated", value: settings.repeated.name().into(), problem });
    }
    let &PackSettings { on_bad_row, unlabelled, repeated, .. } = settings;
    let named = match (settings.format, settings.expected) {
        (Some(_), _) => Named::User,
        (None, Some(_)) => Named::Model,
        (None, None) => Named::Nobody,
    };
    let reader = Reader {
        source: Mutex::new(source),
        inputs,
        out,
        how: How { on_bad_row, unlabelled, repeated, named },
        format,
        first: Mutex::default(),
        items: Mutex::default(),
        found: Mutex::default(),
        kept: AtomicU64::new(0),
        spilled: AtomicU64::new(0),
        spill,
    };
    threads::everywhere(&|| reader.work());
    reader.finish()
}

impl Reader<'_> {
    fn work(&self) {
        let (mut chunk, mut parsed) = (Chunk::default(), Parsed::default());
        loop {
            let mut source = lock(&self.source);
            let Some(number) = source.take(&mut chunk, self.out) else { return };
            let Some((parser, start)) = source.lay_out(&chunk, self.input(chunk.input)) else { return };
            drop(source);
            parser.parse(&chunk, start, &self.how, &mut parsed);
            let piece = self.keep(number, &chunk, &mut parsed.parts);
            let targets = TargetCounts::of(parsed.parts.targets());
            let report = std::mem::take(&mut parsed.report);
            let stop = self.how.on_bad_row == OnBadRow::Stop && report.bad_count > 0;
            let lines = Lines { number, input: chunk.input, first: chunk.first, bytes: chunk.end as u64, targets, report };
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
    fn keep(&self, number: u64, chunk: &Chunk, parts: &mut Parts) -> Result<Piece> {
        let too_many = |_: TooMany| Error::BadFile {
            path: self.input(chunk.input).to_owned(),
            problem: "brings more different ids than can be numbered, about 4278 million".into(),
            remedy: "hash the ids to fewer",
        };
        match parts {
            Parts::Examples(examples) => examples.features.count(&mut lock(&self.first)).map_err(too_many)?,
            Parts::Ratings(rated) => {
                rated.users.count(&mut lock(&self.first)).map_err(too_many)?;
                rated.items.count(&mut lock(&self.items)).map_err(too_many)?;
            }
        }
        let (piece, parts) = Piece::of(number, parts);
        let words: usize = parts.iter().map(|part| part.len()).sum();
        let bytes = 4 * words as u64;
        let place = if self.kept.fetch_add(bytes, Relaxed) + bytes <= KEPT {
            Place::Kept(parts.concat())
        } else {
            let begin = self.spilled.fetch_add(bytes, Relaxed);
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
    fn finish(self) -> Result<Read> {
        let (mut pieces, mut chunks) = std::mem::take(&mut *lock(&self.found));
        pieces.sort_unstable_by_key(|piece| piece.number);
        chunks.sort_unstable_by_key(|chunk| chunk.number);
        let (mut before, mut bytes, mut skipped, mut first_skipped) = (0, 0, 0, Vec::new());
        let (mut targets, mut headless) = (TargetCounts::NONE, false);
        let mut notes = std::mem::take(&mut lock(&self.source).text.notes);
        for chunk in chunks {
            let report = chunk.report;
            targets = targets.join(chunk.targets);
            if chunk.first {
                before = 0;
            }
            for bad in report.bad {
                let problem = bad.error(self.input(chunk.input), before);
                if self.how.on_bad_row == OnBadRow::Stop {
                    return Err(problem);
                }
                if first_skipped.len() < DESCRIBED {
                    first_skipped.push(problem.to_string());
                }
            }
            if let Some((line, text)) = report.counts {
                let path = self.input(chunk.input).display();
                notes.push(format!("{path}:{line}: `{text}` was taken for a line of counts, and left out"));
            }
            if let Some((line, text)) = report.headless.filter(|_| !headless) {
                let (path, line) = (self.input(chunk.input).display(), before + line);
                notes.push(format!(
                    "{path}:{line}: the row has no label: `{text}` was read as its first feature (other such rows are not told)"
                ));
                headless = true;
            }
            before += report.lines;
            bytes += chunk.bytes;
            skipped += report.bad_count;
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
        let unlabelled = targets.count < pieces.iter().map(|piece| piece.rows as u64).sum();
        let own = |shared: Mutex<Dictionary>| shared.into_inner().unwrap_or_else(PoisonError::into_inner);
        let Reader { format, first, items, spill, .. } = self;
        let (first, items) = (own(first), own(items));
        Ok(Read { format, first, items, pieces, spill, skipped, first_skipped, notes, targets, unlabelled, bytes, given })
    }
}
