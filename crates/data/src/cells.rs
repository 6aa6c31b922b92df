//! Numbers that many threads read at once, wherever they lie: in a mapped file, in memory of our own, or in memory that was lent.
//!
//! They are handed out as relaxed atomics only. A mapped file may be changed by another process at any time: numbers that change are merely
//! odd numbers then, where a `&[u32]` would be undefined behaviour.
//!
//! Memory is lent for good: its owner moves in here, hands out its numbers once by `AsMut`, and is not looked at again until it is dropped.
//! So the atomics have the memory to themselves, and whatever is done with them is sound. `AsRef` would not do: a caller may store into an
//! atomic, and memory that is shared for reading must not be written. Whoever has only that copies it (`Rows::from_csr` does).
#![allow(unsafe_code)]

use crate::map::Map;
use std::{
    any::Any,
    fmt::{Debug, Formatter},
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, AtomicU32, AtomicU64},
    },
};

mod sealed {
    pub trait Sealed {}
}

/// A number that [`Cells`] are of.
pub trait Word: Copy + Send + sealed::Sealed + 'static {
    /// The atomic with the bits of one: of its size and alignment, and any bits are a value of it.
    type Atomic: Send + Sync + 'static;
}

macro_rules! words {
    ($($word:ty: $atomic:ty),*) => {$(
        impl sealed::Sealed for $word {}
        impl Word for $word {
            type Atomic = $atomic;
        }
        const _: () = assert!(size_of::<$word>() == size_of::<$atomic>() && align_of::<$word>() == align_of::<$atomic>());
    )*};
}

words! { u16: AtomicU16, u32: AtomicU32, f32: AtomicU32, u64: AtomicU64 }

/// Numbers that are read as relaxed atomics; of an `f32` these have the bits. They keep what holds them alive.
///
/// ```
/// # mod hogwild { pub use hogwild_data as data; }
/// use hogwild::data::Cells;
/// use std::sync::atomic::Ordering::Relaxed;
///
/// let cells = Cells::<u32>::new(vec![7, 8]);
/// assert_eq!((cells.len(), cells[1].load(Relaxed)), (2, 8));
/// ```
pub struct Cells<W: Word> {
    start: *const W::Atomic,
    count: usize,
    /// Holds the memory; nothing looks into it.
    _keeper: Arc<dyn Any + Send + Sync>,
}

/// The same numbers once more: nothing is copied.
impl<W: Word> Clone for Cells<W> {
    fn clone(&self) -> Cells<W> {
        Cells { start: self.start, count: self.count, _keeper: self._keeper.clone() }
    }
}

// SAFETY: all that a shared or moved `Cells` gives access to is atomics, which threads may share; the keeper may be dropped by any thread.
unsafe impl<W: Word> Send for Cells<W> {}
// SAFETY: as above.
unsafe impl<W: Word> Sync for Cells<W> {}

impl<W: Word> Cells<W> {
    /// Of memory that `owner` holds, such as a `Vec`, a boxed slice, or a type of one's own that keeps foreign memory alive. Nothing is
    /// copied. The owner is kept until these are dropped.
    pub fn new(owner: impl AsMut<[W]> + Send + 'static) -> Cells<W> {
        // The lock is never taken: it makes an owner that may be sent one that may be shared.
        let mut keeper = Arc::new(Mutex::new(owner));
        let words = match Arc::get_mut(&mut keeper) {
            Some(owner) => owner.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut(),
            None => unreachable!("nobody else has what was just made"),
        };
        // The borrow that `as_mut` was given is in effect as long as the keeper: nothing borrows the owner again.
        Cells { start: words.as_mut_ptr().cast(), count: words.len(), _keeper: keeper }
    }

    /// `count` numbers from byte `start` of a file; none if they are not all inside and aligned.
    pub(crate) fn mapped(map: &Arc<Map>, start: usize, count: usize) -> Cells<W> {
        match map.address(start, count, size_of::<W>()) {
            Some(address) => Cells { start: address.cast(), count, _keeper: map.clone() },
            None => Cells::new(Vec::new()),
        }
    }
}

impl<W: Word> Deref for Cells<W> {
    type Target = [W::Atomic];

    #[inline(always)]
    fn deref(&self) -> &[W::Atomic] {
        // SAFETY: `start` is aligned and has `count` words (asserted alike for word and atomic) behind it, for as long as the keeper lives,
        // and so as `self`. Of an owner they were borrowed exclusively, and nobody looks at it meanwhile. Of a mapping `address` has
        // checked that they lie inside; it is never handed out but as atomics, and a relaxed load of at most a word is allowed on read-only
        // memory.
        unsafe { std::slice::from_raw_parts(self.start, self.count) }
    }
}

impl<W: Word> Debug for Cells<W> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} cells", self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn an_owner_lives_as_long_as_its_cells() {
        static GONE: AtomicBool = AtomicBool::new(false);
        /// Keeps its numbers in itself, where a move would leave them behind.
        struct Inline([u64; 3]);
        impl AsMut<[u64]> for Inline {
            fn as_mut(&mut self) -> &mut [u64] {
                &mut self.0[1..]
            }
        }
        impl Drop for Inline {
            fn drop(&mut self) {
                GONE.store(true, Relaxed);
            }
        }
        let cells = Cells::<u64>::new(Inline([1, 2, 3]));
        let cells = Box::new(cells);
        let read = std::thread::spawn(move || {
            cells[1].fetch_add(4, Relaxed);
            (cells.iter().map(|cell| cell.load(Relaxed)).sum::<u64>(), GONE.load(Relaxed))
        });
        assert_eq!(read.join().unwrap(), (9, false));
        assert!(GONE.load(Relaxed));
    }

    #[test]
    fn numbers_are_bits() {
        let cells = Cells::<f32>::new(vec![1.5f32, -2.0].into_boxed_slice());
        assert_eq!(cells.iter().map(|cell| f32::from_bits(cell.load(Relaxed))).collect::<Vec<_>>(), [1.5, -2.0]);
        assert!(Cells::<u16>::new(Vec::new()).is_empty());
    }

    #[test]
    #[cfg(unix)]
    fn what_is_cut_off_reads_as_zeros_and_is_told() {
        let file = tempfile::tempfile().unwrap();
        let words = 1 << 18;
        std::os::unix::fs::FileExt::write_all_at(&file, &vec![1; 4 * words], 0).unwrap();
        let [map, other] = [(); 2].map(|()| Arc::new(Map::new(&file).unwrap()));
        let cells = |map: &Arc<Map>| Cells::<u32>::mapped(map, 0, words);
        let sum = |map: &Arc<Map>| cells(map).iter().map(|cell| cell.load(Relaxed) as u64).sum::<u64>();
        assert!(sum(&map) == words as u64 * 0x0101_0101 && !map.is_cut());
        // What does not lie inside, or not as words do, is nothing.
        assert!(Cells::<u32>::mapped(&map, 4, words).is_empty() && Cells::<u32>::mapped(&map, 2, 1).is_empty());
        file.set_len(1 << 16).unwrap();
        assert_eq!(cells(&map)[words / 2].load(Relaxed), 0);
        assert!(map.is_cut() && !other.is_cut());
        assert_eq!(sum(&map), (1 << 14) * 0x0101_0101);
        drop(map);
        assert_eq!(sum(&other), (1 << 14) * 0x0101_0101);
        assert!(other.is_cut());
    }
}
