//! Text from files and standard input, decompressed, in chunks cut at line ends.

use std::fs::File;
use std::io::{BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::{Error, Result};

/// How much text one chunk aims for.
const CHUNK: usize = 4 << 20;
/// A line longer than this is no line.
const LONGEST_LINE: usize = 512 << 20;

/// Whole lines of one input; always ends with a newline.
pub(super) struct Chunk {
    pub(super) text: Vec<u8>,
    /// Which input.
    pub(super) input: usize,
    /// Whether it holds the input's first line.
    pub(super) first: bool,
}

/// Reads several inputs one after the other.
pub(super) struct Inputs<'a> {
    paths: &'a [PathBuf],
    next: usize,
    current: Option<Current>,
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

struct Current {
    reader: Box<dyn Read + Send>,
    compressed: bool,
    carry: Vec<u8>,
    first: bool,
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

/// Whether a path stands for standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl<'a> Inputs<'a> {
    /// Looks at all inputs' sizes, so that a missing one is found before any work.
    pub(super) fn new(paths: &'a [PathBuf]) -> Result<Inputs<'a>> {
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
        Ok(Inputs { paths, next: 0, current: None, read: Arc::default(), total })
    }

    /// Bytes read so far, before decompression, and how many there are if that is known.
    pub(super) fn progress(&self) -> (u64, Option<u64>) {
        (self.read.load(Relaxed), self.total)
    }

    /// The next chunk, or `None` at the end of the last input.
    pub(super) fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(path) = self.paths.get(self.next) else { return Ok(None) };
                self.current = Some(open(path, &self.read)?);
                self.next += 1;
                continue;
            };
            let input = self.next.saturating_sub(1);
            let path = self.paths.get(input).map(PathBuf::as_path).unwrap_or(Path::new("-"));
            match current.fill().map_err(|problem| current.explain(path, problem))? {
                Some(text) => {
                    let first = std::mem::replace(&mut current.first, false);
                    return Ok(Some(Chunk { text, input, first }));
                }
                None if current.carry.is_empty() => self.current = None,
                None => {
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

impl Current {
    /// Whole lines, `None` at the end; `None` with something carried over when a line is too long.
    fn fill(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut text = Vec::with_capacity(CHUNK + self.carry.len() + 1);
        text.append(&mut self.carry);
        let mut searched = 0;
        loop {
            let n = (&mut self.reader).take(CHUNK as u64).read_to_end(&mut text)?;
            if let Some(end) = memchr::memrchr(b'\n', text.get(searched..).unwrap_or_default()) {
                let cut = searched + end + 1;
                if n == 0 && cut < text.len() {
                    text.push(b'\n');
                } else {
                    self.carry.extend_from_slice(text.get(cut..).unwrap_or_default());
                    text.truncate(cut);
                }
                return Ok(Some(text));
            }
            searched = text.len();
            if n == 0 {
                if text.is_empty() {
                    return Ok(None);
                }
                text.push(b'\n');
                return Ok(Some(text));
            }
            if searched > LONGEST_LINE {
                self.carry = text;
                return Ok(None);
            }
        }
    }

    fn explain(&self, path: &Path, problem: std::io::Error) -> Error {
        if !self.compressed {
            return Error::io(path, "read")(problem);
        }
        match problem.kind() {
            ErrorKind::UnexpectedEof => Error::BadFile {
                path: path.to_owned(),
                problem: "the compressed data ends too early: the file has been cut short".into(),
                remedy: "fetch or compress it again",
            },
            ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::Other => Error::BadFile {
                path: path.to_owned(),
                problem: format!("the compressed data is damaged ({problem})"),
                remedy: "fetch or compress it again",
            },
            _ => Error::io(path, "read")(problem),
        }
    }
}

fn open(path: &Path, read: &Arc<AtomicU64>) -> Result<Current> {
    let inner: Box<dyn Read + Send> =
        if is_stdin(path) { Box::new(std::io::stdin()) } else { Box::new(File::open(path).map_err(Error::io(path, "open"))?) };
    let mut raw = Counted { inner, read: read.clone() };
    let mut magic = Vec::with_capacity(8);
    (&mut raw).take(6).read_to_end(&mut magic).map_err(Error::io(path, "read"))?;
    let start = Cursor::new(magic.clone());
    let whole = start.chain(raw);
    let buffered = |whole| BufReader::with_capacity(1 << 18, whole);
    let (reader, compressed): (Box<dyn Read + Send>, bool) = match magic.as_slice() {
        [0x1f, 0x8b, ..] => (Box::new(flate2::bufread::MultiGzDecoder::new(buffered(whole))), true),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = zstd::stream::read::Decoder::with_buffer(buffered(whole)).map_err(Error::io(path, "decompress"))?;
            (Box::new(decoder), true)
        }
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31 | 0x17, ..] => (Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(whole))), true),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => (Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(buffered(whole))), true),
        _ => (Box::new(whole), false),
    };
    Ok(Current { reader, compressed, carry: Vec::new(), first: true })
}
