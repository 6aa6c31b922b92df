//! The one error type of the library: every variant carries what is needed to name the place and the remedy.

use crate::memory;
use std::path::{Path, PathBuf};

/// What the library's fallible functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be read, trained or written.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused something about a file.
    #[error("{}: cannot {action}", path.display())]
    Io {
        /// The file in question.
        path: PathBuf,
        /// What was being done, as a verb: `open`, `read`, `write`, ...
        action: &'static str,
        /// The system's own reason.
        source: std::io::Error,
    },
    /// A row of a text file cannot be understood.
    #[error("{}:{line}:{column}: {problem}: `{text}`; {remedy}", path.display())]
    BadRow {
        /// The file, or `-` for standard input.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// Column in bytes, from 1.
        column: u64,
        /// The offending text, cut to a readable length.
        text: String,
        /// What is wrong with it.
        problem: String,
        /// What the user can do.
        remedy: String,
    },
    /// A file is not what it should be: damaged, cut short, foreign, empty.
    #[error("{}: {problem}; {remedy}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What the user can do.
        remedy: &'static str,
    },
    /// A setting is out of its range or does not fit another.
    #[error("{setting} {value}: {problem}")]
    BadSetting {
        /// The setting, by the name of its flag.
        setting: &'static str,
        /// The value given.
        value: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// The parameters do not fit into memory.
    #[error(
        "no memory for {rows} rows of {bytes_a_row} bytes of parameters; use fewer features, a smaller --rank, or a rule with less state"
    )]
    Memory {
        /// Features, or users and items.
        rows: usize,
        /// With the rule's state.
        bytes_a_row: usize,
    },
    /// Something does not fit into the memory that is free.
    #[error("{what} take {} of memory, and {} are free; {remedy}", memory::text(*bytes), memory::text(*free))]
    NoRoom {
        /// What is to lie in memory.
        what: String,
        /// What it takes.
        bytes: u64,
        /// What there is, control groups counted.
        free: u64,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The system starts no more threads.
    #[error("the system starts no more threads; raise the limit of the user's processes (ulimit -u) or of the control group's (pids.max)")]
    Threads {
        /// The system's own reason.
        source: std::io::Error,
    },
    /// Training left the finite numbers.
    #[error("{quantity} became NaN or infinite in epoch {epoch} at learning rate {rate}; try --lr {}{}, or scale the features down",
        base / 10.0, if *l2 > 0.0 { format!(" or --l2 {}", l2 / 10.0) } else { String::new() })]
    Diverged {
        /// From 1.
        epoch: usize,
        /// The rate at the beginning of the epoch.
        rate: f32,
        /// The rate before the schedule.
        base: f32,
        /// L2 regularisation.
        l2: f64,
        /// What was not finite.
        quantity: &'static str,
    },
}

impl Error {
    /// For `map_err`: wraps a system error with the file and the verb of what was being done.
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Io { path: path.to_owned(), action, source }
    }
}
