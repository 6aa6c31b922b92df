//! Text from files and standard input, decompressed, in chunks cut at line ends.

use std::fs::File;
use std::io::{BufReader, Cursor, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use hogwild_base::{Error, Result};

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

/// Is told the bytes read, before decompression, and how many there are in all, where that is known.
pub(crate) type Progress<'a> = &'a dyn hogwild_base::Progress;

/// Reads several inputs one after the other.
pub(crate) struct Inputs<'a> {
    paths: &'a [PathBuf],
    next: usize,
    current: Option<Current<'a>>,
    read: Arc<AtomicU64>,
    total: Option<u64>,
    progress: Progress<'a>,
    /// What was done to inputs that are not plain text, for the user to read.
    pub(crate) notes: Vec<String>,
    /// Bytes that have come of inputs that are waited for, before decompression.
    arrived: Arc<AtomicU64>,
    /// Whether a chunk ends where such an input pauses.
    pub(crate) ends_at_pauses: bool,
}

struct Current<'a> {
    reader: Text<'a>,
    compressed: bool,
    carry: Vec<u8>,
    first: bool,
    /// Whether all of it has been read.
    ended: bool,
    /// What separates cells, where one in quotes may go on over the end of a line.
    quoted: Option<u8>,
    /// Bytes read, and bytes that have come, where a chunk ends at a pause.
    pauses: Option<[Arc<AtomicU64>; 2]>,
}

struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

/// Standard input, or a named pipe, read by a thread of its own: whoever waits for it can still be stopped.
struct Waited<'a> {
    blocks: Receiver<std::io::Result<Vec<u8>>>,
    block: Cursor<Vec<u8>>,
    read: Arc<AtomicU64>,
    progress: Progress<'a>,
}

impl<'a> Waited<'a> {
    /// What `open` gives is opened by the thread too: a pipe waits for who writes into it.
    fn new<R: Read>(
        open: impl FnOnce() -> std::io::Result<R> + Send + 'static,
        [read, arrived]: [Arc<AtomicU64>; 2],
        progress: Progress<'a>,
    ) -> Result<Waited<'a>> {
        let (sender, blocks) = sync_channel(4);
        let work = move || {
            let mut input = match open() {
                Ok(input) => input,
                Err(problem) => return drop(sender.send(Err(problem))),
            };
            loop {
                let mut block = vec![0; 1 << 18];
                let outcome = input.read(&mut block).map(|n| {
                    arrived.fetch_add(n as u64, Relaxed);
                    block.truncate(n);
                    block
                });
                let last = outcome.as_ref().map_or_else(|problem| problem.kind() != ErrorKind::Interrupted, Vec::is_empty);
                if sender.send(outcome).is_err() || last {
                    break;
                }
            }
        };
        std::thread::Builder::new().spawn(work).map_err(|source| Error::Threads { source })?;
        Ok(Waited { blocks, block: Cursor::default(), read, progress })
    }
}

impl Read for Waited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.block.position() == self.block.get_ref().len() as u64 {
            match self.blocks.recv_timeout(Duration::from_millis(100)) {
                Ok(block) => self.block = Cursor::new(block?),
                Err(RecvTimeoutError::Timeout) if self.progress.progress(self.read.load(Relaxed), None) => continue,
                Err(RecvTimeoutError::Timeout) => return Err(std::io::Error::other("interrupted")),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
            if self.block.get_ref().is_empty() {
                return Ok(0);
            }
        }
        self.block.read(buffer)
    }
}

/// Whether a path stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl<'a> Inputs<'a> {
    /// Looks at all inputs' sizes, so that a missing one is found before any work.
    pub(crate) fn new(paths: &'a [PathBuf], progress: Progress<'a>) -> Result<Inputs<'a>> {
        let mut total = Some(0u64);
        for path in paths {
            if is_stdin(path) {
                total = None;
                continue;
            }
            let found = std::fs::metadata(path).map_err(Error::io(path, "open"))?;
            if found.is_dir() {
                return Err(Error::BadFile {
                    path: path.clone(),
                    problem: "is a directory".into(),
                    remedy: "name the files in it one by one",
                });
            }
            total = if found.is_file() { total.map(|sum| sum.saturating_add(found.len())) } else { None };
        }
        let (current, arrived) = (None, Arc::default());
        Ok(Inputs { paths, next: 0, current, read: Arc::default(), total, progress, notes: Vec::new(), arrived, ends_at_pauses: false })
    }

    /// The same where a chunk ends when what is waited for pauses, and not only when it is long.
    pub(crate) fn with_pauses(self) -> Inputs<'a> {
        Inputs { ends_at_pauses: true, ..self }
    }

    /// Bytes read so far, before decompression, and how many there are if that is known.
    pub(crate) fn progress(&self) -> (u64, Option<u64>) {
        (self.read.load(Relaxed), self.total)
    }

    /// Counts bytes that another reads.
    #[cfg(feature = "arrow")]
    pub(crate) fn count(&self, bytes: u64) {
        self.read.fetch_add(bytes, Relaxed);
    }

    /// Tells of the progress. Gives whether to go on.
    pub(crate) fn proceed(&self) -> bool {
        self.progress.progress(self.read.load(Relaxed), self.total)
    }

    /// Puts the next chunk in the place of a used one; `false` at the end of the last input.
    pub(crate) fn next_chunk(&mut self, chunk: &mut Chunk) -> Result<bool> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(path) = self.paths.get(self.next) else { return Ok(false) };
                let counts = [self.read.clone(), self.arrived.clone()];
                let (mut current, done) = open(path, &counts, self.progress)?;
                current.pauses = self.ends_at_pauses.then_some(counts);
                self.notes.extend(done.map(|done| format!("{} {done}", path.display())));
                self.current = Some(current);
                self.next += 1;
                continue;
            };
            let input = self.next.saturating_sub(1);
            let path = self.paths.get(input).map(PathBuf::as_path).unwrap_or(Path::new("-"));
            match current.fill(chunk).map_err(|problem| current.explain(path, problem))? {
                Filled::Lines if current.give_back(chunk) => {} // to be read on with what follows
                Filled::Lines => {
                    (chunk.input, chunk.first) = (input, std::mem::replace(&mut current.first, false));
                    return Ok(true);
                }
                Filled::End => self.current = None,
                Filled::EndlessLine => {
                    return Err(Error::BadFile {
                        path: path.to_owned(),
                        problem: "has a line of more than 512 MiB".into(),
                        remedy: "is it text, one example a line?",
                    });
                }
            }
        }
    }
}

impl Inputs<'_> {
    /// From this chunk on, an input is cut only behind lines that are not within quotes.
    pub(crate) fn cut_behind_quotes(&mut self, mark: u8, chunk: &mut Chunk) {
        if let Some(current) = &mut self.current {
            current.quoted = Some(mark);
            // The heading at least is whole.
            current.give_back(chunk);
        }
    }
}

enum Filled {
    Lines,
    End,
    EndlessLine,
}

impl<'a> Current<'a> {
    fn new(reader: Text<'a>, compressed: bool) -> Current<'a> {
        Current { reader, compressed, carry: Vec::new(), first: true, ended: false, quoted: None, pauses: None }
    }

    /// Fills a chunk with whole lines: what was carried over, and about [`CHUNK`] bytes more.
    fn fill(&mut self, chunk: &mut Chunk) -> std::io::Result<Filled> {
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
    fn give_back(&mut self, chunk: &mut Chunk) -> bool {
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

    fn explain(&self, path: &Path, problem: std::io::Error) -> Error {
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
fn open<'a>(path: &Path, counts: &[Arc<AtomicU64>; 2], progress: Progress<'a>) -> Result<(Current<'a>, Option<&'static str>)> {
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
