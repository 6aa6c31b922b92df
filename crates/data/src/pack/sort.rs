//! Sorts a row's cells by column.
//!
//! Columns are at random among the ranks, so that comparisons are mispredicted where a branch hangs on them. Rows are sorted without one: by
//! vectors (`crate::vectors`) where the processor has them, of keys that are a column and its place. Elsewhere, and where keys would be beyond
//! 32 bits, the place of a column of a short row is how many others are below it. Long rows are sorted digit by digit.

use crate::vectors::{LINE, NONE, Sort};

/// Cells of a row that is sorted by vectors, at most.
const VECTORS: usize = 1 << 12;
/// Rows up to this are sorted by counting.
const SHORT: usize = 64;
/// Rows shorter than this are not sorted digit by digit.
const LONG: usize = 96;

/// The place of each column in their order; none where two are equal, or where they are many.
#[inline(always)]
fn places(columns: &[u32]) -> Option<[u8; SHORT]> {
    const LANES: usize = 8;
    let count = columns.len();
    let (mut keys, mut places) = ([i32::MAX; SHORT], [0; SHORT]);
    let own = keys.get_mut(..count)?;
    // As signed numbers, which all processors compare, in the same order.
    own.iter_mut().zip(columns).for_each(|(key, &column)| *key = (column ^ 1 << 31) as i32);
    let blocks = keys.as_chunks::<LANES>().0.iter().zip(places.as_chunks_mut::<LANES>().0);
    for (block, places) in blocks.take(count.div_ceil(LANES)) {
        let mut below = [0i32; LANES];
        for &other in keys.iter().take(count) {
            for lane in 0..LANES {
                below[lane] += i32::from(other < block[lane]);
            }
        }
        for lane in 0..LANES {
            places[lane] = below[lane] as u8;
        }
    }
    let taken = places.iter().take(count).fold(0u64, |taken, place| taken | 1 << (place & 63));
    (taken.count_ones() as usize == count).then_some(places)
}

/// Sorts rows; all ways give the same. Equal columns keep their order.
pub(crate) struct RowSorter {
    sort: Option<Sort>,
    /// Bits of a column, at most.
    bits: u32,
    places: Vec<u32>,
    keys: Vec<u32>,
    pairs: Vec<u64>,
    buffer: Vec<u64>,
    /// Values of a row, as they come.
    before: Vec<u32>,
}

impl RowSorter {
    /// Of rows whose columns have so many bits at most.
    pub fn new(bits: u32) -> RowSorter {
        RowSorter::by(Sort::best(), bits)
    }

    /// The same by vectors, or without any.
    pub fn by(sort: Option<Sort>, bits: u32) -> RowSorter {
        RowSorter { sort, bits, places: Vec::new(), keys: Vec::new(), pairs: Vec::new(), buffer: Vec::new(), before: Vec::new() }
    }

    /// Sorts columns.
    #[inline]
    pub fn sort(&mut self, columns: &mut [u32]) {
        match self.sort {
            Some(sort) if columns.len() <= VECTORS => {
                self.make_room(columns.len());
                let keys = &mut self.keys[..columns.len().next_multiple_of(LINE)];
                keys[..columns.len()].copy_from_slice(columns);
                keys[columns.len()..].fill(NONE);
                sort.keys(keys);
                columns.copy_from_slice(&keys[..columns.len()]);
            }
            _ => match places(columns) {
                Some(places) => {
                    let mut sorted = [0; SHORT];
                    columns.iter().zip(places).for_each(|(&column, place)| sorted[usize::from(place) % SHORT] = column);
                    columns.iter_mut().zip(sorted).for_each(|(column, sorted)| *column = sorted);
                }
                None => columns.sort_unstable(),
            },
        }
    }

    /// Sorts columns, each of which takes its value along.
    pub fn sort_with_values(&mut self, columns: &mut [u32], values: &mut [u32]) {
        let mut before = std::mem::take(&mut self.before);
        before.clear();
        before.extend_from_slice(values);
        let (places, _) = self.sort_placed(columns);
        for i in 0..values.len() {
            values[i] = before[places[i] as usize];
        }
        self.before = before;
    }

    /// Sorts columns. Gives where each stood, and whether there are equal ones.
    #[inline]
    pub fn sort_placed(&mut self, columns: &mut [u32]) -> (&[u32], bool) {
        let count = columns.len();
        self.make_room(count);
        let place_bits = usize::BITS - count.saturating_sub(1).leading_zeros();
        let (own, keys) = (&mut self.places[..count], &mut self.keys);
        let equal = match self.sort {
            Some(sort) if count <= VECTORS && self.bits + place_bits <= u32::BITS => sort.placed(columns, own, keys),
            _ => match places(columns) {
                Some(places) => {
                    let (keys, mut i) = (&mut keys[..count], 0);
                    keys.copy_from_slice(columns);
                    for (&column, &place) in keys.iter().zip(&places) {
                        (columns[usize::from(place)], own[usize::from(place)]) = (column, i);
                        i += 1;
                    }
                    false
                }
                None => by_digits(columns, own, [&mut self.pairs, &mut self.buffer], self.bits),
            },
        };
        (own, equal)
    }

    #[inline]
    fn make_room(&mut self, count: usize) {
        if self.places.len() < count {
            self.places.resize(count, 0);
            self.keys.resize(count.min(VECTORS).next_multiple_of(LINE), 0); // long rows have no keys
        }
    }
}

/// Sorts columns of at most `bits` bits, whatever they are, and says where each stood. True: there are equal ones.
#[cold]
fn by_digits(columns: &mut [u32], places: &mut [u32], [pairs, buffer]: [&mut Vec<u64>; 2], bits: u32) -> bool {
    pairs.clear();
    pairs.extend((0..).zip(&*columns).map(|(place, &column)| u64::from(column) << 32 | place));
    sort_pairs(pairs, buffer, bits);
    for (i, &pair) in pairs.iter().enumerate() {
        (columns[i], places[i]) = ((pair >> 32) as u32, pair as u32);
    }
    columns.windows(2).any(|pair| pair[0] == pair[1])
}

/// Sorts cells, each a column in the high half and its place in the low, by columns of at most `bits` bits.
///
/// Long rows are sorted digit by digit, by digits small enough that the counts of all of them stay in the nearest cache and cost little to
/// add up.
fn sort_pairs(pairs: &mut Vec<u64>, buffer: &mut Vec<u64>, bits: u32) {
    if pairs.len() < LONG || pairs.len() > u32::MAX as usize {
        return pairs.sort_unstable();
    }
    let passes = bits.div_ceil(8);
    let width = bits.div_ceil(passes.max(1));
    buffer.clear();
    buffer.resize(pairs.len(), 0);
    for pass in 0..passes {
        let shift = 32 + pass * width;
        let digit = |pair: u64| (pair >> shift) as usize & ((1 << width) - 1);
        let mut places = [0u32; 256];
        for &pair in pairs.iter() {
            places[digit(pair) & 255] += 1;
        }
        let mut begin = 0;
        for place in places.iter_mut().take(1 << width) {
            begin += std::mem::replace(place, begin);
        }
        for &pair in pairs.iter() {
            let place = &mut places[digit(pair) & 255];
            if let Some(cell) = buffer.get_mut(*place as usize) {
                *cell = pair;
            }
            *place += 1;
        }
        std::mem::swap(pairs, buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_of_any_length_as_the_standard_library(seed in any::<u64>(), length in 0usize..140, bits in 3u32..=32) {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 32) as u32 >> (32 - bits)
            };
            for length in [length, 31 * length] {
                let columns: Vec<u32> = (0..length).map(|_| next()).collect();
                let values: Vec<u32> = (0..length).map(|_| next()).collect();
                let mut pairs: Vec<(u32, u32)> = columns.iter().copied().zip(values.iter().copied()).collect();
                pairs.sort_by_key(|pair| pair.0);
                for sort in Sort::all().into_iter().map(Some).chain([None]) {
                    let mut sorter = RowSorter::by(sort, bits);
                    let (mut own, mut alone, mut own_values) = (columns.clone(), columns.clone(), values.clone());
                    sorter.sort_with_values(&mut own, &mut own_values);
                    prop_assert_eq!(&own.iter().copied().zip(own_values).collect::<Vec<_>>(), &pairs);
                    sorter.sort(&mut alone);
                    prop_assert_eq!(alone, own);
                    let mut placed = columns.clone();
                    let (places, equal) = sorter.sort_placed(&mut placed);
                    prop_assert!(places.iter().zip(&pairs).all(|(&place, pair)| columns[place as usize] == pair.0));
                    prop_assert_eq!(equal, pairs.windows(2).any(|pair| pair[0].0 == pair[1].0));
                }
            }
        }
    }

    #[test]
    fn as_the_standard_library() {
        let mut state = 1u64;
        for bits in [1, 7, 8, 9, 16, 19, 24, 32] {
            for length in [0, 1, 95, 96, 1000, 5000] {
                let mut cell = |_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> (64 - bits)) << 32
                };
                let mut pairs: Vec<u64> = (0..length).map(&mut cell).collect();
                let mut expected = pairs.clone();
                expected.sort_unstable();
                sort_pairs(&mut pairs, &mut vec![7; 3], bits);
                assert!(pairs == expected, "{length} cells of {bits} bits");
            }
        }
    }
}
