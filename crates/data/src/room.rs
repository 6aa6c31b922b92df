//! Memory for many numbers, all 0.
//!
//! A program gets new memory page by page, as it first writes to each: at 4 KB a page that took a third of the time in which a matrix became
//! rows. So much memory is asked for in huge pages, of 2 MB on Linux; where the system has none, its pages are what they are.

use bytemuck::Pod;
use memmap2::MmapMut;
use std::ops::Deref;

/// Numbers of fewer bytes are not worth huge pages.
const MUCH: usize = 1 << 20;
/// The bytes of a huge page. Linux puts memory of whole ones where they begin.
const PAGE: usize = 2 << 20;

/// Numbers in memory of their own.
pub(crate) enum Room<T> {
    Little(Vec<T>),
    Much(MmapMut, usize),
}

impl<T: Pod> Room<T> {
    /// So many, all 0.
    pub fn new(count: usize) -> Room<T> {
        let bytes = count.saturating_mul(size_of::<T>());
        match if bytes < MUCH { None } else { MmapMut::map_anon(bytes.next_multiple_of(PAGE)).ok() } {
            Some(map) => {
                #[cfg(target_os = "linux")]
                let _ = map.advise(memmap2::Advice::HugePage); // refused where the system has none
                Room::Much(map, count)
            }
            None => Room::Little(vec![T::zeroed(); count]),
        }
    }
}

impl<T: Pod> AsMut<[T]> for Room<T> {
    #[inline]
    fn as_mut(&mut self) -> &mut [T] {
        match self {
            Room::Little(numbers) => numbers,
            Room::Much(map, count) => &mut bytemuck::cast_slice_mut(map)[..*count],
        }
    }
}

impl<T: Pod> Deref for Room<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Room::Little(numbers) => numbers,
            Room::Much(map, count) => &bytemuck::cast_slice(map)[..*count],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_zero_and_keep_what_is_put() {
        for count in [0, 1, 1000, MUCH / 4 - 1, MUCH / 4, MUCH / 4 + 1, 3_000_001] {
            let mut room = Room::<u32>::new(count);
            assert!(room.len() == count && room.iter().all(|&number| number == 0));
            assert_eq!(matches!(room, Room::Much(..)), count >= MUCH / 4);
            (0..).zip(room.as_mut()).for_each(|(i, number)| *number = i);
            assert!(room.iter().copied().eq(0..count as u32));
        }
    }
}
