//! Which names the words of a table's columns are, by column and word: so that a cell needs no name to be made, hashed and compared.
//!
//! Words of up to eight bytes stand in the table as numbers; of longer ones it is their hash, and the name has to end in the word. Four
//! slots share a cache line and are looked at together, without a branch: most cells cost one access to memory.
//!
//! Where there are many words, what is waited for is that memory. So the words of an example are put by, and looked up together when it ends:
//! each line is asked for when its word is put by, and comes while the next ones are read. Where the processor cannot be asked, all are loaded
//! in a loop of a few instructions, of which it has many under way.

use std::ops::Range;

use crate::bytes::part;
use crate::dictionary::hash_name;
use crate::text::names::Names;
use crate::wide::{ASKS, ask_for};

/// A word of a column; the tag is 0 where there is none.
#[derive(Clone, Copy, Default)]
#[repr(align(16))]
struct Slot {
    key: u64,
    /// Above four bits of the length is the column, from 1: its place in the recipe, which is the same in all inputs.
    tag: u32,
    name: u32,
}

/// Slots that lie together, filled from the first one on.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Bucket([Slot; 4]);

/// Up to so many bytes a word is a number.
const SHORT: usize = 8;
/// Twice the words that a bucket holds on average when the table is made larger: three and a half, of four. A fuller table lies nearer to
/// the processor, and words that come often came first: they lie where they are looked for.
const FULL: usize = 7;
/// Stands for no name.
const NONE: u32 = u32::MAX;

/// The words that a worker has met.
#[derive(Default)]
pub(crate) struct Words {
    buckets: Vec<Bucket>,
    taken: usize,
    /// How often the names had been forgotten.
    forgotten: u32,
    /// The words of the example at hand, and where they stand.
    pending: Vec<(Word, Range<u32>)>,
}

/// A word of a column, by what is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Word {
    key: u64,
    tag: u32,
}

impl Word {
    /// One of up to eight bytes, the first of which is the lowest of the number.
    #[inline(always)]
    pub(crate) fn short(column: usize, key: u64, length: usize) -> Word {
        Word { key, tag: tag(column, length) }
    }

    /// Any word.
    pub(crate) fn of(column: usize, word: &[u8]) -> Word {
        let mut bytes = [0; SHORT];
        match bytes.get_mut(..word.len()) {
            Some(room) => {
                room.copy_from_slice(word);
                Word::short(column, u64::from_le_bytes(bytes), word.len())
            }
            None => Word { key: hash_name(word), tag: tag(column, SHORT + 1) },
        }
    }

    fn column(self) -> usize {
        (self.tag >> 4) as usize - 1
    }

    fn is_short(self) -> bool {
        self.tag as usize % 16 <= SHORT
    }

    /// Both halves of a product: what the last bytes of a word say is in the upper one alone.
    #[inline(always)]
    fn hash(self) -> usize {
        let product = u128::from(self.key ^ u64::from(self.tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)) * 0xa076_1d64_78bd_642f;
        (product as u64 ^ (product >> 64) as u64) as usize
    }
}

#[inline(always)]
fn tag(column: usize, length: usize) -> u32 {
    (column as u32).wrapping_add(1) << 4 | length as u32
}

impl Words {
    /// Begins a chunk: without names that were forgotten nothing is known.
    pub(crate) fn begin(&mut self, names: &Names) {
        self.pending.clear();
        if std::mem::replace(&mut self.forgotten, names.forgotten) != names.forgotten {
            self.buckets.fill(Bucket::default());
            self.taken = 0;
        }
    }

    /// Begins an example.
    #[inline(always)]
    pub(crate) fn begin_example(&mut self) {
        self.pending.clear();
    }

    /// Puts a [short](Word::short) word by, which stands in the text of the chunk.
    #[inline(always)]
    pub(crate) fn put_by(&mut self, word: Word, places: Range<usize>) {
        if let Some(bucket) = self.buckets.get(word.hash() & self.buckets.len().wrapping_sub(1)) {
            ask_for(bucket);
        }
        self.pending.push((word, places.start as u32..places.end as u32));
    }

    /// Looks up what was put by: hands over each name. `front` gives what stands before the words of a column.
    #[inline(always)]
    pub(crate) fn look_up<'a>(&mut self, text: &[u8], front: impl Fn(usize) -> &'a [u8], names: &mut Names, mut each: impl FnMut(u32)) {
        if !ASKS {
            let mask = self.buckets.len().wrapping_sub(1);
            let near = |(word, _): &(Word, _)| self.buckets.get(word.hash() & mask).map_or(0, |bucket| bucket.0[0].tag);
            std::hint::black_box(self.pending.iter().fold(0, |all, pending| all ^ near(pending)));
        }
        let pending = std::mem::take(&mut self.pending);
        for (word, places) in &pending {
            let text = || part(text, places.start as usize..places.end as usize);
            let found = self.find(*word);
            each(if found != NONE { found } else { self.name(*word, front(word.column()), text(), names) });
        }
        self.pending = pending; // its room is used again
    }

    /// Which name a word is; `front` and the word are the name.
    #[inline(never)]
    pub(crate) fn name(&mut self, word: Word, front: &[u8], text: &[u8], names: &mut Names) -> u32 {
        let found = self.find(word);
        if found != NONE && (word.is_short() || is_made_of(names.name(found), front, text)) {
            found
        } else {
            self.add(word, front, text, names)
        }
    }

    #[inline(always)]
    fn find(&self, word: Word) -> u32 {
        let (mut at, mask) = (word.hash(), self.buckets.len().wrapping_sub(1));
        while let Some(Bucket(slots)) = self.buckets.get(at & mask) {
            let mut found = NONE;
            for slot in slots {
                let differs = slot.key ^ word.key | u64::from(slot.tag ^ word.tag);
                found = if differs == 0 { slot.name } else { found };
            }
            if found != NONE || slots[3].tag == 0 {
                return found;
            }
            at += 1;
        }
        NONE
    }

    /// Notes a word that is new, by a name that the names may know.
    #[inline(never)]
    fn add(&mut self, word: Word, front: &[u8], text: &[u8], names: &mut Names) -> u32 {
        let name = names.entry(&[front, text].concat());
        // Of two long words with one hash the first is known here.
        if self.find(word) != NONE {
            return name;
        }
        if self.taken * 2 >= self.buckets.len() * FULL {
            let length = (2 * self.buckets.len()).max(1 << 8);
            let old = std::mem::replace(&mut self.buckets, vec![Bucket::default(); length]);
            let slots = old.into_iter().flat_map(|bucket| bucket.0);
            slots.filter(|slot| slot.tag != 0).for_each(|slot| self.put(slot));
        }
        self.put(Slot { key: word.key, tag: word.tag, name });
        self.taken += 1;
        name
    }

    fn put(&mut self, slot: Slot) {
        let (mut at, mask) = (Word { key: slot.key, tag: slot.tag }.hash(), self.buckets.len() - 1);
        loop {
            if let Some(free) = self.buckets[at & mask].0.iter_mut().find(|slot| slot.tag == 0) {
                *free = slot;
                return;
            }
            at += 1;
        }
    }
}

fn is_made_of(name: &[u8], front: &[u8], text: &[u8]) -> bool {
    name.len() == front.len() + text.len() && name.ends_with(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart_by_column_and_text() {
        let (mut words, mut names) = (Words::default(), Names::default());
        let fronts = ["a=", "b="];
        let texts: Vec<String> = (0..3000).map(|i| format!("{i}{}", &"xyz0123456789"[..i % 11])).collect();
        let zeros = ["a", "a\0", "a\0\0", "\0"].map(str::to_owned);
        for turn in 0..3 {
            words.begin(&names);
            for (column, front) in fronts.iter().enumerate() {
                for text in texts.iter().chain(&zeros) {
                    let word = Word::of(column, text.as_bytes());
                    let name = words.name(word, front.as_bytes(), text.as_bytes(), &mut names);
                    assert_eq!(names.name(name), format!("{front}{text}").as_bytes());
                    assert!(words.find(word) == name, "{turn}");
                    if word.is_short() {
                        words.put_by(word, 0..text.len());
                    }
                    let mut found = Vec::new();
                    words.look_up(text.as_bytes(), |column| fronts[column].as_bytes(), &mut names, |name| found.push(name));
                    assert!(found.iter().eq([name].iter().filter(|_| word.is_short())));
                    words.begin_example();
                }
            }
            assert_eq!(words.taken, 2 * (texts.len() + zeros.len()));
        }
        // A long word whose hash another one has.
        let (long, other) = ("0123456789", "9876543210");
        let known = words.name(Word::of(0, long.as_bytes()), b"a=", long.as_bytes(), &mut names);
        let name = words.name(Word::of(0, long.as_bytes()), b"a=", other.as_bytes(), &mut names);
        assert!(known != name && names.name(name) == b"a=9876543210");
        names.forgotten += 1;
        words.begin(&names);
        assert!(words.find(Word::of(0, b"a")) == NONE && words.taken == 0);
    }

    /// How many buckets there are for the words of a column, and how many of them are looked at: for all words together, and at most.
    fn looked_at(all: impl Iterator<Item = String>) -> (usize, usize, usize) {
        let (mut words, mut names) = (Words::default(), Names::default());
        let all: Vec<Word> = all
            .map(|text| {
                words.name(Word::of(0, text.as_bytes()), b"a=", text.as_bytes(), &mut names);
                Word::of(0, text.as_bytes())
            })
            .collect();
        let mask = words.buckets.len() - 1;
        let has = |at: usize, word: &Word| words.buckets[at & mask].0.iter().any(|slot| (slot.key, slot.tag) == (word.key, word.tag));
        let each = all.iter().map(|word| 1 + (0..=mask).find(|more| has(word.hash() + more, word)).unwrap());
        (words.buckets.len(), each.clone().sum(), each.max().unwrap())
    }

    #[test]
    fn words_that_differ_anywhere_lie_apart() {
        // As full as a table of 256 buckets gets (found: 1.34 to 1.74, 11 to 19), and when it has been made larger (1.01 to 1.05, 2 to 4).
        const FULLEST: usize = 256 * FULL / 2;
        for (count, most_each, most_of_one) in [(FULLEST, 1.8, 20), (1000, 1.1, 8)] {
            for (what, (buckets, sum, most)) in [
                ("at the end", looked_at((0..count).map(|i| format!("item_{i:03}")))),
                ("all over", looked_at((0..count).map(|i| format!("{i:08}")))),
                ("at the beginning", looked_at((0..count).map(|i| format!("{i:03}aaaaa")))),
                ("in length", looked_at((0..count).map(|i| format!("s{i}")))),
            ] {
                let each = sum as f64 / count as f64;
                assert_eq!(buckets, if count == FULLEST { 256 } else { 512 });
                assert!(each <= most_each && most <= most_of_one, "{what}: {each} buckets for each of {count} words, at most {most}");
            }
        }
    }
}
