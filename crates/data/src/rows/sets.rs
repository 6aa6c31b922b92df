//! The classes of rows that have any number of them: a list of all, and where each row's begin.

use crate::cells::Cells;
use std::sync::atomic::Ordering::Relaxed;

/// The classes of each row, by their place among the names.
#[derive(Debug)]
pub struct ClassSets {
    starts: Cells<u64>,
    classes: Cells<u32>,
}

impl ClassSets {
    pub(super) fn new(starts: Cells<u64>, classes: Cells<u32>) -> ClassSets {
        ClassSets { starts, classes }
    }

    /// Where the classes of each row begin, and those of the last end: ascending, whatever has become of the file.
    pub fn starts(&self) -> Vec<u64> {
        let mut last = 0;
        let most = self.classes.len() as u64;
        let start = |start: &std::sync::atomic::AtomicU64| {
            last = start.load(Relaxed).clamp(last, most.max(last));
            last
        };
        self.starts.iter().map(start).collect()
    }

    /// The classes of all rows, one row after the other.
    pub fn classes(&self) -> Vec<u32> {
        self.classes.iter().map(|class| class.load(Relaxed)).collect()
    }
}
