//! The cache folder as a whole: what is in it, how much of it is kept, and what killed runs left.
//!
//! An entry `NAME-PLACE-STATE.safetensors` has a file `....safetensors.used` beside it, empty, whose time of modification is that of the
//! last use: the entry's own would make it another file to whoever has checked it. Nothing else in the folder is touched.
use super::record::{CHECKED, forget};
use hogwild_base::{Error, Result, output::remove_left};
use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// A folder for packed forms of text, and for records of packed files that were checked. It is made when something is put there.
///
/// Several processes may use one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheFolder(PathBuf);

/// What is kept in the cache folder of a text.
#[derive(Clone, Debug)]
pub struct CacheEntry {
    /// The packed file.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// When it was last opened.
    pub used: SystemTime,
}

impl CacheFolder {
    /// The one at a path.
    pub fn at(path: impl Into<PathBuf>) -> CacheFolder {
        CacheFolder(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What is kept, the least recently used first.
    ///
    /// # Errors
    /// When the folder is there and cannot be read.
    pub fn entries(&self) -> Result<Vec<CacheEntry>> {
        let files = match fs::read_dir(&self.0) {
            Err(problem) if problem.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            files => files.map_err(Error::io(&self.0, "read"))?,
        };
        let entry = |file: fs::DirEntry| {
            let found = file.metadata().ok().filter(|found| found.is_file() && is_entry(&file.file_name().to_string_lossy()))?;
            let used = fs::metadata(mark(&file.path())).ok().and_then(|mark| mark.modified().ok());
            let used = used.or(found.modified().ok()).unwrap_or(SystemTime::UNIX_EPOCH);
            Some(CacheEntry { path: file.path(), bytes: found.len(), used })
        };
        let mut entries: Vec<CacheEntry> = files.flatten().filter_map(entry).collect();
        entries.sort_by(|a, b| (a.used, &a.path).cmp(&(b.used, &b.path)));
        Ok(entries)
    }

    /// Removes what was not used for so long: entries, and records of checked files. Gives how many entries, and their bytes.
    ///
    /// # Errors
    /// What the system refuses to remove; what was removed before stays so.
    pub fn clear(&self, unused_for: Duration) -> Result<(usize, u64)> {
        self.tidy();
        let is_old = |time: SystemTime| unused_for.is_zero() || time.elapsed().is_ok_and(|age| age >= unused_for);
        let (mut count, mut bytes) = (0, 0);
        for entry in self.entries()?.into_iter().filter(|entry| is_old(entry.used)) {
            self.remove(&entry.path).map_err(Error::io(&entry.path, "remove"))?;
            (count, bytes) = (count + 1, bytes + entry.bytes);
        }
        for record in fs::read_dir(self.0.join(CHECKED)).into_iter().flatten().flatten() {
            let name = record.file_name();
            let is_stamp = name.to_string_lossy().strip_suffix(".json").is_some_and(|name| name.len() == 16);
            if is_stamp && record.metadata().and_then(|found| found.modified()).is_ok_and(is_old) {
                let _ = fs::remove_file(record.path()); // one that stays is checked against its file
            }
        }
        Ok((count, bytes))
    }

    /// Removes what killed runs left in the folder.
    pub(super) fn tidy(&self) {
        // These folders are ours alone, and what is left there may be large: it goes at once.
        [&self.0, &self.0.join(CHECKED)].into_iter().for_each(|folder| remove_left(folder, Duration::ZERO));
    }

    /// Removes an entry with all that belongs to it. A run that still reads it keeps its mapping.
    pub(super) fn remove(&self, entry: &Path) -> std::io::Result<()> {
        fs::remove_file(entry)?;
        let _ = fs::remove_file(mark(entry)); // there may be none
        forget(&self.0, entry);
        Ok(())
    }

    /// The least recently used go until the rest is no more than so many bytes; by default a fifth of what the disk would have free
    /// without any. `newest` stays to the last: gives whether there is room for it. If it is too large by itself, nothing goes for its
    /// sake.
    pub(super) fn trim(&self, most: Option<u64>, newest: &Path) -> (bool, u64) {
        let mut entries = self.entries().unwrap_or_default();
        let mut total: u64 = entries.iter().map(|entry| entry.bytes).sum();
        let most = most.or_else(|| free(&self.0).map(|free| free.saturating_add(total) / 5)).unwrap_or(u64::MAX);
        let mut fits = true;
        if let Some(at) = entries.iter().position(|entry| entry.path == newest) {
            let newest = entries.remove(at);
            fits = newest.bytes <= most;
            total -= if fits { 0 } else { newest.bytes };
        }
        for entry in entries {
            if total > most && self.remove(&entry.path).is_ok() {
                total -= entry.bytes;
            }
        }
        (fits && total <= most, most)
    }
}

/// Whether a name is one that the cache gives: a folder may hold other files.
fn is_entry(name: &str) -> bool {
    let parts = name.strip_suffix(".safetensors").map(|stem| stem.rsplitn(3, '-').collect::<Vec<_>>());
    let is_hash = |part: &&str| part.len() == 16 && part.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    parts.is_some_and(|parts| parts.len() == 3 && parts.iter().take(2).all(is_hash))
}

fn mark(entry: &Path) -> PathBuf {
    let mut name = OsString::from(entry);
    name.push(".used");
    name.into()
}

/// Notes that an entry is used now. Where that cannot be written, it counts as old.
pub(super) fn touch(entry: &Path) {
    let _ = File::create(mark(entry)).and_then(|mark| mark.set_modified(SystemTime::now()));
}

/// What a disk has free for the user.
#[cfg(unix)]
fn free(directory: &Path) -> Option<u64> {
    rustix::fs::statvfs(directory).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free(_directory: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_cache_has_named_is_its_own() {
        assert!(is_entry("a-b.svm-0123456789abcdef-fedcba9876543210.safetensors"));
        for name in ["model.safetensors", "0123456789abcdef-fedcba9876543210.safetensors", "a-0123456789abcdef-fedcba98.safetensors", "x"] {
            assert!(!is_entry(name), "{name}");
        }
    }

    #[test]
    fn the_least_recently_used_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let at = |i: u64| folder.path().join(format!("a-{:016x}-{:016x}.safetensors", i, 7));
        for i in 0..4 {
            fs::write(at(i), vec![0; 100]).unwrap();
            touch(&at(i));
            let time = SystemTime::now() - Duration::from_secs(1000 - 10 * i);
            File::options().write(true).open(mark(&at(i))).unwrap().set_modified(time).unwrap();
        }
        fs::write(folder.path().join("mine.safetensors"), vec![0; 1000]).unwrap();
        touch(&at(1));
        let cache = CacheFolder::at(folder.path());
        let left = || (0..4).filter(|&i| at(i).exists()).collect::<Vec<_>>();
        assert_eq!((cache.trim(Some(250), &at(2)), left()), ((true, 250), vec![1, 2]));
        assert!(!mark(&at(0)).exists() && mark(&at(1)).exists());
        // One that is too large leaves the others where they are.
        fs::write(at(3), vec![0; 300]).unwrap();
        assert_eq!((cache.trim(Some(250), &at(3)), left()), ((false, 250), vec![1, 2, 3]));
        fs::remove_file(at(3)).unwrap();
        assert_eq!((cache.trim(Some(50), &at(2)), left()), ((false, 50), vec![2]));
        assert!(folder.path().join("mine.safetensors").exists());
    }
}
