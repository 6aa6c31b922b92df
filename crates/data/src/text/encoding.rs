//! Text that is not plain UTF-8 with line feeds, made so on the way in where there is no doubt: UTF-16 (by its mark, or by a zero
//! beside each of its first characters), and lines that end in a carriage return alone. What cannot be read is named.

use std::fmt;
use std::io::{Cursor, Error, ErrorKind, Read, Result};

/// How much is looked at for the ends of lines.
const LOOK: u64 = 64 << 10;
/// How much UTF-16 is taken at a time.
const BLOCK: usize = 64 << 10;

/// A source of text.
pub(crate) type Text<'a> = Box<dyn Read + Send + 'a>;

/// What is wrong with text as a whole.
#[derive(Debug)]
pub(crate) struct NoText(&'static str);

impl fmt::Display for NoText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for NoText {}

fn no_text<T>(problem: &'static str) -> Result<T> {
    Err(Error::new(ErrorKind::InvalidData, NoText(problem)))
}

/// Looks at the beginning of a text. Gives it in plain form, and what was done to it, for the user to read.
pub(crate) fn plain(mut text: Text<'_>) -> Result<(Text<'_>, Option<&'static str>)> {
    let begin = first(&mut text, 4)?;
    let big = match begin.as_slice() {
        [0xff, 0xfe, 0, 0] | [0, 0, 0xfe, 0xff] => return no_text("is text in UTF-32"),
        [a, 0, 0, 0] | [0, 0, 0, a] if *a != 0 => return no_text("is text in UTF-32"),
        [0xff, 0xfe, ..] => Some(false),
        [0xfe, 0xff, ..] => Some(true),
        // Without a mark: no other text has zeros, and what rows and ratings begin with is ASCII.
        [a, 0, b, 0] if *a != 0 && *b != 0 => Some(false),
        [0, a, 0, b] if *a != 0 && *b != 0 => Some(true),
        _ => None,
    };
    let mut text: Text<'_> = Box::new(Cursor::new(begin).chain(text));
    if let Some(big) = big {
        text = Box::new(Utf16 { inner: text, big, units: Vec::new(), text: Cursor::default() });
    }
    let begin = first(&mut text, LOOK)?;
    let returns = ends_in_returns(&begin);
    let text: Text<'_> = Box::new(Cursor::new(begin).chain(text));
    let text = if returns { Box::new(Returns { inner: text, after: false }) } else { text };
    let done = match (big.is_some(), returns) {
        (true, true) => Some("is text in UTF-16 whose lines end in carriage returns (CR); it was read as such"),
        (true, false) => Some("is text in UTF-16; it was read as such"),
        (false, true) => Some("has lines that end in carriage returns (CR); it was read as such"),
        (false, false) => None,
    };
    Ok((text, done))
}

/// The beginning of a text: so many bytes, or its first line. Of a line that has come no more is waited for.
pub(crate) fn first(text: &mut impl Read, most: u64) -> Result<Vec<u8>> {
    let (mut begin, mut block) = (Vec::new(), vec![0; most.min(LOOK) as usize]);
    loop {
        let room = block.len().min(most as usize - begin.len());
        let read = match text.read(block.get_mut(..room).unwrap_or_default()) {
            Err(problem) if problem.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        begin.extend_from_slice(block.get(..read).unwrap_or_default());
        if read == 0 || begin.len() as u64 == most || is_a_line(&begin) {
            return Ok(begin);
        }
    }
}

/// Whether there is a whole line of plain text: of UTF-16, which has zeros or a mark, the first bytes do not say.
fn is_a_line(begin: &[u8]) -> bool {
    let is_wide = begin.contains(&0) || matches!(begin.first(), Some(0xfe | 0xff));
    !is_wide && memchr::memchr(b'\n', begin.get(1..).unwrap_or_default()).is_some()
}

/// Whether there are carriage returns and no line feed.
fn ends_in_returns(begin: &[u8]) -> bool {
    let is_end = |pair: &[u8]| matches!(pair, [b'\r', next] if *next != b'\r');
    memchr::memchr(b'\n', begin).is_none() && begin.windows(2).any(is_end)
}

/// UTF-16, read as UTF-8.
struct Utf16<R> {
    inner: R,
    /// Whether the high byte comes first.
    big: bool,
    /// Bytes that are not read yet: half a character.
    units: Vec<u8>,
    text: Cursor<Vec<u8>>,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.text.position() == self.text.get_ref().len() as u64 {
            let before = self.units.len();
            self.units.resize(before + BLOCK, 0);
            let read = self.inner.read(self.units.split_at_mut(before).1);
            self.units.truncate(before + *read.as_ref().unwrap_or(&0));
            let ended = read? == 0;
            let big = self.big;
            let (pairs, odd) = self.units.as_chunks::<2>();
            let unit = |pair: &[u8; 2]| if big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) };
            let halved = pairs.last().is_some_and(|pair| (0xd800..0xdc00).contains(&unit(pair)));
            if ended && (halved || !odd.is_empty()) {
                return no_text("is text in UTF-16 that ends in the midst of a character");
            }
            let (pairs, _) = pairs.split_at(pairs.len() - usize::from(halved));
            let mut text = String::with_capacity(2 * pairs.len());
            for found in char::decode_utf16(pairs.iter().map(unit)) {
                let Ok(found) = found else { return no_text("is text in UTF-16 that is damaged: half a character stands alone") };
                text.push(found);
            }
            let done = 2 * pairs.len();
            self.units.drain(..done);
            self.text = Cursor::new(text.into_bytes());
            if ended {
                break;
            }
        }
        self.text.read(buffer)
    }
}

/// Lines that end in a carriage return, or in that and a line feed, read as lines that end in a line feed.
struct Returns<R> {
    inner: R,
    /// Whether a carriage return was the last.
    after: bool,
}

impl<R: Read> Read for Returns<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let Some(&found) = buffer.get(at) else { break };
                let ended = std::mem::replace(&mut self.after, found == b'\r');
                if ended && found == b'\n' {
                    continue;
                }
                if let Some(place) = buffer.get_mut(kept) {
                    *place = if found == b'\r' { b'\n' } else { found };
                }
                kept += 1;
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time: characters are cut everywhere.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let (Some((&first, rest)), Some(place)) = (self.0.split_first(), buffer.first_mut()) else { return Ok(0) };
            (*place, self.0) = (first, rest);
            Ok(1)
        }
    }

    fn read(bytes: &[u8]) -> Result<(String, bool)> {
        let (mut text, done) = plain(Box::new(Drops(bytes)))?;
        let mut all = String::new();
        text.read_to_string(&mut all)?;
        Ok((all, done.is_some()))
    }

    #[test]
    fn utf_16_is_read_with_and_without_its_mark() {
        let text = "1 2:3 # zoë 😀\r\n0 4:5\n";
        let bytes = |text: &str, big| -> Vec<u8> {
            text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        for big in [false, true] {
            assert_eq!(read(&bytes(text, big)).unwrap(), (text.to_owned(), true));
            let marked = format!("\u{feff}{text}");
            assert_eq!(read(&bytes(&marked, big)).unwrap(), (marked, true));
            assert_eq!(read(&bytes("1 2:3\r0 4:5", big)).unwrap().0, "1 2:3\n0 4:5");
            let mut cut = bytes(text, big);
            cut.pop();
            assert!(read(&cut).is_err());
        }
        assert!(read(&[0xff, 0xfe, b'1', 0, 0, 0xd8, b'2', 0]).unwrap_err().to_string().contains("damaged"));
        assert!(read(&[0xff, 0xfe, 0, 0, b'1', 0, 0, 0]).unwrap_err().to_string().contains("UTF-32"));
    }

    #[test]
    fn carriage_returns_end_lines_where_nothing_else_does() {
        assert_eq!(read(b"a\rb\r\rc\r").unwrap(), ("a\nb\n\nc\n".into(), true));
        for text in ["a\r\nb\r\n", "a\r\r\nb", "a\n\rb\n", "a", "", "a\r", "1\n2"] {
            assert_eq!(read(text.as_bytes()).unwrap(), (text.to_owned(), false), "{text:?}");
        }
    }
}
