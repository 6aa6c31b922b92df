//! Where ids stand, looked up again and again: the table is made once, and each look-up costs what it asks for.

use crate::Ids;
use foldhash::fast::FixedState;
use hashbrown::HashTable;
use std::hash::BuildHasher;

/// The positions of ids by their text: 17 and the name `17` are one.
#[derive(Debug)]
pub struct IdIndex<'a> {
    ids: &'a Ids,
    positions: HashTable<u32>,
}

/// An id: a number wherever its text is that of one.
#[derive(Hash, PartialEq)]
enum Key<'a> {
    Number(u64),
    Name(&'a [u8]),
}

fn key(ids: &Ids, i: usize) -> Key<'_> {
    ids.number(i).map_or_else(|| Key::Name(ids.bytes(i)), Key::Number)
}

fn hash(key: &Key<'_>) -> u64 {
    FixedState::default().hash_one(key)
}

impl<'a> IdIndex<'a> {
    /// Of these ids, of which no two are alike.
    ///
    /// ```
    /// # mod hogwild { pub use hogwild_data as data; }
    /// use hogwild::data::{IdIndex, Ids};
    ///
    /// let known: Ids = ["price", "17"].into_iter().collect();
    /// assert_eq!(IdIndex::of(&known).translate(&Ids::Numbers(vec![17, 4])), [1, u32::MAX]);
    /// ```
    pub fn of(ids: &'a Ids) -> IdIndex<'a> {
        let count = ids.len().min(u32::MAX as usize);
        let mut positions = HashTable::with_capacity(count);
        for i in 0..count {
            positions.insert_unique(hash(&key(ids, i)), i as u32, |&i| hash(&key(ids, i as usize)));
        }
        IdIndex { ids, positions }
    }

    /// For each of these ids its position, or `u32::MAX` where there is none: as [`Ids::translate`] has it.
    pub fn translate(&self, from: &Ids) -> Vec<u32> {
        let find = |i: usize| {
            let asked = key(from, i);
            let found = self.positions.find(hash(&asked), |&i| key(self.ids, i as usize) == asked);
            found.copied().unwrap_or(u32::MAX)
        };
        (0..from.len()).map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_ids_are_translated() {
        let names = |names: &[&str]| names.iter().copied().collect::<Ids>();
        let all = [
            names(&["a", "17", "b=c", "017", ""]),
            names(&["b=c", "3", "x", "17"]),
            Ids::Numbers(vec![3, 17, u64::MAX]),
            Ids::Numbers((0..100).collect()),
            Ids::Numbers(Vec::new()),
        ];
        for to in &all {
            let index = IdIndex::of(to);
            all.iter().for_each(|from| assert_eq!(index.translate(from), from.translate(to), "{from:?} {to:?}"));
        }
    }
}
