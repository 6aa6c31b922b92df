//! Stamps: what a full check of a packed file found, kept so that a file that has not changed since need not be read from end to end again.
//!
//! A stamp lies in the cache folder under `checked/`, named by the file's path, and holds for as long as device, inode, length, the times
//! of the last changes (the system's own too, which nobody can set back) and the checksum that the file says of itself are the same. What
//! could slip through is a file whose bytes changed without the system being told, on a failing disk: its numbers would be wrong, as those of a
//! file that changes while it is mapped, and no more; [`Check::Always`] finds it.
use super::{cache::cache_directory, packed::Store};
use crate::OutputFile;
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::xxh3_64;

/// Whether a file that was checked before is checked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Not if it has not changed since. The check leaves a stamp in the cache folder.
    Once,
    /// Always; a stamp is left too, or taken away.
    Always,
}

/// What checks look at: another one here makes all stamps void.
const CHECKER: u64 = 1;
/// Smaller files are checked in no time.
const LEAST: u64 = 16 << 20;

/// The place of a file's stamp, and what the file is.
pub(super) struct Stamp {
    path: PathBuf,
    file: Value,
}

impl Stamp {
    /// None where there can be none: no cache folder, a small file, a system without inodes.
    pub fn of(store: &Store) -> Option<Stamp> {
        (store.length >= LEAST).then_some(())?;
        Some(Stamp { path: place(&store.path)?, file: identity(store)? })
    }

    /// What was found when the file was checked, if it is still that file.
    pub fn found(&self) -> Option<Value> {
        let mut stamp: Value = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
        (stamp["file"] == self.file).then(|| stamp["found"].take())
    }

    /// Keeps what was found. Where it cannot be written, the file will be checked again.
    pub fn keep(&self, store: &Store, found: Value) {
        if !is_settled(store) || identity(store).as_ref() != Some(&self.file) {
            return;
        }
        let stamp = json!({ "file": self.file, "found": found });
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let _ = std::fs::create_dir_all(folder).and_then(|()| {
            let mut out = OutputFile::create(&self.path).map_err(std::io::Error::other)?;
            writeln!(out, "{stamp}")?;
            out.finish().map_err(std::io::Error::other)
        });
    }

    /// For a file that is damaged.
    pub fn remove(&self) {
        let _ = std::fs::remove_file(&self.path); // where there was none, there is none
    }
}

/// Removes the stamp of a file that is no more.
pub(super) fn forget(path: &Path) {
    let _ = place(path).map(std::fs::remove_file);
}

fn place(path: &Path) -> Option<PathBuf> {
    let name = xxh3_64(std::path::absolute(path).ok()?.as_os_str().as_encoded_bytes());
    Some(cache_directory()?.join("checked").join(format!("{name:016x}.json")))
}

#[cfg(unix)]
fn identity(store: &Store) -> Option<Value> {
    use std::os::unix::fs::MetadataExt;
    let now = store.file.metadata().ok()?;
    Some(json!({
        "checker": CHECKER, "path": store.path.to_string_lossy(), "checksum": store.checksum, "length": now.len(),
        "device": now.dev(), "inode": now.ino(), "modified": [now.mtime(), now.mtime_nsec()], "changed": [now.ctime(), now.ctime_nsec()],
    }))
}

/// Whether the last change is some time ago: one more within the same tick of the file system's clock would not be seen.
#[cfg(unix)]
fn is_settled(store: &Store) -> bool {
    use std::{
        os::unix::fs::MetadataExt,
        time::{Duration, SystemTime},
    };
    let changed = store.file.metadata().map(|now| Duration::new(now.ctime().max(0) as u64, now.ctime_nsec() as u32));
    let age = changed.ok().and_then(|changed| (SystemTime::UNIX_EPOCH + changed).elapsed().ok());
    age.is_some_and(|age| age > Duration::from_millis(100))
}

#[cfg(not(unix))]
fn identity(_store: &Store) -> Option<Value> {
    None
}

#[cfg(not(unix))]
fn is_settled(_store: &Store) -> bool {
    false
}
