//! The text formats: finding out which one it is, and parsing a chunk of lines.

pub(crate) mod chunk;
mod encoding;
mod expected;
mod fields;
mod foreign;
mod guess;
pub(crate) mod input;
mod mixed;
mod number;
mod odd;
mod ratings;
mod repeated;
mod svmlight;

use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr;

use crate::dictionary::{DIRECT, Key};
use crate::ids::plain_integer;
use crate::pack::PackSettings;
use hogwild_base::Error;

use chunk::Chunk;
pub use expected::looks_like;
pub(crate) use guess::{Guess, guess};
pub(crate) use input::{Progress, is_stdin};
pub(crate) use mixed::first_row;
use number::byte;
pub use ratings::columns::{Column, Columns};
pub(crate) use ratings::table::{Asked, Found, Table};
pub use repeated::Repeated;

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `label index:value index:value ...`, one example a line.
    Svmlight,
    /// `user item rating [time]`, one rating a line.
    Ratings,
}

impl Format {
    /// The name, as `--format` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Svmlight => "svmlight",
            Format::Ratings => "ratings",
        }
    }

    /// Finds the format of a text from its first lines; `None` if they say nothing, or fit several formats or another one.
    pub fn detect(text: &[u8]) -> Option<Format> {
        match guess(text) {
            Guess::Is(Format::Ratings)
                if Table::find(text, Asked { columns: None, doubtful: true, known: false, unlabelled: false }).is_err() =>
            {
                None
            }
            Guess::Is(format) => Some(format),
            Guess::Nothing | Guess::Refused(_) => None,
        }
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Format, Error> {
        [Format::Svmlight, Format::Ratings].into_iter().find(|format| format.name() == name).ok_or_else(|| Error::BadSetting {
            setting: "--format",
            value: name.to_owned(),
            problem: "is no text format; take svmlight or ratings".into(),
        })
    }
}

/// What to do with a row that cannot be understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnBadRow {
    /// Stop, naming its place.
    #[default]
    Stop,
    /// Leave it out and count it.
    Skip,
}

/// A row that cannot be understood, by its place in the chunk.
pub(crate) struct Bad {
    /// Lines before it in the chunk.
    pub(crate) line: u64,
    column: u64,
    text: String,
    problem: Cow<'static, str>,
    remedy: Cow<'static, str>,
}

impl Bad {
    /// What is wrong with a part of a line that begins at `start`.
    fn of(
        text: &[u8],
        line: u64,
        start: usize,
        part: std::ops::Range<usize>,
        problem: Cow<'static, str>,
        remedy: Cow<'static, str>,
    ) -> Bad {
        let column = part.start.saturating_sub(start) as u64 + 1;
        Bad { line, column, text: readable(text.get(part).unwrap_or_default().trim_ascii()), problem, remedy }
    }

    /// The error, where `before` lines of the file precede the chunk.
    pub(crate) fn error(self, path: &Path, before: u64) -> Error {
        let Bad { line, column, text, problem, remedy } = self;
        let (problem, remedy) = (problem.into_owned(), remedy.into_owned());
        Error::BadRow { path: path.to_owned(), line: before + line + 1, column, text, problem, remedy }
    }
}

/// How many bad rows are described; the rest are counted.
pub(crate) const DESCRIBED: usize = 10;

/// An id that does not stand for itself: a number, or where its text is.
#[derive(Clone, Copy)]
struct Token {
    number: u64,
    start: u32,
    length: u32,
}

/// The ids of a chunk that do not stand for themselves, in their order; and texts that do not stand so in the chunk, which are counted as
/// if they came behind it.
#[derive(Default)]
pub(crate) struct Others(Vec<Token>, Vec<u8>);

impl Others {
    fn clear(&mut self) {
        self.0.clear();
        self.1.clear();
    }

    /// Keeps a large number. Gives what stands for it among the codes.
    fn push_number(&mut self, number: u64) -> u32 {
        self.0.push(Token { number, start: 0, length: 0 });
        DIRECT as u32
    }

    /// The code of an id, which is kept unless it stands for itself.
    fn push(&mut self, text: &[u8], (start, end): (usize, usize)) -> u32 {
        match text.get(start..end).and_then(plain_integer) {
            Some(number) if number < DIRECT => number as u32,
            Some(number) => self.push_number(number),
            None => {
                self.0.push(Token { number: 0, start: start as u32, length: (end - start) as u32 });
                DIRECT as u32
            }
        }
    }

    /// The code of an id that stands otherwise in the chunk than it is.
    fn push_owned(&mut self, text: &[u8], id: &[u8]) -> u32 {
        if let Some(number) = plain_integer(id) {
            return if number < DIRECT { number as u32 } else { self.push_number(number) };
        }
        self.0.push(Token { number: 0, start: (text.len() + self.1.len()) as u32, length: id.len() as u32 });
        self.1.extend_from_slice(id);
        DIRECT as u32
    }

    /// The numbers from one of them on.
    fn numbers(&self, first: usize) -> impl Iterator<Item = u64> + Clone {
        self.0.get(first..).unwrap_or_default().iter().map(|token| token.number)
    }

    /// The ids, given the chunk's text.
    pub(crate) fn keys<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Key<'a>> {
        self.0.iter().map(move |token| match token.length {
            0 => Key::Number(token.number),
            length => {
                let start = token.start as usize;
                let (text, start) = start.checked_sub(text.len()).map_or((text, start), |start| (self.1.as_slice(), start));
                Key::Name(text.get(start..).and_then(|rest| rest.get(..length as usize)).unwrap_or_default())
            }
        })
    }
}

/// Stands for a label (a rating) that is not given.
const MISSING: f32 = f32::NAN;
/// Stands for the label of a row that could not be read, where there is to be a prediction for each row. A NaN too, but another one.
const BAD: f32 = f32::from_bits(0x7fc0_0bad);

/// Whether a label is that of a row which could not be read.
pub fn is_bad(label: u32) -> bool {
    label == BAD.to_bits()
}

/// What the parsers go by besides the format.
#[derive(Clone, Copy, Default)]
struct How {
    unlabelled: bool,
    repeated: Repeated,
    named: Named,
}

/// Who named the format: what a message may advise depends on it.
#[derive(Clone, Copy, Default, PartialEq)]
enum Named {
    #[default]
    Nobody,
    User,
    Model,
}

/// What a chunk holds; used again for the next one.
#[derive(Default)]
pub(crate) struct Parsed {
    how: How,
    pub(crate) lines: u64,
    /// Whether some label or rating is not given.
    pub(crate) unlabelled: bool,
    /// A line of counts that was left out, for the user to read: its number in the chunk, from 1, and its text.
    pub(crate) counts: Option<(u64, String)>,
    /// The first row that begins with a feature in place of a label: its number too, and that feature.
    pub(crate) headless: Option<(u64, String)>,
    /// The first bad rows, and how many there are in all.
    pub(crate) bad: Vec<Bad>,
    pub(crate) bad_count: u64,
    pub(crate) labels: Vec<f32>,
    pub(crate) lengths: Vec<u32>,
    /// Features, or users: ids below [`DIRECT`] stand for themselves, and `DIRECT` for the next of the others.
    pub(crate) codes: Vec<u32>,
    pub(crate) others: Others,
    pub(crate) items: Vec<u32>,
    pub(crate) other_items: Others,
    /// Values, or ratings.
    pub(crate) values: Vec<f32>,
    /// Whether every value is 1.
    pub(crate) ones: bool,
    /// For the parser of svmlight.
    sorted: Vec<u64>,
}

impl Parsed {
    pub(crate) fn new(settings: &PackSettings) -> Parsed {
        let named = match (settings.format, settings.expected) {
            (Some(_), _) => Named::User,
            (None, Some(_)) => Named::Model,
            (None, None) => Named::Nobody,
        };
        Parsed { how: How { unlabelled: settings.unlabelled, repeated: settings.repeated, named }, ..Parsed::default() }
    }

    fn clear(&mut self) {
        (self.lines, self.bad_count, self.ones) = (0, 0, true);
        (self.unlabelled, self.counts, self.headless) = (false, None, None);
        self.bad.clear();
        self.labels.clear();
        self.lengths.clear();
        self.codes.clear();
        self.others.clear();
        self.items.clear();
        self.other_items.clear();
        self.values.clear();
    }
}

/// What is wrong, and where in the text.
struct Fault {
    start: usize,
    end: usize,
    problem: &'static str,
    remedy: &'static str,
}

fn fault<T>(start: usize, end: usize, problem: &'static str, remedy: &'static str) -> Result<T, Fault> {
    Err(Fault { start, end, problem, remedy })
}

/// Parses all lines of a chunk; of ratings, those behind the heading.
pub(crate) fn parse(chunk: &Chunk, format: Format, found: &Found, on_bad_row: OnBadRow, out: &mut Parsed) {
    let text = chunk.padded();
    out.clear();
    let mut at = found.begin;
    out.lines = found.lines;
    while at < chunk.end {
        // A byte order mark is no part of the line, be it the first of the file or of one that was joined to another.
        let marked = byte(text, at) == 0xef && text.get(at..).is_some_and(|rest| rest.starts_with(b"\xef\xbb\xbf"));
        at += if marked { 3 } else { 0 };
        let (start, cells, others) = (at, out.codes.len(), out.others.0.len());
        let outcome = match format {
            Format::Svmlight => svmlight::row(text, &mut at, out),
            Format::Ratings => ratings::row(text, &mut at, out, &found.table),
        };
        if let Err(found) = outcome {
            // Ratings, and labels, are kept only when whole.
            out.codes.truncate(cells);
            out.values.truncate(cells);
            out.others.0.truncate(others);
            at = line_end(text, found.start.max(start)).min(chunk.end);
            let is_head = format == Format::Svmlight && chunk.first && out.labels.is_empty() && out.bad_count == 0;
            if is_head && out.counts.is_none() && svmlight::counts::are_counts(text.get(start..chunk.end).unwrap_or_default()) {
                out.lines += 1;
                out.counts = Some((out.lines, readable(text.get(start..at).unwrap_or_default().trim_ascii())));
                continue;
            }
            let found = mixed::advise(odd::named(text, found), format, out.how.named);
            if out.how.unlabelled && on_bad_row == OnBadRow::Skip {
                // It keeps its place, for a prediction that is none.
                out.unlabelled = true;
                match format {
                    Format::Svmlight => {
                        out.labels.push(BAD);
                        out.lengths.push(0);
                    }
                    Format::Ratings => {
                        out.codes.push(0);
                        out.items.push(0);
                        out.values.push(BAD);
                    }
                }
            }
            out.bad_count += 1;
            if out.bad.len() < DESCRIBED {
                out.bad.push(Bad {
                    line: out.lines,
                    column: (found.start - start) as u64 + 1,
                    text: readable(text.get(found.start..found.end).unwrap_or_default()),
                    problem: found.problem.into(),
                    remedy: found.remedy.into(),
                });
            }
            if on_bad_row == OnBadRow::Stop {
                break;
            }
        }
        out.lines += 1;
    }
}

/// At most 40 characters of one line.
fn readable(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text.get(..text.len().min(200)).unwrap_or_default());
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[inline]
fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// The position after the newline.
fn line_end(text: &[u8], at: usize) -> usize {
    at + memchr::memchr(b'\n', text.get(at..).unwrap_or_default()).map_or(text.len(), |n| n + 1)
}

const REMEDY_FINITE: &str = "give a finite number or leave the row out";
