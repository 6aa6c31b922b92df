//! A name that is looked up: its text, the same as a number where it is short, and its hash.

use std::ops::Range;

use crate::bytes::{from, part};
use crate::dictionary::hash_name;

/// The longest name that lies within its entry.
pub(crate) const SHORT: usize = 16;

/// A name that is looked up.
#[derive(Clone, Copy)]
pub(crate) struct Name<'a> {
    pub(super) text: &'a [u8],
    /// The bytes of a short one, the first one lowest.
    pub(super) key: u128,
    /// What it is looked up by.
    pub(super) hash: u64,
}

impl<'a> Name<'a> {
    /// One that stands in a text; where sixteen bytes of that follow from its beginning, they are taken at once.
    #[inline(always)]
    pub(crate) fn within(text: &'a [u8], places: Range<usize>) -> Name<'a> {
        let key = key_within(text, places.clone());
        Name::of(part(text, places), key)
    }

    /// The same of one whose hash is known.
    #[inline(always)]
    pub(crate) fn hashed(text: &'a [u8], places: Range<usize>, hash: u64) -> Name<'a> {
        Name { text: part(text, places.clone()), key: key_within(text, places), hash }
    }

    pub(super) fn alone(text: &'a [u8]) -> Name<'a> {
        Name::of(text, key(text))
    }

    #[inline(always)]
    fn of(text: &'a [u8], key: u128) -> Name<'a> {
        Name { text, key, hash: if text.len() <= SHORT { hash_short(key, text.len()) } else { hash_name(text) } }
    }

    /// What it is looked up by.
    #[inline(always)]
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }
}

/// One product, of which both halves are taken: a name that is a number already needs no other hash.
#[inline(always)]
fn hash_short(key: u128, length: usize) -> u64 {
    let one = key as u64 ^ 0x2d35_8dcc_aa6c_78a5;
    let other = (key >> 64) as u64 ^ 0x8bb8_4b93_962e_acc9 ^ (length as u64) << 56;
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

/// The bytes of a short name that stands in a text, as a number; 0 of a longer one.
#[inline(always)]
fn key_within(text: &[u8], places: Range<usize>) -> u128 {
    let length = places.len();
    match from(text, places.start).first_chunk::<SHORT>() {
        Some(bytes) if length < SHORT => u128::from_le_bytes(*bytes) & ((1 << (8 * length)) - 1),
        Some(bytes) if length == SHORT => u128::from_le_bytes(*bytes),
        Some(_) => 0,
        None => key(part(text, places)),
    }
}

/// The bytes of a short name as a number.
fn key(name: &[u8]) -> u128 {
    let mut bytes = [0; SHORT];
    match bytes.get_mut(..name.len()) {
        Some(room) => room.copy_from_slice(name),
        None => return 0,
    }
    u128::from_le_bytes(bytes)
}

/// Whether two names are the same: eight bytes at a time, as most are too short for a call to be worth while.
#[inline(always)]
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match (one.last_chunk::<8>(), other.last_chunk::<8>()) {
        (Some(end), Some(other_end)) => {
            let (firsts, other_firsts) = (one.as_chunks::<8>().0, other.as_chunks::<8>().0);
            end == other_end && firsts.iter().zip(other_firsts).all(|(one, other)| one == other)
        }
        _ => one.iter().zip(other).all(|(one, other)| one == other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_to_their_ends() {
        for length in 0..40 {
            let name: Vec<u8> = (0..length).collect();
            assert!(same(&name, &name.clone()));
            for at in 0..usize::from(length) {
                let mut other = name.clone();
                other[at] ^= 1;
                assert!(!same(&name, &other) && !same(&name, &name[..at]), "{length} {at}");
            }
        }
    }
}
