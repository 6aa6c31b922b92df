//! The fields of a line: what separates them, and what stands in quotes.

use std::borrow::Cow;

use crate::bytes::{blank, byte, from, part};
use crate::text::number::{Why, long_number};

/// What separates the fields of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Separator {
    Tab,
    Colons,
    Comma,
    Semicolon,
    Bar,
    /// Any run of blanks and tabs.
    #[default]
    Blanks,
}

impl Separator {
    /// In the order in which they are looked for.
    pub(crate) const ALL: [Separator; 6] =
        [Separator::Tab, Separator::Colons, Separator::Comma, Separator::Semicolon, Separator::Bar, Separator::Blanks];

    /// Its (first) byte.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Separator::Tab => b'\t',
            Separator::Colons => b':',
            Separator::Comma => b',',
            Separator::Semicolon => b';',
            Separator::Bar => b'|',
            Separator::Blanks => b' ',
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Separator::Tab => "tabs",
            Separator::Colons => "`::`",
            Separator::Comma => "commas",
            Separator::Semicolon => "semicolons",
            Separator::Bar => "bars",
            Separator::Blanks => "blanks",
        }
    }

    /// Whether a number may have a decimal comma: no comma and no blank separates, as where programs write such numbers.
    pub(crate) fn decimal_comma(self) -> bool {
        matches!(self, Separator::Tab | Separator::Semicolon | Separator::Bar)
    }

    /// How long the separator at a place is; 0 where there is none.
    fn length(self, text: &[u8], at: usize) -> usize {
        let found = byte(text, at);
        match self {
            Separator::Colons => 2 * usize::from(found == b':' && byte(text, at + 1) == b':'),
            Separator::Blanks => usize::from(blank(found)),
            _ => usize::from(found == self.byte()),
        }
    }
}

/// How a field is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quote {
    No,
    /// In quotes; its place is what is between them.
    Plain,
    /// The same, with doubled quotes inside.
    Doubled,
    /// A quote that is not closed, or text behind the closing one.
    Broken,
}

/// Where a field is in the text, without the blanks around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quote: Quote,
}

impl Field {
    /// The bytes as they stand in the text.
    pub(crate) fn raw<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        part(text, self.start..self.end)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// What the field says.
    pub(crate) fn value<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        match self.quote {
            Quote::Doubled => Cow::Owned(unquote(part(text, self.start - 1..self.end + 1))),
            _ => Cow::Borrowed(self.raw(text)),
        }
    }

    pub(crate) fn name(&self, text: &[u8]) -> String {
        String::from_utf8_lossy(&self.value(text)).into_owned()
    }
}

/// What a quoted field says, as CSV has it.
fn unquote(quoted: &[u8]) -> Vec<u8> {
    let mut out = vec![0; quoted.len()];
    let (_, _, length) = csv_core::Reader::new().read_field(quoted, &mut out);
    out.truncate(length);
    out
}

/// The fields of a line.
pub(crate) struct Fields<'a> {
    text: &'a [u8],
    separator: Separator,
    /// Where the next one begins, and the line ends.
    at: Option<usize>,
    end: usize,
}

/// The fields from `start` to the end of the line.
pub(crate) fn fields(text: &[u8], start: usize, separator: Separator) -> Fields<'_> {
    let end = start + memchr::memchr(b'\n', from(text, start)).unwrap_or(text.len().saturating_sub(start));
    let mut found = Fields { text, separator, at: Some(start), end };
    if separator == Separator::Blanks {
        found.at = Some(found.past_blanks(start)).filter(|&at| at < end);
    }
    found
}

impl Fields<'_> {
    fn past_blanks(&self, mut at: usize) -> usize {
        while at < self.end && blank(byte(self.text, at)) && (self.separator != Separator::Tab || byte(self.text, at) != b'\t') {
            at += 1;
        }
        at
    }

    /// Where the field that begins at `at`, or what is left of it, ends.
    fn stop(&self, mut at: usize) -> usize {
        while at < self.end && self.separator.length(self.text, at) == 0 {
            at += 1;
        }
        at
    }

    /// The place of the closing quote, and whether doubled ones are before it.
    fn closing(&self, mut at: usize) -> Option<(usize, bool)> {
        let mut doubled = false;
        loop {
            at += memchr::memchr(b'"', part(self.text, at..self.end))?;
            if at + 1 < self.end && byte(self.text, at + 1) == b'"' {
                (at, doubled) = (at + 2, true);
            } else {
                return Some((at, doubled));
            }
        }
    }
}

impl Iterator for Fields<'_> {
    type Item = Field;

    fn next(&mut self) -> Option<Field> {
        let begin = self.at?;
        let start = self.past_blanks(begin);
        let (field, stop) = if start < self.end && byte(self.text, start) == b'"' {
            match self.closing(start + 1) {
                Some((close, doubled)) => {
                    let stop = self.stop(close + 1);
                    let behind = part(self.text, close + 1..stop).trim_ascii();
                    match (behind.is_empty(), doubled) {
                        (true, false) => (Field { start: start + 1, end: close, quote: Quote::Plain }, stop),
                        (true, true) => (Field { start: start + 1, end: close, quote: Quote::Doubled }, stop),
                        (false, _) => (Field { start, end: stop, quote: Quote::Broken }, stop),
                    }
                }
                None => (Field { start, end: self.end, quote: Quote::Broken }, self.end),
            }
        } else {
            let stop = self.stop(start);
            let mut end = stop;
            while end > start && blank(byte(self.text, end - 1)) {
                end -= 1;
            }
            (Field { start, end, quote: Quote::No }, stop)
        };
        let length = if stop < self.end { self.separator.length(self.text, stop) } else { 0 };
        self.at = if length == 0 { None } else { Some(stop + length) };
        if self.separator == Separator::Blanks {
            self.at = self.at.map(|at| self.past_blanks(at)).filter(|&at| at < self.end);
            // A date and a time of day with a blank between them are one field.
            if let Some(at) = self.at.filter(|_| field.quote == Quote::No) {
                let stop = self.stop(at);
                if is_date_and_clock(field.raw(self.text), part(self.text, at..stop)) {
                    self.at = Some(self.past_blanks(stop)).filter(|&at| at < self.end);
                    return Some(Field { end: stop, ..field });
                }
            }
        }
        Some(field)
    }
}

/// What a field looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Empty,
    /// What programs write for no value.
    Missing,
    Integer(f32),
    /// A number with a point or an exponent, but whole.
    Whole(f32),
    Fraction(f32),
    Word,
}

impl Shape {
    pub(crate) fn of(token: &[u8], separator: Separator) -> Shape {
        if token.is_empty() {
            return Shape::Empty;
        }
        const MISSING: [&str; 11] = ["na", "n/a", "nan", "null", "none", "nil", "missing", "-", "?", ".", "\\n"];
        if MISSING.iter().any(|missing| token.eq_ignore_ascii_case(missing.as_bytes())) {
            return Shape::Missing;
        }
        let number = if separator.decimal_comma() { with_point(token) } else { Cow::Borrowed(token) };
        match long_number(&number) {
            Ok(value) if number.iter().enumerate().all(|(i, b)| b.is_ascii_digit() || i == 0 && matches!(b, b'-' | b'+')) => {
                Shape::Integer(value)
            }
            Ok(value) if value.fract() == 0.0 => Shape::Whole(value),
            Ok(value) => Shape::Fraction(value),
            Err(Why::Range) => Shape::Integer(f32::MAX),
            Err(Why::Infinite | Why::Nan) => Shape::Missing,
            Err(Why::NoNumber) => Shape::Word,
        }
    }

    /// The number, if it is one.
    pub(crate) fn number(self) -> Option<f32> {
        match self {
            Shape::Integer(value) | Shape::Whole(value) | Shape::Fraction(value) => Some(value),
            _ => None,
        }
    }
}

/// A number whose decimal comma, if it has just one and no point, is a point.
pub(crate) fn with_point(token: &[u8]) -> Cow<'_, [u8]> {
    if token.iter().filter(|&&byte| byte == b',').count() != 1 || token.contains(&b'.') {
        return Cow::Borrowed(token);
    }
    Cow::Owned(token.iter().map(|&byte| if byte == b',' { b'.' } else { byte }).collect())
}

/// Whether a field is a date and the next one a time of day: together they are one.
pub(crate) fn is_date_and_clock(date: &[u8], clock: &[u8]) -> bool {
    let marks = |mark: u8| date.iter().filter(|&&byte| byte == mark).count() == 2;
    let is_date =
        date.len() >= 6 && date.iter().all(|byte| byte.is_ascii_digit() || b"-/.".contains(byte)) && b"-/.".iter().any(|&m| marks(m));
    is_date && clock.first().is_some_and(u8::is_ascii_digit) && clock.get(..3).is_some_and(|start| start.contains(&b':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str, separator: Separator) -> Vec<String> {
        fields(line.as_bytes(), 0, separator).map(|field| field.name(line.as_bytes())).collect()
    }

    #[test]
    fn lines_are_split() {
        let table: [(&str, Separator, &[&str]); 12] = [
            ("1 2 3 2020-01-01 10:00:00 x", Separator::Blanks, &["1", "2", "3", "2020-01-01 10:00:00", "x"]),
            ("Ann Lee , 42,5\r\nrest", Separator::Comma, &["Ann Lee", "42", "5"]),
            ("\ta\t\tb", Separator::Tab, &["", "a", "", "b"]),
            ("1::2::3:4", Separator::Colons, &["1", "2", "3:4"]),
            ("  1 \t 2  ", Separator::Blanks, &["1", "2"]),
            ("", Separator::Blanks, &[]),
            ("\"a, \"\"b\"\"\",\"\",c\"d", Separator::Comma, &["a, \"b\"", "", "c\"d"]),
            ("\"a b\" \"c\"", Separator::Blanks, &["a b", "c"]),
            ("\"a::b\"::c", Separator::Colons, &["a::b", "c"]),
            ("a;b;", Separator::Semicolon, &["a", "b", ""]),
            ("\"a,b", Separator::Comma, &["\"a,b"]),
            ("\"a\"b,c", Separator::Comma, &["\"a\"b", "c"]),
        ];
        for (line, separator, expected) in table {
            assert_eq!(split(line, separator), expected, "{line:?}");
        }
    }

    #[test]
    fn shapes() {
        let of = |token: &str, separator| Shape::of(token.as_bytes(), separator);
        assert_eq!(of("3,5", Separator::Tab), Shape::Fraction(3.5));
        assert_eq!(of("3,5", Separator::Blanks), Shape::Word);
        assert_eq!(of("-7", Separator::Comma), Shape::Integer(-7.0));
        assert_eq!(of("7.0", Separator::Comma), Shape::Whole(7.0));
        assert_eq!(of("NA", Separator::Comma), Shape::Missing);
        assert!(is_date_and_clock(b"2020-01-01", b"10:00:00") && !is_date_and_clock(b"12", b"10:00"));
    }
}
