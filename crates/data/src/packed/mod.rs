//! Packed data: checked once when opened, then read through a mapping.

mod dataset;
mod labels;
mod ratings;
mod spread;
mod store;

use std::path::Path;

use serde_json::Value;

use super::layout::bad;
use super::stamp::{Check, Stamp};
use crate::text::Progress;
use hogwild_base::{Error, Result, threads};
pub(crate) use store::Store;

pub use dataset::Dataset;
pub use labels::{LabelCount, Labels};
pub use ratings::Ratings;
pub use spread::{Farthest, Spread};

/// An open packed file.
#[derive(Debug)]
pub enum Packed {
    /// Labelled sparse rows.
    Sparse(Dataset),
    /// Users' ratings of items.
    Ratings(Ratings),
}

impl Packed {
    /// Opens a file and checks all of it, by the threads of the call (see [`Threads`](hogwild_base::Threads)). A damaged, truncated or foreign file is refused with the reason.
    pub fn open(path: &Path) -> Result<Packed> {
        Packed::open_while(path, None, &|_, _| true)
    }

    /// The same by way of stamps: a file is not checked again that was before and has not changed since, unless asked for. For that the
    /// check leaves a stamp in the cache folder (see [`open_or_pack`](super::open_or_pack)). With `check` none it is checked, and no stamp
    /// is looked for or left.
    ///
    /// The check tells `progress` how many bytes are read, of how many, and ends as soon as that says `false`: with [`Error::Io`] of the
    /// kind `Interrupted`.
    pub fn open_while(path: &Path, check: Option<Check>, progress: &(dyn Fn(u64, Option<u64>) -> bool + Sync)) -> Result<Packed> {
        threads::in_call(|| Packed::open_by(path, check, progress))
    }

    fn open_by(path: &Path, check: Option<Check>, progress: Progress<'_>) -> Result<Packed> {
        let store = Store::open(path)?;
        let Some((check, stamp)) = check.zip(Stamp::of(&store)) else { return Packed::of(store, None, progress) };
        if let Some(found) = stamp.found().filter(|_| check == Check::Once) {
            return Packed::of(store, Some(&found), progress);
        }
        let opened = Packed::of(store, None, progress);
        match &opened {
            Ok(Packed::Sparse(data)) => stamp.keep(&data.store, data.found()),
            Ok(Packed::Ratings(data)) => stamp.keep(&data.store, data.found()),
            Err(Error::Io { .. }) => {} // nothing is known of the file
            Err(_) => stamp.remove(),
        }
        opened
    }

    /// Checks what is in a file, unless that is known from before.
    fn of(store: Store, found: Option<&Value>, progress: Progress<'_>) -> Result<Packed> {
        match store.header_text("kind") {
            "sparse" => Dataset::of(store, found, progress).map(Packed::Sparse),
            "ratings" => Ratings::of(store, found, progress).map(Packed::Ratings),
            other => Err(bad(&store.path, format!("holds data of an unknown kind, {other:?}"))),
        }
    }

    /// Whether the file was not checked when it was opened, because it had been before.
    pub fn was_checked_before(&self) -> bool {
        match self {
            Packed::Sparse(data) => data.store.trusted,
            Packed::Ratings(data) => data.store.trusted,
        }
    }

    /// Whether a row of the text could not be read, and merely keeps its place (see [`PackSettings::unlabelled`](super::PackSettings)).
    pub fn is_bad(&self, row: usize) -> bool {
        match self {
            Packed::Sparse(data) => data.is_bad(row),
            Packed::Ratings(data) => data.is_bad(row),
        }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            Packed::Sparse(data) => data.path(),
            Packed::Ratings(data) => data.path(),
        }
    }
}
