//! The user's own names of columns, users and items.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use std::hash::Hash;

/// What the user calls columns, users or items, in the order of their numbers.
///
/// ```
/// # mod hogwild { pub use hogwild_data as data; }
/// let ids: hogwild::data::Ids = ["price", "age"].into_iter().collect();
/// assert_eq!((ids.len(), ids.name(1).as_str()), (2, "age"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Plain integers.
    Numbers(Vec<u64>),
    /// Texts: the `i`th is `bytes[start[i]..start[i + 1]]`.
    Names {
        /// Where each name begins, and the end of the last.
        start: Vec<u64>,
        /// All names, one after the other.
        bytes: Vec<u8>,
    },
}

impl Ids {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Ids::Numbers(numbers) => numbers.len(),
            Ids::Names { start, .. } => start.len().saturating_sub(1),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The `i`th as text; empty beyond the end.
    pub fn name(&self, i: usize) -> String {
        match self {
            Ids::Numbers(numbers) => numbers.get(i).map(u64::to_string).unwrap_or_default(),
            Ids::Names { .. } => String::from_utf8_lossy(self.bytes(i)).into_owned(),
        }
    }

    /// Those of these numbers, in this order.
    pub fn select(&self, which: &[u32]) -> Ids {
        match self {
            Ids::Numbers(numbers) => Ids::Numbers(which.iter().filter_map(|&i| numbers.get(i as usize)).copied().collect()),
            Ids::Names { .. } => Ids::of_names(which.iter().map(|&i| self.bytes(i as usize))),
        }
    }

    /// These names, and others behind them.
    pub(crate) fn with(mut self, names: &[&[u8]]) -> Ids {
        if let Ids::Numbers(numbers) = &self {
            let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
            self = texts.iter().map(String::as_str).collect();
        }
        if let Ids::Names { start, bytes } = &mut self {
            for name in names {
                bytes.extend_from_slice(name);
                start.push(bytes.len() as u64);
            }
        }
        self
    }

    /// These, and others behind them.
    pub fn chain(&self, others: &Ids) -> Ids {
        match (self, others) {
            (Ids::Numbers(these), Ids::Numbers(others)) => Ids::Numbers([&these[..], others].concat()),
            (_, Ids::Numbers(numbers)) => {
                let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
                self.clone().with(&texts.iter().map(String::as_bytes).collect::<Vec<_>>())
            }
            (_, Ids::Names { .. }) => self.clone().with(&(0..others.len()).map(|i| others.bytes(i)).collect::<Vec<_>>()),
        }
    }

    /// Names, one after the other.
    pub(crate) fn of_names(names: impl Iterator<Item = impl AsRef<[u8]>>) -> Ids {
        let (mut start, mut bytes) = (vec![0], Vec::new());
        for name in names {
            bytes.extend_from_slice(name.as_ref());
            start.push(bytes.len() as u64);
        }
        Ids::Names { start, bytes }
    }

    /// The bytes of the `i`th name; empty for numbers and beyond the end.
    pub(crate) fn bytes(&self, i: usize) -> &[u8] {
        let Ids::Names { start, bytes } = self else { return &[] };
        match (start.get(i), i.checked_add(1).and_then(|next| start.get(next))) {
            (Some(&from), Some(&to)) => bytes.get(from as usize..to as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The `i`th as a number, if it is one that `u64` prints the same way.
    pub(crate) fn number(&self, i: usize) -> Option<u64> {
        match self {
            Ids::Numbers(numbers) => numbers.get(i).copied(),
            Ids::Names { .. } => plain_integer(self.bytes(i)),
        }
    }

    /// For each of these the position in `to`, or `u32::MAX` where `to` has none of that text.
    pub fn translate(&self, to: &Ids) -> Vec<u32> {
        match (self, to) {
            (Ids::Names { .. }, Ids::Names { .. }) => look_up(self.len(), to.len(), |i| Some(self.bytes(i)), |i| Some(to.bytes(i))),
            (Ids::Numbers(from), Ids::Numbers(to)) if is_dense(to) => look_up_dense(from, to),
            _ => look_up(self.len(), to.len(), |i| self.number(i), |i| to.number(i)),
        }
    }
}

impl<'a> FromIterator<&'a str> for Ids {
    fn from_iter<T: IntoIterator<Item = &'a str>>(names: T) -> Ids {
        Ids::of_names(names.into_iter().map(str::as_bytes))
    }
}

/// Whether a plain table of all numbers up to the largest is small beside a hash table: the hash table of ten million takes a second.
fn is_dense(numbers: &[u64]) -> bool {
    numbers.iter().max().is_some_and(|&most| most < 8 * numbers.len() as u64)
}

fn look_up_dense(from: &[u64], to: &[u64]) -> Vec<u32> {
    let mut positions = vec![u32::MAX; to.iter().max().map_or(0, |&most| most as usize + 1)];
    for (position, &number) in to.iter().enumerate().take(u32::MAX as usize).rev() {
        positions[number as usize] = position as u32; // of several the first remains
    }
    from.iter().map(|&number| positions.get(number as usize).copied().unwrap_or(u32::MAX)).collect()
}

fn look_up<K: Hash + Eq>(from: usize, to: usize, key: impl Fn(usize) -> Option<K>, target: impl Fn(usize) -> Option<K>) -> Vec<u32> {
    let mut positions: HashMap<K, u32, FixedState> = HashMap::with_capacity_and_hasher(to, FixedState::default());
    for i in 0..to.min(u32::MAX as usize) {
        if let Some(key) = target(i) {
            positions.entry(key).or_insert(i as u32);
        }
    }
    (0..from).map(|i| key(i).and_then(|key| positions.get(&key).copied()).unwrap_or(u32::MAX)).collect()
}

/// The number whose decimal text is exactly `text`: no sign, no leading zero, within `u64`.
#[inline]
pub(crate) fn plain_integer(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 || (text.len() > 1 && text[0] == b'0') {
        return None;
    }
    let mut number = 0u64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(digit.into())?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_behind_others_keep_their_bytes() {
        let (numbers, names) = (Ids::Numbers(vec![7, 1]), Ids::of_names([&b"a\xff"[..], b""].into_iter()));
        assert_eq!(numbers.chain(&numbers), Ids::Numbers(vec![7, 1, 7, 1]));
        assert_eq!(numbers.chain(&names), Ids::of_names([&b"7"[..], b"1", b"a\xff", b""].into_iter()));
        assert_eq!(names.chain(&numbers), Ids::of_names([&b"a\xff"[..], b"", b"7", b"1"].into_iter()));
        assert_eq!(names.chain(&names).len(), 4);
    }

    #[test]
    fn a_plain_table_finds_what_a_hash_table_does() {
        let to: Vec<u64> = (0..1000).map(|i| i * 7919 % 4001).chain([3, 3, 5]).collect();
        let from: Vec<u64> = (0..6000).rev().chain([u64::MAX]).collect();
        assert!(is_dense(&to) && !is_dense(&[1, u64::MAX]) && !is_dense(&[]));
        assert_eq!(look_up_dense(&from, &to), look_up(from.len(), to.len(), |i| from.get(i), |i| to.get(i)));
    }
}
