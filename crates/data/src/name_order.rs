//! Names in the order of their bytes, eight bytes at a time.
//!
//! Millions of names lie scattered in memory. To sort them by comparing two at a time waits for that memory at each comparison: of ten
//! million names this was half of packing. Here the next eight bytes of each are fetched once, by loads that do not wait for each other, and
//! compared as words that lie side by side. Names that have these in common go on by the eight behind (multikey quicksort with cached
//! words, Ng & Kakehi 2007). Threads share a long run, and take short ones by themselves.

use hogwild_base::threads;

use crate::bytes::{from, up_to};

/// Bytes of a name that are compared at once.
const WORD: usize = 8;
/// Names whose words are fetched by one thread at a time.
const SHARE: usize = 1 << 14;

/// What a name is sorted by, as far as it was looked at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// The next bytes, the first one highest; zeros behind the end.
    word: u64,
    /// How many bytes are left, or `WORD + 1` where there are more than these: a name comes before one that goes on by zeros.
    left: u32,
    entry: u32,
}

/// Keys whose names have so many bytes in common.
type Run<'a> = (&'a mut [Key], usize);

/// Entries in the order of their names, which are all different.
pub(crate) fn by_name<'a>(entries: Vec<u32>, name: impl Fn(u32) -> &'a [u8] + Sync) -> Vec<u32> {
    let mut keys: Vec<Key> = entries.into_iter().map(|entry| Key { word: 0, left: 0, entry }).collect();
    let fetch = |keys: &mut [Key], common: usize| keys.iter_mut().for_each(|key| *key = key_of(key.entry, from(name(key.entry), common)));
    let (mut long, mut short): (Vec<Run<'_>>, Vec<Run<'_>>) = (vec![(&mut keys, 0)], Vec::new());
    // A long run is sorted by all threads together.
    while let Some((run, common)) = long.pop() {
        if run.len() <= SHARE {
            short.push((run, common));
            continue;
        }
        in_shares(run.chunks_mut(SHARE).collect(), |share| fetch(share, common));
        threads::sort_unstable_by(run, Key::cmp);
        long.extend(unsorted(run).map(|run| (run, common + WORD)));
    }
    // Of short ones each thread takes some.
    let (mut shares, mut room): (Vec<Vec<Run<'_>>>, usize) = (Vec::new(), 0);
    for run in short {
        let count = run.0.len();
        match shares.last_mut().filter(|_| count <= room) {
            Some(share) => share.push(run),
            None => {
                room = SHARE;
                shares.push(vec![run]);
            }
        }
        room -= count;
    }
    in_shares(shares, |mut share| {
        while let Some((run, common)) = share.pop() {
            fetch(run, common);
            run.sort_unstable();
            share.extend(unsorted(run).map(|run| (run, common + WORD)));
        }
    });
    keys.into_iter().map(|key| key.entry).collect()
}

/// What of sorted keys is to be sorted by the bytes behind their words.
fn unsorted(keys: &mut [Key]) -> impl Iterator<Item = &mut [Key]> {
    let same = keys.chunk_by_mut(|a, b| (a.word, a.left) == (b.word, b.left));
    same.filter(|same| same.len() > 1 && same.first().is_some_and(|key| key.left as usize > WORD))
}

/// Does work on shares of it.
fn in_shares<T: Send>(shares: Vec<T>, work: impl Fn(T) + Sync) {
    let done = threads::each(
        shares,
        || (),
        |(), share| {
            work(share);
            Ok::<_, std::convert::Infallible>(())
        },
    );
    let Ok(()) = done;
}

fn key_of(entry: u32, rest: &[u8]) -> Key {
    let word = rest.first_chunk().map_or_else(
        || up_to(rest, WORD).iter().rev().fold(0, |word, &byte| word >> WORD | u64::from(byte) << 56),
        |&bytes| u64::from_be_bytes(bytes),
    );
    Key { word, left: rest.len().min(WORD + 1) as u32, entry }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(mut names: Vec<Vec<u8>>) {
        names.sort_unstable();
        names.dedup();
        // Out of order: those in the middle first, the outer ones from both ends in turn.
        let count = names.len() as u32;
        let entries = (0..count).map(|i| if i % 2 == 0 { count / 2 + i / 2 } else { count / 2 - 1 - i / 2 }).collect();
        let sorted = by_name(entries, |entry| &names[entry as usize]);
        assert!(sorted.into_iter().eq(0..count));
    }

    #[test]
    fn many_names_are_in_order() {
        let number = |i: u64| i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        agrees((0..100_000).map(|i| format!("namespace^{:x}", number(i)).into_bytes()).collect());
        agrees((0..100).flat_map(|i| (0..9).map(move |zeros| [&b"abcdefgh".repeat(i)[..], &vec![0; zeros]].concat())).collect());
    }

    proptest! {
        #[test]
        fn as_the_standard_library_sorts(names in proptest::collection::vec(proptest::collection::vec(0u8..3, 0..30), 0..200)) {
            agrees(names);
        }
    }
}
