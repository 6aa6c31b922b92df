//! Data as it is given: packed files are opened, text is packed once into a cache.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_64;

use super::input::is_stdin;
use super::layout::VERSION;
use super::{PackReport, PackSettings, Packed, pack};
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
/// cannot be written, it is kept only as long as the [`Opened`].
pub fn open_or_pack(
    inputs: &[PathBuf],
    settings: &PackSettings,
    use_cache: bool,
    progress: &(dyn Fn(u64, Option<u64>) + Sync),
) -> Result<Opened> {
    let is_packed = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "safetensors");
    if let Some(path) = inputs.iter().find(is_packed) {
        if inputs.len() > 1 {
            return Err(Error::BadFile {
                path: path.clone(),
                problem: "is packed and cannot be joined with other inputs".into(),
                remedy: "give it alone, or pack all the text together",
            });
        }
        return Ok(Opened { packed: Packed::open(path)?, note: String::new(), report: None, _temporary: None });
    }
    if use_cache
        && let Some(key) = key(inputs, settings)
        && let Some(directory) = cache_directory()
    {
        let path = directory.join(file_name(inputs, key));
        if let Ok(packed) = Packed::open(&path) {
            return Ok(Opened { packed, note: format!("read from cache {}", path.display()), report: None, _temporary: None });
        }
        let writable = std::fs::create_dir_all(&directory).is_ok() && tempfile::tempfile_in(&directory).is_ok();
        if writable {
            match pack(inputs, &path, settings, progress).and_then(|report| Ok((report, Packed::open(&path)?))) {
                Ok((report, packed)) => {
                    let note = format!("packed into {}", path.display());
                    return Ok(Opened { packed, note, report: Some(report), _temporary: None });
                }
                // The cache is full, say: a temporary directory may be elsewhere.
                Err(Error::Io { path: place, .. }) if place == path => {}
                Err(other) => return Err(other),
            }
        }
    }
    let temporary =
        tempfile::Builder::new().prefix("hogwild-").tempdir().map_err(Error::io(&std::env::temp_dir(), "create a directory in"))?;
    let path = temporary.path().join("packed.safetensors");
    let report = pack(inputs, &path, settings, progress)?;
    let packed = Packed::open(&path)?;
    Ok(Opened { packed, note: "packed into a temporary file".into(), report: Some(report), _temporary: Some(temporary) })
}

fn cache_directory() -> Option<PathBuf> {
    match std::env::var_os("HOGWILD_CACHE") {
        Some(directory) if !directory.is_empty() => Some(directory.into()),
        _ => dirs::cache_dir().map(|directory| directory.join("hogwild")),
    }
}

/// A hash of all that the result depends on; `None` when some input is no plain file.
fn key(inputs: &[PathBuf], settings: &PackSettings) -> Option<u64> {
    let mut text = format!("{VERSION} {settings:?}");
    for path in inputs {
        let found = std::fs::metadata(path).ok().filter(|found| found.is_file() && !is_stdin(path))?;
        let modified = found.modified().ok()?.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        write!(text, "\n{:?} {} {modified}", std::path::absolute(path).ok()?, found.len()).ok()?;
    }
    Some(xxh3_64(text.as_bytes()))
}

fn file_name(inputs: &[PathBuf], key: u64) -> String {
    let name = inputs.first().and_then(|path| path.file_name()).unwrap_or(Path::new("data").as_os_str()).to_string_lossy();
    let name: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    format!("{name}-{key:016x}.safetensors")
}
