//! The threads of a run: pinned, and kept from epoch to epoch. Starting and pinning one takes some 70 microseconds, a twentieth of an epoch
//! of imdb_1gram on two threads.
use super::Task;
use hogwild_base::{Error, Result};

/// As many threads as the task says, each pinned to a core of its own where there are as many cores.
///
/// # Errors
/// When the system refuses so many.
pub(super) fn pool(task: &Task<'_>) -> Result<rayon::ThreadPool> {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let pin = task.pin && task.threads <= cores.len();
    rayon::ThreadPoolBuilder::new()
        .num_threads(task.threads)
        .start_handler(move |worker| {
            cores.get(worker).copied().filter(|_| pin).map(core_affinity::set_for_current);
        })
        .build()
        .map_err(|error| match task.threads {
            1 => Error::Threads { source: std::io::Error::other(error) },
            threads => Error::BadSetting {
                setting: "threads",
                value: threads.to_string(),
                problem: format!("the system refuses so many ({error}); try fewer, or raise the limit of the user's processes (ulimit -u)"),
            },
        })
}
