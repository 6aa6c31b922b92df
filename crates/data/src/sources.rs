//! What text files are, as far as it can be told without reading them: so that a cache finds what was packed of them, and packing sees that
//! they changed while they were read.
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::text::is_stdin;

/// Of each input device, inode, size and the times of the last changes (the system's own too, which nobody can set back); none where it is
/// no plain file.
#[derive(Debug)]
pub(super) struct Sources {
    states: Vec<Option<String>>,
    settled: bool,
}

impl Sources {
    pub(super) fn of(inputs: &[PathBuf]) -> Sources {
        let found: Vec<Option<Metadata>> =
            inputs.iter().map(|path| std::fs::metadata(path).ok().filter(|found| found.is_file() && !is_stdin(path))).collect();
        let settled = found.iter().all(|found| found.as_ref().is_some_and(is_settled));
        Sources { states: found.iter().map(|found| found.as_ref().map(state)).collect(), settled }
    }

    /// Whether they are what they were then.
    pub(super) fn are_as(&self, before: &Sources) -> bool {
        self.states == before.states
    }

    /// Whether all can be read once more.
    pub(super) fn are_files(&self) -> bool {
        self.states.iter().all(Option::is_some)
    }

    /// Whether all are files of which a change since would be seen: see [`is_settled`].
    pub(super) fn are_settled(&self) -> bool {
        self.settled
    }

    /// As text; none where they are not all files.
    pub(super) fn states(&self) -> Option<Vec<&str>> {
        self.states.iter().map(Option::as_deref).collect()
    }
}

/// Whether a file's last change is some time ago, and not to come: one more within the same tick of the file system's clock (up to two
/// seconds on some) would not be seen by its times.
#[cfg(unix)]
pub(super) fn is_settled(found: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    let at = |seconds: i64, nanoseconds: i64| SystemTime::UNIX_EPOCH + Duration::new(seconds.max(0) as u64, nanoseconds as u32);
    is_past(at(found.mtime(), found.mtime_nsec())) && is_past(at(found.ctime(), found.ctime_nsec()))
}

#[cfg(not(unix))]
pub(super) fn is_settled(found: &Metadata) -> bool {
    found.modified().is_ok_and(is_past)
}

fn is_past(time: SystemTime) -> bool {
    time.elapsed().is_ok_and(|age| age > Duration::from_secs(2))
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
