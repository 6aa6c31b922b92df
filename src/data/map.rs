//! The one memory mapping of packed data, handed out as atomic cells only.
//!
//! Another process may write to the file while it is mapped. A `&[u32]` would then be undefined behaviour; relaxed loads
//! of atomics are merely values that change.
#![allow(unsafe_code)]

use std::fs::File;
use std::sync::atomic::{AtomicU32, AtomicU64};

use memmap2::{MmapOptions, MmapRaw};

/// A read-only mapping of a whole file.
#[derive(Debug)]
pub(super) struct Map {
    raw: MmapRaw,
}

impl Map {
    /// Maps all of `file`.
    pub(super) fn new(file: &File) -> std::io::Result<Map> {
        MmapOptions::new().map_raw_read_only(file).map(|raw| Map { raw })
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.raw.len()
    }

    /// Gives the pages of a range back to the system: what is read of them again comes from the file again.
    #[cfg(target_os = "linux")]
    pub(super) fn release(&self, range: std::ops::Range<usize>) {
        let end = range.end.min(self.raw.len());
        if range.start < end {
            // SAFETY: the mapping is shared, of a file, and never written through here: nothing is lost, and the next access reads the
            // file anew. What it reads may have changed, which atomic cells allow.
            let done = unsafe { self.raw.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, end - range.start) };
            let _ = done; // advice: where it is not taken, the system finds other pages to drop
        }
    }

    /// The address of `count` cells of `size` bytes at byte `start`, if they are inside and aligned.
    #[inline]
    fn place(&self, start: usize, count: usize, size: usize) -> Option<*const u8> {
        let end = count.checked_mul(size)?.checked_add(start)?;
        // The mapping itself is aligned to a page, so alignment within the file is alignment in memory.
        (end <= self.raw.len() && start.is_multiple_of(size)).then(|| self.raw.as_ptr().wrapping_add(start))
    }

    /// `count` 4-byte cells from byte `start`; empty if they are not all inside and aligned.
    #[inline]
    pub(super) fn cells32(&self, start: usize, count: usize) -> &[AtomicU32] {
        match self.place(start, count, 4) {
            // SAFETY: `place` has checked that the cells lie inside the mapping and are aligned to their size; the mapping
            // lives as long as `self`, is never handed out as anything but atomics, and is never written through here: a
            // relaxed load of at most a word is allowed on read-only memory.
            Some(address) => unsafe { std::slice::from_raw_parts(address.cast(), count) },
            None => &[],
        }
    }

    /// `count` 8-byte cells from byte `start`; empty if they are not all inside and aligned.
    #[inline]
    pub(super) fn cells64(&self, start: usize, count: usize) -> &[AtomicU64] {
        match self.place(start, count, 8) {
            // SAFETY: as in `cells32`; all supported systems have 64-bit words.
            Some(address) => unsafe { std::slice::from_raw_parts(address.cast(), count) },
            None => &[],
        }
    }
}
