//! Codes become columns: what a piece's rows are in the file. It is a fifth of packing, and done by wide vectors.

use super::sort::{sort_columns, sort_with_values};
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
        for &length in lengths {
            let (columns, rest) = codes.split_at_mut(length as usize);
            sort_columns(columns);
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
        let mut buffers = Default::default();
        for &length in lengths {
            let (columns, later_codes) = codes.split_at_mut(length as usize);
            let (own, later_values) = values.split_at_mut(length as usize);
            sort_with_values(columns, own, &mut buffers, bits);
            (codes, values) = (later_codes, later_values);
        }
    }
}
