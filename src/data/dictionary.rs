//! Numbers the ids of a text in order of appearance, counts them, and ranks them by frequency at the end.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use rayon::slice::ParallelSliceMut;

use super::Ids;

/// Ids below this go through a plain table instead of the hash map.
const DIRECT: u64 = 1 << 24;
/// An id that has no number.
const NONE: u32 = u32::MAX;

/// An id as it stands in the text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key<'a> {
    Number(u64),
    Name(&'a [u8]),
}

/// Ids seen so far.
#[derive(Default)]
pub(super) struct Dictionary {
    direct: Vec<u32>,
    sparse: HashMap<u64, u32, FixedState>,
    names: HashMap<Box<[u8]>, u32, FixedState>,
    /// The number of each entry; names have theirs in `names`.
    ids: Vec<u64>,
    counts: Vec<u64>,
}

/// The outcome: everything in order of falling count.
pub(super) struct Ranked {
    /// From order of appearance to rank.
    pub(super) rank: Vec<u32>,
    /// The ids by rank.
    pub(super) ids: Ids,
    /// Their counts by rank.
    pub(super) counts: Vec<u64>,
}

impl Dictionary {
    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        self.counts.len()
    }

    /// Counts one occurrence of a number. `None` when there are too many for 32 bits.
    #[inline]
    pub(super) fn number(&mut self, id: u64) -> Option<u32> {
        if id < DIRECT {
            match self.direct.get(id as usize) {
                Some(&entry) if entry != NONE => {
                    self.count(entry);
                    Some(entry)
                }
                _ => self.new_direct(id),
            }
        } else if let Some(&entry) = self.sparse.get(&id) {
            self.count(entry);
            Some(entry)
        } else {
            let entry = self.push(id)?;
            self.sparse.insert(id, entry);
            Some(entry)
        }
    }

    /// Counts one occurrence of any id.
    pub(super) fn key(&mut self, key: Key<'_>) -> Option<u32> {
        match key {
            Key::Number(id) => self.number(id),
            Key::Name(name) => {
                if let Some(&entry) = self.names.get(name) {
                    self.count(entry);
                    return Some(entry);
                }
                let entry = self.push(0)?;
                self.names.insert(name.into(), entry);
                Some(entry)
            }
        }
    }

    #[inline]
    fn count(&mut self, entry: u32) {
        if let Some(count) = self.counts.get_mut(entry as usize) {
            *count += 1;
        }
    }

    #[cold]
    fn new_direct(&mut self, id: u64) -> Option<u32> {
        let entry = self.push(id)?;
        let at = id as usize;
        if at >= self.direct.len() {
            self.direct.resize((at + 1).next_power_of_two().min(DIRECT as usize), NONE);
        }
        if let Some(cell) = self.direct.get_mut(at) {
            *cell = entry;
        }
        Some(entry)
    }

    fn push(&mut self, id: u64) -> Option<u32> {
        let entry = u32::try_from(self.counts.len()).ok().filter(|&entry| entry != NONE)?;
        self.ids.push(id);
        self.counts.push(1);
        Some(entry)
    }

    /// Ranks by falling count, then by id: numbers first, in their order, then names by their bytes.
    pub(super) fn rank(self) -> Ranked {
        let Dictionary { direct, sparse, names, ids, counts } = self;
        drop((direct, sparse));
        let mut text: Vec<&[u8]> = Vec::new();
        if !names.is_empty() {
            text.resize(ids.len(), &[]);
            for (name, &entry) in &names {
                text[entry as usize] = name;
            }
        }
        let mut order: Vec<u32> = (0..ids.len() as u32).collect();
        let number = |entry: u32| (std::cmp::Reverse(counts[entry as usize]), ids[entry as usize]);
        if text.is_empty() {
            order.par_sort_unstable_by_key(|&entry| number(entry));
        } else {
            // Numbers have no text and so come first.
            let by = |entry: u32| (number(entry).0, text[entry as usize], number(entry).1);
            order.par_sort_unstable_by(|&a, &b| by(a).cmp(&by(b)));
        }
        let mut rank = vec![0u32; ids.len()];
        for (position, &entry) in order.iter().enumerate() {
            rank[entry as usize] = position as u32;
        }
        let ranked = if names.is_empty() {
            Ids::Numbers(order.iter().map(|&entry| ids[entry as usize]).collect())
        } else {
            let (mut start, mut bytes) = (vec![0u64], Vec::new());
            for &entry in &order {
                match text[entry as usize] {
                    // No name is empty, so this is a number.
                    [] => bytes.extend_from_slice(ids[entry as usize].to_string().as_bytes()),
                    name => bytes.extend_from_slice(name),
                }
                start.push(bytes.len() as u64);
            }
            Ids::Names { start, bytes }
        };
        let counts = order.iter().map(|&entry| counts[entry as usize]).collect();
        Ranked { rank, ids: ranked, counts }
    }
}
