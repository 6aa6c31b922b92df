//! The threads of a run's workers: kept from epoch to epoch, and pinned where that is asked for and cannot harm. Starting and pinning one
//! takes some 70 microseconds, a twentieth of an epoch of imdb_1gram on two threads.
use super::Task;
use core_affinity::CoreId;
use hogwild_base::{
    Error, Result,
    threads::{Pool, nodes},
};
use std::thread;

/// As many threads as the task says; none for one, as the calling thread is that one.
///
/// Each is pinned to a core of its own where the workers are as many as the cores that the process may use, of the task's memory domain. With fewer, two runs at once
/// would be pinned to the same cores while others are idle.
///
/// # Errors
/// When the system refuses so many.
pub(super) fn pool(task: &Task<'_>) -> Result<Option<Pool>> {
    if task.threads == 1 {
        return Ok(None);
    }
    let cores = if task.pin { cores(task.node) } else { Vec::new() };
    let pin = task.threads == cores.len();
    let begin = move |worker: usize| {
        cores.get(worker).copied().filter(|_| pin).map(core_affinity::set_for_current);
    };
    Pool::start(task.threads, begin).map(Some).map_err(|error| Error::BadSetting {
        setting: "threads",
        value: task.threads.to_string(),
        problem: format!("the system refuses so many ({error}); try fewer, or raise the limit of the user's processes (ulimit -u)"),
    })
}

/// The cores that the process may use, of a memory domain or of all.
fn cores(node: Option<usize>) -> Vec<CoreId> {
    let mut cores = core_affinity::get_core_ids().unwrap_or_default();
    if let Some(near) = node.and_then(|node| nodes().get(node)) {
        cores.retain(|core| near.contains(&core.id));
    }
    cores
}

/// Does work on a core of a memory domain, so that memory which is written there for the first time lies near; here, where there is no such
/// core.
pub fn near<T: Send>(node: Option<usize>, work: impl FnOnce() -> T + Send) -> T {
    let Some(core) = node.and_then(|node| cores(Some(node)).first().copied()) else { return work() };
    thread::scope(|scope| {
        let there = scope.spawn(move || {
            core_affinity::set_for_current(core);
            work()
        });
        there.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
