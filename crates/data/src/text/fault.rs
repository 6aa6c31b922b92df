//! What is wrong with a line: its place, what stands there, and what to do.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use hogwild_base::Error;

use crate::bytes::{part, readable};

/// What is wrong, and where in the chunk.
pub(crate) struct Fault {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) problem: &'static str,
    pub(crate) remedy: &'static str,
}

pub(crate) fn fault<T>(start: usize, end: usize, problem: &'static str, remedy: &'static str) -> Result<T, Fault> {
    Err(Fault { start, end, problem, remedy })
}

/// What to do about a number that is none of the real ones.
pub(crate) const REMEDY_FINITE: &str = "give a finite number or leave the row out";

/// A line that cannot be understood, by its place in the chunk.
pub(crate) struct Bad {
    /// Lines before it in the chunk.
    pub(crate) line: u64,
    column: u64,
    text: String,
    problem: Cow<'static, str>,
    remedy: Cow<'static, str>,
}

impl Bad {
    /// What is wrong with a part of a line that begins at `start`.
    pub(crate) fn of(
        text: &[u8],
        line: u64,
        start: usize,
        places: Range<usize>,
        problem: impl Into<Cow<'static, str>>,
        remedy: impl Into<Cow<'static, str>>,
    ) -> Bad {
        let column = places.start.saturating_sub(start) as u64 + 1;
        Bad { line, column, text: readable(part(text, places).trim_ascii()), problem: problem.into(), remedy: remedy.into() }
    }

    /// What is wrong in a line that begins at `start`.
    pub(crate) fn of_fault(text: &[u8], line: u64, start: usize, Fault { start: from, end, problem, remedy }: Fault) -> Bad {
        // A record may go over lines, between quotes.
        let before = part(text, start..from.max(start));
        let lines = memchr::memchr_iter(b'\n', before).count() as u64;
        let start = memchr::memrchr(b'\n', before).map_or(start, |newline| start + newline + 1);
        let column = from.saturating_sub(start) as u64 + 1;
        Bad { line: line + lines, column, text: readable(part(text, from..end)), problem: problem.into(), remedy: remedy.into() }
    }

    /// The same line, as one whose label is the last of these words.
    pub(crate) fn of_classes(self, classes: &[String]) -> Bad {
        const MANY: usize = 10;
        if classes.len() > MANY {
            let problem = format!("there are more than {} different labels, which are words", classes.len() - 1);
            return Bad { problem: problem.into(), remedy: "give the column of the label, or fewer classes".into(), ..self };
        }
        let problem = format!("the labels are words of more than two classes: {}", classes.join(", "));
        Bad {
            problem: problem.into(),
            remedy: "for a model of several classes give `model` softmax; packing, `labels` class".into(),
            ..self
        }
    }

    /// The error, where `before` lines of the file precede the chunk.
    pub(crate) fn error(self, path: &Path, before: u64) -> Error {
        let Bad { line, column, text, problem, remedy } = self;
        let (problem, remedy) = (problem.into_owned(), remedy.into_owned());
        Error::BadRow { path: path.to_owned(), line: before + line + 1, column, text, problem, remedy }
    }
}
