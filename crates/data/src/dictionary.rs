//! Counts the ids of a text and ranks them by frequency at the end.
//!
//! A number below [`DIRECT`] is its own code, so that counting it is one addition in a plain table; larger numbers and names
//! get the codes from `DIRECT` on, in order of appearance, from a hash table that holds nothing but those. The rank depends
//! on count and id alone, so that chunks may be counted in any order.

use std::cmp::Reverse;
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use crate::Ids;
use crate::bytes::part;
use crate::name_order::by_name;
use hogwild_base::threads;

/// Numbers below this are their own codes.
pub(crate) const DIRECT: u64 = 1 << 24;

/// Names whose text one thread joins at a time.
const SHARE: usize = 1 << 14;
/// How many of these shares lie beside the text of all at a time.
const TOGETHER: usize = 64;

/// Stands for the code of a name that has none yet.
pub(crate) const UNNUMBERED: u32 = u32::MAX;

/// More ids than codes.
pub(crate) struct TooMany;

/// Ids seen so far, and how often. Counts are kept in 32 bits, with what is above in a map of its own.
#[derive(Default)]
pub(crate) struct Dictionary {
    direct: Vec<u32>,
    others: Vec<u32>,
    /// The number of each of the others; for a name, which name it is.
    ids: Vec<u64>,
    numbers: HashTable<u32>,
    names: HashTable<u32>,
    /// Where each name ends in the text of all.
    name_ends: Vec<u64>,
    name_text: Vec<u8>,
    /// How often a count has passed 2^32.
    wrapped: HashMap<u32, u64, FixedState>,
}

/// The outcome: everything in order of falling count.
pub(crate) struct Ranked {
    direct: Vec<u32>,
    others: Vec<u32>,
    /// The ids by rank.
    pub(crate) ids: Ids,
    /// Their counts by rank.
    pub(crate) counts: Vec<u64>,
}

impl Ranked {
    /// The rank of a code.
    #[inline]
    pub(crate) fn rank(&self, code: u32) -> u32 {
        match self.direct.get(code as usize) {
            Some(&rank) => rank,
            None => self.others.get((code as usize).wrapping_sub(DIRECT as usize)).copied().unwrap_or(0),
        }
    }
}

impl Ranked {
    /// The code that the next feature gets, or the one so many behind it.
    pub(crate) fn code_behind(&self, more: usize) -> u32 {
        (DIRECT as usize + self.others.len() + more) as u32
    }

    /// Ranks by other counts, given by rank; those of 0 go. Names that are added get the next codes. Of equal counts the order stays, and
    /// what is added comes last.
    pub(crate) fn rearrange<'a>(&mut self, counts: &[u64], added: impl Iterator<Item = (&'a [u8], u64)>) {
        let (names, more): (Vec<&[u8]>, Vec<u64>) = added.unzip();
        let all: Vec<u64> = counts.iter().chain(&more).copied().collect();
        let mut order: Vec<u32> = (0..all.len() as u32).filter(|&old| all[old as usize] > 0).collect();
        order.sort_by_key(|&old| Reverse(all[old as usize]));
        let mut ranks = vec![u32::MAX; all.len()];
        (0..).zip(&order).for_each(|(rank, &old)| ranks[old as usize] = rank);
        // What no text has is behind all.
        let cells = self.direct.iter_mut().chain(&mut self.others);
        cells.for_each(|cell| *cell = ranks.get(*cell as usize).copied().unwrap_or(u32::MAX));
        self.others.extend(ranks.iter().skip(counts.len()));
        let ids = std::mem::replace(&mut self.ids, Ids::Numbers(Vec::new()));
        self.ids = if names.is_empty() { ids.select(&order) } else { ids.with(&names).select(&order) };
        self.counts = order.iter().map(|&old| all[old as usize]).collect();
    }
}

/// What tables of names go by.
#[inline]
pub(crate) fn hash_name(name: &[u8]) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(name);
    hasher.finish()
}

fn hash_number(id: u64) -> u64 {
    FixedState::default().hash_one(id)
}

/// The entry behind so many, if its code is one.
fn new_entry(entries: usize) -> Result<u32, TooMany> {
    let code = u32::try_from(entries as u64 + DIRECT).map_err(|_| TooMany)?;
    Ok(code - DIRECT as u32)
}

fn name<'a>(ends: &[u64], text: &'a [u8], which: u64) -> &'a [u8] {
    let at = |end: Option<&u64>| end.copied().unwrap_or(0) as usize;
    let start = (which as usize).checked_sub(1).map_or(0, |before| at(ends.get(before)));
    part(text, start..at(ends.get(which as usize)))
}

impl Dictionary {
    /// The codes of numbers to be [counted](Self::count).
    pub(crate) fn codes_of<N: Copy + Into<u64>>(numbers: &[N]) -> Vec<u32> {
        numbers.iter().map(|&number| number.into().min(DIRECT) as u32).collect()
    }

    /// Whether a number is none of the codes.
    pub(crate) fn is_large(number: u64) -> bool {
        number >= DIRECT
    }

    /// Counts one occurrence of each code. Where a code is `DIRECT`, the next of `numbers` is counted, and its code put there.
    pub(crate) fn count(&mut self, codes: &mut [u32], numbers: &[u64]) -> Result<(), TooMany> {
        let mut numbers = numbers.iter();
        for code in codes {
            if u64::from(*code) < DIRECT {
                self.add(*code, 1);
            } else {
                *code = self.add_number(numbers.next().copied().unwrap_or(0))?;
            }
        }
        Ok(())
    }

    /// Counts so many more of a code: of a small number, or of one that was given.
    #[inline]
    pub(crate) fn add(&mut self, code: u32, more: u32) {
        let counted = match (code as usize).checked_sub(DIRECT as usize) {
            None => self.direct.get_mut(code as usize),
            Some(entry) => self.others.get_mut(entry),
        };
        match counted.map(|count| (count.overflowing_add(more), count)) {
            Some(((sum, wraps), count)) => {
                *count = sum;
                if wraps {
                    self.wrap(code);
                }
            }
            None => self.first_direct(code, more),
        }
    }

    #[cold]
    fn wrap(&mut self, code: u32) {
        *self.wrapped.entry(code).or_default() += 1 << 32;
    }

    /// A number beyond the table as it is.
    #[cold]
    fn first_direct(&mut self, code: u32, count: u32) {
        debug_assert!(u64::from(code) < DIRECT, "a code that was not given");
        if u64::from(code) < DIRECT {
            let length = (code as usize + 1).next_power_of_two().max(1 << 12);
            self.direct.resize(length, 0);
            self.direct[code as usize] = count;
        }
    }

    /// Counts a number of any size in the table of large ones. Gives its code.
    pub(crate) fn add_number(&mut self, number: u64) -> Result<u32, TooMany> {
        let Dictionary { ids, numbers, .. } = self;
        let id = |entry: &u32| ids.get(*entry as usize).copied().unwrap_or(0);
        if let Some(&entry) = numbers.find(hash_number(number), |entry| id(entry) == number) {
            return Ok(self.again(entry));
        }
        let entry = new_entry(ids.len())?;
        numbers.insert_unique(hash_number(number), entry, |entry| hash_number(id(entry)));
        ids.push(number);
        self.others.push(1);
        Ok(entry + DIRECT as u32)
    }

    /// Counts an occurrence of a name with that hash. Gives its code.
    pub(crate) fn add_name(&mut self, text: &[u8], hash: u64) -> Result<u32, TooMany> {
        let Dictionary { ids, names, name_ends, name_text, .. } = self;
        let of = |entry: &u32| name(name_ends, name_text, ids.get(*entry as usize).copied().unwrap_or(0));
        if let Some(&entry) = names.find(hash, |entry| of(entry) == text) {
            return Ok(self.again(entry));
        }
        let entry = new_entry(ids.len())?;
        names.insert_unique(hash, entry, |entry| hash_name(of(entry)));
        ids.push(name_ends.len() as u64);
        name_text.extend_from_slice(text);
        name_ends.push(name_text.len() as u64);
        self.others.push(1);
        Ok(entry + DIRECT as u32)
    }

    /// Counts one more of what has an entry. Gives its code.
    #[inline]
    fn again(&mut self, entry: u32) -> u32 {
        let code = entry + DIRECT as u32;
        self.add(code, 1);
        code
    }

    /// Ranks by falling count, then by id: numbers first, in their order, then names by their bytes.
    pub(crate) fn rank(self) -> Ranked {
        let Dictionary { mut direct, mut others, ids, numbers, names, name_ends, name_text, wrapped } = self;
        let id = |entry: u32| ids.get(entry as usize).copied().unwrap_or(0);
        let text = |entry: u32| name(&name_ends, &name_text, id(entry));
        let has_names = !names.is_empty();
        // All codes in the order that breaks ties.
        let seen = |code: u32, count: u32| count > 0 || wrapped.contains_key(&code);
        let mut codes: Vec<u32> = (0..).zip(&direct).filter(|&(code, &count)| seen(code, count)).map(|(code, _)| code).collect();
        let mut numbers: Vec<u32> = numbers.into_iter().collect();
        threads::sort_unstable_by(&mut numbers, |&a, &b| id(a).cmp(&id(b)));
        let first_name = codes.len() + numbers.len();
        // The entries of names in the order in which they came: so these lie in memory, too.
        let entries = if names.len() == ids.len() {
            drop(names); // of ten million 84 MB
            (0..ids.len() as u32).collect()
        } else {
            ascending(names)
        };
        let names = by_name(entries, text);
        codes.extend(numbers.into_iter().chain(names).map(|entry| entry + DIRECT as u32));
        let other = |code: u32| (code as usize).wrapping_sub(DIRECT as usize);
        let count = |code: u32| {
            let low = direct.get(code as usize).or_else(|| others.get(other(code))).copied().unwrap_or(0);
            u64::from(low) + wrapped.get(&code).copied().unwrap_or(0)
        };
        // The complement of the count above the position: plain words to be sorted, one compare each.
        let key = |(position, &code): (u64, &u32)| u64::from(!u32::try_from(count(code)).unwrap_or(u32::MAX)) << 32 | position;
        let mut keys: Vec<u64> = (0..).zip(&codes).map(key).collect();
        sort_by_count(&mut keys);
        let code = |key: u64| codes.get(key as u32 as usize).copied().unwrap_or(0);
        // Counts beyond 32 bits come first and are the same so far.
        let large = keys.partition_point(|&key| key >> 32 == 0);
        keys[..large].sort_by_key(|&key| (Reverse(count(code(key))), key));
        let large: Vec<u64> = keys.iter().take(large).map(|&key| count(code(key))).collect();
        for (rank, &key) in (0..).zip(&keys) {
            let code = code(key);
            if let Some(cell) = direct.get_mut(code as usize).or_else(|| others.get_mut(other(code))) {
                *cell = rank;
            }
        }
        let number = |code: u32| if u64::from(code) < DIRECT { code.into() } else { id(code - DIRECT as u32) };
        let named = if has_names {
            // Each share of them by one thread.
            let texts = |share: usize| {
                let (mut lengths, mut bytes) = (Vec::with_capacity(SHARE), Vec::new());
                for &key in keys.iter().skip(share * SHARE).take(SHARE) {
                    let (code, begin) = (code(key), bytes.len());
                    if (key as u32 as usize) < first_name {
                        bytes.extend_from_slice(number(code).to_string().as_bytes());
                    } else {
                        bytes.extend_from_slice(text(code - DIRECT as u32));
                    }
                    lengths.push((bytes.len() - begin) as u32);
                }
                (lengths, bytes)
            };
            let (mut start, mut bytes, mut end) = (Vec::with_capacity(keys.len() + 1), Vec::with_capacity(name_text.len()), 0);
            start.push(0);
            let shares = keys.len().div_ceil(SHARE);
            for first in (0..shares).step_by(TOGETHER) {
                for (lengths, text) in threads::map(TOGETHER.min(shares - first), |share| texts(first + share)) {
                    start.extend(lengths.into_iter().map(|length| {
                        end += u64::from(length);
                        end
                    }));
                    bytes.extend_from_slice(&text);
                }
            }
            Ids::Names { start, bytes }
        } else {
            Ids::Numbers(keys.iter().map(|&key| number(code(key))).collect())
        };
        let mut counts = keys;
        for count in &mut counts {
            *count = u64::from(!((*count >> 32) as u32));
        }
        counts.iter_mut().zip(large).for_each(|(count, large)| *count = large);
        Ranked { direct, others, ids: named, counts }
    }
}

/// Sorts keys that stand in the order of their positions. Nearly all counts are small: these are placed without comparing.
fn sort_by_count(keys: &mut Vec<u64>) {
    const SMALL: usize = 1 << 12;
    let small = |key: u64| Some(!(key >> 32) as u32 as usize).filter(|&count| count < SMALL);
    let mut places = [0usize; SMALL];
    keys.iter().filter_map(|&key| small(key)).for_each(|count| places[count] += 1);
    let mut sorted: Vec<u64> = keys.iter().copied().filter(|&key| small(key).is_none()).collect();
    threads::sort_unstable_by(&mut sorted, u64::cmp);
    let mut begin = sorted.len();
    for place in places.iter_mut().rev() {
        begin += std::mem::replace(place, begin);
    }
    sorted.resize(keys.len(), 0);
    for &key in keys.iter() {
        if let Some(count) = small(key)
            && let Some(cell) = sorted.get_mut(places[count])
        {
            *cell = key;
            places[count] += 1;
        }
    }
    *keys = sorted;
}

/// The entries of a table, ascending.
fn ascending(table: HashTable<u32>) -> Vec<u32> {
    let mut entries: Vec<u32> = table.into_iter().collect();
    threads::sort_unstable_by(&mut entries, u32::cmp);
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_pass_32_bits() {
        let mut dictionary = Dictionary::default();
        for more in [u32::MAX, 2] {
            dictionary.add(5, more);
        }
        // What is left of this one in 32 bits is 0.
        for more in [u32::MAX, 1] {
            dictionary.add(7, more);
        }
        let name = dictionary.add_name(b"x", hash_name(b"x")).unwrap_or(UNNUMBERED);
        let large = dictionary.add_number(1 << 40).unwrap_or(UNNUMBERED);
        for more in [u32::MAX, u32::MAX, 9] {
            dictionary.add(name, more);
        }
        dictionary.add(large, 3);
        dictionary.add(1 << 20, 2);
        let ranked = dictionary.rank();
        assert_eq!(ranked.counts, [(1 << 33) + 8, (1 << 32) + 1, 1 << 32, 4, 2]);
        assert_eq!([name, 5, 7, large, 1 << 20].map(|code| ranked.rank(code)), [0, 1, 2, 3, 4]);
        let ids: Vec<String> = (0..ranked.ids.len()).map(|rank| ranked.ids.name(rank)).collect();
        assert_eq!(ids, ["x", "5", "7", "1099511627776", "1048576"]);
    }
}
