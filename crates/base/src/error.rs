//! The one error type of the library: every variant carries what is needed to name the place and the remedy.
//!
//! Texts name settings as the library does, between backquotes: `batch_growth`. What stands between a user and the library spells them in
//! its own way: the command as flags, `--batch-growth`.

use crate::size;
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
    #[error("`{setting}` {value}: {problem}")]
    BadSetting {
        /// The setting, by its name: `batch_growth`.
        setting: &'static str,
        /// The value given.
        value: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// There are more rows of parameters than can be numbered.
    #[error("{rows} rows of parameters of {bytes_a_row} bytes: {most} are the most, as their offsets are 32-bit \
        numbers; use fewer features, users or items{}",
        if *bytes_a_row > 16 { ", or a smaller `rank`" } else { "" })]
    TooManyRows {
        /// Features, or users and items; with the copies that each thread has.
        rows: usize,
        /// With the rule's state.
        bytes_a_row: usize,
        /// How many there may be.
        most: usize,
    },
    /// Something does not fit into the memory that is free.
    #[error("{what} take {} of memory, and {}; {remedy}", size::text(*bytes),
        free.map_or("the system gives no more (see ulimit -v)".to_string(), |free| format!("{} are free", size::text(free))))]
    NoRoom {
        /// What is to lie in memory.
        what: String,
        /// What it takes.
        bytes: u64,
        /// What there is, control groups counted; none where there is more, but the system gives it to no process.
        free: Option<u64>,
        /// What the user can do.
        remedy: &'static str,
    },
    /// The system starts no more threads.
    #[error("the system starts no more threads; raise the limit of the user's processes (ulimit -u) or of the control group's (pids.max)")]
    Threads {
        /// The system's own reason.
        source: std::io::Error,
    },
    /// A message between workers of one run is not what it should be: cut short, foreign, of another model.
    #[error("a message of {bytes} bytes between replicas and servers {problem}; all of a run are to be of one version, with one model")]
    BadMessage {
        /// Its length.
        bytes: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Somebody who takes part in a run was waited for in vain.
    #[error("{who} {what}; the run can't go on without: start it again, with fewer workers if they share too few cores")]
    Missing {
        /// Who is waited for: `server 2 of 4`.
        who: String,
        /// What is known of it: `has not answered for 60 s: replica 3 has it`.
        what: String,
    },
    /// A run ended before there was a model, and one is asked for.
    #[error("the run left no model: {why}")]
    NoModel {
        /// How it ended.
        why: String,
    },
    /// Training left the finite numbers.
    #[error("{quantity} became NaN or infinite in epoch {epoch} at learning rate {rate}; try `lr` {}{}, or scale the features down",
        base / 10.0, if *l2 > 0.0 { format!(" or `l2` {}", l2 / 10.0) } else { String::new() })]
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
    pub fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Io { path: path.to_owned(), action, source }
    }
}
