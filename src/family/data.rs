//! Data of any kind, as a family of models is given them.
use hogwild_data::{Data, Format, Kind, Ratings, Rows};
use std::path::Path;

/// Sparse rows or ratings.
#[derive(Clone, Copy, Debug)]
pub enum AnyData<'a> {
    /// Sparse rows.
    Rows(&'a Rows),
    /// Users' ratings of items.
    Ratings(&'a Ratings),
}

/// One kind of data.
pub trait DataSet: Sync {
    /// Which.
    const KIND: Kind;
    /// The text format that such data have if nothing says otherwise.
    const FORMAT: Format;
    /// Data of that kind, if they are.
    fn of(data: AnyData<'_>) -> Option<&Self>;
    /// Numbers stored: nonzeros, or ratings.
    fn numbers(&self) -> u64;
}

impl DataSet for Rows {
    const KIND: Kind = Kind::Sparse;
    const FORMAT: Format = Format::Svmlight;

    fn of(data: AnyData<'_>) -> Option<&Rows> {
        if let AnyData::Rows(data) = data { Some(data) } else { None }
    }

    fn numbers(&self) -> u64 {
        self.nonzeros()
    }
}

impl DataSet for Ratings {
    const KIND: Kind = Kind::Ratings;
    const FORMAT: Format = Format::Ratings;

    fn of(data: AnyData<'_>) -> Option<&Ratings> {
        if let AnyData::Ratings(data) = data { Some(data) } else { None }
    }

    fn numbers(&self) -> u64 {
        self.len() as u64
    }
}

impl<'a> From<&'a Rows> for AnyData<'a> {
    fn from(data: &'a Rows) -> Self {
        AnyData::Rows(data)
    }
}

impl<'a> From<&'a Ratings> for AnyData<'a> {
    fn from(data: &'a Ratings) -> Self {
        AnyData::Ratings(data)
    }
}

impl<'a> From<&'a Data> for AnyData<'a> {
    fn from(data: &'a Data) -> Self {
        match data {
            Data::Rows(data) => AnyData::Rows(data),
            Data::Ratings(data) => AnyData::Ratings(data),
        }
    }
}

impl<'a> AnyData<'a> {
    /// Which kind they are.
    pub fn kind(self) -> Kind {
        match self {
            AnyData::Rows(_) => Kind::Sparse,
            AnyData::Ratings(_) => Kind::Ratings,
        }
    }

    /// How many examples.
    pub fn examples(self) -> u64 {
        match self {
            AnyData::Rows(data) => data.rows() as u64,
            AnyData::Ratings(data) => data.len() as u64,
        }
    }

    /// Stored numbers that an epoch visits: nonzeros, or ratings.
    pub fn numbers(self) -> u64 {
        match self {
            AnyData::Rows(data) => data.nonzeros(),
            AnyData::Ratings(data) => data.len() as u64,
        }
    }

    /// The file.
    pub fn path(self) -> &'a Path {
        match self {
            AnyData::Rows(data) => data.name(),
            AnyData::Ratings(data) => data.name(),
        }
    }

    /// Whether the file is no longer what it was when it was opened.
    pub fn changed(self) -> bool {
        match self {
            AnyData::Rows(data) => data.changed(),
            AnyData::Ratings(data) => data.changed(),
        }
    }

    /// What they are in a sentence.
    pub fn holds(self) -> &'static str {
        match self {
            AnyData::Rows(_) => "sparse rows",
            AnyData::Ratings(_) => "ratings",
        }
    }

    /// What helps where a model takes others.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            AnyData::Rows(_) => "give a file of ratings, or a linear model",
            AnyData::Ratings(_) => "give a file of sparse rows, or an mf model",
        }
    }
}
