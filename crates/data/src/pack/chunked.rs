//! Where a chunk stands in its input. Workers take chunks as they come, so what comes before is settled at the end.

use crate::TargetCounts;
use crate::text::parse::Report;

/// Which chunk it is.
pub(super) struct Chunked {
    pub(super) number: u64,
    pub(super) input: usize,
    pub(super) before: Before,
    pub(super) bytes: u64,
}

/// What of its input comes before a chunk.
#[derive(Clone, Copy)]
pub(super) enum Before {
    /// So many lines or rows.
    Rows(u64),
    /// The lines of the chunk before, and what comes before that.
    AllRead,
}

/// What is known of a chunk besides its rows.
pub(super) struct Lines {
    pub(super) place: Chunked,
    pub(super) targets: TargetCounts,
    pub(super) report: Report,
}

impl Lines {
    /// How many lines come before, where so many end with the chunk before.
    pub(super) fn before(&self, ended: u64) -> u64 {
        match self.place.before {
            Before::Rows(rows) => rows,
            Before::AllRead => ended,
        }
    }
}
