//! Packing: text is parsed and counted in parallel, kept or spilled; then ranked by frequency, sorted and written.

mod read;
mod sort;
mod write;

use std::path::{Path, PathBuf};
use std::time::Instant;

use tempfile::NamedTempFile;

use super::input::Inputs;
use super::{Format, Kind, OnBadRow, Repeated};
use crate::{Error, Result};

/// How to pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PackSettings {
    /// The text's format; found out from the first lines when `None`.
    pub format: Option<Format>,
    /// What to do with a row that cannot be understood.
    pub on_bad_row: OnBadRow,
    /// What to do with an index that stands twice in a row; of svmlight rows.
    pub repeated: Repeated,
    /// Whether labels and ratings may be missing, or be anything: for predictions. Rows that cannot be understood are then not left out by
    /// [`OnBadRow::Skip`] but keep their places, without features.
    pub unlabelled: bool,
}

/// What was packed.
#[derive(Clone, Debug, PartialEq)]
pub struct PackReport {
    /// What the file holds.
    pub kind: Kind,
    /// Examples, or ratings.
    pub rows: u64,
    /// Different features; 0 for ratings.
    pub columns: u64,
    /// Cells in all rows together; 0 for ratings.
    pub nonzeros: u64,
    /// Different users; 0 for sparse rows.
    pub users: u64,
    /// Different items; 0 for sparse rows.
    pub items: u64,
    /// Bad rows left out.
    pub skipped: u64,
    /// The first of them, each with its place and what is wrong.
    pub first_skipped: Vec<String>,
    /// What was taken otherwise than as plain text with an example a line: each with its place.
    pub notes: Vec<String>,
    /// Bytes of text read, after decompression.
    pub bytes: u64,
    /// Seconds taken.
    pub seconds: f64,
}

/// Packs text into one file. The target appears complete or not at all: a file that was there stays if anything fails.
/// The result depends on the text alone, not on the number of threads.
///
/// `progress` is told the bytes read, before decompression, and how many there are in all, where that is known.
pub fn pack(inputs: &[PathBuf], out: &Path, settings: &PackSettings, progress: &(dyn Fn(u64, Option<u64>) + Sync)) -> Result<PackReport> {
    pack_while(inputs, out, settings, &|read, total| {
        progress(read, total);
        true
    })
}

/// As [`pack`], but stops as soon as `progress` says `false`: with [`Error::Io`] of the kind `Interrupted`, and no file.
pub fn pack_while(
    inputs: &[PathBuf],
    out: &Path,
    settings: &PackSettings,
    progress: &(dyn Fn(u64, Option<u64>) -> bool + Sync),
) -> Result<PackReport> {
    let began = Instant::now();
    let directory = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let text = Inputs::new(inputs, progress)?;
    // Has no name; and shows before the work that the directory can be written to.
    let spill = tempfile::tempfile_in(directory).map_err(Error::io(out, "create"))?;
    let read = read::read(text, inputs, out, settings, spill)?;
    let target = create(directory, out)?;
    let source = inputs.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(", ");
    let mut report = write::write(read, target, out, &source, progress)?;
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

fn create(directory: &Path, out: &Path) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hogwild-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory).map_err(Error::io(out, "create"))
}

fn interrupted(out: &Path) -> Error {
    Error::io(out, "finish")(std::io::Error::new(std::io::ErrorKind::Interrupted, "interrupted"))
}
