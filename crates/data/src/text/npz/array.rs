//! An array within an archive, read element by element: stored or deflated, held to its length and its checksum.
//!
//! Nothing is allocated by what a header says: a block of it is in memory, however long it is.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::header::NpyHeader;

/// Bytes of an array that are in memory.
const BLOCK: usize = 1 << 16;
/// The longest member that is taken for a short text.
const LONGEST: u64 = 1 << 12;

/// The types of elements that are read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F32,
    F64,
}

impl Kind {
    const ALL: [(&'static str, Kind, usize); 11] = [
        ("|b1", Kind::Bool, 1),
        ("|i1", Kind::I8, 1),
        ("<i2", Kind::I16, 2),
        ("<i4", Kind::I32, 4),
        ("<i8", Kind::I64, 8),
        ("|u1", Kind::U8, 1),
        ("<u2", Kind::U16, 2),
        ("<u4", Kind::U32, 4),
        ("<u8", Kind::U64, 8),
        ("<f4", Kind::F32, 4),
        ("<f8", Kind::F64, 8),
    ];
}

/// A number of an array.
pub(super) enum Element {
    Whole(i64),
    /// Of 64 bits without a sign, and too large for one with.
    Large(u64),
    Real(f64),
}

/// An array whose elements are taken one after the other.
pub(super) struct Array {
    name: String,
    source: Box<dyn Read + Send>,
    kind: Kind,
    width: usize,
    /// How many elements there are, and how many are yet to be read from the archive.
    pub(super) count: usize,
    unread: usize,
    block: Vec<u8>,
    at: usize,
    sum: Crc,
    stated_sum: u32,
}

/// What is read of a file is counted.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

/// The bytes of a member as they are in the array, how many there are to be, and their checksum.
struct Opened {
    bytes: Box<dyn Read + Send>,
    length: u64,
    sum: u32,
}

fn open(path: &Path, archive: &mut ZipArchive<File>, name: &str, read: &Arc<AtomicU64>) -> Result<Opened, String> {
    let member = archive.index_for_name(name).ok_or_else(|| format!("has no member `{name}`"))?;
    let broken = |problem: &dyn std::fmt::Display| format!("its member `{name}` cannot be read ({problem})");
    let found = archive.by_index_raw(member).map_err(|problem| broken(&problem))?;
    let start = found.data_start().ok_or_else(|| broken(&"it has no place"))?;
    let mut file = File::open(path).map_err(|problem| broken(&problem))?;
    file.seek(SeekFrom::Start(start)).map_err(|problem| broken(&problem))?;
    let raw = BufReader::with_capacity(BLOCK, Counted { file, read: read.clone() }).take(found.compressed_size());
    let bytes: Box<dyn Read + Send> = match found.compression() {
        _ if found.encrypted() => return Err(format!("its member `{name}` is encrypted")),
        CompressionMethod::Stored => Box::new(raw),
        CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(raw)),
        other => return Err(format!("its member `{name}` is compressed by {other}, and only deflate is read")),
    };
    Ok(Opened { bytes, length: found.size(), sum: found.crc32() })
}

/// A short text, as SciPy keeps the layout of a matrix.
pub(super) fn text(path: &Path, archive: &mut ZipArchive<File>, name: &str, read: &Arc<AtomicU64>) -> Result<String, String> {
    let Opened { bytes, length, sum } = open(path, archive, name, read)?;
    let of = |problem: &str| format!("its member `{name}` {problem}");
    let mut whole = Vec::new();
    bytes.take(LONGEST).read_to_end(&mut whole).map_err(|problem| of(&format!("cannot be read ({problem})")))?;
    let mut found = Crc::new();
    found.update(&whole);
    if whole.len() as u64 != length || found.sum() != sum {
        return Err(of("is no short text, or is damaged"));
    }
    let header = NpyHeader::read(&mut whole.as_slice()).map_err(|problem| of(&problem))?;
    let is_text = header.shape.is_empty() && ["|S", "<U"].iter().any(|kind| header.kind.starts_with(kind));
    let mut letters = whole.split_off(header.length.min(whole.len()));
    letters.retain(|&byte| byte != 0);
    String::from_utf8(letters).ok().filter(|_| is_text).ok_or_else(|| of("is no text"))
}

impl Array {
    /// Opens an array of one axis.
    pub(super) fn open(path: &Path, archive: &mut ZipArchive<File>, name: &str, read: &Arc<AtomicU64>) -> Result<Array, String> {
        let Opened { bytes: mut source, length, sum: stated_sum } = open(path, archive, name, read)?;
        let of = |problem: &str| format!("its member `{name}` {problem}");
        let mut seen = Vec::new();
        let header = NpyHeader::read(&mut Noting { inner: &mut source, seen: &mut seen }).map_err(|problem| of(&problem))?;
        let Some(&(_, kind, width)) = Kind::ALL.iter().find(|(kind, ..)| *kind == header.kind) else {
            return Err(of(&format!("is of the type `{}`, and numbers are read: bool, integers, float32, float64", header.kind)));
        };
        let &[count] = header.shape.as_slice() else { return Err(of(&format!("has {} axes instead of one", header.shape.len()))) };
        let size = count.checked_mul(width).and_then(|bytes| bytes.checked_add(header.length));
        if size.and_then(|size| u64::try_from(size).ok()) != Some(length) {
            return Err(of(&format!("says that it has {count} elements, and its length is another")));
        }
        let mut sum = Crc::new();
        sum.update(&seen);
        let (block, unread) = (Vec::new(), count);
        Ok(Array { name: name.into(), source, kind, width, count, unread, block, at: 0, sum, stated_sum })
    }

    /// The next element. At the end of the array it is held to its checksum.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Element, String> {
        if self.at == self.block.len() {
            self.fill()?;
        }
        let bytes = &self.block[self.at..];
        self.at += self.width;
        Ok(match self.kind {
            Kind::Bool => Element::Whole(i64::from(bytes[0] != 0)),
            Kind::I8 => Element::Whole(i64::from(bytes[0] as i8)),
            Kind::U8 => Element::Whole(i64::from(bytes[0])),
            Kind::I16 => Element::Whole(i64::from(i16::from_le_bytes(first(bytes)))),
            Kind::U16 => Element::Whole(i64::from(u16::from_le_bytes(first(bytes)))),
            Kind::I32 => Element::Whole(i64::from(i32::from_le_bytes(first(bytes)))),
            Kind::U32 => Element::Whole(i64::from(u32::from_le_bytes(first(bytes)))),
            Kind::I64 => Element::Whole(i64::from_le_bytes(first(bytes))),
            Kind::U64 => match u64::from_le_bytes(first(bytes)) {
                number if number > i64::MAX as u64 => Element::Large(number),
                number => Element::Whole(number as i64),
            },
            Kind::F32 => Element::Real(f64::from(f32::from_le_bytes(first(bytes)))),
            Kind::F64 => Element::Real(f64::from_le_bytes(first(bytes))),
        })
    }

    /// The next element as a place or a number of elements, which it has to be.
    #[inline]
    pub(super) fn next_place(&mut self) -> Result<u64, String> {
        match self.next()? {
            Element::Whole(number @ 0..) => Ok(number as u64),
            Element::Whole(number) => Err(format!("its member `{}` has {number}, which is below 0", self.name)),
            Element::Large(number) => Ok(number),
            Element::Real(number) => Err(format!("its member `{}` has {number}, and takes whole numbers", self.name)),
        }
    }

    #[cold]
    fn fill(&mut self) -> Result<(), String> {
        let count = self.unread.min(BLOCK / self.width);
        if count == 0 {
            return Err(format!("its member `{}` has too few elements", self.name));
        }
        self.block.resize(count * self.width, 0);
        self.at = 0;
        let read = self.source.read_exact(&mut self.block);
        read.map_err(|problem| format!("its member `{}` is cut short or damaged ({problem})", self.name))?;
        self.unread -= count;
        self.sum.update(&self.block);
        if self.unread == 0 && self.sum.sum() != self.stated_sum {
            return Err(format!("its member `{}` is damaged: its checksum does not match", self.name));
        }
        Ok(())
    }
}

/// The first bytes of some, of which there are as many as an element has.
fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| bytes[i])
}

/// Notes what is read, for the checksum.
struct Noting<'a, R> {
    inner: R,
    seen: &'a mut Vec<u8>,
}

impl<R: Read> Read for Noting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.seen.extend_from_slice(buffer.get(..n).unwrap_or_default());
        Ok(n)
    }
}
