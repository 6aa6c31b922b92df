//! Ids as codes: what a chunk's features, users and items are called, in 32 bits each until they are counted.
//!
//! A number below [`DIRECT`] is its own code; any other id stands beside, and its code is `DIRECT` until the dictionary gives it one.

use crate::bytes::part;
use crate::dictionary::{DIRECT, Dictionary, Key, TooMany};
use crate::ids::plain_integer;

/// What the user calls a feature, user or item.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Id<'a> {
    Number(u64),
    /// Any text. One that is the plain form of a number is that number.
    Name(&'a [u8]),
}

/// An id that is not its own code.
#[derive(Clone, Copy)]
enum Other {
    Number(u64),
    /// Where its text is among the names.
    Name(u32, u32),
}

/// The codes of a chunk, and the ids that are not their own codes, in order of appearance.
#[derive(Default)]
pub(crate) struct Codes {
    codes: Vec<u32>,
    others: Vec<Other>,
    names: Vec<u8>,
}

impl Codes {
    pub(crate) fn clear(&mut self) {
        self.codes.clear();
        self.others.clear();
        self.names.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    pub(crate) fn as_slice(&self) -> &[u32] {
        &self.codes
    }

    /// How many ids are not their own codes.
    pub(crate) fn others(&self) -> usize {
        self.others.len()
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, id: Id<'_>) {
        match id {
            Id::Number(number) if number < DIRECT => self.codes.push(number as u32),
            Id::Number(number) => self.push_other(Other::Number(number)),
            Id::Name(name) => match plain_integer(name) {
                Some(number) if number < DIRECT => self.codes.push(number as u32),
                Some(number) => self.push_other(Other::Number(number)),
                None => {
                    let start = self.names.len() as u32;
                    self.names.extend_from_slice(name);
                    self.push_other(Other::Name(start, self.names.len() as u32));
                }
            },
        }
    }

    fn push_other(&mut self, other: Other) {
        self.others.push(other);
        self.codes.push(DIRECT as u32);
    }

    /// Back to so many codes, of which so many are others.
    pub(crate) fn truncate(&mut self, codes: usize, others: usize) {
        self.codes.truncate(codes);
        self.others.truncate(others);
    }

    /// The ids from a code on, all of them numbers, where so many others come before it.
    pub(crate) fn numbers(&self, first: usize, first_other: usize) -> impl Iterator<Item = u64> + Clone {
        let mut others = self.others.iter().skip(first_other).map(|other| match other {
            Other::Number(number) => *number,
            Other::Name(..) => 0,
        });
        self.codes.iter().skip(first).map(move |&code| if u64::from(code) < DIRECT { code.into() } else { others.next().unwrap_or(0) })
    }

    /// Counts all ids, and puts the dictionary's codes in the place of those of the others.
    pub(crate) fn count(&mut self, dictionary: &mut Dictionary) -> Result<(), TooMany> {
        let Codes { codes, others, names } = self;
        let keys = others.iter().map(|other| match *other {
            Other::Number(number) => Key::Number(number),
            Other::Name(start, end) => Key::Name(part(names, start as usize..end as usize)),
        });
        dictionary.count(codes, keys)
    }
}
