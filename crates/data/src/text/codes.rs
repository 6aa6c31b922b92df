//! Ids as codes: what a chunk's features, users and items are called, in 32 bits each until they are counted.
//!
//! A number below [`DIRECT`] is its own code. A larger number stands beside, and its code is `DIRECT` until the dictionary gives it one. A
//! name's code is behind `DIRECT` by its place among those that the worker has met, until then.

use crate::dictionary::{DIRECT, Dictionary, TooMany, hash_name};
use crate::ids::plain_integer;
use crate::text::names::Names;

/// What the user calls a feature, user or item.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Id<'a> {
    Number(u64),
    /// Any text.
    Name(&'a [u8]),
}

/// The codes of a chunk, and the ids that are not their own codes. All chunks are counted by one dictionary, whose codes names keep.
#[derive(Default)]
pub(crate) struct Codes {
    codes: Vec<u32>,
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
                    let entry = self.names.entry(name, hash_name(name));
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

    /// Counts all ids, and puts the dictionary's codes in the place of those that are not their own.
    pub(crate) fn count(&mut self, dictionary: &mut Dictionary) -> Result<(), TooMany> {
        let Codes { codes, others, names } = self;
        let (known, name) = names.codes();
        dictionary.count_with_names(codes, others, known, name)
    }

    /// The codes alone, once they are counted.
    pub(crate) fn into_counted(self) -> Vec<u32> {
        self.codes
    }
}
