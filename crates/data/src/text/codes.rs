//! Ids as codes: what a chunk's features, users and items are called, in 32 bits each until they are counted.
//!
//! A number below [`DIRECT`] is its own code. A larger number stands beside, and its code is `DIRECT` until the dictionary gives it one. A
//! name's code is behind `DIRECT` by its place among those that the worker has met, until then.
//!
//! A worker counts small numbers, and names that have a code, by itself: in memory that two workers write, each would wait for the other's
//! cache. The dictionary, which all share, is told at the end, and before names are forgotten. It is asked for what is new, and counts what is
//! large.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::dictionary::{DIRECT, Dictionary, TooMany};
use crate::ids::plain_integer;
use crate::text::names::Names;

/// What the user calls a feature, user or item.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Id<'a> {
    Number(u64),
    /// Any text.
    Name(&'a [u8]),
}

/// Numbers below this each worker counts by itself, in a table that its nearest caches mostly hold.
const OWN: u32 = 1 << 20;
/// Codes that are counted, before the dictionary is asked for those of them that it has to be.
const TOGETHER: usize = 1 << 17;
/// After so many codes the dictionary is told, so that no count passes 32 bits.
const UNTOLD: usize = 1 << 31;

/// The codes of a chunk, and the ids that are not their own codes. All chunks are counted by one dictionary, whose codes names keep.
#[derive(Default)]
pub(crate) struct Codes {
    codes: Vec<u32>,
    /// How often numbers came since the dictionary was told: a byte each, so that the nearest caches hold most of them, and above it how often
    /// that went over. And how many codes that were in all.
    counts: Vec<u8>,
    carried: Vec<u32>,
    untold: usize,
    /// The places of codes that the dictionary is asked for.
    asked: Vec<u32>,
    /// Large numbers, in order of appearance.
    others: Vec<u64>,
    pub(crate) names: Names,
}

/// What one of the codes stands for, as long as they are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Meant {
    Number(u64),
    /// Which of the names.
    Name(u32),
}

fn lock(dictionary: &Mutex<Dictionary>) -> MutexGuard<'_, Dictionary> {
    dictionary.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(counts: &mut [u8], carried: &mut [u32], names: &mut Names, dictionary: &mut Dictionary) {
    for ((code, count), carried) in (0..).zip(counts).zip(carried) {
        let all = u32::from(std::mem::take(count)) + (std::mem::take(carried) << u8::BITS);
        if all > 0 {
            dictionary.add(code, all);
        }
    }
    names.tell(dictionary);
}

impl Codes {
    pub(crate) fn clear(&mut self) {
        self.codes.clear();
        self.others.clear();
        self.names.begin();
    }

    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    pub(crate) fn as_slice(&self) -> &[u32] {
        &self.codes
    }

    /// How many ids are large numbers.
    pub(crate) fn others(&self) -> usize {
        self.others.len()
    }

    /// Any id. A name that is the plain form of a number is that number.
    #[inline(always)]
    pub(crate) fn push(&mut self, id: Id<'_>) {
        match id {
            Id::Number(number) => self.push_number(number),
            Id::Name(name) => match plain_integer(name) {
                Some(number) => self.push_number(number),
                None => {
                    let entry = self.names.entry(name);
                    self.push_name(entry);
                }
            },
        }
    }

    #[inline(always)]
    pub(crate) fn push_number(&mut self, number: u64) {
        if number < DIRECT {
            self.codes.push(number as u32);
        } else {
            self.others.push(number);
            self.codes.push(DIRECT as u32);
        }
    }

    /// One of the names.
    #[inline(always)]
    pub(crate) fn push_name(&mut self, entry: u32) {
        self.codes.push(DIRECT as u32 + 1 + entry);
    }

    /// Some of the names, at most `count`, without those that are `missing`.
    #[cfg(feature = "arrow")]
    #[inline(always)]
    pub(crate) fn push_names(&mut self, entries: impl Iterator<Item = u32>, count: usize, missing: u32) {
        let start = self.codes.len();
        self.codes.resize(start + count, 0);
        let (_, room) = self.codes.split_at_mut(start);
        let mut put = 0;
        for entry in entries {
            if let Some(code) = room.get_mut(put) {
                *code = (DIRECT as u32 + 1).wrapping_add(entry);
            }
            put += usize::from(entry != missing);
        }
        self.codes.truncate(start + put);
    }

    /// The names, and what puts one of them.
    #[inline(always)]
    pub(crate) fn split(&mut self) -> (&mut Names, impl FnMut(u32)) {
        let Codes { codes, names, .. } = self;
        (names, |entry| codes.push(DIRECT as u32 + 1 + entry))
    }

    /// Back to so many codes, of which so many are large numbers.
    pub(crate) fn truncate(&mut self, codes: usize, others: usize) {
        self.codes.truncate(codes);
        self.others.truncate(others);
    }

    /// The ids from a code on, where so many large numbers come before it.
    pub(crate) fn meant(&self, first: usize, first_other: usize) -> impl Iterator<Item = Meant> + Clone {
        let mut others = self.others.iter().skip(first_other);
        self.codes.iter().skip(first).map(move |&code| match u64::from(code).checked_sub(DIRECT) {
            None => Meant::Number(code.into()),
            Some(0) => Meant::Number(others.next().copied().unwrap_or(0)),
            Some(behind) => Meant::Name(behind as u32 - 1),
        })
    }

    pub(crate) fn push_meant(&mut self, meant: Meant) {
        match meant {
            Meant::Number(number) => self.push_number(number),
            Meant::Name(entry) => self.push_name(entry),
        }
    }

    /// Counts all ids, and puts the dictionary's codes in the place of those that are not their own. The dictionary has all counts once it is
    /// [told](Self::tell).
    pub(crate) fn count(&mut self, dictionary: &Mutex<Dictionary>) -> Result<(), TooMany> {
        let Codes { codes, counts, carried, untold, asked, others, names } = self;
        let mut others = others.iter();
        for codes in codes.chunks_mut(TOGETHER) {
            *untold += codes.len();
            if *untold > UNTOLD {
                tell(counts, carried, names, &mut lock(dictionary));
                *untold = codes.len();
            }
            asked.clear();
            for (place, code) in (0..).zip(&mut *codes) {
                if let Some(count) = counts.get_mut(*code as usize) {
                    *count = count.wrapping_add(1);
                    if *count == 0 {
                        carried.get_mut(*code as usize).into_iter().for_each(|carried| *carried += 1);
                    }
                } else if let Some(known) = code.checked_sub(DIRECT as u32 + 1).and_then(|entry| names.count(entry)) {
                    *code = known;
                } else {
                    asked.push(place);
                }
            }
            if asked.is_empty() {
                continue;
            }
            let (mut dictionary, mut largest) = (lock(dictionary), None);
            for &place in &*asked {
                let Some(code) = codes.get_mut(place as usize) else { continue };
                match u64::from(*code).checked_sub(DIRECT) {
                    None => {
                        largest = largest.max(Some(*code));
                        dictionary.add(*code, 1);
                    }
                    Some(0) => *code = dictionary.add_number(others.next().copied().unwrap_or(0))?,
                    Some(behind) => *code = names.count_by(behind as u32 - 1, &mut dictionary)?,
                }
            }
            if let Some(largest) = largest {
                let length = (largest + 1).next_power_of_two().clamp(1 << 12, OWN).max(counts.len() as u32) as usize;
                counts.resize(length, 0);
                carried.resize(length, 0);
            }
        }
        if names.are_many() {
            self.tell(&mut lock(dictionary));
        }
        Ok(())
    }

    /// Tells the dictionary what was counted since it was told.
    pub(crate) fn tell(&mut self, dictionary: &mut Dictionary) {
        tell(&mut self.counts, &mut self.carried, &mut self.names, dictionary);
        self.untold = 0;
    }

    /// Counts all ids by a dictionary of their own. Gives its codes, and it.
    pub(crate) fn count_alone(mut self) -> Result<(Vec<u32>, Dictionary), TooMany> {
        let dictionary = Mutex::default();
        self.count(&dictionary)?;
        let mut dictionary = dictionary.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.tell(&mut dictionary);
        Ok((self.codes, dictionary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts these ids as those of a chunk. Gives their codes.
    fn count(codes: &mut Codes, ids: &[Id<'_>], dictionary: &Mutex<Dictionary>) -> Vec<u32> {
        codes.clear();
        ids.iter().for_each(|&id| codes.push(id));
        assert!(codes.count(dictionary).is_ok());
        codes.as_slice().to_vec()
    }

    #[test]
    fn what_a_worker_counts_by_itself_is_told() {
        let (mut codes, dictionary) = (Codes::default(), Mutex::new(Dictionary::default()));
        let ids = [Id::Number(5), Id::Name(b"x"), Id::Number(1 << 40), Id::Number(DIRECT - 1), Id::Name(b"7"), Id::Number(5)];
        let named = DIRECT as u32;
        for _ in 0..3 {
            assert_eq!(count(&mut codes, &ids, &dictionary), [5, named, named + 1, named - 1, 7, 5]);
        }
        // Numbers of the table, and names that have a code: what the dictionary was not asked for.
        assert_eq!((codes.untold, codes.counts[5], codes.counts[7]), (18, 4, 2));
        // As many more as pass 32 bits, together with what is known already.
        (codes.counts[5], codes.carried[5]) = (u8::MAX, u32::MAX >> 8);
        codes.tell(&mut lock(&dictionary));
        assert_eq!((codes.untold, codes.counts[5], codes.counts[7]), (0, 0, 0));
        codes.tell(&mut lock(&dictionary));
        let ranked = dictionary.into_inner().unwrap_or_else(PoisonError::into_inner).rank();
        assert_eq!(ranked.counts, [(1 << 32) + 1, 3, 3, 3, 3]);
        assert_eq!([5, 7, named - 1, named + 1, named].map(|code| ranked.rank(code)), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn counts_go_over_a_byte() {
        let (mut codes, dictionary) = (Codes::default(), Mutex::new(Dictionary::default()));
        let ids: Vec<Id<'_>> = (0..1000).map(|i| Id::Number(if i % 10 < 7 { 3 } else { 8 })).collect();
        for _ in 0..5 {
            count(&mut codes, &ids, &dictionary);
        }
        // What the first time brought the dictionary counted.
        assert_eq!((codes.counts[3], codes.carried[3], codes.counts[8], codes.carried[8]), ((2800 % 256) as u8, 10, (1200 % 256) as u8, 4));
        codes.tell(&mut lock(&dictionary));
        assert_eq!(dictionary.into_inner().unwrap_or_else(PoisonError::into_inner).rank().counts, [3500, 1500]);
    }

    #[test]
    fn the_dictionary_is_told_before_counts_pass_32_bits() {
        let (mut codes, dictionary) = (Codes::default(), Mutex::new(Dictionary::default()));
        let ids = [Id::Number(5), Id::Name(b"x")];
        count(&mut codes, &ids, &dictionary);
        count(&mut codes, &ids, &dictionary);
        codes.untold = UNTOLD - 2;
        count(&mut codes, &ids, &dictionary);
        assert_eq!((codes.untold, codes.counts[5]), (UNTOLD, 2));
        count(&mut codes, &ids, &dictionary);
        assert_eq!((codes.untold, codes.counts[5]), (2, 1));
        // One of each is not told.
        let ranked = dictionary.into_inner().unwrap_or_else(PoisonError::into_inner).rank();
        assert_eq!(ranked.counts, [3, 3]);
    }
}
