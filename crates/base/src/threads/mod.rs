//! How many threads a call may use, and work for them.
//!
//! [`Threads::run`] is around a call; what has work to share within it goes by the functions here, and so uses the threads of the call that
//! it is in. One thread is the calling thread: none is started, and each function does its work there, to the same result. Several are
//! started where there is work for them, and end with the [`Threads`]. Nothing is global: two calls do not share threads, and a process
//! may fork between calls.
//!
//! Where the system refuses threads, there are fewer, and the results are the same.
mod nodes;
mod pool;
mod work;

pub use nodes::nodes;
pub use pool::Pool;
pub use work::{beside, each, everywhere, join, map, map_with, sort_by_key, sort_unstable_by};

use std::{
    cell::RefCell,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

thread_local! {
    /// The threads of the call that this thread is in.
    static CALL: RefCell<Option<Threads>> = const { RefCell::new(None) };
}

/// How many threads a call may use.
///
/// Clones share their threads. These are started at the first use, and again in a forked process, which has none of its parent's.
///
/// ```
/// use hogwild_base::{Threads, threads};
///
/// let squares = Threads::new(2).run(|| threads::map(5, |i| i * i));
/// assert_eq!(squares, [0, 1, 4, 9, 16]);
/// ```
#[derive(Clone, Debug)]
pub struct Threads {
    count: usize,
    started: Arc<Mutex<Option<Arc<Pool>>>>,
}

impl Threads {
    /// So many, at least one.
    pub fn new(count: usize) -> Threads {
        Threads { count: count.max(1), started: Arc::default() }
    }

    /// As many as the process has cores.
    pub fn all() -> Threads {
        Threads::new(thread::available_parallelism().map_or(1, |cores| cores.get()))
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Does work that may use these threads, and no others.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Puts back what the thread was in before, however the work ends.
        struct Before(Option<Threads>);
        impl Drop for Before {
            fn drop(&mut self) {
                CALL.replace(self.0.take());
            }
        }
        let _before = Before(CALL.replace(Some(self.clone())));
        work()
    }

    /// Those that run. None: the calling thread is alone.
    fn pool(&self) -> Option<Arc<Pool>> {
        if self.count == 1 {
            return None;
        }
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if !started.as_ref().is_some_and(|pool| pool.is_of_this_process()) {
            *started = Pool::of_at_most(self.count).map(Arc::new);
        }
        started.clone()
    }
}

impl Default for Threads {
    fn default() -> Threads {
        Threads::all()
    }
}

/// Does work with the threads of the call that it is in; where it is in none, with all cores.
pub fn in_call<T>(work: impl FnOnce() -> T) -> T {
    if is_in_call() { work() } else { Threads::all().run(work) }
}

/// Does work with so many threads: those of the call that it is in, if these are as many.
pub fn with<T>(count: usize, work: impl FnOnce() -> T) -> T {
    if CALL.with_borrow(|call| call.as_ref().is_some_and(|threads| threads.count == count)) {
        work()
    } else {
        Threads::new(count).run(work)
    }
}

fn is_in_call() -> bool {
    CALL.with_borrow(Option::is_some) || rayon::current_thread_index().is_some()
}

/// The number of this thread in its [`Pool`]; 0 of a thread in none.
pub fn number() -> usize {
    rayon::current_thread_index().unwrap_or(0)
}

/// How many threads work is shared by here.
pub fn count() -> usize {
    match at_hand() {
        None => 1,
        Some(AtHand::Here) => rayon::current_num_threads(),
        Some(AtHand::Pool(pool)) => pool.count(),
    }
}

/// Threads to share work by.
enum AtHand {
    /// This thread is one of several already.
    Here,
    Pool(Arc<Pool>),
}

/// None: the calling thread is alone.
fn at_hand() -> Option<AtHand> {
    match CALL.with_borrow(Clone::clone) {
        Some(threads) => threads.pool().map(AtHand::Pool),
        None => rayon::current_thread_index().map(|_| AtHand::Here),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    /// All functions, on 1,000 numbers.
    #[allow(clippy::type_complexity)]
    fn results() -> (Vec<usize>, Vec<u64>, Vec<u64>, (u64, u64), Result<(), usize>) {
        let odd = |i: usize| (i * 7919 % 1000) as u64;
        let numbers = map_with(1000, Vec::new, |seen: &mut Vec<usize>, i| {
            seen.push(i);
            3 * i + usize::from(seen.is_empty())
        });
        let (mut sorted, mut by_key): (Vec<u64>, Vec<u64>) = (0..10_000).map(|i| (odd(i), odd(i))).unzip();
        sort_unstable_by(&mut sorted, u64::cmp);
        sort_by_key(&mut by_key, |x| x / 100);
        let sums = join(|| sorted.iter().sum(), || by_key.iter().max().copied().unwrap_or(0));
        let failed = each((0..1000).collect(), || (), |(), i: usize| if i == 999 { Err(i) } else { Ok(()) });
        (numbers, sorted, by_key, sums, failed)
    }

    #[test]
    fn results_are_the_same_on_any_number_of_threads() {
        let alone = results();
        assert!(alone.1.is_sorted() && alone.4 == Err(999) && alone.0[999] == 2997);
        for count in [1, 2, 5] {
            assert!(Threads::new(count).run(results) == alone, "{count}");
        }
    }

    #[test]
    fn a_call_uses_its_own_threads() {
        assert_eq!(count(), 1);
        let (three, two) = (Threads::new(3), Threads::new(2));
        three.run(|| {
            assert_eq!(count(), 3);
            assert_eq!(two.run(count), 2);
            assert_eq!(with(1, count), 1);
            assert_eq!(map(4, |_| count()), [3; 4]);
            assert_eq!(in_call(count), 3);
        });
        assert_eq!((count(), in_call(count)), (1, Threads::all().count()));
        let calls = AtomicUsize::new(0);
        three.run(|| everywhere(&|| assert!(calls.fetch_add(1, Relaxed) < 3)));
        assert_eq!(calls.load(Relaxed), 3);
    }

    #[test]
    fn one_thread_is_the_calling_one() {
        let here = thread::current().id();
        Threads::new(1).run(|| {
            assert!(map(100, |_| thread::current().id()).iter().all(|&id| id == here));
            everywhere(&|| assert_eq!(thread::current().id(), here));
            assert_eq!(beside(|| assert_eq!(thread::current().id(), here), || 7), 7);
        });
    }

    #[test]
    fn a_panic_leaves_the_call() {
        let panics = || Threads::new(2).run(|| drop(map(2, |i| assert_eq!(i, 0, "on purpose"))));
        assert!(std::panic::catch_unwind(panics).is_err());
        assert_eq!(count(), 1);
    }

    /// Ended threads are waited for, so that a process may fork right behind a call.
    #[cfg(target_os = "linux")]
    #[test]
    fn threads_end_with_their_owner() {
        let running = |name: &std::path::Path| std::fs::read_to_string(name.join("status")).is_ok();
        let threads = Threads::new(3);
        let own =
            |_| std::path::PathBuf::from("/proc/self/task").join(std::fs::read_link("/proc/thread-self").unwrap().file_name().unwrap());
        let tasks = threads.run(|| map(100, own));
        assert!(tasks.iter().all(|task| running(task)));
        drop(threads);
        // One that was waited for is listed a moment longer.
        let soon = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while tasks.iter().any(|task| running(task)) {
            assert!(std::time::Instant::now() < soon, "they run on");
            thread::yield_now();
        }
    }
}
