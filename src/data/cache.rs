//! Data as it is given: packed files are opened, text is packed once into a cache.

use std::fmt::Write;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_64;

use super::input::is_stdin;
use super::layout::VERSION;
use super::stamp::{Check, forget};
use super::{PackReport, PackSettings, Packed, pack_while};
use crate::{Error, Result};

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

/// Opens a packed file, or packs text and opens the result.
///
/// The result is kept in `$HOGWILD_CACHE`, else in `hogwild` in the user's cache directory, and found again as long as path,
/// size and time of modification of all inputs are the same. Without the cache, for standard input, and where the cache
/// cannot be written, it is kept only as long as the [`Opened`]. What was kept of the same paths in an older state is removed.
/// With the cache, a packed file that was checked before is not checked again: see [`Check::Once`].
pub fn open_or_pack(
    inputs: &[PathBuf],
    settings: &PackSettings,
    use_cache: bool,
    progress: &(dyn Fn(u64, Option<u64>) + Sync),
) -> Result<Opened> {
    open_or_pack_while(inputs, settings, use_cache.then_some(Check::Once), &|read, total| {
        progress(read, total);
        true
    })
}

/// As [`open_or_pack`], but packing stops as soon as `progress` says `false`, as in [`pack_while`]; and with the cache (`None`: without) it
/// is to be said whether files are checked again.
pub fn open_or_pack_while(
    inputs: &[PathBuf],
    settings: &PackSettings,
    cache: Option<Check>,
    progress: &(dyn Fn(u64, Option<u64>) -> bool + Sync),
) -> Result<Opened> {
    let open = |path: &Path| Packed::open_while(path, cache, progress);
    let is_packed = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "safetensors");
    if let Some(path) = inputs.iter().find(is_packed) {
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
    if cache.is_some()
        && let Some(key) = key(inputs, settings)
        && let Some(directory) = cache_directory()
    {
        let path = directory.join(key.file_name());
        if let Ok(packed) = open(&path) {
            return Ok(Opened { packed, note: format!("read from cache {}", path.display()), report: None, _temporary: None });
        }
        let written = std::fs::create_dir_all(&directory)
            .map_err(Error::io(&path, "create"))
            .and_then(|()| pack_while(inputs, &path, settings, progress))
            .and_then(|report| Ok((report, open(&path)?)));
        match written {
            Ok((report, packed)) => {
                remove_old(&directory, &key);
                let note = format!("packed into {}", path.display());
                return Ok(Opened { packed, note, report: Some(report), _temporary: None });
            }
            // It cannot be written, or is full: a temporary directory may be elsewhere.
            Err(Error::Io { path: place, source, .. }) if place == path && source.kind() != ErrorKind::Interrupted => {
                why = format!(", for the cache folder {} cannot be written: {source}", directory.display());
            }
            Err(other) => return Err(other),
        }
    }
    let temporary =
        tempfile::Builder::new().prefix("hogwild-").tempdir().map_err(Error::io(&std::env::temp_dir(), "create a directory in"))?;
    let path = temporary.path().join("packed.safetensors");
    let report = pack_while(inputs, &path, settings, progress)?;
    let packed = Packed::open_while(&path, None, progress)?;
    let note = format!("packed into a temporary file{why}");
    Ok(Opened { packed, note, report: Some(report), _temporary: Some(temporary) })
}

pub(super) fn cache_directory() -> Option<PathBuf> {
    match std::env::var_os("HOGWILD_CACHE") {
        Some(directory) if !directory.is_empty() => Some(directory.into()),
        _ => dirs::cache_dir().map(|directory| directory.join("hogwild")),
    }
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
}

/// The key of some inputs; `None` when one is no plain file.
fn key(inputs: &[PathBuf], settings: &PackSettings) -> Option<Key> {
    let (mut place, mut state) = (format!("{settings:?}"), VERSION.to_owned());
    for path in inputs {
        let found = std::fs::metadata(path).ok().filter(|found| found.is_file() && !is_stdin(path))?;
        let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        write!(place, "\n{:?}", std::path::absolute(path).ok()?).ok()?;
        write!(state, "\n{} {modified}", found.len()).ok()?;
    }
    let name = inputs.first().and_then(|path| path.file_name()).unwrap_or(Path::new("data").as_os_str()).to_string_lossy();
    let name = name.chars().filter(|c| !c.is_control()).take(60).collect();
    Some(Key { name, place: xxh3_64(place.as_bytes()), state: xxh3_64(state.as_bytes()) })
}

/// Removes what was packed from the same place before it changed. A run that still reads it keeps its mapping.
fn remove_old(directory: &Path, key: &Key) {
    let (prefix, newest) = (key.prefix(), key.file_name());
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&prefix) && name.ends_with(".safetensors") && *name != *newest {
            // Where it cannot be removed, it merely stays.
            let _ = std::fs::remove_file(entry.path());
            forget(&entry.path());
        }
    }
}
