//! The gate of data larger than memory: workers wait at it until the next group of rows is in memory.
use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

/// What workers pass on their way from group to group. It stands open until a reader shuts it.
///
/// Relaxed: the numbers say what is in memory, and nothing is wrong, only slow, with what is not; who waits looks again under the lock.
pub struct Gate {
    /// The chunks of each group.
    pub groups: Vec<Vec<usize>>,
    /// Where each group ends among the plan's units.
    ends: Vec<usize>,
    /// The first group that is not to be entered.
    pub ready: AtomicUsize,
    /// The last group that a worker is in.
    pub entered: AtomicUsize,
    /// Whether no worker will enter another group.
    pub over: AtomicBool,
    lock: Mutex<()>,
    turn: Condvar,
}

impl Gate {
    /// A gate that stands open; group number `i` ends at unit `ends[i]` of the plan.
    pub fn new(groups: Vec<Vec<usize>>, ends: Vec<usize>) -> Gate {
        let (ready, entered, over, lock, turn) = (usize::MAX.into(), 0.into(), false.into(), Mutex::default(), Condvar::new());
        Gate { groups, ends, ready, entered, over, lock, turn }
    }

    /// Says that there is a reader, for as long as what this gives lives.
    pub fn shut(&self) -> Shut<'_> {
        self.ready.store(0, Relaxed);
        Shut(self)
    }

    /// Waits until the group of this unit, by its number in the plan, is in memory.
    pub fn enter(&self, unit: usize) {
        let group = self.ends.partition_point(|&end| end <= unit);
        if group > self.entered.load(Relaxed) {
            self.set(&self.entered, group);
        }
        if group >= self.ready.load(Relaxed) {
            self.wait(|| group < self.ready.load(Relaxed));
        }
    }

    /// Raises a number, and tells those who wait.
    pub fn set(&self, number: &AtomicUsize, to: usize) {
        let _held = self.held();
        number.fetch_max(to, Relaxed);
        self.turn.notify_all();
    }

    /// Waits for something; at times it is looked for without being told, as a wish to stop is not told here.
    pub fn wait(&self, until: impl Fn() -> bool) {
        let mut held = self.held();
        while !until() {
            held = self.turn.wait_timeout(held, Duration::from_millis(50)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn held(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the gate for good when it is dropped, in whatever way the reader has ended.
pub struct Open<'a>(pub &'a Gate);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.set(&self.0.ready, usize::MAX);
    }
}

/// Lets the reader go when it is dropped.
pub struct Shut<'a>(&'a Gate);

impl Drop for Shut<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Relaxed);
        self.0.set(&self.0.ready, usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_entered_once_it_is_ready() {
        let gate = Gate::new(vec![vec![0], vec![1]], vec![10, 20]);
        gate.enter(15); // no reader: it stands open
        let shut = gate.shut();
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                gate.enter(3);
                gate.enter(12);
                gate.ready.load(Relaxed)
            });
            for ready in 1..=2 {
                std::thread::sleep(Duration::from_millis(20));
                gate.set(&gate.ready, ready);
            }
            assert_eq!(worker.join().unwrap(), 2);
            // Without a reader nobody waits for ever.
            let late = scope.spawn(|| gate.enter(20));
            drop(shut);
            late.join().unwrap();
        });
    }

    #[test]
    fn nobody_waits_for_a_reader_that_has_failed() {
        let gate = Gate::new(vec![vec![0], vec![1]], vec![10, 20]);
        let _shut = gate.shut();
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| gate.enter(12));
            let failed = scope.spawn(|| {
                let _open = Open(&gate);
                panic!("as a reader might");
            });
            assert!(failed.join().is_err());
            worker.join().unwrap();
        });
    }
}
