//! Files that are there whole or not at all: written to a temporary name beside the target, synced, renamed.
use crate::{Error, Result};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A file being written. Until [`finish`](Self::finish), whatever stood at its path stays.
#[derive(Debug)]
pub struct OutputFile {
    file: io::BufWriter<tempfile::NamedTempFile>,
    path: PathBuf,
}

impl OutputFile {
    /// Begins a file.
    ///
    /// # Errors
    /// When its folder does not exist or cannot be written to.
    pub fn create(path: &Path) -> Result<OutputFile> {
        // A link is followed, and what is not a file (a device, a folder) is left alone.
        let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if whole.exists() && !whole.is_file() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            let problem = "is there and is not a file, or names a folder".into();
            return Err(Error::BadFile { path: path.to_owned(), problem, remedy: "name a file to write" });
        }
        let path = &whole;
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)); // less the user's umask, as for any new file
        let file = builder.tempfile_in(folder).map_err(Error::io(path, "write"))?;
        Ok(OutputFile { file: io::BufWriter::with_capacity(1 << 16, file), path: path.to_owned() })
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// What the system refuses; then nothing has changed.
    pub fn finish(self) -> Result<()> {
        let file = self.file.into_inner().map_err(|e| Error::io(&self.path, "write")(e.into_error()))?;
        file.as_file().sync_all().map_err(Error::io(&self.path, "write"))?;
        file.persist(&self.path).map_err(|e| Error::io(&self.path, "write")(e.error))?;
        Ok(())
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
