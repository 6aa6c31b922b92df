//! Tables in binary files: Parquet, and Arrow's files (which feather has been since its second version). They become what the same table
//! as CSV becomes: a column is of numbers or of words by its type, and the recipe says so.
//!
//! Workers read parts of row groups, each its own, and decode a few thousand rows at a time: so memory is bounded. Texts that lie in a
//! dictionary are looked up once for all their cells. Without the cargo feature `arrow` such files are only recognised.

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(feature = "arrow")]
mod cells;
#[cfg(feature = "arrow")]
mod file;
#[cfg(feature = "arrow")]
mod guard;
#[cfg(feature = "arrow")]
mod known;
#[cfg(feature = "arrow")]
mod layout;
#[cfg(feature = "arrow")]
mod rows;
#[cfg(feature = "arrow")]
mod tables;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use hogwild_base::{Error, Result};

use crate::text::is_stdin;
#[cfg(feature = "arrow")]
pub(crate) use tables::{Own, Tables};

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Container {
    Parquet,
    Arrow,
}

impl Container {
    fn name(self) -> &'static str {
        match self {
            Container::Parquet => "Parquet",
            Container::Arrow => "Arrow",
        }
    }

    /// None of what is no plain file, or no such table.
    fn of(path: &Path) -> Result<Option<Container>> {
        if is_stdin(path) || !path.is_file() {
            return Ok(None);
        }
        let mut first = Vec::new();
        File::open(path).and_then(|file| file.take(6).read_to_end(&mut first)).map_err(Error::io(path, "read"))?;
        match first.as_slice() {
            [b'P', b'A', b'R', b'1', ..] => Ok(Some(Container::Parquet)),
            b"ARROW1" => Ok(Some(Container::Arrow)),
            [b'P', b'A', b'R', b'E', ..] => Err(bad(path, "is a Parquet file that is encrypted", "give one that is not")),
            [b'F', b'E', b'A', b'1', ..] => {
                Err(bad(path, "is a feather file of the first version", "write it by a later version, or as CSV"))
            }
            [0xff, 0xff, 0xff, 0xff, ..] => Err(bad(path, "is a stream of Arrow", "write it as a file of Arrow, or as Parquet")),
            _ => Ok(None),
        }
    }
}

fn bad(path: &Path, problem: impl Into<String>, remedy: &'static str) -> Error {
    Error::BadFile { path: path.to_owned(), problem: problem.into(), remedy }
}

/// What all inputs are; none of text.
///
/// # Errors
/// Text and tables together.
pub(crate) fn containers(inputs: &[PathBuf]) -> Result<Option<Vec<Container>>> {
    let found: Vec<Option<Container>> = inputs.iter().map(|path| Container::of(path)).collect::<Result<_>>()?;
    let Some(first) = found.iter().flatten().next().copied() else { return Ok(None) };
    let all: Option<Vec<Container>> = found.iter().copied().collect();
    match (all, inputs.get(found.iter().position(Option::is_none).unwrap_or(0))) {
        (None, Some(path)) => Err(bad(path, format!("is text, and another input is {}", first.name()), "give files of one kind")),
        (all, _) => Ok(all),
    }
}

/// Whether the inputs are tables.
///
/// # Errors
/// Text and tables together; tables, where this build does not read them.
pub(crate) fn are_tables(inputs: &[PathBuf]) -> Result<bool> {
    let Some(found) = containers(inputs)? else { return Ok(false) };
    if cfg!(feature = "arrow") {
        return Ok(true);
    }
    let (Some(path), Some(first)) = (inputs.first(), found.first()) else { return Ok(false) };
    let problem = format!("is a file of {}, which this build of hogwild does not read", first.name());
    Err(bad(path, problem, "build it with the cargo feature `arrow`, or write the table as CSV"))
}
