//! The user's own names of columns, users and items.

use std::hash::Hash;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

/// What a packed file's rows of parameters are called in the user's text, in the file's own order.
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

    /// The bytes of the `i`th name; empty for numbers and beyond the end.
    fn bytes(&self, i: usize) -> &[u8] {
        let Ids::Names { start, bytes } = self else { return &[] };
        match (start.get(i), i.checked_add(1).and_then(|next| start.get(next))) {
            (Some(&from), Some(&to)) => bytes.get(from as usize..to as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The `i`th as a number, if it is one that `u64` prints the same way.
    fn number(&self, i: usize) -> Option<u64> {
        match self {
            Ids::Numbers(numbers) => numbers.get(i).copied(),
            Ids::Names { .. } => plain_integer(self.bytes(i)),
        }
    }

    /// For each of these the position in `to`, or `u32::MAX` where `to` has none of that text.
    pub fn translate(&self, to: &Ids) -> Vec<u32> {
        match (self, to) {
            (Ids::Names { .. }, Ids::Names { .. }) => look_up(self.len(), to.len(), |i| Some(self.bytes(i)), |i| Some(to.bytes(i))),
            _ => look_up(self.len(), to.len(), |i| self.number(i), |i| to.number(i)),
        }
    }
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
pub(super) fn plain_integer(text: &[u8]) -> Option<u64> {
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
