//! What text files are, as far as it can be told without reading them: so that a cache finds what was packed of them, and packing sees that
//! they changed while they were read.
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use super::input::is_stdin;

/// Of each input device, inode, size and the times of the last changes (the system's own too, which nobody can set back); none where it is
/// no plain file.
#[derive(Debug, PartialEq)]
pub(super) struct Sources(Vec<Option<String>>);

impl Sources {
    pub(super) fn of(inputs: &[PathBuf]) -> Sources {
        let of =
            |path: &PathBuf| std::fs::metadata(path).ok().filter(|found| found.is_file() && !is_stdin(path)).map(|found| state(&found));
        Sources(inputs.iter().map(of).collect())
    }

    /// Whether all can be read once more.
    pub(super) fn are_files(&self) -> bool {
        self.0.iter().all(Option::is_some)
    }

    /// As text; none where they are not all files.
    pub(super) fn states(&self) -> Option<Vec<&str>> {
        self.0.iter().map(Option::as_deref).collect()
    }
}

#[cfg(unix)]
fn state(found: &Metadata) -> String {
    use std::os::unix::fs::MetadataExt;
    let [modified, changed] = [(found.mtime(), found.mtime_nsec()), (found.ctime(), found.ctime_nsec())];
    format!("{} {} {} {modified:?} {changed:?}", found.dev(), found.ino(), found.len())
}

#[cfg(not(unix))]
fn state(found: &Metadata) -> String {
    format!("{} {:?} {:?}", found.len(), found.modified().ok(), found.created().ok())
}

/// The last part of a path, as text.
pub(super) fn name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or(Path::new("data").as_os_str()).to_string_lossy()
}
