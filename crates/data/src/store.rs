//! A packed file with its header: where its tensors are, and the checks that all kinds share.

use crate::{
    Ids,
    cells::{Cells, Word},
    file::read_at,
    layout::{Header, UNLABELLED, bad, blank_checksum, checksum, checksum_place, hash_blocks, read_header},
    map::Map,
};
use hogwild_base::{Error, Progress, Result, memory};
use safetensors::Dtype;
use std::{
    fs::File,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

/// How far the check of a file is, for whoever waits for it and may not want to any longer.
pub(crate) struct Reading<'a> {
    done: AtomicU64,
    total: u64,
    progress: &'a dyn Progress,
}

impl<'a> Reading<'a> {
    /// Of a file, and so many bytes of it once more.
    pub fn new(store: &Store, again: usize, progress: &'a dyn Progress) -> Reading<'a> {
        Reading { done: AtomicU64::new(0), total: store.length - store.blanked.len() as u64 + again as u64, progress }
    }

    /// Tells of some bytes more. Fails where no more are wanted.
    pub fn add(&self, bytes: usize) -> std::io::Result<()> {
        let done = self.done.fetch_add(bytes as u64, Relaxed) + bytes as u64;
        let wanted = self.progress.progress(done, Some(self.total));
        if wanted { Ok(()) } else { Err(std::io::Error::new(std::io::ErrorKind::Interrupted, "interrupted")) }
    }
}

/// Linux maps so many bytes, if it has them, where a page is asked for.
const MAPPED_AROUND: usize = 64 << 10;

/// Where a tensor is in the file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub start: usize,
    pub count: usize,
    pub size: usize,
}

impl Place {
    fn end(self) -> usize {
        self.start + self.count * self.size
    }

    /// The part of it that lies in a block which begins at byte `from`, and the number of its first entry there.
    fn within(self, from: usize, block: &[u8]) -> (usize, &[u8]) {
        let end = (from + block.len()).min(self.end());
        let start = self.start.max(from).min(end);
        let first = start.saturating_sub(self.start) / self.size.max(1);
        // Within the block: both were cut to it.
        (first, if start < end { &block[start - from..end - from] } else { &[] })
    }

    /// The bytes of some of its entries; none beyond its end.
    pub fn bytes(self, entries: Range<usize>) -> Range<usize> {
        let at = |entry: usize| self.start + entry.min(self.count) * self.size;
        at(entries.start)..at(entries.end.max(entries.start))
    }
}

/// The file itself, with its header.
#[derive(Debug)]
pub(crate) struct Store {
    pub path: PathBuf,
    pub file: File,
    map: Arc<Map>,
    metadata: safetensors::tensor::Metadata,
    blanked: Vec<u8>,
    pub checksum: String,
    pub length: u64,
    modified: Option<SystemTime>,
    /// Whether it is larger than memory, so that what was read of it for the check is not to be kept.
    passes: bool,
    /// How much Linux reads at most of what it is asked to read ahead.
    #[cfg(target_os = "linux")]
    read_ahead: usize,
    /// Whether it was checked before, and not again.
    pub trusted: bool,
}

impl Store {
    pub fn open(path: &Path) -> Result<Store> {
        let file = File::open(path).map_err(Error::io(path, "open"))?;
        let found = file.metadata().map_err(Error::io(path, "open"))?;
        if found.is_dir() {
            return Err(bad(path, "is a directory"));
        }
        let Header { metadata, blanked, checksum, length } = read_header(&file, path)?;
        let map = Arc::new(Map::new(&file).map_err(Error::io(path, "map"))?);
        if map.len() as u64 != length {
            return Err(bad(path, "changed its length while it was opened"));
        }
        let passes = memory::available().is_some_and(|available| length > available / 4 * 3);
        let modified = found.modified().ok();
        Ok(Store {
            path: path.to_owned(),
            #[cfg(target_os = "linux")]
            read_ahead: read_ahead(&found),
            file,
            map,
            metadata,
            blanked,
            checksum,
            length,
            modified,
            passes,
            trusted: false,
        })
    }

    pub fn header_text(&self, key: &str) -> &str {
        self.metadata.metadata().as_ref().and_then(|map| map.get(key)).map(String::as_str).unwrap_or_default()
    }

    /// Whether some labels or ratings are not given.
    pub fn is_unlabelled(&self) -> bool {
        self.header_text(UNLABELLED) == "true"
    }

    pub fn bad(&self, problem: impl Into<String>) -> Error {
        bad(&self.path, problem)
    }

    pub fn has(&self, name: &str) -> bool {
        self.metadata.info(name).is_some()
    }

    pub fn tensor(&self, name: &str, dtype: Dtype) -> Result<Place> {
        let info = self.metadata.info(name).ok_or_else(|| self.bad(format!("has no tensor `{name}`")))?;
        let &[count] = info.shape.as_slice() else { return Err(self.bad(format!("tensor `{name}` has not one dimension"))) };
        if info.dtype != dtype {
            return Err(self.bad(format!("tensor `{name}` is {:?} instead of {dtype:?}", info.dtype)));
        }
        let size = dtype.bitsize() / 8;
        let start = self.blanked.len().saturating_add(info.data_offsets.0);
        let end = count.checked_mul(size).and_then(|bytes| bytes.checked_add(start));
        if end.is_none_or(|end| end as u64 > self.length) || !start.is_multiple_of(size) {
            return Err(self.bad(format!("tensor `{name}` is out of its place")));
        }
        Ok(Place { start, count, size })
    }

    pub fn sized(&self, name: &str, dtype: Dtype, count: usize) -> Result<Place> {
        let place = self.tensor(name, dtype)?;
        if place.count != count {
            return Err(self.bad(format!("tensor `{name}` has {} entries instead of {count}", place.count)));
        }
        Ok(place)
    }

    /// Compares the checksum; requires the `finite` tensors to be so, and the cells of the `below` ones to be below a bound.
    pub fn verify(&self, finite: &[(&str, Place)], below: &[(&str, Place, usize)], reading: &Reading<'_>) -> Result<()> {
        let look = |from: usize, block: &[u8]| {
            let infinite = finite.iter().find_map(|&(name, place)| {
                let (first, part) = place.within(from, block);
                first_infinite(part).map(|at| format!("entry {} of `{name}` is not finite", first + at))
            });
            let beyond = || {
                below.iter().find_map(|&(name, place, bound)| {
                    let (first, part) = place.within(from, block);
                    let at = first_not_below(part, |&cell| u32::from_le_bytes(cell), bound);
                    at.map(|at| format!("entry {} of `{name}` is not below {bound}", first + at))
                })
            };
            infinite.or_else(beyond)
        };
        let look = |from: usize, block: &[u8]| {
            let found = look(from, block);
            self.passed(from..from + block.len());
            reading.add(block.len()).map(|()| found)
        };
        let (hashes, problems) =
            hash_blocks(&self.file, self.blanked.len() as u64, self.length, look).map_err(|problem| self.unread(problem))?;
        if checksum(&self.blanked, &hashes) != self.checksum {
            return Err(self.bad("is damaged: its checksum is not that of its contents"));
        }
        problems.into_iter().flatten().next().map_or(Ok(()), |problem| Err(self.bad(problem)))
    }

    /// What is wrong where some of it could not be read.
    fn unread(&self, problem: std::io::Error) -> Error {
        match problem.kind() {
            std::io::ErrorKind::UnexpectedEof => self.bad("was cut short while it was read"),
            _ => Error::io(&self.path, "read")(problem),
        }
    }

    fn bytes(&self, place: Place, from: usize, count: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; count * place.size];
        let at = place.start + from * place.size;
        read_at(&self.file, &mut bytes, at as u64).map_err(|problem| self.unread(problem))?;
        Ok(bytes)
    }

    pub fn numbers(&self, place: Place, from: usize, count: usize) -> Result<Vec<u64>> {
        let bytes = self.bytes(place, from, count)?;
        Ok(bytes.as_chunks::<8>().0.iter().map(|&cell| u64::from_le_bytes(cell)).collect())
    }

    pub fn words(&self, place: Place, from: usize, count: usize) -> Result<Vec<u32>> {
        let bytes = self.bytes(place, from, count)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|&cell| u32::from_le_bytes(cell)).collect())
    }

    /// All of a place of 16-bit numbers.
    pub fn shorts(&self, place: Place) -> Result<Vec<u16>> {
        let bytes = self.bytes(place, 0, place.count)?;
        Ok(bytes.as_chunks::<2>().0.iter().map(|&cell| u16::from_le_bytes(cell)).collect())
    }

    /// What lies at a place, to be read where it is.
    pub fn cells<W: Word>(&self, place: Place) -> Cells<W> {
        Cells::mapped(&self.map, place.start, place.count)
    }

    /// The ids under `what`, numbers or names.
    pub fn ids(&self, what: &str) -> Result<Ids> {
        let id = format!("{what}_id");
        if self.has(&id) {
            let place = self.tensor(&id, Dtype::U64)?;
            return self.numbers(place, 0, place.count).map(Ids::Numbers);
        }
        let starts = self.tensor(&format!("{what}_name_start"), Dtype::U64)?;
        let names = self.tensor(&format!("{what}_name"), Dtype::U8)?;
        let start = self.numbers(starts, 0, starts.count)?;
        if start.first() != Some(&0) || start.last() != Some(&(names.count as u64)) || !start.is_sorted() {
            return Err(self.bad(format!("`{what}_name_start` does not fit `{what}_name`")));
        }
        Ok(Ids::Names { start, bytes: self.bytes(names, 0, names.count)? })
    }

    /// How many ids there are under `what`; their counts must be as many.
    pub fn id_count(&self, what: &str) -> Result<(usize, Place)> {
        let id = format!("{what}_id");
        let count = if self.has(&id) { self.tensor(&id, Dtype::U64)?.count } else { self.ids(what)?.len() };
        Ok((count, self.sized(&format!("{what}_count"), Dtype::U64, count)?))
    }

    /// Asks the system to read some bytes, while we go on. Advice, as all of the following: where it fails, only time is lost. (Plain reads
    /// take the system less of the processor's time, but it reads on behind their end: of a file in chunks 2.3 times what was asked for.)
    pub fn will_need(&self, bytes: Range<usize>) {
        // In pieces: of more at once Linux takes no more than the beginning.
        #[cfg(target_os = "linux")]
        for start in bytes.clone().step_by(self.read_ahead) {
            let length = std::num::NonZeroU64::new((bytes.end - start).min(self.read_ahead) as u64);
            let _ = rustix::fs::fadvise(&self.file, start as u64, length, rustix::fs::Advice::WillNeed);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = bytes;
    }

    /// Reads some bytes into memory, and waits for them.
    pub fn fetch(&self, bytes: Range<usize>) {
        const CELL: usize = size_of::<u32>();
        let cells = Cells::<u32>::mapped(&self.map, bytes.start.next_multiple_of(CELL), bytes.len().saturating_sub(CELL) / CELL);
        // A number here and there: what comes from the disk comes in larger pieces.
        let sum = cells.iter().step_by(MAPPED_AROUND / CELL).fold(0, |sum, cell| sum ^ cell.load(Relaxed));
        std::hint::black_box(sum);
    }

    /// Gives the memory of some bytes back to the system.
    pub fn release(&self, bytes: Range<usize>) {
        #[cfg(target_os = "linux")]
        if !bytes.is_empty() {
            self.map.release(bytes.clone());
            self.forget(bytes);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = bytes;
    }

    /// Some bytes that were read (not through the mapping) will not be needed again soon.
    pub fn passed(&self, bytes: Range<usize>) {
        #[cfg(target_os = "linux")]
        if self.passes {
            self.forget(bytes);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = (bytes, self.passes);
    }

    #[cfg(target_os = "linux")]
    fn forget(&self, bytes: Range<usize>) {
        let length = std::num::NonZeroU64::new(bytes.len() as u64);
        let _ = rustix::fs::fadvise(&self.file, bytes.start as u64, length, rustix::fs::Advice::DontNeed);
    }

    /// Whether the file holds something else than when it was opened. Where its times are what they were, it is not read for that.
    pub fn changed(&self) -> bool {
        let Ok(now) = self.file.metadata() else { return true };
        now.len() != self.length || now.modified().ok() != self.modified && !self.is_as_it_was().unwrap_or(false)
    }

    fn is_as_it_was(&self) -> std::io::Result<bool> {
        let mut header = vec![0; self.blanked.len()];
        read_at(&self.file, &mut header, 0)?;
        let Some(digits) = checksum_place(&header).and_then(|place| header.get(place)) else { return Ok(false) };
        let same = digits == self.checksum.as_bytes();
        blank_checksum(&mut header);
        let (hashes, _) = hash_blocks(&self.file, header.len() as u64, self.length, |_, _| Ok(()))?;
        Ok(same && header == self.blanked && checksum(&header, &hashes) == self.checksum)
    }

    /// # Errors
    /// When the file was cut short, or its disk has failed, so that what was read of the mapping is nothing.
    pub fn whole(&self) -> Result<()> {
        if self.map.is_cut() {
            return Err(self.bad("was cut short, or its disk has failed, while it was in use"));
        }
        Ok(())
    }
}

/// The first of some numbers that is not finite.
fn first_infinite(bytes: &[u8]) -> Option<usize> {
    let cells = bytes.as_chunks::<4>().0;
    // Without a branch in the loop, so that it is vectorised.
    let all = cells.iter().fold(true, |good, &cell| good & f32::from_le_bytes(cell).is_finite());
    if all { None } else { cells.iter().position(|&cell| !f32::from_le_bytes(cell).is_finite()) }
}

/// The first of some numbers that is not below a bound.
fn first_not_below(bytes: &[u8], number: impl Fn(&[u8; 4]) -> u32, bound: usize) -> Option<usize> {
    let cells = bytes.as_chunks::<4>().0;
    let highest = cells.iter().fold(0, |highest, cell| highest.max(number(cell)));
    if cells.is_empty() || (highest as usize) < bound { None } else { cells.iter().position(|cell| number(cell) as usize >= bound) }
}

/// What the disk of a file is set to; else what disks are by default.
#[cfg(target_os = "linux")]
fn read_ahead(file: &std::fs::Metadata) -> usize {
    let device = std::os::unix::fs::MetadataExt::dev(file);
    let disk = format!("/sys/dev/block/{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
    // Of a partition it is with the whole disk.
    let kilobytes = ["queue", "../queue"].iter().find_map(|queue| {
        let text = std::fs::read_to_string(format!("{disk}/{queue}/read_ahead_kb")).ok()?;
        text.trim().parse::<usize>().ok()
    });
    kilobytes.unwrap_or(0).clamp(128, 1 << 14) << 10
}
