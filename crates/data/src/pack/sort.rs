//! Sorts a row's cells by column.
//!
//! Columns are at random among the ranks, so that comparisons are mispredicted where a branch hangs on them. Short rows are sorted without
//! one: the place of a column is how many others are below it, which vectors count.

/// Rows up to this are sorted by counting.
const SHORT: usize = 64;
/// Rows shorter than this, with values, are not sorted digit by digit.
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

/// Sorts columns.
#[inline(always)]
pub(crate) fn sort_columns(columns: &mut [u32]) {
    let Some(places) = places(columns) else { return columns.sort_unstable() };
    let mut sorted = [0; SHORT];
    columns.iter().zip(places).for_each(|(&column, place)| sorted[usize::from(place) % SHORT] = column);
    columns.iter_mut().zip(sorted).for_each(|(column, sorted)| *column = sorted);
}

/// Sorts columns, each of which takes its value along. `buffers` are for long rows; columns have at most `bits` bits.
#[inline(always)]
pub(crate) fn sort_with_values(columns: &mut [u32], values: &mut [u32], buffers: &mut [Vec<u64>; 2], bits: u32) {
    if let Some(places) = places(columns) {
        let mut sorted = [(0, 0); SHORT];
        let cells = columns.iter().zip(values.iter()).zip(places);
        cells.for_each(|((&column, &value), place)| sorted[usize::from(place) % SHORT] = (column, value));
        columns.iter_mut().zip(values).zip(sorted).for_each(|((column, value), sorted)| (*column, *value) = sorted);
        return;
    }
    let [pairs, buffer] = buffers;
    pairs.clear();
    pairs.extend(columns.iter().zip(values.iter()).map(|(&column, &value)| u64::from(column) << 32 | u64::from(value)));
    sort_pairs(pairs, buffer, bits);
    for ((column, value), &pair) in columns.iter_mut().zip(values).zip(&*pairs) {
        (*column, *value) = ((pair >> 32) as u32, pair as u32);
    }
}

/// Sorts cells, each a column in the high half and its value in the low, by columns of at most `bits` bits.
///
/// Long rows are sorted digit by digit, by digits small enough that the counts of all of them stay in the nearest cache and cost little to
/// add up.
pub(crate) fn sort_pairs(pairs: &mut Vec<u64>, buffer: &mut Vec<u64>, bits: u32) {
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
            let columns: Vec<u32> = (0..length).map(|_| next()).collect();
            let values: Vec<u32> = (0..length).map(|_| next()).collect();
            let mut pairs: Vec<(u32, u32)> = columns.iter().copied().zip(values.iter().copied()).collect();
            // Long rows of equal columns keep the order in which these stood.
            pairs.sort_by_key(|&(column, value)| (column, if length < LONG { value } else { 0 }));
            let (mut own, mut alone, mut own_values) = (columns.clone(), columns, values);
            sort_with_values(&mut own, &mut own_values, &mut Default::default(), bits);
            prop_assert_eq!(own.iter().copied().zip(own_values).collect::<Vec<_>>(), pairs);
            sort_columns(&mut alone);
            prop_assert_eq!(alone, own);
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
