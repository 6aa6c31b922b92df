//! Who follows a run and may end it: a watcher between and within epochs, or a flag that a signal handler sets.
use super::report::{EpochProgress, EpochReport, Watch};
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

/// How long a watcher waits to be asked, at most.
pub(super) const LOOK: Duration = Duration::from_millis(50);

pub(crate) struct Follower<'a> {
    pub watch: &'a mut dyn Watch,
    stop: &'a AtomicBool,
    /// Whether the watcher has ended the run in the midst of an epoch.
    ended: bool,
}

impl<'a> Follower<'a> {
    pub fn new(watch: &'a mut dyn Watch, stop: &'a AtomicBool) -> Follower<'a> {
        Follower { watch, stop, ended: false }
    }

    /// Tells where the run stands; whether it is to end at once.
    pub fn progress(&mut self, progress: EpochProgress) -> bool {
        self.ended |= self.watch.progress(progress).is_break();
        self.is_over()
    }

    /// Tells of an epoch; whether the run is to end behind it.
    pub fn epoch(&mut self, report: &EpochReport) -> bool {
        self.watch.epoch(report).is_break()
    }

    /// Whether the run is to end at once.
    pub fn is_over(&self) -> bool {
        self.ended || self.stop.load(Relaxed)
    }
}
