//! The names that a worker has met, each once: so that the dictionary, which all workers share, is asked for a name once.
//!
//! Most names stand in a text many times. They are looked up here, where nobody waits, and keep the code that the dictionary gave them.
//! Where they become so many that the nearest caches do not hold them, all are forgotten.
//!
//! A look-up waits for memory three times: for a slot of the table, for the entry, and for the text of the name. So the names of an example
//! are looked up together, each of the three steps for all of them: then the waits are at the same time, which takes a third off packing.
//! An entry also knows the example that had it last, by which a name that comes twice is found without sorting.

use crate::bytes::part;
use crate::dictionary::{Dictionary, TooMany};

/// More names than these, or a longer text, are forgotten before the next chunk.
const MOST: usize = 1 << 18;
const LONGEST: usize = 8 << 20;
/// Stands for the code of a name that the dictionary was not asked for.
const UNKNOWN: u32 = u32::MAX;

/// A name.
#[derive(Clone, Copy, Default)]
struct Entry {
    hash: u64,
    start: usize,
    length: u32,
    /// How often it occurs in the chunk.
    count: u32,
    /// The example that had it last, and at which place.
    example: u32,
    place: u32,
}

impl Entry {
    #[inline(always)]
    fn of(self, text: &[u8]) -> &[u8] {
        part(text, self.start..self.start + self.length as usize)
    }
}

/// Whether two names are the same: eight bytes at a time, as most are too short for a call to be worth while.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
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

/// The names that a worker has met.
#[derive(Default)]
pub(crate) struct Names {
    /// By hash, with linear probing. At most half are taken, so that the number of an entry, which is counted from 1, needs the bits of a
    /// place; above it are bits of the hash. Four bytes each, that the nearest caches hold more of them.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    /// What the dictionary calls each.
    codes: Vec<u32>,
    text: Vec<u8>,
    /// Those that occur in the chunk.
    touched: Vec<u32>,
    /// How often all were forgotten.
    pub(crate) forgotten: u32,
}

impl Names {
    /// Begins a chunk.
    pub(crate) fn begin(&mut self) {
        if self.entries.len() > MOST || self.text.len() > LONGEST {
            self.slots.fill(0);
            self.entries.clear();
            self.codes.clear();
            self.text.clear();
            self.forgotten = self.forgotten.wrapping_add(1);
        }
        // What was not counted, because reading ended before.
        for entry in self.touched.drain(..) {
            if let Some(entry) = self.entries.get_mut(entry as usize) {
                entry.count = 0;
            }
        }
    }

    /// The text of a name.
    pub(crate) fn name(&self, entry: u32) -> &[u8] {
        self.entries.get(entry as usize).map_or(&[], |entry| entry.of(&self.text))
    }

    /// What the dictionary calls each name; once they are counted.
    pub(crate) fn codes(&self) -> &[u32] {
        &self.codes
    }

    #[inline(always)]
    fn slot(&self, at: usize) -> u32 {
        self.slots.get(at & self.slots.len().wrapping_sub(1)).copied().unwrap_or(0)
    }

    /// The bits of a place.
    #[inline(always)]
    fn mask(&self) -> u32 {
        self.slots.len().wrapping_sub(1) as u32
    }

    /// Which names they seem to be, by their hashes; all of their memory is then near.
    #[inline]
    pub(crate) fn guess(&self, hashes: impl Iterator<Item = u64>, guesses: &mut Vec<u32>) {
        // Loads that wait for nothing but those of the step before, of which the processor has many under way at a time.
        guesses.clear();
        guesses.extend(hashes.map(|hash| (self.slot(hash as usize) & self.mask()).wrapping_sub(1)));
        let start = |&guess: &u32| self.entries.get(guess as usize).map_or(0, |entry| entry.start);
        let starts = guesses.iter().fold(0, |all, guess| all ^ start(guess));
        let texts = guesses.iter().fold(0, |all, guess| all ^ self.text.get(start(guess)).copied().unwrap_or(0));
        std::hint::black_box((starts, texts));
    }

    /// Brings the memory of some names near, by loads that do not wait for each other.
    #[cfg(feature = "arrow")]
    #[inline(always)]
    pub(crate) fn fetch(&self, entries: impl Iterator<Item = u32>) {
        let example = |entry: u32| self.entries.get(entry as usize).map_or(0, |entry| entry.example);
        std::hint::black_box(entries.fold(0, |all, entry| all ^ example(entry)));
    }

    /// Which name it is, if it is not what was guessed.
    #[inline]
    pub(crate) fn guessed(&mut self, guess: u32, name: &[u8], hash: u64) -> u32 {
        let is_it = self.entries.get(guess as usize).is_some_and(|found| found.hash == hash && same(found.of(&self.text), name));
        if is_it { guess } else { self.entry(name, hash) }
    }

    /// Which name it is.
    pub(crate) fn entry(&mut self, name: &[u8], hash: u64) -> u32 {
        let (mut at, mask) = (hash as usize, self.mask());
        loop {
            let slot = self.slot(at);
            if slot == 0 {
                return self.add(name, hash);
            }
            let entry = (slot & mask).wrapping_sub(1);
            if (slot ^ (hash >> 32) as u32) & !mask == 0
                && self.entries.get(entry as usize).is_some_and(|found| found.hash == hash && same(found.of(&self.text), name))
            {
                return entry;
            }
            at += 1;
        }
    }

    fn add(&mut self, name: &[u8], hash: u64) -> u32 {
        let entry = self.entries.len() as u32;
        let start = self.text.len();
        self.text.extend_from_slice(name);
        self.entries.push(Entry { hash, start, length: name.len() as u32, ..Entry::default() });
        self.codes.push(UNKNOWN);
        if 2 * self.entries.len() > self.slots.len() {
            let length = (2 * self.entries.len()).next_power_of_two().max(1 << 10);
            self.slots.clear();
            self.slots.resize(length, 0);
            (0..=entry).for_each(|entry| self.put(entry));
        } else {
            self.put(entry);
        }
        entry
    }

    /// Puts an entry into the first free slot behind its hash.
    fn put(&mut self, entry: u32) {
        let hash = self.entries.get(entry as usize).map_or(0, |entry| entry.hash);
        let (places, mask) = (self.slots.len() - 1, self.mask());
        let mut at = hash as usize & places;
        while self.slots[at] != 0 {
            at = (at + 1) & places;
        }
        self.slots[at] = (hash >> 32) as u32 & !mask | (entry + 1);
    }

    /// Counts an occurrence.
    #[inline]
    pub(crate) fn occurs(&mut self, entry: u32) {
        if let Some(found) = self.entries.get_mut(entry as usize) {
            if found.count == 0 {
                self.touched.push(entry);
            }
            found.count += 1;
        }
    }

    /// Takes an occurrence back.
    pub(crate) fn is_left_out(&mut self, entry: u32) {
        if let Some(found) = self.entries.get_mut(entry as usize) {
            found.count = found.count.saturating_sub(1);
        }
    }

    /// Counts that an example (itself counted from 1) has the name at a place. Gives the place where it has it already, and then counts
    /// nothing.
    #[inline]
    pub(crate) fn stands(&mut self, entry: u32, example: u32, place: u32) -> Option<u32> {
        let found = self.entries.get_mut(entry as usize)?;
        if found.example == example {
            return Some(found.place);
        }
        if found.count == 0 {
            self.touched.push(entry);
        }
        found.count += 1;
        (found.example, found.place) = (example, place);
        None
    }

    /// Names stand in none of the examples so far, which are counted from 1 again.
    pub(crate) fn forget_examples(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.example = 0);
    }

    /// Counts all that occur in the chunk; then they have codes.
    pub(crate) fn count(&mut self, dictionary: &mut Dictionary) -> Result<(), TooMany> {
        let Names { entries, codes, text, touched, .. } = self;
        for entry in touched.drain(..) {
            let (Some(entry), Some(code)) = (entries.get_mut(entry as usize), codes.get_mut(entry as usize)) else { continue };
            match (*code, std::mem::take(&mut entry.count)) {
                // All its examples were left out.
                (_, 0) => {}
                (UNKNOWN, count) => *code = dictionary.add_name(entry.of(text), entry.hash, count)?,
                (code, count) => dictionary.add_known(code, count),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::{DIRECT, hash_name};

    fn entry(names: &mut Names, name: &str) -> u32 {
        names.entry(name.as_bytes(), hash_name(name.as_bytes()))
    }

    #[test]
    fn names_are_found_counted_and_forgotten() {
        let mut names = Names::default();
        assert_eq!((entry(&mut names, "a"), entry(&mut names, "b"), entry(&mut names, "a")), (0, 1, 0));
        assert_eq!((names.stands(0, 1, 7), names.stands(0, 1, 8), names.stands(0, 2, 9)), (None, Some(7), None));
        names.begin();
        for i in 0..5000 {
            assert_eq!(entry(&mut names, &format!("x{i}")), i + 2);
        }
        let (all, mut guesses) = ((0..5001).map(|i| format!("x{i}")).collect::<Vec<_>>(), Vec::new());
        names.guess(all.iter().map(|name| hash_name(name.as_bytes())), &mut guesses);
        for ((name, guess), entry) in all.iter().zip(guesses).zip(2..) {
            assert_eq!(names.guessed(guess, name.as_bytes(), hash_name(name.as_bytes())), entry);
        }
        assert_eq!(entry(&mut names, "b"), 1);
        let mut dictionary = Dictionary::default();
        for _ in 0..2 {
            [0, 0, 1, 0, 2].into_iter().for_each(|entry| names.occurs(entry));
            names.is_left_out(2);
            assert!(names.count(&mut dictionary).is_ok());
            assert_eq!(names.codes()[..3], [DIRECT as u32, DIRECT as u32 + 1, UNKNOWN]);
        }
        assert_eq!(dictionary.rank().counts, [6, 2]);
        assert_eq!(names.stands(0, 2, 9), Some(9));
        names.forget_examples();
        assert_eq!(names.stands(0, 2, 9), None);
        names.text.resize(LONGEST + 1, 0);
        names.begin();
        assert_eq!((names.forgotten, entry(&mut names, "b"), names.codes().len()), (1, 0, 1));
    }

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
