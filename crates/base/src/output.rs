//! Files that are there whole or not at all: written to a temporary name beside the target, synced, renamed.
//!
//! A temporary file is locked for as long as it is written. One that is not, and is an hour old, was left by a run that was killed: the
//! next run that writes into the folder removes it.
use crate::{Error, Result, left};
use std::{
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tempfile::NamedTempFile;

/// A file being written. Until [`finish`](Self::finish), whatever stood at its path stays.
#[derive(Debug)]
pub struct OutputFile {
    file: io::BufWriter<Temporary>,
}

impl OutputFile {
    /// Begins a file.
    ///
    /// # Errors
    /// When its folder does not exist or cannot be written to.
    pub fn create(path: &Path) -> Result<OutputFile> {
        Ok(OutputFile { file: io::BufWriter::with_capacity(1 << 16, Temporary::new(path)?) })
    }

    /// Where a file of that path is written: links are followed, to what is not there yet too.
    pub fn target(path: &Path) -> PathBuf {
        path.canonicalize().unwrap_or_else(|_| {
            const MOST: usize = 40; // as the system has it
            let mut at = path.to_owned();
            for _ in 0..MOST {
                let Ok(next) = fs::read_link(&at) else { break };
                at = OutputFile::folder_of(&at).join(next);
            }
            at
        })
    }

    /// The folder in which a path names a file: `.` for a bare name.
    pub fn folder_of(path: &Path) -> &Path {
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// What the system refuses; then nothing has changed.
    pub fn finish(self) -> Result<()> {
        let path = self.file.get_ref().path.clone();
        self.file.into_inner().map_err(|e| Error::io(&path, "write")(e.into_error()))?.finish()
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// What names of temporary files begin and end with.
const NAME: [&str; 2] = [".hogwild-", ".part"];

/// The temporary file, not yet in its place.
#[derive(Debug)]
pub struct Temporary {
    file: NamedTempFile,
    /// As it was given, for messages.
    path: PathBuf,
    target: PathBuf,
}

impl Temporary {
    pub fn new(path: &Path) -> Result<Temporary> {
        let target = OutputFile::target(path);
        // What is not a file is left alone.
        let problem = if target.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            Some("names a folder")
        } else {
            (target.exists() && !target.is_file()).then_some("is a device or pipe")
        };
        if let Some(problem) = problem {
            return Err(Error::BadFile { path: path.to_owned(), problem: problem.into(), remedy: "name a file to write" });
        }
        let folder = OutputFile::folder_of(&target);
        remove_left(folder, left::LONG);
        let file = create(folder, &target).map_err(Error::io(path, "write"))?;
        Ok(Temporary { file, path: path.to_owned(), target })
    }

    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Syncs it and puts it in its place, with the mode of what stood there.
    pub fn finish(self) -> Result<()> {
        let failed = || Error::io(&self.path, "write");
        if let Ok(found) = fs::metadata(&self.target) {
            let _ = self.file.as_file().set_permissions(found.permissions()); // a file system without modes has none to keep
        }
        self.file.as_file().sync_all().map_err(failed())?;
        self.file.persist(&self.target).map_err(|e| Error::io(&self.path, "write")(e.error))?;
        // The name too is to outlast a loss of power. Some file systems cannot be asked; the file is there all the same.
        #[cfg(unix)]
        let _ = File::open(OutputFile::folder_of(&self.target)).and_then(|folder| folder.sync_all());
        Ok(())
    }
}

impl Write for Temporary {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A locked temporary file.
fn create(folder: &Path, target: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(NAME[0]).suffix(NAME[1]).rand_bytes(left::LETTERS);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // That of what it is to replace, or as any new file; less the user's umask.
        let mode = fs::metadata(target).map_or(0o666, |found| found.permissions().mode() & 0o777);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = target;
    loop {
        let file = builder.tempfile_in(folder)?;
        if left::lock(file.as_file(), file.path()) {
            return Ok(file);
        }
    }
}

/// Whether a name is that of a temporary file.
pub fn is_part(name: &OsStr) -> bool {
    left::is_temporary(name.as_encoded_bytes(), NAME[0], NAME[1])
}

/// Removes temporary files that nobody writes, nor has for so long.
pub fn remove_left(folder: &Path, age: Duration) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(|entry| is_part(&entry.file_name())) {
        let path = entry.path();
        if let Some(_held) = left::unused(&path, age) {
            let _ = fs::remove_file(path); // where it cannot be removed, it merely stays
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn what_a_killed_run_left_is_removed_and_what_is_written_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let old = |name: &str| {
            let file = File::create(at(name)).unwrap();
            file.set_modified(SystemTime::now() - 2 * left::LONG).unwrap();
            file
        };
        old(".hogwild-abc123.part");
        let theirs = [".hogwild-mine", ".hogwild-my-own.part", ".hogwild-written.part"];
        theirs.iter().for_each(|name| drop(old(name)));
        let written = old(".hogwild-in0use.part");
        written.lock().unwrap();
        fs::write(at(".hogwild-recent.part"), "of another program, or without a lock yet").unwrap();
        let mut first = OutputFile::create(&at("first")).unwrap();
        first.write_all(b"one").unwrap();
        assert!(!at(".hogwild-abc123.part").exists());
        for name in theirs.into_iter().chain([".hogwild-in0use.part", ".hogwild-recent.part"]) {
            assert!(at(name).exists(), "{name}");
            fs::remove_file(at(name)).unwrap();
        }
        let second = OutputFile::create(&at("second")).unwrap();
        first.finish().unwrap();
        drop(second);
        assert_eq!(fs::read(at("first")).unwrap(), b"one");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn many_at_once_in_one_folder_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let target = |i: usize| folder.path().join(i.to_string());
        let write = |i: usize| {
            for _ in 0..400 {
                let file = create(folder.path(), &target(i)).unwrap();
                remove_left(folder.path(), Duration::ZERO);
                file.persist(target(i)).unwrap();
            }
        };
        std::thread::scope(|scope| (0..8).for_each(|i| drop(scope.spawn(move || write(i)))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 8);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_called_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| OutputFile::create(path).unwrap_err().to_string();
        assert!(refused(Path::new("/dev/null")).contains("/dev/null: is a device or pipe; name a file"));
        for path in [folder.path().to_owned(), folder.path().join("new/")] {
            assert!(refused(&path).contains(": names a folder; name a file"), "{}", refused(&path));
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_and_modes_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("further", at("link")).unwrap();
        symlink(at("target"), at("further")).unwrap();
        for mode in [0o600, 0o640] {
            let mut file = OutputFile::create(&at("link")).unwrap();
            file.write_all(b"x").unwrap();
            file.finish().unwrap();
            let [link, target] = ["link", "target"].map(|name| fs::symlink_metadata(at(name)).unwrap());
            assert!(link.is_symlink() && target.is_file());
            assert!(mode == 0o600 || target.permissions().mode() & 0o777 == 0o600);
            fs::set_permissions(at("target"), fs::Permissions::from_mode(mode)).unwrap();
        }
    }
}
