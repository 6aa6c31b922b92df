//! What killed runs left: temporary files are locked for as long as they are used, so one that is not locked belongs to nobody.
//!
//! Whoever makes one has it without a lock for a moment. So whoever removes one holds its lock until the name is gone, and whoever has made
//! one takes another name where the lock is held, or where the name is gone once it has the lock: after that nobody can take it away.
use std::{
    fs::{self, File, TryLockError},
    path::Path,
    time::Duration,
};

/// How many random letters and digits a temporary name has.
pub const LETTERS: usize = 6;

/// What nobody has used for so long is removed from folders that are not ours alone, though a lock says as much.
pub const LONG: Duration = Duration::from_secs(3600);

/// Whether a name is of the kind that we make: random letters between two given texts.
pub fn is_temporary(name: &[u8], before: &str, after: &str) -> bool {
    let letters = name.strip_prefix(before.as_bytes()).and_then(|rest| rest.strip_suffix(after.as_bytes()));
    letters.is_some_and(|letters| letters.len() == LETTERS && letters.iter().all(u8::is_ascii_alphanumeric))
}

/// Locks a file that was just made. False: another run is removing it, or has. Where locks are not supported, nobody removes anything.
pub fn lock(file: &File, path: &Path) -> bool {
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) && is_at(file, path)
}

/// A file that nobody uses and that was not written for so long: with its lock, to be held until it is removed.
pub fn unused(path: &Path, age: Duration) -> Option<File> {
    // What is opened waits where it is a pipe.
    fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    let file = File::open(path).ok()?;
    let written = file.metadata().and_then(|found| found.modified()).ok()?;
    let is_old = age.is_zero() || written.elapsed().is_ok_and(|past| past >= age);
    (is_old && file.try_lock().is_ok() && is_at(&file, path)).then_some(file)
}

/// Whether a name is still that of an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let same = |(named, open): (fs::Metadata, fs::Metadata)| (named.dev(), named.ino()) == (open.dev(), open.ino());
    fs::symlink_metadata(path).ok().zip(file.metadata().ok()).is_some_and(same)
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_removes_holds_the_lock_and_who_makes_sees_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let made = File::create(&path).unwrap();
        let removing = unused(&path, Duration::ZERO).unwrap();
        assert!(!lock(&made, &path) && unused(&path, Duration::ZERO).is_none());
        fs::remove_file(&path).unwrap();
        drop(removing);
        // Its name is gone, or another's.
        assert!(!lock(&made, &path));
        let again = File::create(&path).unwrap();
        assert!(cfg!(not(unix)) || !lock(&made, &path));
        assert!(lock(&again, &path) && unused(&path, Duration::ZERO).is_none());
        drop(again);
        assert!(
            unused(&path, LONG).is_none() && unused(&path, Duration::ZERO).is_some() && unused(folder.path(), Duration::ZERO).is_none()
        );
    }
}
