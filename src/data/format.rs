//! The text formats: finding out which one it is, and parsing a chunk of lines.

use std::path::Path;
use std::str::FromStr;

use hashbrown::HashSet;

use super::dictionary::Key;
use super::ids::plain_integer;
use super::input::Chunk;
use crate::Error;

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

    /// Finds the format of a text from its first lines; `None` if they say nothing.
    pub fn detect(text: &[u8]) -> Option<Format> {
        for line in text.split(|&byte| byte == b'\n').take(1000) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let mut tokens = line.split(|&byte| blank(byte)).filter(|token| !token.is_empty());
            let second = tokens.nth(1).unwrap_or_default();
            let index = second.iter().position(|&byte| byte == b':').unwrap_or(0);
            let pair = index > 0 && second.get(index + 1) != Some(&b':');
            if pair && (second.starts_with(b"qid:") || second.iter().take(index).all(u8::is_ascii_digit)) {
                return Some(Format::Svmlight);
            }
            match fields(line, 0).1 {
                // A label without features, or with a comment, says nothing yet.
                0..=1 => continue,
                _ if second.starts_with(b"#") => continue,
                2..=4 => return Some(Format::Ratings),
                _ => return None,
            }
        }
        None
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
pub(super) struct Bad {
    /// Lines before it in the chunk.
    pub(super) line: u64,
    column: u64,
    text: String,
    problem: &'static str,
    remedy: &'static str,
}

impl Bad {
    /// The error, where `before` lines of the file precede the chunk.
    pub(super) fn error(self, path: &Path, before: u64) -> Error {
        let Bad { line, column, text, problem, remedy } = self;
        Error::BadRow { path: path.to_owned(), line: before + line + 1, column, text, problem, remedy }
    }
}

/// How many bad rows are described; the rest are counted.
pub(super) const DESCRIBED: usize = 10;

/// An id in a chunk: a number, or where its text is.
#[derive(Clone, Copy, Default)]
pub(super) struct Token {
    number: u64,
    start: u32,
    length: u32,
}

impl Token {
    fn new(text: &[u8], (start, end): (usize, usize)) -> Token {
        match text.get(start..end).and_then(plain_integer) {
            Some(number) => Token { number, start: 0, length: 0 },
            None => Token { number: 0, start: start as u32, length: (end - start) as u32 },
        }
    }

    /// The id, given the chunk's text.
    pub(super) fn key<'a>(&self, text: &'a [u8]) -> Key<'a> {
        if self.length == 0 {
            return Key::Number(self.number);
        }
        let start = self.start as usize;
        Key::Name(text.get(start..start + self.length as usize).unwrap_or_default())
    }
}

/// What a chunk holds.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) input: usize,
    /// Whether the chunk begins its input.
    pub(super) first: bool,
    /// The text, kept only where ids are names.
    pub(super) text: Vec<u8>,
    pub(super) lines: u64,
    pub(super) bytes: u64,
    /// The first bad rows, and how many there are in all.
    pub(super) bad: Vec<Bad>,
    pub(super) bad_count: u64,
    pub(super) labels: Vec<f32>,
    pub(super) lengths: Vec<u32>,
    pub(super) ids: Vec<u64>,
    pub(super) values: Vec<f32>,
    /// Whether every value is 1.
    pub(super) ones: bool,
    pub(super) pairs: Vec<(Token, Token)>,
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

/// Parses all lines of a chunk.
pub(super) fn parse(chunk: Chunk, format: Format, on_bad_row: OnBadRow) -> Parsed {
    let Chunk { text, input, first } = chunk;
    let mut out = Parsed { input, first, ones: true, bytes: text.len() as u64, ..Parsed::default() };
    if format == Format::Svmlight {
        out.ids.reserve(text.len() / 8);
        out.values.reserve(text.len() / 8);
    }
    let mut at = 0;
    // A byte order mark is no part of the first line.
    if first && text.starts_with(b"\xef\xbb\xbf") {
        at = 3;
    }
    while at < text.len() {
        let start = at;
        let (cells, outcome) = (
            out.ids.len(),
            match format {
                Format::Svmlight => svmlight(&text, &mut at, &mut out),
                Format::Ratings => ratings(&text, &mut at, &mut out, first && start <= 3 && out_is_at_first_line(&text, start)),
            },
        );
        if let Err(found) = outcome {
            out.ids.truncate(cells);
            out.values.truncate(if format == Format::Svmlight { cells } else { out.pairs.len() });
            at = found.start.max(start)
                + memchr::memchr(b'\n', text.get(found.start.max(start)..).unwrap_or_default()).map_or(text.len(), |n| n + 1);
            out.bad_count += 1;
            if out.bad.len() < DESCRIBED {
                out.bad.push(Bad {
                    line: out.lines,
                    column: (found.start - start) as u64 + 1,
                    text: readable(text.get(found.start..found.end).unwrap_or_default()),
                    problem: found.problem,
                    remedy: found.remedy,
                });
            }
            if on_bad_row == OnBadRow::Stop {
                break;
            }
        }
        out.lines += 1;
    }
    if format == Format::Ratings {
        out.text = text;
    }
    out
}

fn out_is_at_first_line(text: &[u8], start: usize) -> bool {
    start == 0 || text.starts_with(b"\xef\xbb\xbf")
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

/// Where a token ends at a blank, a comment or the end of the line.
#[inline]
fn closes(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'#')
}

#[inline]
fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(b'\n')
}

fn token_end(text: &[u8], mut at: usize) -> usize {
    while !closes(byte(text, at)) {
        at += 1;
    }
    at
}

const POWERS: [f32; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];

/// A short decimal number and where it ends. Both mantissa and power of ten are exact, so the quotient is correctly rounded;
/// all else is left to the standard library.
#[inline]
fn short_number(text: &[u8], mut at: usize) -> Option<(f32, usize)> {
    let sign = byte(text, at);
    if sign == b'-' || sign == b'+' {
        at += 1;
    }
    let (start, mut mantissa) = (at, 0u64);
    let mut digit = byte(text, at).wrapping_sub(b'0');
    while digit <= 9 {
        mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
        at += 1;
        digit = byte(text, at).wrapping_sub(b'0');
    }
    let (mut digits, mut fraction) = (at - start, 0);
    if byte(text, at) == b'.' {
        at += 1;
        let start = at;
        digit = byte(text, at).wrapping_sub(b'0');
        while digit <= 9 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
            at += 1;
            digit = byte(text, at).wrapping_sub(b'0');
        }
        fraction = at - start;
        digits += fraction;
    }
    // Up to 19 digits do not wrap.
    if digits == 0 || digits > 19 || mantissa > 1 << 24 {
        return None;
    }
    let value = mantissa as f32 / POWERS.get(fraction)?;
    Some((if sign == b'-' { -value } else { value }, at))
}

enum Why {
    NoNumber,
    Nan,
    Infinite,
    Range,
}

#[cold]
fn long_number(token: &[u8]) -> Result<f32, Why> {
    let value: f32 = std::str::from_utf8(token).ok().and_then(|token| token.parse().ok()).ok_or(Why::NoNumber)?;
    if value.is_nan() {
        Err(Why::Nan)
    } else if value.is_finite() {
        Ok(value)
    } else if token.iter().any(u8::is_ascii_digit) {
        Err(Why::Range)
    } else {
        Err(Why::Infinite)
    }
}

const REMEDY_FINITE: &str = "give a finite number or leave the row out";

/// Parses one line from `at`, leaves `at` after its newline.
#[inline]
fn svmlight(text: &[u8], place: &mut usize, out: &mut Parsed) -> Result<(), Fault> {
    let mut at = *place;
    while blank(byte(text, at)) {
        at += 1;
    }
    if matches!(byte(text, at), b'\n' | b'#') {
        *place = line_end(text, at);
        return Ok(());
    }
    let line = at;
    let (label, end) = match short_number(text, at) {
        Some((label, end)) if closes(byte(text, end)) => (label, end),
        _ => label(text, at)?,
    };
    at = end;
    let first = out.ids.len();
    let (mut last, mut ascending) = (0u64, true);
    loop {
        while blank(byte(text, at)) {
            at += 1;
        }
        let start = at;
        let (mut index, mut digit) = (0u64, byte(text, at).wrapping_sub(b'0'));
        while digit <= 9 {
            index = index.wrapping_mul(10).wrapping_add(digit.into());
            at += 1;
            digit = byte(text, at).wrapping_sub(b'0');
        }
        if byte(text, at) != b':' || at == start || at - start > 19 {
            match byte(text, start) {
                b'\n' => {
                    at += 1;
                    break;
                }
                b'#' => {
                    at = line_end(text, at);
                    break;
                }
                _ => match odd_index(text, start)? {
                    (Some(found), colon) => (index, at) = (found, colon),
                    (None, end) => {
                        at = end;
                        continue;
                    }
                },
            }
        }
        at += 1;
        let (value, end) = match short_number(text, at) {
            Some((value, end)) if closes(byte(text, end)) => (value, end),
            _ => value(text, start, at)?,
        };
        at = end;
        if index <= last && out.ids.len() > first {
            if index == last {
                return repeated(start, at);
            }
            ascending = false;
        }
        last = index;
        out.ids.push(index);
        out.values.push(value);
        out.ones &= value == 1.0;
    }
    if !ascending {
        find_repeated(text, line, out.ids.get(first..).unwrap_or_default())?;
    }
    out.labels.push(label);
    out.lengths.push((out.ids.len() - first) as u32);
    *place = at;
    Ok(())
}

/// The position after the newline.
fn line_end(text: &[u8], at: usize) -> usize {
    at + memchr::memchr(b'\n', text.get(at..).unwrap_or_default()).map_or(text.len(), |n| n + 1)
}

#[cold]
fn label(text: &[u8], start: usize) -> Result<(f32, usize), Fault> {
    let end = token_end(text, start);
    let token = text.get(start..end).unwrap_or_default();
    if token.contains(&b':') {
        return fault(start, end, "the label is missing", "begin each row with its label: `label index:value ...`");
    }
    match long_number(token) {
        Ok(label) => Ok((label, end)),
        Err(Why::NoNumber) => fault(start, end, "the label is no number", "labels are +1, -1, 0, 1 or any real number"),
        Err(Why::Nan) => fault(start, end, "the label is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => fault(start, end, "the label is infinite", REMEDY_FINITE),
        Err(Why::Range) => fault(start, end, "the label is out of the range of 32-bit floats", "scale the labels below 3.4e38"),
    }
}

/// A token that does not begin like `index:`. Gives the index, if it has one after all, and where its colon is; or the end
/// of a token to leave out.
#[cold]
fn odd_index(text: &[u8], start: usize) -> Result<(Option<u64>, usize), Fault> {
    let end = token_end(text, start);
    let token = text.get(start..end).unwrap_or_default();
    if token.starts_with(b"qid:") {
        return Ok((None, end));
    }
    let Some(colon) = memchr::memchr(b':', token) else {
        return fault(start, end, "this is no `index:value` pair", "write each feature as `index:value`, without blanks around the colon");
    };
    let index = token.get(..colon).unwrap_or_default();
    if index.is_empty() {
        return fault(start, end, "the index is missing before the colon", "write each feature as `index:value`");
    }
    if !index.iter().all(u8::is_ascii_digit) {
        return fault(start, end, "the index is no whole number", "indices are whole numbers from 0; number or hash named features first");
    }
    match std::str::from_utf8(index).ok().and_then(|index| index.parse().ok()) {
        Some(index) => Ok((Some(index), start + colon)),
        None => fault(start, end, "the index is out of the range of 64-bit integers", "hash or renumber the features below 2^64"),
    }
}

#[cold]
fn value(text: &[u8], start: usize, at: usize) -> Result<(f32, usize), Fault> {
    let end = token_end(text, at);
    let token = text.get(at..end).unwrap_or_default();
    if token.is_empty() {
        return fault(
            start,
            end,
            "the value is missing after the colon",
            "write each feature as `index:value`, without blanks around the colon",
        );
    }
    if token.contains(&b':') {
        return fault(start, end, "this has more than one colon", "write each feature as `index:value`; field-aware triples are not read");
    }
    match long_number(token) {
        Ok(value) => Ok((value, end)),
        Err(Why::NoNumber) => fault(start, end, "the value is no number", "write each feature as `index:value` with a real value"),
        Err(Why::Nan) => fault(start, end, "the value is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => fault(start, end, "the value is infinite", REMEDY_FINITE),
        Err(Why::Range) => fault(start, end, "the value is out of the range of 32-bit floats", "scale the values below 3.4e38"),
    }
}

fn repeated(start: usize, end: usize) -> Result<(), Fault> {
    fault(start, end, "the index is repeated in this row", "give each feature once a row, adding its values up")
}

#[cold]
fn find_repeated(text: &[u8], line: usize, ids: &[u64]) -> Result<(), Fault> {
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    if !sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
        return Ok(());
    }
    let mut seen = HashSet::with_hasher(foldhash::fast::FixedState::default());
    let position = ids.iter().position(|id| !seen.insert(*id)).unwrap_or(0);
    // The label and any query number come first; then the pairs in their order.
    let (mut at, mut left) = (token_end(text, line), position);
    loop {
        while blank(byte(text, at)) {
            at += 1;
        }
        let end = token_end(text, at);
        if at == end || (left == 0 && byte(text, at).is_ascii_digit()) {
            return repeated(at, end);
        }
        if byte(text, at).is_ascii_digit() {
            left -= 1;
        }
        at = end;
    }
}

/// The places of the first five fields between `at` and the end of the line, and how many there are.
fn fields(text: &[u8], mut at: usize) -> ([(usize, usize); 5], usize) {
    let (mut found, mut count) = ([(0, 0); 5], 0);
    while blank(byte(text, at)) {
        at += 1;
    }
    if byte(text, at) == b'\n' {
        return (found, 0);
    }
    while let Some(place) = found.get_mut(count) {
        let start = at;
        loop {
            match byte(text, at) {
                b' ' | b'\t' | b'\r' | b'\n' | b',' => break,
                b':' if byte(text, at + 1) == b':' => break,
                _ => at += 1,
            }
        }
        *place = (start, at);
        count += 1;
        while blank(byte(text, at)) {
            at += 1;
        }
        match byte(text, at) {
            b'\n' => break,
            b',' => at += 1,
            b':' if byte(text, at + 1) == b':' => at += 2,
            _ => continue,
        }
        while blank(byte(text, at)) {
            at += 1;
        }
    }
    (found, count)
}

fn ratings(text: &[u8], place: &mut usize, out: &mut Parsed, may_be_header: bool) -> Result<(), Fault> {
    let start = *place;
    let ([user, item, rating, _, _], count) = fields(text, start);
    let end = line_end(text, start);
    if count == 0 {
        *place = end;
        return Ok(());
    }
    let line = text.get(start..end).unwrap_or_default().trim_ascii_end().len() + start;
    const ROW: &str = "write each rating as `user item rating [time]`, separated by blanks, tabs, commas or `::`";
    let token = text.get(rating.0..rating.1).unwrap_or_default();
    if may_be_header && count >= 3 && is_title(token) {
        *place = end;
        return Ok(());
    }
    if user.0 == user.1 {
        return fault(user.0, line, "the user is missing", ROW);
    }
    if count < 2 || item.0 == item.1 {
        return fault(user.0, line, "the item is missing", ROW);
    }
    if count < 3 || token.is_empty() {
        return fault(user.0, line, "the rating is missing", ROW);
    }
    if count > 4 {
        return fault(user.0, line, "this has more than four fields", ROW);
    }
    let value = match short_number(text, rating.0) {
        Some((value, end)) if end == rating.1 => Ok(value),
        _ => long_number(token),
    };
    let value = match value {
        Ok(value) => value,
        Err(Why::NoNumber) => return fault(rating.0, rating.1, "the rating is no number", ROW),
        Err(Why::Nan) => return fault(rating.0, rating.1, "the rating is NaN", REMEDY_FINITE),
        Err(Why::Infinite) => return fault(rating.0, rating.1, "the rating is infinite", REMEDY_FINITE),
        Err(Why::Range) => {
            return fault(rating.0, rating.1, "the rating is out of the range of 32-bit floats", "scale the ratings below 3.4e38");
        }
    };
    out.pairs.push((Token::new(text, user), Token::new(text, item)));
    out.values.push(value);
    *place = end;
    Ok(())
}

/// Whether a third field is the heading of a column: neither a number nor an attempt at one.
fn is_title(token: &[u8]) -> bool {
    let begins = token.first().is_some_and(|byte| !byte.is_ascii_digit() && !matches!(byte, b'-' | b'+' | b'.'));
    begins && matches!(long_number(token), Err(Why::NoNumber))
}
