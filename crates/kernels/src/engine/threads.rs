//! The threads of a run's workers: kept from epoch to epoch, and pinned where that is asked for and cannot harm. Starting and pinning one
//! takes some 70 microseconds, a twentieth of an epoch of imdb_1gram on two threads.
use super::Task;
use hogwild_base::{Error, Result, threads::Pool};

/// As many threads as the task says; none for one, as the calling thread is that one.
///
/// Each is pinned to a core of its own where the workers are as many as the cores that the process may use. With fewer, two runs at once
/// would be pinned to the same cores while others are idle.
///
/// # Errors
/// When the system refuses so many.
pub(super) fn pool(task: &Task<'_>) -> Result<Option<Pool>> {
    if task.threads == 1 {
        return Ok(None);
    }
    let cores = if task.pin { core_affinity::get_core_ids().unwrap_or_default() } else { Vec::new() };
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
