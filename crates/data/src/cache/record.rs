//! Stamps: what a full check of a packed file found, kept so that a file that has not changed since need not be read from end to end again.
//!
//! A record lies in the cache folder under `checked/`, named by the file's path, and holds for as long as device, inode, length, the times
//! of the last changes (the system's own too, which nobody can set back) and the checksum that the file says of itself are the same, and
//! the record's own checksum is right.
//!
//! What slips through: bytes that change on a failing disk, and what is written through a shared mapping of the file: that changes the
//! times at the first write to a page alone, until the system has written the page to the disk, half a minute later or so. Numbers would
//! be wrong then, as those of a file that changes while it is mapped, and no more; [`Check::Always`] finds it. So that other writes are
//! seen, the last change must be two seconds old when a check begins that is to leave a record, and when it ends.
use crate::sources;
use hogwild_base::OutputFile;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};
use xxhash_rust::xxh3::xxh3_64;

/// When a packed file is checked from end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Check {
    /// Only if it changed since the last check, which leaves a record in the cache folder. Files under 16 MB: always.
    Once,
    /// At every opening; the record is renewed, or removed if the file is damaged.
    Always,
}

hogwild_base::named! { Check {
    Once "once" "When it has changed since the last check, or is smaller than 16 MB";
    Always "always" "At every opening";
} }

/// The folder in the cache folder.
pub(super) const CHECKED: &str = "checked";

/// What checks look at: another one here makes all records void.
const CHECKER: u64 = 5;
/// Smaller files are checked in no time.
const LEAST: u64 = 16 << 20;

/// The place of a file's record, and what the file is.
pub(super) struct Record {
    path: PathBuf,
    checked: PathBuf,
    checksum: String,
    file: Value,
    /// Whether the last change was some time ago when the file was opened.
    settled: bool,
}

impl Record {
    /// In a cache folder, of an open file that says this checksum of itself. None where there can be none: a small file, a system without
    /// inodes.
    pub fn of(folder: &Path, path: &Path, file: &File, checksum: &str) -> Option<Record> {
        file.metadata().is_ok_and(|now| now.len() >= LEAST).then_some(())?;
        Some(Record {
            path: place(folder, path)?,
            checked: path.to_owned(),
            checksum: checksum.to_owned(),
            file: identity(path, file, checksum)?,
            settled: is_settled(file),
        })
    }

    /// What was found when the file was checked, if it is still that file.
    pub fn found(&self) -> Option<Value> {
        let mut record: Value = serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()?;
        let believed = record["file"] == self.file && record["sum"] == sum(&record["file"], &record["found"]);
        believed.then(|| record["found"].take())
    }

    /// Keeps what was found. Where it cannot be written, the file will be checked again.
    pub fn keep(&self, file: &File, found: Value) {
        let now = identity(&self.checked, file, &self.checksum);
        if !self.settled || !is_settled(file) || now.as_ref() != Some(&self.file) {
            return;
        }
        let record = json!({ "file": self.file, "found": found, "sum": sum(&self.file, &found) });
        let folder = OutputFile::folder_of(&self.path);
        let _ = std::fs::create_dir_all(folder).and_then(|()| {
            let mut out = OutputFile::create(&self.path).map_err(std::io::Error::other)?;
            writeln!(out, "{record}")?;
            out.finish().map_err(std::io::Error::other)
        });
    }

    /// For a file that is damaged.
    pub fn remove(&self) {
        let _ = std::fs::remove_file(&self.path); // where there was none, there is none
    }
}

/// A record's own checksum: a damaged one is not believed.
fn sum(file: &Value, found: &Value) -> String {
    format!("{:016x}", xxh3_64(format!("{file} {found}").as_bytes()))
}

/// Removes the record of a file that is no more.
pub(super) fn forget(folder: &Path, path: &Path) {
    let _ = place(folder, path).map(std::fs::remove_file);
}

fn place(folder: &Path, path: &Path) -> Option<PathBuf> {
    let name = xxh3_64(std::path::absolute(path).ok()?.as_os_str().as_encoded_bytes());
    Some(folder.join(CHECKED).join(format!("{name:016x}.json")))
}

fn is_settled(file: &File) -> bool {
    file.metadata().is_ok_and(|now| sources::is_settled(&now))
}

#[cfg(unix)]
fn identity(path: &Path, file: &File, checksum: &str) -> Option<Value> {
    use std::os::unix::fs::MetadataExt;
    let now = file.metadata().ok()?;
    Some(json!({
        "checker": CHECKER, "path": path.to_string_lossy(), "checksum": checksum, "length": now.len(),
        "device": now.dev(), "inode": now.ino(), "modified": [now.mtime(), now.mtime_nsec()], "changed": [now.ctime(), now.ctime_nsec()],
    }))
}

#[cfg(not(unix))]
fn identity(_path: &Path, _file: &File, _checksum: &str) -> Option<Value> {
    None
}
