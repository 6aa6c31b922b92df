//! Memory for many numbers, all 0.
//!
//! A program gets new memory page by page, as it first writes to each: at 4 KB a page that took a third of the time in which a matrix became
//! rows. So much memory is asked for in huge pages, of 2 MB on Linux; where the system has none, its pages are what they are.

use bytemuck::Pod;
use memmap2::MmapMut;
use std::ops::Deref;

/// The bytes of a huge page. Linux puts a mapping of whole ones where one begins; others it may put anywhere.
const PAGE: usize = 2 << 20;

/// Memory of so many bytes at least, all 0, that is there once it is written to; none where the system refuses it.
///
/// What does not fill a huge page is in small ones: to write to a huge one makes all of it be there, up to 2 MB that nobody asked for.
pub(crate) fn in_huge_pages(bytes: usize) -> Option<MmapMut> {
    let whole = bytes / PAGE * PAGE;
    let map = MmapMut::map_anon(if whole == 0 { bytes } else { bytes.checked_next_multiple_of(PAGE)? }).ok()?;
    #[cfg(target_os = "linux")]
    {
        // Refused where the system has none.
        let _ = map.advise_range(memmap2::Advice::HugePage, 0, whole);
        let _ = map.advise_range(memmap2::Advice::NoHugePage, whole, map.len() - whole);
    }
    Some(map)
}

/// Numbers in memory of their own, 0 until others are put there.
pub(crate) enum Zeroed<T> {
    Little(Vec<T>),
    Much(MmapMut, usize),
}

impl<T: Pod> Zeroed<T> {
    /// So many.
    pub fn new(count: usize) -> Zeroed<T> {
        let bytes = count.saturating_mul(size_of::<T>());
        match if bytes < PAGE { None } else { in_huge_pages(bytes) } {
            Some(map) => Zeroed::Much(map, count),
            None => Zeroed::Little(vec![T::zeroed(); count]),
        }
    }
}

impl<T: Pod> AsMut<[T]> for Zeroed<T> {
    #[inline]
    fn as_mut(&mut self) -> &mut [T] {
        match self {
            Zeroed::Little(numbers) => numbers,
            Zeroed::Much(map, count) => &mut bytemuck::cast_slice_mut(map)[..*count],
        }
    }
}

impl<T: Pod> Deref for Zeroed<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Zeroed::Little(numbers) => numbers,
            Zeroed::Much(map, count) => &bytemuck::cast_slice(map)[..*count],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_zero_and_keep_what_is_put() {
        for count in [0, 1, 1000, PAGE / 4 - 1, PAGE / 4, PAGE / 4 + 1, 3_000_001] {
            let mut zeroed = Zeroed::<u32>::new(count);
            assert!(zeroed.len() == count && zeroed.iter().all(|&number| number == 0));
            assert_eq!(matches!(zeroed, Zeroed::Much(..)), count >= PAGE / 4);
            (0..).zip(zeroed.as_mut()).for_each(|(i, number)| *number = i);
            assert!(zeroed.iter().copied().eq(0..count as u32));
        }
    }

    #[test]
    fn as_many_bytes_as_are_asked_for() {
        for bytes in [1, 4095, 4097, PAGE - 1, PAGE, PAGE + 1, 5_000_000] {
            let mut map = in_huge_pages(bytes).unwrap();
            assert!(map.len() == bytes || bytes > PAGE && map.len() == bytes.next_multiple_of(PAGE));
            assert_eq!(std::mem::replace(&mut map[bytes - 1], 1), 0);
        }
        assert!(in_huge_pages(usize::MAX).is_none());
    }
}
