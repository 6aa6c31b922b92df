//! Text from files and standard input, decompressed, in chunks cut at line ends.

mod current;
mod waited;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hogwild_base::{Error, Result};

use crate::text::chunk::Chunk;
use current::{Current, Filled, open};

/// Is told the bytes read, before decompression, and how many there are in all, where that is known.
pub(crate) type Progress<'a> = &'a dyn hogwild_base::Progress;

/// Reads several inputs one after the other.
pub(crate) struct Inputs<'a> {
    paths: &'a [PathBuf],
    next: usize,
    current: Option<Current<'a>>,
    read: Arc<AtomicU64>,
    total: Option<u64>,
    progress: Progress<'a>,
    /// What was done to inputs that are not plain text, for the user to read.
    pub(crate) notes: Vec<String>,
    /// Bytes that have come of inputs that are waited for, before decompression.
    arrived: Arc<AtomicU64>,
    /// Whether a chunk ends where such an input pauses.
    pub(crate) ends_at_pauses: bool,
}

/// Whether a path stands for standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

impl<'a> Inputs<'a> {
    /// Looks at all inputs' sizes, so that a missing one is found before any work.
    pub(crate) fn new(paths: &'a [PathBuf], progress: Progress<'a>) -> Result<Inputs<'a>> {
        let mut total = Some(0u64);
        for path in paths {
            if is_stdin(path) {
                total = None;
                continue;
            }
            let found = std::fs::metadata(path).map_err(Error::io(path, "open"))?;
            if found.is_dir() {
                return Err(Error::BadFile {
                    path: path.clone(),
                    problem: "is a directory".into(),
                    remedy: "name the files in it one by one",
                });
            }
            total = if found.is_file() { total.map(|sum| sum.saturating_add(found.len())) } else { None };
        }
        let (current, arrived) = (None, Arc::default());
        Ok(Inputs { paths, next: 0, current, read: Arc::default(), total, progress, notes: Vec::new(), arrived, ends_at_pauses: false })
    }

    /// The same where a chunk ends when what is waited for pauses, and not only when it is long.
    pub(crate) fn with_pauses(self) -> Inputs<'a> {
        Inputs { ends_at_pauses: true, ..self }
    }

    /// Bytes read so far, before decompression, and how many there are if that is known.
    pub(crate) fn progress(&self) -> (u64, Option<u64>) {
        (self.read.load(Relaxed), self.total)
    }

    /// Counts bytes that another reads.
    #[cfg(feature = "arrow")]
    pub(crate) fn count(&self, bytes: u64) {
        self.read.fetch_add(bytes, Relaxed);
    }

    /// Tells of the progress. Gives whether to go on.
    pub(crate) fn proceed(&self) -> bool {
        self.progress.progress(self.read.load(Relaxed), self.total)
    }

    /// Puts the next chunk in the place of a used one; `false` at the end of the last input.
    pub(crate) fn next_chunk(&mut self, chunk: &mut Chunk) -> Result<bool> {
        loop {
            let Some(current) = &mut self.current else {
                let Some(path) = self.paths.get(self.next) else { return Ok(false) };
                let counts = [self.read.clone(), self.arrived.clone()];
                let (mut current, done) = open(path, &counts, self.progress)?;
                current.pauses = self.ends_at_pauses.then_some(counts);
                self.notes.extend(done.map(|done| format!("{} {done}", path.display())));
                self.current = Some(current);
                self.next += 1;
                continue;
            };
            let input = self.next.saturating_sub(1);
            let path = self.paths.get(input).map(PathBuf::as_path).unwrap_or(Path::new("-"));
            match current.fill(chunk).map_err(|problem| current.explain(path, problem))? {
                Filled::Lines if current.give_back(chunk) => {} // to be read on with what follows
                Filled::Lines => {
                    (chunk.input, chunk.first) = (input, std::mem::replace(&mut current.first, false));
                    return Ok(true);
                }
                Filled::End => self.current = None,
                Filled::EndlessLine => {
                    return Err(Error::BadFile {
                        path: path.to_owned(),
                        problem: "has a line of more than 512 MiB".into(),
                        remedy: "is it text, one example a line?",
                    });
                }
            }
        }
    }
}

impl Inputs<'_> {
    /// From this chunk on, an input is cut only behind lines that are not within quotes.
    pub(crate) fn cut_behind_quotes(&mut self, mark: u8, chunk: &mut Chunk) {
        if let Some(current) = &mut self.current {
            current.quoted = Some(mark);
            // The heading at least is whole.
            current.give_back(chunk);
        }
    }
}
