//! Data as they are given: packed files are opened, text is packed first, into a cache or for the time being.

use crate::{
    Cache, Data, NotKept, Origin, PackReport, PackSettings, cache, is_safetensors,
    pack::pack_sources,
    store::Store,
    temporary::{PACKED, folder_in, remove_left_folders},
};
use hogwild_base::{Error, Progress, Result};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Data that [`ReadOptions::open`] opened.
#[derive(Debug)]
pub struct Opened {
    /// The data.
    pub data: Data,
    /// Where they came from.
    pub origin: Origin,
    /// What packing reported, if anything was packed.
    pub report: Option<PackReport>,
    /// Keeps the packed file where it is no longer than this lives.
    temporary: Option<TempDir>,
}

impl Opened {
    /// The data alone, where their file lasts that long: on Unix always, as an open file needs no name there.
    pub fn into_data(self) -> Data {
        // Elsewhere a file that is mapped cannot be removed: the folder is left to the next run.
        self.temporary.into_iter().for_each(|folder| drop(folder.keep()));
        self.data
    }
}

/// How data are read: what text looks like, which folders it is packed into, who is told how far it is.
///
/// ```
/// # mod hogwild { pub use hogwild_data as data; }
/// use hogwild::data::{CacheFolder, Data, ReadOptions};
///
/// # std::env::set_current_dir("../..")?; // where `data` is
/// # let folder = tempfile::tempdir()?;
/// # let cache = CacheFolder::at(folder.path());
/// let opened = ReadOptions::new().cache(cache).progress(&|_done, _of| true).open(&["data/reviews.train.svm".into()])?;
/// let Data::Rows(rows) = &opened.data else { panic!("ratings, not rows") };
/// assert_eq!(rows.rows(), 4000);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ReadOptions<'a> {
    settings: PackSettings,
    cache: Option<Cache>,
    temporary: Option<PathBuf>,
    progress: &'a dyn Progress,
}

impl Default for ReadOptions<'_> {
    fn default() -> Self {
        ReadOptions { settings: PackSettings::default(), cache: None, temporary: None, progress: &() }
    }
}

impl<'a> ReadOptions<'a> {
    /// Text of any kind that is recognised, no folder to pack it into, and nobody who waits.
    pub fn new() -> ReadOptions<'a> {
        ReadOptions::default()
    }

    /// How text is packed.
    pub fn settings(self, settings: PackSettings) -> Self {
        ReadOptions { settings, ..self }
    }

    /// Keeps packed text in a cache folder, and finds it again there as long as path, device, inode, size and the times of the last changes
    /// (the system's own too) of all inputs are the same.
    ///
    /// Standard input is not kept, nor is text whose last change is less than two seconds old when it is read, as another could have the
    /// same time. What was kept of the same paths in an older state is removed. A packed file that was checked before is not checked
    /// again: see [`Check::Once`](crate::Check::Once).
    pub fn cache(self, cache: impl Into<Cache>) -> Self {
        ReadOptions { cache: Some(cache.into()), ..self }
    }

    /// A folder for text that no cache keeps: it is packed there, for as long as the [`Opened`] lives. `std::env::temp_dir()` is the
    /// system's. What killed runs left in it is removed.
    pub fn temporary(self, folder: impl Into<PathBuf>) -> Self {
        ReadOptions { temporary: Some(folder.into()), ..self }
    }

    /// Is told the bytes read, of text before decompression. Where it says `false`, reading ends with [`Error::Io`] of the kind
    /// `Interrupted`, and nothing is written.
    pub fn progress(self, progress: &'a dyn Progress) -> Self {
        ReadOptions { progress, ..self }
    }

    /// Packs text into one file. The target appears complete or not at all: a file that was there stays if anything fails.
    /// The result depends on the text alone, not on the number of threads.
    ///
    /// # Errors
    /// What cannot be read, understood or written, with its place.
    pub fn pack(&self, inputs: &[PathBuf], out: &Path) -> Result<PackReport> {
        pack_sources(inputs, out, &self.settings, self.progress).map(|(report, _)| report)
    }

    /// Opens a packed file, or packs text and opens the result.
    ///
    /// Without a cache, or where it cannot be written, text is packed into the folder for [`temporary`](Self::temporary) files.
    ///
    /// # Errors
    /// What cannot be read or understood, with its place; a packed file that is damaged, or is given beside other inputs; text for which
    /// there is no folder.
    pub fn open(&self, inputs: &[PathBuf]) -> Result<Opened> {
        if let Some(path) = inputs.iter().find(|path| is_safetensors(path)) {
            if inputs.len() > 1 {
                return Err(Error::BadFile {
                    path: path.clone(),
                    problem: "is packed and cannot be joined with other inputs".into(),
                    remedy: "give it alone, or pack all the text together",
                });
            }
            let data = match &self.cache {
                Some(cache) => cache::open(path, cache, self.progress)?,
                None => self.check(path)?,
            };
            return Ok(Opened { data, origin: Origin::Input, report: None, temporary: None });
        }
        self.temporary.iter().for_each(|folder| remove_left_folders(folder));
        let mut why = NotKept::NoCache;
        if let Some(cache) = &self.cache {
            match cache::open_text(inputs, &self.settings, cache, self.progress)? {
                Ok(cache::Packed { data, origin, report }) => return Ok(Opened { data, origin, report, temporary: None }),
                Err(not_kept) => why = not_kept,
            }
        }
        let Some(place) = &self.temporary else { return Err(no_folder(inputs, why)) };
        let (temporary, _lock) = folder_in(place).map_err(Error::io(place, "create a directory in"))?;
        let path = temporary.path().join(PACKED);
        let report = self.pack(inputs, &path)?;
        let data = self.check(&path)?;
        // On Unix an open file needs no name, and nothing of it is left then, however the run ends.
        let temporary = (!cfg!(unix)).then_some(temporary);
        Ok(Opened { data, origin: Origin::NotKept(why), report: Some(report), temporary })
    }

    /// Opens a packed file and checks all of it.
    fn check(&self, path: &Path) -> Result<Data> {
        Data::in_store(Store::open(path)?, None, self.progress)
    }
}

/// Of text that cannot be packed, as the cache does not keep it and there is no other folder.
fn no_folder(inputs: &[PathBuf], why: NotKept) -> Error {
    match why {
        NotKept::Unwritable { folder, source } => Error::Io { path: folder, action: "write", source },
        _ => Error::BadFile {
            path: inputs.first().cloned().unwrap_or_default(),
            problem: "is text, which is packed first, and there is no folder for that".into(),
            remedy: "give one by `ReadOptions::temporary`",
        },
    }
}

/// Packs text into one file: [`ReadOptions::pack`] without anybody who waits.
///
/// # Errors
/// As there.
pub fn pack(inputs: &[PathBuf], out: &Path, settings: &PackSettings) -> Result<PackReport> {
    ReadOptions::new().settings(settings.clone()).pack(inputs, out)
}
