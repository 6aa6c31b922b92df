//! Data as it is given: packed files are opened, text is packed once into a cache.

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_64;

use super::cache_folder::{cache_directory, remove, tidy, touch, trim};
use super::layout::{VERSION, is_safetensors};
use super::pack::pack_sources;
use super::sources::{Sources, name};
use super::stamp::Check;
use super::temporary::{PACKED, temporary_folder};
use super::{PackReport, PackSettings, Packed, pack_while};
use hogwild_base::{Error, Result};

/// Data opened by [`open_or_pack`].
#[derive(Debug)]
pub struct Opened {
    /// The data.
    pub packed: Packed,
    /// Where it came from, for the user to read; empty when the input itself was opened.
    pub note: String,
    /// What packing reported, if anything was packed.
    pub report: Option<PackReport>,
    /// Keeps the packed file where it is no longer than this lives.
    pub _temporary: Option<TempDir>,
}

/// How the cache folder is used.
#[derive(Clone, Copy, Debug)]
pub struct Cache {
    /// When packed files are checked.
    pub check: Check,
    /// How many bytes of packed text are kept at most, the least recently used going first; none: a fifth of what the disk has free.
    pub size: Option<u64>,
}

/// Opens a packed file, or packs text and opens the result.
///
/// The result is kept in `$HOGWILD_CACHE`, else in `hogwild` in the user's cache directory, and found again as long as path, device, inode,
/// size and the times of the last changes (the system's own too) of all inputs are the same. Without the cache, for standard input, and where the cache
/// cannot be written, it is kept only as long as the [`Opened`]; so is that of text whose last change is less than two seconds old when it
/// is read, as another could have the same time. What was kept of the same paths in an older state is removed.
/// With the cache, a packed file that was checked before is not checked again: see [`Check::Once`].
pub fn open_or_pack(
    inputs: &[PathBuf],
    settings: &PackSettings,
    use_cache: bool,
    progress: &(dyn Fn(u64, Option<u64>) + Sync),
) -> Result<Opened> {
    let cache = Cache { check: Check::Once, size: None };
    open_or_pack_while(inputs, settings, use_cache.then_some(cache), &|read, total| {
        progress(read, total);
        true
    })
}

/// As [`open_or_pack`], but packing stops as soon as `progress` says `false`, as in [`pack_while`]; and with the cache (`None`: without) it
/// is to be said whether files are checked again, and how much is kept.
pub fn open_or_pack_while(
    inputs: &[PathBuf],
    settings: &PackSettings,
    cache: Option<Cache>,
    progress: &(dyn Fn(u64, Option<u64>) -> bool + Sync),
) -> Result<Opened> {
    let open = |path: &Path| Packed::open_while(path, cache.map(|cache| cache.check), progress);
    if let Some(path) = inputs.iter().find(|path| is_safetensors(path)) {
        if inputs.len() > 1 {
            return Err(Error::BadFile {
                path: path.clone(),
                problem: "is packed and cannot be joined with other inputs".into(),
                remedy: "give it alone, or pack all the text together",
            });
        }
        return Ok(Opened { packed: open(path)?, note: String::new(), report: None, _temporary: None });
    }
    let mut why = String::new();
    let sources = Sources::of(inputs);
    if let Some(cache) = cache
        && let Some(key) = key(inputs, settings, &sources)
        && let Some(directory) = cache_directory()
    {
        tidy(&directory);
        let path = directory.join(key.file_name());
        if let Ok(packed) = open(&path) {
            touch(&path);
            return Ok(Opened { packed, note: format!("read from cache {}", path.display()), report: None, _temporary: None });
        }
        let path = if sources.are_settled() { path } else { directory.join(key.name_for_once()) };
        match pack_and_keep(inputs, settings, &directory, &path, cache, progress) {
            // It cannot be written, or is full: a temporary directory may be elsewhere.
            Err(Error::Io { path: place, source, .. }) if place == path && source.kind() != ErrorKind::Interrupted => {
                why = format!(", for the cache folder {} cannot be written: {source}", directory.display());
            }
            opened => return opened,
        }
    }
    let (temporary, _lock) = temporary_folder().map_err(Error::io(&std::env::temp_dir(), "create a directory in"))?;
    let path = temporary.path().join(PACKED);
    let report = pack_while(inputs, &path, settings, progress)?;
    let packed = Packed::open_while(&path, None, progress)?;
    let note = format!("packed into a temporary file{why}");
    // On Unix an open file needs no name, and nothing of it is left then, however the run ends.
    let temporary = (!cfg!(unix)).then_some(temporary);
    Ok(Opened { packed, note, report: Some(report), _temporary: temporary })
}

/// Packs text into the cache, and makes room for it.
fn pack_and_keep(
    inputs: &[PathBuf],
    settings: &PackSettings,
    directory: &Path,
    path: &Path,
    cache: Cache,
    progress: &(dyn Fn(u64, Option<u64>) -> bool + Sync),
) -> Result<Opened> {
    std::fs::create_dir_all(directory).map_err(Error::io(path, "create"))?;
    let (report, sources) = pack_sources(inputs, path, settings, progress)?;
    let key = key(inputs, settings, &sources);
    // What changed before it was read has another name than was looked for.
    let file_name = key.as_ref().filter(|_| sources.are_settled()).map(Key::file_name);
    let kept = file_name.map_or_else(|| path.to_owned(), |name| directory.join(name));
    if kept != path {
        std::fs::rename(path, &kept).map_err(Error::io(path, "rename"))?;
    }
    touch(&kept);
    let packed = Packed::open_while(&kept, Some(cache.check), progress)?;
    let opened = |note| Ok(Opened { packed, note, report: Some(report), _temporary: None });
    let not_kept = "packed into a file that is not kept:";
    // Where it cannot be removed while it is open, it stays until there is another.
    if !sources.are_settled() && remove(&kept).is_ok() {
        let why = "the text changed within two seconds of being read, or later by its time: another change might not be seen";
        return opened(format!("{not_kept} {why}"));
    }
    key.iter().for_each(|key| remove_old(directory, key, &kept));
    let (there_is_room, most) = trim(directory, cache.size, &kept);
    if !there_is_room && remove(&kept).is_ok() {
        let most = most / 1_000_000;
        return opened(format!("{not_kept} it is larger than the cache may be, {most} MB; see `cache_size`, or `hogwild pack`"));
    }
    opened(format!("packed into {}", kept.display()))
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
fn remove_old(directory: &Path, key: &Key, newest: &Path) {
    let prefix = key.prefix();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(".safetensors") && entry.path() != newest {
            // Where it cannot be removed, it merely stays.
            let _ = remove(&entry.path());
        }
    }
}
