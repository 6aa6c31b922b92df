//! The cells of a record, as CSV has them (RFC 4180): between marks, perhaps in quotes, within which marks and line ends are text and a
//! quote is doubled. Blanks around a cell are no part of it.

use std::borrow::Cow;

use crate::bytes::{byte, from, line_end, part};

/// A cell by its place, without blanks and quotes around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Whether quotes are doubled in it.
    pub(crate) doubled: bool,
    /// Where what separates it from the next one is, or the newline behind the record.
    pub(crate) stop: usize,
}

impl Cell {
    /// What it says.
    #[inline]
    pub(crate) fn value<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let inside = part(text, self.start..self.end);
        if self.doubled { Cow::Owned(single_quotes(inside)) } else { Cow::Borrowed(inside) }
    }
}

#[cold]
fn single_quotes(inside: &[u8]) -> Vec<u8> {
    let quoted = [b"\"", inside, b"\""].concat();
    let mut out = vec![0; quoted.len()];
    let (_, _, length) = csv_core::Reader::new().read_field(&quoted, &mut out);
    out.truncate(length);
    out
}

/// A quote that is not closed, or is closed too early: where the cell begins.
#[derive(Debug, PartialEq)]
pub(crate) struct Broken(pub(crate) usize);

/// How many of eight bytes stand before the first mark or newline.
#[inline(always)]
fn before(word: u64, mark: u8) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (marks, newlines) = (u64::from(mark) * ONES, u64::from(b'\n') * ONES);
    // The lowest high bit set is that of the first byte which is 0; those above it may be wrong.
    let zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGH;
    ((zero(word ^ marks) | zero(word ^ newlines)).trailing_zeros() / 8) as usize
}

/// A cell of one to eight bytes as most are, before a mark and without blanks or quotes at its ends: as a number, whose lowest byte is the
/// first, and how long it is. None of others, and of those that may say that the value is missing.
#[inline(always)]
pub(crate) fn short_word(text: &[u8], at: usize, mark: u8) -> Option<(u64, usize)> {
    let word = u64::from_le_bytes(*from(text, at).first_chunk()?);
    let length = before(word, mark);
    if length == 0 || byte(text, at + length) != mark {
        return None;
    }
    let key = word & u64::MAX >> (64 - 8 * length);
    let last = key >> (8 * (length - 1));
    // What means that a value is missing begins so.
    let is_odd = matches!(key as u8, b' ' | b'"' | b'n' | b'N' | b'?' | b'\\') || matches!(last as u8, b' ' | b'\r');
    (!is_odd).then_some((key, length))
}

/// The first mark or newline from a place on, eight bytes at a time.
#[inline(always)]
pub(crate) fn stop(text: &[u8], mut at: usize, mark: u8) -> usize {
    while let Some(bytes) = from(text, at).first_chunk() {
        let found = before(u64::from_le_bytes(*bytes), mark);
        if found < 8 {
            return at + found;
        }
        at += 8;
    }
    while byte(text, at) != mark && byte(text, at) != b'\n' {
        at += 1;
    }
    at
}

/// The cell that begins at a place.
#[inline(always)]
pub(crate) fn cell(text: &[u8], place: usize, mark: u8) -> Result<Cell, Broken> {
    let mut start = place;
    while byte(text, start) == b' ' {
        start += 1;
    }
    if byte(text, start) == b'"' {
        return quoted(text, start, mark);
    }
    let stop = stop(text, start, mark);
    let mut end = stop;
    while end > start && matches!(byte(text, end - 1), b' ' | b'\r') {
        end -= 1;
    }
    Ok(Cell { start, end, doubled: false, stop })
}

#[inline(never)]
fn quoted(text: &[u8], start: usize, mark: u8) -> Result<Cell, Broken> {
    let (mut at, mut doubled) = (start + 1, false);
    loop {
        at += memchr::memchr(b'"', from(text, at)).ok_or(Broken(start))?;
        if byte(text, at + 1) != b'"' {
            break;
        }
        (at, doubled) = (at + 2, true);
    }
    let mut stop = at + 1;
    while matches!(byte(text, stop), b' ' | b'\r') {
        stop += 1;
    }
    if byte(text, stop) != mark && byte(text, stop) != b'\n' {
        return Err(Broken(start));
    }
    Ok(Cell { start: start + 1, end: at, doubled, stop })
}

/// The cells of the record at a place, and where the next record begins.
pub(crate) fn record(text: &[u8], place: usize, mark: u8) -> Result<(Vec<Cell>, usize), Broken> {
    let (mut cells, mut at) = (Vec::new(), place);
    loop {
        let cell = cell(text, at, mark)?;
        cells.push(cell);
        at = cell.stop + 1;
        if byte(text, cell.stop) == b'\n' {
            return Ok((cells, at));
        }
    }
}

/// What a cell of the record at a place says, by its number from 0; none where there is no such cell.
#[inline(never)]
pub(crate) fn cell_of(text: &[u8], place: usize, mark: u8, number: usize) -> Option<Cow<'_, [u8]>> {
    let mut at = place;
    for _ in 0..number {
        let found = cell(text, at, mark).ok()?;
        if byte(text, found.stop) != mark {
            return None;
        }
        at = found.stop + 1;
    }
    cell(text, at, mark).ok().map(|found| found.value(text))
}

/// Where to go on behind the record at a place; where a quote is not closed, in the next line.
pub(crate) fn record_end(text: &[u8], place: usize, mark: u8) -> usize {
    match record(text, place, mark) {
        Ok((_, end)) => end,
        Err(Broken(start)) => line_end(text, start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_rfc_4180_has_them() {
        let table: [(&str, &[&str]); 9] = [
            ("a,b,c\n", &["a", "b", "c"]),
            (",, \n", &["", "", ""]),
            ("\"a,b\",\"c\nd\",\"e\"\"f\"\r\n", &["a,b", "c\nd", "e\"f"]),
            ("\"\",\"\"\"\"\n", &["", "\""]),
            (" a b , \"c\" ,5'10\"\r\n", &["a b", "c", "5'10\""]),
            ("zoë,東京,a\"b\"\n", &["zoë", "東京", "a\"b\""]),
            ("a;b\n", &["a;b"]),
            ("a long cell of more than eight bytes,and another one\n", &["a long cell of more than eight bytes", "and another one"]),
            ("\n", &[""]),
        ];
        for (text, expected) in table {
            let padded = format!("{text}{}", "\n".repeat(16));
            let (cells, end) = record(padded.as_bytes(), 0, b',').unwrap();
            let found: Vec<String> =
                cells.iter().map(|cell| String::from_utf8(cell.value(padded.as_bytes()).into_owned()).unwrap()).collect();
            assert_eq!(found, expected, "{text:?}");
            assert_eq!(end, text.len());
            assert_eq!(record_end(padded.as_bytes(), 0, b','), end);
        }
        let short = |text: &str| {
            short_word(format!("{text}{}", "\n".repeat(16)).as_bytes(), 0, b',').map(|(key, length)| (key.to_le_bytes(), length))
        };
        assert_eq!((short("ab,c"), short("abcdefgh,c")), (Some((*b"ab\0\0\0\0\0\0", 2)), Some((*b"abcdefgh", 8))));
        assert_eq!(short("b,"), Some((*b"b\0\0\0\0\0\0\0", 1)));
        for other in ["", "abcdefghi", " a", "a ", "a\r", "\"a\"", "NA", "na", "?", "\\N", "null"] {
            assert_eq!(short(&format!("{other},a")), None, "{other:?}");
        }
        // At the end of a record.
        assert_eq!((short("b"), short("abcdefgh")), (None, None));
        for (text, at, next) in [("a,\"b\n", 2, 5), ("a,\"b\"c\nd\n", 2, 7), ("\"a\"\"\nb\n", 0, 5)] {
            assert_eq!(record(text.as_bytes(), 0, b','), Err(Broken(at)), "{text:?}");
            assert_eq!(record_end(text.as_bytes(), 0, b','), next, "{text:?}");
        }
    }
}
