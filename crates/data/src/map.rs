//! The memory mapping of a packed file, read as atomic cells only (see `cells.rs`): another process may write to the file meanwhile.
//!
//! Nor should it cut the file short: what is read behind the end raises SIGBUS, which would end the program. While a file is mapped, the
//! signal puts zeros there instead and marks the mapping, for its owner to see that what was read since is nothing.
#![allow(unsafe_code)]

use std::fs::File;

use memmap2::{MmapOptions, MmapRaw};

/// A read-only mapping of a whole file.
#[derive(Debug)]
pub(crate) struct Map {
    // Before the mapping, so that it is dropped first: another may have the address then.
    #[cfg(unix)]
    guard: guard::Guard,
    raw: MmapRaw,
}

impl Map {
    /// Maps all of `file`.
    pub fn new(file: &File) -> std::io::Result<Map> {
        let raw = MmapOptions::new().map_raw_read_only(file)?;
        Ok(Map {
            #[cfg(unix)]
            guard: guard::Guard::new(raw.as_ptr() as usize, raw.len()),
            raw,
        })
    }

    /// Whether something could not be read, and is zeros.
    pub fn is_cut(&self) -> bool {
        #[cfg(unix)]
        return self.guard.is_hit();
        #[cfg(not(unix))]
        false
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Gives the pages of a range back to the system: what is read of them again comes from the file again.
    #[cfg(target_os = "linux")]
    pub fn release(&self, range: std::ops::Range<usize>) {
        let end = range.end.min(self.raw.len());
        if range.start < end {
            // SAFETY: the mapping is shared, of a file, and never written through here: nothing is lost, and the next access reads the
            // file anew. What it reads may have changed, which atomic cells allow.
            let done = unsafe { self.raw.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, range.start, end - range.start) };
            let _ = done; // advice: where it is not taken, the system finds other pages to drop
        }
    }

    /// The address of `count` cells of `size` bytes at byte `start`, if they are inside and aligned.
    pub fn address(&self, start: usize, count: usize, size: usize) -> Option<*const u8> {
        let end = count.checked_mul(size)?.checked_add(start)?;
        // The mapping itself is aligned to a page, so alignment within the file is alignment in memory.
        (end <= self.raw.len() && start.is_multiple_of(size)).then(|| self.raw.as_ptr().wrapping_add(start))
    }
}

/// The signal that reading behind the end of a mapped file raises.
#[cfg(unix)]
mod guard {
    use std::{
        ops::Range,
        ptr::null_mut,
        sync::{
            Once, OnceLock,
            atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        },
    };

    /// A mapping that is watched: its first address and its end, in whole pages; 0 and 1 as a start: none, and one that is being entered.
    struct Slot {
        /// How many mappings have been entered.
        uses: AtomicUsize,
        start: AtomicUsize,
        end: AtomicUsize,
        hit: AtomicBool,
    }

    // Memory ordering: all is SeqCst, so there is one order of all accesses to a slot, and threads are seen to do theirs in the order of
    // the text. A use goes: `start` from FREE to TAKEN, by one thread alone; `uses` one more; `end`; `start`; FREE. Where `range` finds the
    // same `uses` before and after, all it read lies after the beginning of one use and before that of the next: `start` is that use's, or
    // says that there is none, and `end`, stored before it and again only in the next use, belongs to it. To read `start` twice instead
    // would not do: mappings get the same address again.
    impl Slot {
        const fn new() -> Slot {
            Slot { uses: AtomicUsize::new(0), start: AtomicUsize::new(FREE), end: AtomicUsize::new(0), hit: AtomicBool::new(false) }
        }

        /// Enters a mapping; false: the slot is taken.
        fn enter(&self, start: usize, end: usize) -> bool {
            let free = self.start.compare_exchange(FREE, TAKEN, SeqCst, SeqCst).is_ok();
            if free {
                self.uses.fetch_add(1, SeqCst);
                self.hit.store(false, SeqCst);
                self.end.store(end, SeqCst);
                self.start.store(start, SeqCst);
            }
            free
        }

        fn leave(&self) {
            self.start.store(FREE, SeqCst);
        }

        /// Where the mapping is. None: there is none, or it is just being changed, and so not the one that the asking thread reads.
        fn range(&self) -> Option<Range<usize>> {
            self.range_while(|| ())
        }

        /// The same, with something that happens between the two loads: for a test.
        fn range_while(&self, happens: impl FnOnce()) -> Option<Range<usize>> {
            let uses = self.uses.load(SeqCst);
            let start = self.start.load(SeqCst);
            happens();
            let end = self.end.load(SeqCst);
            (start > TAKEN && self.uses.load(SeqCst) == uses).then_some(start..end)
        }
    }

    const FREE: usize = 0;
    const TAKEN: usize = 1;
    static SLOTS: [Slot; 256] = [const { Slot::new() }; 256];
    static PAGE: AtomicUsize = AtomicUsize::new(4096);
    static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

    /// Watches a mapping for as long as it lives. None where there are too many, or no handler could be set: then the signal is what it
    /// was.
    #[derive(Debug)]
    pub(super) struct Guard(Option<usize>);

    impl Guard {
        pub fn new(start: usize, length: usize) -> Guard {
            static HANDLER: Once = Once::new();
            HANDLER.call_once(install);
            let end = (start + length).next_multiple_of(PAGE.load(SeqCst));
            Guard(SLOTS.iter().position(|slot| slot.enter(start, end)))
        }

        fn slot(&self) -> Option<&'static Slot> {
            self.0.and_then(|slot| SLOTS.get(slot))
        }

        pub fn is_hit(&self) -> bool {
            self.slot().is_some_and(|slot| slot.hit.load(SeqCst))
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            self.slot().into_iter().for_each(Slot::leave);
        }
    }

    fn install() {
        // SAFETY: sysconf has no preconditions; sigaction is given valid places or null, and an all-zero `sigaction` is a valid one. The
        // handler does only what a signal handler may: atomic loads and stores, and system calls.
        unsafe {
            let page = libc::sysconf(libc::_SC_PAGESIZE);
            PAGE.store(usize::try_from(page).unwrap_or(4096).max(1), SeqCst);
            let mut before: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGBUS, null_mut(), &mut before) != 0 || BEFORE.set(before).is_err() {
                return;
            }
            let mut action: libc::sigaction = std::mem::zeroed();
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = bus_error;
            action.sa_sigaction = handler as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
            libc::sigemptyset(&mut action.sa_mask);
            libc::sigaction(libc::SIGBUS, &action, null_mut());
        }
    }

    extern "C" fn bus_error(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
        // SAFETY: the system hands a handler with SA_SIGINFO a valid `siginfo_t`, which has an address for this signal unless a process
        // sent it.
        let (sent, address) = unsafe { ((*info).si_code <= 0, (*info).si_addr() as usize) };
        for slot in SLOTS.iter().filter(|_| !sent) {
            let Some(Range { end, .. }) = slot.range().filter(|range| range.contains(&address)) else { continue };
            // All behind it is gone as well, and many small pieces would be more than the system allows.
            let from = address & !(PAGE.load(SeqCst) - 1);
            let (access, kind) = (libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED);
            // SAFETY: the range is a part of a mapping of ours, from a page's beginning to the mapping's end, which lives as long as its
            // slot is taken; it is only ever read, as atomic cells whose values may change. It goes with the rest when that is unmapped.
            let zeros = unsafe { libc::mmap(from as *mut libc::c_void, end - from, access, kind, -1, 0) };
            if zeros != libc::MAP_FAILED {
                slot.hit.store(true, SeqCst);
                return;
            }
        }
        // Not ours: what was there before is to see it, now or as soon as the instruction is tried again.
        // SAFETY: a valid action, as the system gave it; raising is allowed in a handler, and the signal waits until this one returns.
        unsafe {
            if let Some(before) = BEFORE.get() {
                libc::sigaction(signal, before, null_mut());
            }
            if sent {
                libc::raise(signal);
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_slot_that_is_used_again_is_never_read_by_halves() {
            let slot = Slot::new();
            assert!(slot.range().is_none() && slot.enter(4096, 8192) && !slot.enter(8192, 9000));
            assert_eq!((slot.range(), slot.range_while(|| ())), (Some(4096..8192), Some(4096..8192)));
            // Another mapping, and another at the same address.
            for (start, end) in [(1 << 21, 1 << 22), (1 << 21, 1 << 23)] {
                let again = || {
                    slot.leave();
                    assert!(slot.enter(start, end));
                };
                assert_eq!((slot.range_while(again), slot.range()), (None, Some(start..end)));
            }
            slot.leave();
            assert!(slot.range().is_none());
        }
    }
}
