//! The names that a worker has met, each once: so that the dictionary, which all workers share, is asked for a name once.
//!
//! Most names stand in a text many times. They are looked up here, where nobody waits, and keep the code that the dictionary gave them.
//! Where they become so many that the nearest caches do not hold them, all are forgotten.
//!
//! A look-up waits for memory twice: for a slot of the table, and for the entry, which has a name of up to sixteen bytes within; of a longer
//! one its text is elsewhere. So the names of an example are looked up together, each of the steps for all of them: then the waits are at
//! the same time, which takes a third off packing. An entry also knows the example that had it last, by which a name that comes twice is
//! found without sorting.

use crate::bytes::part;
use crate::dictionary::{Dictionary, TooMany, UNNUMBERED, hash_name};
use crate::text::name::{Name, SHORT, same};

/// More names than these, or a longer text, are forgotten before the next chunk.
const MOST: usize = 1 << 18;
const LONGEST: usize = 8 << 20;

/// A name. Half of a cache line, and never in two.
#[derive(Clone, Copy, Default)]
#[repr(align(32))]
struct Entry {
    /// The bytes of a short name, the first one lowest; of another where its text begins, and its hash above that.
    key: u128,
    length: u32,
    /// The example that had it last, and at which place.
    example: u32,
    place: u32,
}

impl Entry {
    /// Where the text of a long name begins.
    #[inline(always)]
    fn start(&self) -> usize {
        if self.is_short() { 0 } else { self.key as u64 as usize }
    }

    #[inline(always)]
    fn is_short(&self) -> bool {
        self.length as usize <= SHORT
    }

    fn text<'a>(&'a self, text: &'a [u8]) -> &'a [u8] {
        let length = self.length as usize;
        if self.is_short() { part(bytemuck::bytes_of(&self.key), 0..length) } else { part(text, self.start()..self.start() + length) }
    }

    /// Whether it is this name, whose [`key`] is given where it is short.
    #[inline(always)]
    fn is(&self, Name { text: name, key, hash }: Name<'_>, text: &[u8]) -> bool {
        if self.length as usize != name.len() {
            return false;
        }
        if self.is_short() {
            self.key == key
        } else {
            (self.key >> 64) as u64 == hash && same(part(text, self.start()..self.start() + name.len()), name)
        }
    }
}

/// What is known of a name besides its text, in one place of memory.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Counted {
    code: u32,
    count: u32,
}

/// The names that a worker has met.
#[derive(Default)]
pub(crate) struct Names {
    /// By hash, with linear probing. At most half are taken, so that the number of an entry, which is counted from 1, needs the bits of a
    /// place; above it are bits of the hash. Four bytes each, that the nearest caches hold more of them.
    slots: Vec<u32>,
    entries: Vec<Entry>,
    /// What the dictionary calls each, and how often it came since the dictionary was told.
    counted: Vec<Counted>,
    hashes: Vec<u64>,
    /// Of those that are not short.
    text: Vec<u8>,
    /// How often all were forgotten.
    pub(crate) forgotten: u32,
}

impl Names {
    /// Begins a chunk.
    pub(crate) fn begin(&mut self) {
        // Not as long as there are counts that the dictionary is to be told.
        if self.are_many() && self.counted.iter().all(|name| name.count == 0) {
            self.slots.fill(0);
            self.entries.clear();
            self.counted.clear();
            self.hashes.clear();
            self.text.clear();
            self.forgotten = self.forgotten.wrapping_add(1);
        }
    }

    /// Whether all are forgotten before the next chunk.
    pub(crate) fn are_many(&self) -> bool {
        self.entries.len() > MOST || self.text.len() > LONGEST
    }

    /// The text of a name.
    pub(crate) fn name(&self, entry: u32) -> &[u8] {
        self.entries.get(entry as usize).map_or(&[], |entry| entry.text(&self.text))
    }

    /// Counts a name, if it has a code; gives that.
    #[inline(always)]
    pub(crate) fn count(&mut self, entry: u32) -> Option<u32> {
        let name = self.counted.get_mut(entry as usize).filter(|name| name.code != UNNUMBERED)?;
        name.count += 1;
        Some(name.code)
    }

    /// Counts a name, which gets its code from the dictionary if it has none.
    pub(crate) fn count_by(&mut self, entry: u32, dictionary: &mut Dictionary) -> Result<u32, TooMany> {
        if let Some(code) = self.count(entry) {
            return Ok(code);
        }
        let text = self.name(entry);
        let code = dictionary.add_name(text, hash_name(text))?;
        if let Some(name) = self.counted.get_mut(entry as usize) {
            name.code = code;
        }
        Ok(code)
    }

    /// Tells the dictionary how often each came since it was told.
    pub(crate) fn tell(&mut self, dictionary: &mut Dictionary) {
        for name in self.counted.iter_mut().filter(|name| name.count > 0) {
            dictionary.add(name.code, std::mem::take(&mut name.count));
        }
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
        let start = |&guess: &u32| self.entries.get(guess as usize).map_or(0, Entry::start);
        let starts = guesses.iter().fold(0, |all, guess| all ^ start(guess));
        // Short names have no text elsewhere: nothing is asked for.
        let texts = if self.text.is_empty() {
            0
        } else {
            guesses.iter().fold(0, |all, guess| all ^ self.text[start(guess).min(self.text.len() - 1)])
        };
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
    pub(crate) fn guessed(&mut self, guess: u32, name: Name<'_>) -> u32 {
        let is_it = self.entries.get(guess as usize).is_some_and(|found| found.is(name, &self.text));
        if is_it { guess } else { self.find(name) }
    }

    /// Which name it is.
    pub(crate) fn entry(&mut self, name: &[u8]) -> u32 {
        self.find(Name::alone(name))
    }

    fn find(&mut self, name: Name<'_>) -> u32 {
        let hash = name.hash;
        let (mut at, mask) = (hash as usize, self.mask());
        loop {
            let slot = self.slot(at);
            if slot == 0 {
                return self.add(name);
            }
            let entry = (slot & mask).wrapping_sub(1);
            if (slot ^ (hash >> 32) as u32) & !mask == 0 && self.entries.get(entry as usize).is_some_and(|found| found.is(name, &self.text))
            {
                return entry;
            }
            at += 1;
        }
    }

    fn add(&mut self, Name { text, key, hash }: Name<'_>) -> u32 {
        let entry = self.entries.len() as u32;
        let is_short = text.len() <= SHORT;
        let key = if is_short { key } else { u128::from(hash) << 64 | self.text.len() as u128 };
        if !is_short {
            self.text.extend_from_slice(text);
        }
        self.entries.push(Entry { key, length: text.len() as u32, ..Entry::default() });
        self.hashes.push(hash);
        self.counted.push(Counted { code: UNNUMBERED, count: 0 });
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
        let hash = self.hashes.get(entry as usize).copied().unwrap_or(0);
        let (places, mask) = (self.slots.len() - 1, self.mask());
        let mut at = hash as usize & places;
        while self.slots[at] != 0 {
            at = (at + 1) & places;
        }
        self.slots[at] = (hash >> 32) as u32 & !mask | (entry + 1);
    }

    /// Notes that an example (counted from 1) has the name at a place. Gives the place where it has it already, and then notes nothing.
    #[inline]
    pub(crate) fn stands(&mut self, entry: u32, example: u32, place: u32) -> Option<u32> {
        let found = self.entries.get_mut(entry as usize)?;
        if found.example == example {
            return Some(found.place);
        }
        (found.example, found.place) = (example, place);
        None
    }

    /// Names stand in none of the examples so far, which are counted from 1 again.
    pub(crate) fn forget_examples(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.example = 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dictionary::DIRECT;

    fn entry(names: &mut Names, name: &str) -> u32 {
        names.entry(name.as_bytes())
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
        names.guess(all.iter().map(|name| Name::alone(name.as_bytes()).hash()), &mut guesses);
        for ((name, guess), entry) in all.iter().zip(guesses).zip(2..) {
            assert_eq!(names.guessed(guess, Name::alone(name.as_bytes())), entry);
        }
        assert_eq!(entry(&mut names, "b"), 1);
        let mut dictionary = Dictionary::default();
        let code = |which: u32| DIRECT as u32 + which;
        for turn in 0..2 {
            for entry in [0, 0, 1, 0] {
                assert_eq!(names.count(entry), (turn > 0).then_some(code(entry)));
                if turn == 0 {
                    assert!(names.count_by(entry, &mut dictionary).is_ok_and(|found| found == code(entry)));
                    names.counted[entry as usize].code = UNNUMBERED;
                }
            }
            (0..2).for_each(|entry| names.counted[entry].code = code(entry as u32));
        }
        assert_eq!(names.counted[2], Counted { code: UNNUMBERED, count: 0 });
        // They are many, and stay until their counts are told.
        names.text.resize(LONGEST + 1, 0);
        names.begin();
        assert_eq!((names.forgotten, entry(&mut names, "b")), (0, 1));
        names.tell(&mut dictionary);
        names.tell(&mut dictionary);
        assert_eq!(dictionary.rank().counts, [6, 2]);
        assert_eq!(names.stands(0, 2, 9), Some(9));
        names.forget_examples();
        assert_eq!(names.stands(0, 2, 9), None);
        names.begin();
        assert_eq!((names.forgotten, entry(&mut names, "b"), names.counted.len()), (1, 0, 1));
    }

    #[test]
    fn names_of_any_length_are_told_apart() {
        let (mut names, text) = (Names::default(), "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz".repeat(2));
        let all: Vec<std::ops::Range<usize>> = (0..40).flat_map(|length| (0..26).map(move |start| start..start + length)).collect();
        for turn in 0..2 {
            for places in &all {
                let name = &text[places.clone()];
                let found = names.find(Name::within(text.as_bytes(), places.clone()));
                assert_eq!(names.name(found), name.as_bytes(), "{turn}");
                assert_eq!(entry(&mut names, name), found, "{turn}");
            }
            // The empty name is one.
            assert_eq!(names.counted.len(), 39 * 26 + 1);
        }
        // Where no sixteen bytes follow.
        assert_eq!(names.find(Name::within(b"xyz", 0..3)), entry(&mut names, "xyz"));
    }
}
