//! How whoever waits for long work follows it, and ends it.
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Is told how far work is, and says whether it goes on.
///
/// A closure is one. A flag ends the work once it is set. `()` lets all work run to its end.
pub trait Progress: Sync {
    /// So much is done, of so much where that is known, in the units of the work. `false` ends it.
    fn progress(&self, done: u64, of: Option<u64>) -> bool;
}

impl Progress for () {
    fn progress(&self, _done: u64, _of: Option<u64>) -> bool {
        true
    }
}

impl Progress for AtomicBool {
    fn progress(&self, _done: u64, _of: Option<u64>) -> bool {
        !self.load(Relaxed)
    }
}

impl<F: Fn(u64, Option<u64>) -> bool + Sync> Progress for F {
    fn progress(&self, done: u64, of: Option<u64>) -> bool {
        self(done, of)
    }
}
