//! Codes become columns: what a piece's rows are in the file. It is a fifth of packing, and done by wide vectors.

use super::sort::RowSorter;
use crate::dictionary::Ranked;
use crate::wide::Work;

/// Puts columns in the place of codes, ascending in each example. Ranks come from far memory: all of a piece are asked for in one plain loop,
/// whose loads do not wait for each other.
pub(super) struct Ranking<'a> {
    pub(super) lengths: &'a [u32],
    pub(super) codes: &'a mut [u32],
    pub(super) features: &'a Ranked,
}

impl Work for Ranking<'_> {
    type Outcome = ();

    #[inline(always)]
    fn done(self) {
        let Ranking { lengths, mut codes, features } = self;
        codes.iter_mut().for_each(|code| *code = features.rank(*code));
        let mut sorter = RowSorter::new(u32::BITS);
        for &length in lengths {
            let (columns, rest) = codes.split_at_mut(length as usize);
            sorter.sort(columns);
            codes = rest;
        }
    }
}

/// The same where each code has a value, which goes with it. Columns have at most so many bits.
pub(super) struct RankingWithValues<'a> {
    pub(super) lengths: &'a [u32],
    pub(super) codes: &'a mut [u32],
    pub(super) values: &'a mut [u32],
    pub(super) features: &'a Ranked,
    pub(super) bits: u32,
}

impl Work for RankingWithValues<'_> {
    type Outcome = ();

    #[inline(always)]
    fn done(self) {
        let RankingWithValues { lengths, mut codes, mut values, features, bits } = self;
        codes.iter_mut().for_each(|code| *code = features.rank(*code));
        let mut sorter = RowSorter::new(bits);
        for &length in lengths {
            let (columns, later_codes) = codes.split_at_mut(length as usize);
            let (own, later_values) = values.split_at_mut(length as usize);
            sorter.sort_with_values(columns, own);
            (codes, values) = (later_codes, later_values);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::Dictionary;
    use crate::wide::widely;
    use proptest::prelude::*;

    proptest! {
        /// Rows of any length, up to such as are sorted digit by digit.
        #[test]
        fn wide_vectors_rank_alike(rows in proptest::collection::vec((0usize..200, any::<u64>()), 1..12)) {
            let row = |&(length, seed): &(usize, u64)| {
                let start = (seed % 997) as u32;
                (0..length as u32).map(move |i| (start + i).wrapping_mul(0x9e37_79b9) >> 12)
            };
            let mut codes: Vec<u32> = rows.iter().flat_map(row).collect();
            let lengths: Vec<u32> = rows.iter().map(|&(length, _)| length as u32).collect();
            let mut dictionary = Dictionary::default();
            prop_assert!(dictionary.count(&mut codes, &[]).is_ok());
            let features = &dictionary.rank();
            let bits = usize::BITS - features.counts.len().leading_zeros();
            let values: Vec<u32> = (0..codes.len() as u32).map(|i| (i as f32 * 0.37).to_bits()).collect();
            let (mut narrow, mut wide) = (codes.clone(), codes.clone());
            Ranking { lengths: &lengths, codes: &mut narrow, features }.done();
            widely(Ranking { lengths: &lengths, codes: &mut wide, features });
            prop_assert_eq!(&narrow, &wide);
            let of = |which: fn(RankingWithValues<'_>)| {
                let (mut codes, mut values) = (codes.clone(), values.clone());
                which(RankingWithValues { lengths: &lengths, codes: &mut codes, values: &mut values, features, bits });
                (codes, values)
            };
            let (by_one, by_vectors) = (of(|work| work.done()), of(|work| widely(work)));
            prop_assert_eq!(&by_one, &by_vectors);
            prop_assert_eq!(&by_one.0, &narrow);
            let mut rest = narrow.as_slice();
            for &length in &lengths {
                let (row, behind) = rest.split_at(length as usize);
                prop_assert!(row.is_sorted());
                rest = behind;
            }
        }
    }
}
