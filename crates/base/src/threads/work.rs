//! Work for the threads of a call. Each function has two ways, one for the calling thread alone, with one result.
use super::{AtHand, at_hand};
use rayon::prelude::*;
use std::cmp::Ordering;

/// Items that one thread sorts before others are started.
const FEW: usize = 1 << 12;

impl AtHand {
    /// None: this thread is one of them.
    fn pool(&self) -> Option<&rayon::ThreadPool> {
        if let AtHand::Pool(pool) = self { pool.threads() } else { None }
    }

    /// Does work in which rayon shares by these threads.
    fn share<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self.pool() {
            Some(threads) => threads.install(work),
            None => work(),
        }
    }
}

/// What `work` makes of the numbers below `count`, in their order.
pub fn map<R: Send>(count: usize, work: impl Fn(usize) -> R + Sync) -> Vec<R> {
    map_with(count, || (), |(), i| work(i))
}

/// As [`map`], with room that is used again from one number to another; what it holds must not matter.
pub fn map_with<S, R: Send>(count: usize, room: impl Fn() -> S + Sync, work: impl Fn(&mut S, usize) -> R + Sync) -> Vec<R> {
    match if count > 1 { at_hand() } else { None } {
        Some(threads) => threads.share(|| (0..count).into_par_iter().map_init(&room, |room, i| work(room, i)).collect()),
        None => {
            let mut room = room();
            (0..count).map(|i| work(&mut room, i)).collect()
        }
    }
}

/// Does `work` on each item, with room as for [`map_with`], one item at a time.
///
/// # Errors
/// One of those that the work met; what was not begun by then is left.
pub fn each<T: Send, S, E: Send>(
    items: Vec<T>,
    room: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    match if items.len() > 1 { at_hand() } else { None } {
        Some(threads) => threads.share(|| items.into_par_iter().with_max_len(1).try_for_each_init(&room, |room, item| work(room, item))),
        None => {
            let mut room = room();
            items.into_iter().try_for_each(|item| work(&mut room, item))
        }
    }
}

/// Has every thread do the same work, which divides itself.
pub fn everywhere(work: &(dyn Fn() + Sync)) {
    match at_hand() {
        Some(threads) => threads.share(|| {
            rayon::scope(|scope| (0..rayon::current_num_threads()).for_each(|_| scope.spawn(|_| work())));
        }),
        None => work(),
    }
}

/// Does one thing, while the calling thread does another; alone, the other first.
pub fn beside<R>(work: impl FnOnce() + Send, meanwhile: impl FnOnce() -> R) -> R {
    match at_hand().as_ref().and_then(AtHand::pool) {
        Some(threads) => threads.in_place_scope(|scope| {
            scope.spawn(|_| work());
            meanwhile()
        }),
        None => {
            let done = meanwhile();
            work();
            done
        }
    }
}

/// Does two things.
pub fn join<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    match at_hand() {
        Some(threads) => threads.share(|| rayon::join(one, other)),
        None => (one(), other()),
    }
}

/// Sorts; equal items are to be alike, as they may change places.
pub fn sort_unstable_by<T: Send>(items: &mut [T], order: impl Fn(&T, &T) -> Ordering + Sync) {
    match if items.len() > FEW { at_hand() } else { None } {
        Some(threads) => threads.share(|| items.par_sort_unstable_by(|a, b| order(a, b))),
        None => items.sort_unstable_by(order),
    }
}

/// Sorts by a key; items of equal keys keep their order.
pub fn sort_by_key<T: Send, K: Ord>(items: &mut [T], key: impl Fn(&T) -> K + Sync) {
    match if items.len() > FEW { at_hand() } else { None } {
        Some(threads) => threads.share(|| items.par_sort_by_key(|item| key(item))),
        None => items.sort_by_key(key),
    }
}
