//! Memory for the rows that are kept between the two passes: one mapping, of which each piece takes what it needs from the front.
//!
//! It lies in large pages where the system has them. Taken page by page as pieces come, the system's work for it was a twentieth of packing.
//! It is given back as a whole, when packing ends: a piece that is changed between the passes stays in its place if it is not longer.

use crate::zeroed::in_huge_pages;
use memmap2::MmapMut;
use std::sync::{Mutex, PoisonError};

/// Memory that is there once it is written to.
pub(super) struct Room {
    /// None where the system refuses it: then nothing is kept.
    map: Option<MmapMut>,
}

/// What nobody has taken.
pub(super) struct Free<'a>(Mutex<&'a mut [u32]>);

impl Room {
    /// Of so many bytes.
    pub(super) fn new(bytes: u64) -> Room {
        Room { map: usize::try_from(bytes).ok().and_then(in_huge_pages) }
    }

    /// All of it.
    pub(super) fn free(&mut self) -> Free<'_> {
        Free(Mutex::new(self.map.as_deref_mut().map_or(&mut [], bytemuck::cast_slice_mut)))
    }
}

impl<'a> Free<'a> {
    /// Puts words there, one part behind the other, if there is room for all.
    pub(super) fn put(&self, parts: &[&[u32]]) -> Option<&'a mut [u32]> {
        let room = self.take(parts.iter().map(|part| part.len()).sum())?;
        let mut left = &mut *room;
        for part in parts {
            let (own, behind) = left.split_at_mut(part.len());
            own.copy_from_slice(part);
            left = behind;
        }
        Some(room)
    }

    /// Takes so many words, if they are left.
    fn take(&self, words: usize) -> Option<&'a mut [u32]> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if words > left.len() {
            return None;
        }
        let (taken, rest) = std::mem::take(&mut *left).split_at_mut(words);
        *left = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_once_until_there_is_no_more() {
        let mut room = Room::new(400);
        let free = room.free();
        let (first, second) = (free.take(60).unwrap(), free.take(30).unwrap());
        (first[59], second[0]) = (1, 2);
        assert!(free.take(11).is_none());
        // What is too much for one is there for another.
        assert_eq!((free.take(10).unwrap(), free.take(1), first[59], second[0]), (&mut [0; 10][..], None, 1, 2));
        assert!(room.free().put(&[&[5, 6], &[], &[7]]).is_some_and(|words| *words == [5, 6, 7]));
        assert!(Room { map: None }.free().take(1).is_none());
    }
}
