//! The cache: packed forms of text, found again as long as the text has not changed, and records of packed files that need no second check.
//!
//! Nothing else knows of cache folders. A folder is a value that is handed in: `folder.rs` has what is in it, `record.rs` the records.

mod folder;
mod record;

use crate::{
    Data, PackReport, PackSettings,
    layout::VERSION,
    pack::pack_sources,
    sources::{Sources, name},
    store::Store,
};
use hogwild_base::{Error, Progress, Result};
use record::Record;
use std::{
    fmt::Write,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::SystemTime,
};
use xxhash_rust::xxh3::xxh3_64;

pub use folder::{CacheEntry, CacheFolder};
pub use record::Check;

/// A cache folder, and how it is used.
#[derive(Clone, Debug)]
pub struct Cache {
    /// Where packed text and records are kept.
    pub folder: CacheFolder,
    /// When packed files are checked.
    pub check: Check,
    /// How many bytes of packed text are kept at most, the least recently used going first; none: a fifth of what the disk has free.
    pub size: Option<u64>,
}

/// Files are checked once, and a fifth of what the disk has free is kept.
impl From<CacheFolder> for Cache {
    fn from(folder: CacheFolder) -> Cache {
        Cache { folder, check: Check::Once, size: None }
    }
}

/// Where data that were opened came from.
#[derive(Debug)]
#[non_exhaustive]
pub enum Origin {
    /// The input itself, which is packed.
    Input,
    /// Text that had been packed before: the file in the cache.
    Found(PathBuf),
    /// Text that was packed: the file in the cache.
    Kept(PathBuf),
    /// Text that was packed into a file that is not kept.
    NotKept(NotKept),
}

/// Why packed text is not kept.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotKept {
    /// There is no cache, or the text comes from no plain file.
    NoCache,
    /// The text changed less than two seconds before it was read, or later by its time: another change could have the same time.
    TooNew,
    /// It is larger than the cache may be.
    TooLarge {
        /// How many bytes that is.
        most: u64,
    },
    /// The cache folder cannot be written.
    Unwritable {
        /// The folder.
        folder: PathBuf,
        /// The system's own reason.
        source: std::io::Error,
    },
}

/// Opens a packed file by way of records: one that was checked before and has not changed since is not checked again, unless asked for.
/// For that the check leaves a record in the cache folder.
pub(crate) fn open(path: &Path, cache: &Cache, progress: &dyn Progress) -> Result<Data> {
    let store = Store::open(path)?;
    let Some(record) = Record::of(cache.folder.path(), &store.path, &store.file, &store.checksum) else {
        return Data::in_store(store, None, progress);
    };
    if let Some(found) = record.found().filter(|_| cache.check == Check::Once) {
        return Data::in_store(store, Some(&found), progress);
    }
    let opened = Data::in_store(store, None, progress);
    match &opened {
        Ok(data) => data.store().into_iter().for_each(|store| record.keep(&store.file, data.found())),
        Err(Error::Io { .. }) => {} // nothing is known of the file
        Err(_) => record.remove(),
    }
    opened
}

/// Text that was found in the cache, or was packed and put there.
pub(crate) struct Packed {
    pub data: Data,
    pub origin: Origin,
    pub report: Option<PackReport>,
}

/// Opens text by way of the cache. Where that cannot be used: why.
pub(crate) fn open_text(
    inputs: &[PathBuf],
    settings: &PackSettings,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<std::result::Result<Packed, NotKept>> {
    let sources = Sources::of(inputs);
    let Some(key) = key(inputs, settings, &sources) else { return Ok(Err(NotKept::NoCache)) };
    let folder = &cache.folder;
    folder.tidy();
    let path = folder.path().join(key.file_name());
    if let Ok(data) = open(&path, cache, progress) {
        folder::touch(&path);
        return Ok(Ok(Packed { data, origin: Origin::Found(path), report: None }));
    }
    let path = if sources.are_settled() { path } else { folder.path().join(key.name_for_once()) };
    match pack_and_keep(inputs, settings, &path, cache, progress) {
        // It cannot be written, or is full: a temporary folder may be elsewhere.
        Err(Error::Io { path: place, source, .. }) if place == path && source.kind() != ErrorKind::Interrupted => {
            Ok(Err(NotKept::Unwritable { folder: folder.path().to_owned(), source }))
        }
        packed => packed.map(Ok),
    }
}

/// Packs text into the cache, and makes room for it.
fn pack_and_keep(inputs: &[PathBuf], settings: &PackSettings, path: &Path, cache: &Cache, progress: &dyn Progress) -> Result<Packed> {
    let folder = &cache.folder;
    std::fs::create_dir_all(folder.path()).map_err(Error::io(path, "create"))?;
    let (report, sources) = pack_sources(inputs, path, settings, progress)?;
    let key = key(inputs, settings, &sources);
    // What changed before it was read has another name than was looked for.
    let file_name = key.as_ref().filter(|_| sources.are_settled()).map(Key::file_name);
    let kept = file_name.map_or_else(|| path.to_owned(), |name| folder.path().join(name));
    if kept != path {
        std::fs::rename(path, &kept).map_err(Error::io(path, "rename"))?;
    }
    folder::touch(&kept);
    let data = open(&kept, cache, progress)?;
    let packed = |origin| Ok(Packed { data, origin, report: Some(report) });
    // Where it cannot be removed while it is open, it stays until there is another.
    if !sources.are_settled() && folder.remove(&kept).is_ok() {
        return packed(Origin::NotKept(NotKept::TooNew));
    }
    key.iter().for_each(|key| remove_old(folder, key, &kept));
    let (there_is_room, most) = folder.trim(cache.size, &kept);
    if !there_is_room && folder.remove(&kept).is_ok() {
        return packed(Origin::NotKept(NotKept::TooLarge { most }));
    }
    packed(Origin::Kept(kept))
}

/// What an entry of the cache is called by.
struct Key {
    name: String,
    /// Hash of the inputs' paths and of the settings: of entries that agree in these, only the newest is kept.
    place: u64,
    /// Hash of all that the result depends on.
    state: u64,
}

impl Key {
    /// What the names of all entries from the same place begin with.
    fn prefix(&self) -> String {
        format!("{}-{:016x}-", self.name, self.place)
    }

    fn file_name(&self) -> String {
        format!("{}{:016x}.safetensors", self.prefix(), self.state)
    }

    /// A name that is not looked for again, as long as the file is there.
    fn name_for_once(self) -> String {
        let once = (self.state, std::process::id(), SystemTime::now());
        Key { state: xxh3_64(format!("{once:?}").as_bytes()), ..self }.file_name()
    }
}

/// The key of some inputs; `None` when one is no plain file.
fn key(inputs: &[PathBuf], settings: &PackSettings, sources: &Sources) -> Option<Key> {
    let (mut place, mut state) = (format!("{settings:?}"), VERSION.to_owned());
    for (path, source) in inputs.iter().zip(sources.states()?) {
        write!(place, "\n{:?}", std::path::absolute(path).ok()?).ok()?;
        write!(state, "\n{source}").ok()?;
    }
    let name = inputs.first().map_or("data".into(), |path| name(path)).chars().filter(|c| !c.is_control()).collect();
    let name = cut(name, LONGEST);
    Some(Key { name, place: xxh3_64(place.as_bytes()), state: xxh3_64(state.as_bytes()) })
}

/// How many bytes of a name are kept: file systems take no longer ones than 255, some 143, and there is more to come.
const LONGEST: usize = 60;

/// The beginning of a text, of so many bytes at most.
fn cut(mut text: String, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    text.truncate(end.unwrap_or(0));
    text
}

/// Removes what was packed from the same place before it changed. A run that still reads it keeps its mapping.
fn remove_old(folder: &CacheFolder, key: &Key, newest: &Path) {
    let prefix = key.prefix();
    for entry in std::fs::read_dir(folder.path()).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(".safetensors") && entry.path() != newest {
            // Where it cannot be removed, it merely stays.
            let _ = folder.remove(&entry.path());
        }
    }
}
