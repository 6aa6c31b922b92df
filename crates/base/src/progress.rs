//! How whoever waits for long work follows it, and ends it.

/// Is told how far work is, and says whether it goes on.
///
/// A closure is one, and `()` is one that lets all work run to its end.
pub trait Progress: Sync {
    /// So much is done, of so much where that is known, in the units of the work. `false` ends it.
    fn progress(&self, done: u64, of: Option<u64>) -> bool;
}

impl Progress for () {
    fn progress(&self, _done: u64, _of: Option<u64>) -> bool {
        true
    }
}

impl<F: Fn(u64, Option<u64>) -> bool + Sync> Progress for F {
    fn progress(&self, done: u64, of: Option<u64>) -> bool {
        self(done, of)
    }
}
