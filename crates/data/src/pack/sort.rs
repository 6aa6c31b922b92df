//! Sorts a row's cells by column.

/// Rows shorter than this are left to the standard library.
const LONG: usize = 96;

/// Sorts cells, each a column in the high half and its value in the low, by columns of at most `bits` bits.
///
/// Columns are at random among the ranks, so that comparisons are mispredicted; long rows are therefore sorted digit by digit,
/// by digits small enough that the counts of all of them stay in the nearest cache and cost little to add up.
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
