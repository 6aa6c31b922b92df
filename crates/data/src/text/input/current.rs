//! An input that is being read: opened, decompressed, and cut into chunks behind whole lines.

use std::fs::File;
use std::io::{BufReader, Cursor, ErrorKind, Read};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hogwild_base::{Error, Result};

use super::waited::{Counted, Waited};
use super::{Progress, is_stdin};
use crate::bytes::{byte, from, part};
use crate::text::chunk::{Chunk, PAD};
use crate::text::encoding::{NoText, Text, first, plain};
use crate::text::npz::{self, BadMatrix, Entries};
use crate::text::zstd::Frames;

/// How much text one chunk aims for: with what is parsed from it, it stays in a core's cache.
const CHUNK: usize = 1 << 20;
/// An example longer than this has a quote that is not closed.
const LONGEST_EXAMPLE: usize = 16 << 20;
/// A line longer than this is no line.
const LONGEST_LINE: usize = 512 << 20;

/// The input at hand.
pub(super) struct Current<'a> {
    reader: Text<'a>,
    compressed: bool,
    carry: Vec<u8>,
    pub(super) first: bool,
    /// Whether all of it has been read.
    ended: bool,
    /// What separates cells, where one in quotes may go on over the end of a line.
    pub(super) quoted: Option<u8>,
    /// Bytes read, and bytes that have come, where a chunk ends at a pause.
    pub(super) pauses: Option<[Arc<AtomicU64>; 2]>,
}

/// What came of filling a chunk.
pub(super) enum Filled {
    Lines,
    End,
    EndlessLine,
}

impl<'a> Current<'a> {
    fn new(reader: Text<'a>, compressed: bool) -> Current<'a> {
        Current { reader, compressed, carry: Vec::new(), first: true, ended: false, quoted: None, pauses: None }
    }

    /// Fills a chunk with whole lines: what was carried over, and about [`CHUNK`] bytes more.
    pub(super) fn fill(&mut self, chunk: &mut Chunk) -> std::io::Result<Filled> {
        let text = &mut chunk.text;
        let mut end = self.carry.len();
        // Grown once, and then used again as it is: no byte is cleared before it is read.
        grow(text, end + CHUNK + PAD);
        room(text, 0..end).copy_from_slice(&self.carry);
        self.carry.clear();
        loop {
            let (searched, goal) = (end, end + CHUNK);
            grow(text, goal + PAD);
            let mut more = true;
            while more && end < goal {
                match self.reader.read(room(text, end..goal)) {
                    Ok(n) => {
                        (end, more) = (end + n, n > 0);
                        self.ended = !more;
                        if self.pauses() && memchr::memchr(b'\n', part(text, searched..end)).is_some() {
                            break;
                        }
                    }
                    Err(problem) if problem.kind() == ErrorKind::Interrupted => {}
                    Err(problem) => return Err(problem),
                }
            }
            let newline = memchr::memrchr(b'\n', part(text, searched..end));
            let cut = match newline.map(|newline| searched + newline + 1) {
                Some(cut) if more || cut == end => cut,
                None if more && end > LONGEST_LINE => return Ok(Filled::EndlessLine),
                None if more => continue,
                _ if end == 0 => return Ok(Filled::End),
                // The last line of all has no newline: it gets one from the padding.
                _ => end + 1,
            };
            self.carry.extend_from_slice(from(part(text, 0..end), cut));
            room(text, cut.min(end)..cut + PAD).fill(b'\n');
            chunk.end = cut;
            return Ok(Filled::Lines);
        }
    }

    /// Whether nothing more has come than what was read.
    fn pauses(&self) -> bool {
        self.pauses.as_ref().is_some_and(|[read, arrived]| arrived.load(Relaxed) <= read.load(Relaxed))
    }

    /// Keeps the end of a chunk for the next one, if it is within quotes. Gives whether that is all of the chunk.
    pub(super) fn give_back(&mut self, chunk: &mut Chunk) -> bool {
        let Some(mark) = self.quoted.filter(|_| !self.ended && chunk.end < LONGEST_EXAMPLE) else { return false };
        let end = whole_examples(chunk.lines(), mark);
        if end == chunk.end {
            return false;
        }
        let rest = from(chunk.lines(), end).to_vec();
        self.carry.splice(0..0, rest);
        if end > 0 {
            room(&mut chunk.text, end..end + PAD).fill(b'\n');
            chunk.end = end;
        }
        end == 0
    }

    pub(super) fn explain(&self, path: &Path, problem: std::io::Error) -> Error {
        if let Some(no_text) = problem.get_ref().and_then(|inner| inner.downcast_ref::<NoText>()) {
            return Error::BadFile { path: path.to_owned(), problem: no_text.to_string(), remedy: "save it as UTF-8" };
        }
        if let Some(bad) = problem.get_ref().and_then(|inner| inner.downcast_ref::<BadMatrix>()) {
            return bad_matrix(path, bad);
        }
        if !self.compressed {
            return Error::io(path, "read")(problem);
        }
        match problem.kind() {
            ErrorKind::UnexpectedEof => Error::BadFile {
                path: path.to_owned(),
                problem: "the compressed data ends too early: the file has been cut short".into(),
                remedy: "fetch or compress it again",
            },
            ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::Unsupported | ErrorKind::Other => Error::BadFile {
                path: path.to_owned(),
                problem: format!("the compressed data is damaged ({problem})"),
                remedy: "fetch or compress it again",
            },
            _ => Error::io(path, "read")(problem),
        }
    }
}

fn bad_matrix(path: &Path, BadMatrix(problem): &BadMatrix) -> Error {
    Error::BadFile { path: path.to_owned(), problem: problem.clone(), remedy: npz::REMEDY }
}

/// Where the last line ends that is not within quotes: a quote opens a cell only at its beginning.
fn whole_examples(text: &[u8], mark: u8) -> usize {
    let mut at = 0;
    while let Some(quote) = memchr::memchr(b'"', from(text, at)).map(|n| at + n) {
        at = quote + 1;
        let before = part(text, 0..quote).iter().rev().find(|byte| **byte != b' ');
        if before.is_some_and(|&byte| byte != mark && byte != b'\n') {
            continue;
        }
        loop {
            match memchr::memchr(b'"', from(text, at)) {
                // The cell goes on behind the text.
                None => return memchr::memrchr(b'\n', part(text, 0..quote)).map_or(0, |newline| newline + 1),
                Some(n) => at += n + 1,
            }
            if byte(text, at) != b'"' {
                break;
            }
            at += 1;
        }
    }
    text.len()
}

/// Room between two places, which is there or made.
fn room(text: &mut Vec<u8>, places: Range<usize>) -> &mut [u8] {
    grow(text, places.end);
    &mut text[places]
}

fn grow(text: &mut Vec<u8>, length: usize) {
    if text.len() < length {
        text.resize(length, b'\n');
    }
}

/// Opens an input, and says what was done to one that is not plain text.
pub(super) fn open<'a>(path: &Path, counts: &[Arc<AtomicU64>; 2], progress: Progress<'a>) -> Result<(Current<'a>, Option<&'static str>)> {
    if npz::is_matrix(path) {
        let entries = Entries::open(path, &counts[0]).map_err(|bad| bad_matrix(path, &bad))?;
        let reader: Text<'a> = Box::new(entries);
        return Ok((Current::new(reader, false), None));
    }
    let inner: Text<'a> = if is_stdin(path) {
        Box::new(Waited::new(|| Ok(std::io::stdin().lock()), counts.clone(), progress)?)
    } else if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let owned = path.to_owned();
        Box::new(Waited::new(move || File::open(owned), counts.clone(), progress)?)
    } else {
        Box::new(File::open(path).map_err(Error::io(path, "open"))?)
    };
    let mut raw = Counted { inner, read: counts[0].clone() };
    // No mark of a compressed file has the end of a line within.
    let magic = first(&mut raw, 6).map_err(Error::io(path, "read"))?;
    let start = Cursor::new(magic.clone());
    let whole = start.chain(raw);
    let buffered = |whole| BufReader::with_capacity(1 << 18, whole);
    let (reader, compressed): (Text<'a>, bool) = match magic.as_slice() {
        [0x1f, 0x8b, ..] => (Box::new(flate2::bufread::MultiGzDecoder::new(buffered(whole))), true),
        // A frame of text, or one that is passed over: what `pzstd` writes begins with such.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => (Box::new(Frames::new(buffered(whole))), true),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => (Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(whole))), true),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => (Box::new(lzma_rust2::XzReader::new(buffered(whole), true)), true),
        _ => (Box::new(whole), false),
    };
    let nothing: Text<'a> = Box::new(std::io::empty());
    let mut current = Current::new(nothing, compressed);
    let (reader, done) = plain(reader).map_err(|problem| current.explain(path, problem))?;
    current.reader = reader;
    Ok((current, done))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_ends_where_no_quote_is_open() {
        for (text, end) in [
            ("a,b\nc,d\n", 8),
            ("a,\"b\nc\",d\n", 10),
            ("a,b\nc,\"d\n", 4),
            ("\"a\n", 0),
            ("a,5\"\nb,6\n", 9),
            ("a,\"x\"\"\ny\"\nb,\"c\n", 10),
            ("a, \"x\n\"\n", 8),
            ("a,\"\"\nb,\"\"\"\n", 5),
        ] {
            assert_eq!(whole_examples(text.as_bytes(), b','), end, "{text:?}");
        }
    }
}
