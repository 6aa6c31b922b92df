//! A data set of either kind, and opening the packed file of one.

use crate::{Kind, Ratings, Rows, layout::bad, store::Store};
use hogwild_base::{Progress, Result, threads};
use serde_json::Value;
use std::path::Path;

/// A data set.
#[derive(Debug)]
pub enum Data {
    /// Labelled sparse rows.
    Rows(Rows),
    /// Users' ratings of items.
    Ratings(Ratings),
}

impl Data {
    /// Opens a packed file and checks all of it, by the threads of the call (see [`Threads`](hogwild_base::Threads)). A damaged, truncated
    /// or foreign file is refused with the reason.
    ///
    /// [`ReadOptions`](crate::ReadOptions) follow the check, or leave it out where the file was checked before.
    pub fn open(path: impl AsRef<Path>) -> Result<Data> {
        Data::in_store(Store::open(path.as_ref())?, None, &())
    }

    /// Checks what is in a file, unless that is known from before.
    pub(crate) fn in_store(store: Store, found: Option<&Value>, progress: &dyn Progress) -> Result<Data> {
        let kind = store.header_text("kind").to_owned();
        let known = [Kind::Sparse, Kind::Ratings].into_iter().find(|known| known.name() == kind);
        threads::in_call(|| match known {
            Some(Kind::Sparse) => Rows::in_store(store, found, progress).map(Data::Rows),
            Some(Kind::Ratings) => Ratings::in_store(store, found, progress).map(Data::Ratings),
            None => Err(bad(&store.path, format!("holds data of an unknown kind, {kind:?}"))),
        })
    }

    /// What the check of the file found, for its record.
    pub(crate) fn found(&self) -> Value {
        match self {
            Data::Rows(rows) => rows.found(),
            Data::Ratings(ratings) => ratings.found(),
        }
    }

    /// The file, where there is one.
    pub(crate) fn store(&self) -> Option<&Store> {
        match self {
            Data::Rows(rows) => rows.store(),
            Data::Ratings(ratings) => ratings.store(),
        }
    }

    /// What they are.
    pub fn kind(&self) -> Kind {
        match self {
            Data::Rows(_) => Kind::Sparse,
            Data::Ratings(_) => Kind::Ratings,
        }
    }

    /// What errors call them: the path of their file; of data in memory, that they are.
    pub fn name(&self) -> &Path {
        match self {
            Data::Rows(rows) => rows.name(),
            Data::Ratings(ratings) => ratings.name(),
        }
    }

    /// Whether the file was not checked when it was opened, because it had been before.
    pub fn was_checked_before(&self) -> bool {
        self.store().is_some_and(|store| store.trusted)
    }

    /// Whether a row of the text could not be read, and merely keeps its place (see [`PackSettings::unlabelled`](crate::PackSettings)).
    pub fn is_bad(&self, row: usize) -> bool {
        match self {
            Data::Rows(rows) => rows.is_bad(row),
            Data::Ratings(ratings) => ratings.is_bad(row),
        }
    }

    /// Whether the file no longer holds what it did when opened. It is read for that if its time of modification is another.
    pub fn changed(&self) -> bool {
        self.store().is_some_and(Store::changed)
    }
}

impl Rows {
    /// Opens a packed file of rows, as [`Data::open`] does.
    ///
    /// # Errors
    /// As there; and when the file holds ratings.
    pub fn open(path: impl AsRef<Path>) -> Result<Rows> {
        match Data::open(path)? {
            Data::Rows(rows) => Ok(rows),
            Data::Ratings(ratings) => Err(bad(ratings.name(), "holds ratings, and rows were asked for")),
        }
    }
}

impl Ratings {
    /// Opens a packed file of ratings, as [`Data::open`] does.
    ///
    /// # Errors
    /// As there; and when the file holds rows.
    pub fn open(path: impl AsRef<Path>) -> Result<Ratings> {
        match Data::open(path)? {
            Data::Ratings(ratings) => Ok(ratings),
            Data::Rows(rows) => Err(bad(rows.name(), "holds sparse rows, and ratings were asked for")),
        }
    }
}

impl From<Rows> for Data {
    fn from(rows: Rows) -> Data {
        Data::Rows(rows)
    }
}

impl From<Ratings> for Data {
    fn from(ratings: Ratings) -> Data {
        Data::Ratings(ratings)
    }
}
