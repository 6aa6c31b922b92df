//! The bytes of requests and answers: 32-bit words, little-endian.
//!
//! | message | words |
//! |---|---|
//! | push | 1, the rate; by table: how many slots, their numbers ascending, their sums |
//! | fetch | 2, the push whose outcome was fetched last |
//! | answer to a push | none |
//! | answer to a fetch | the last push; by table: how many slots, their numbers ascending, their parameters |
//!
//! Numbers are the bits of 32-bit floats. Slots and tables are those of the parameters, which both ends have laid out alike.
use crate::params::Changes;

/// What a replica asks of a server.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    Push { rate: f32, tables: Vec<Changes> },
    Fetch { since: u32 },
}

/// What a server answers to a fetch.
#[derive(Debug, PartialEq)]
pub(super) struct Fetched {
    pub now: u32,
    pub tables: Vec<Changes>,
}

const PUSH: u32 = 1;
const FETCH: u32 = 2;

impl Request {
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Request::Push { rate, tables } => bytes([PUSH, rate.to_bits()], tables),
            Request::Fetch { since } => bytes([FETCH, *since], &[]),
        }
    }

    /// `strides`: the numbers of a slot, by table. None where the bytes are no request.
    pub fn read(bytes: &[u8], strides: &[usize]) -> Option<Request> {
        let mut words = Words(bytes);
        let request = match (words.next()?, words.next()?) {
            (PUSH, rate) => Request::Push { rate: f32::from_bits(rate), tables: words.tables(strides)? },
            (FETCH, since) => Request::Fetch { since },
            _ => return None,
        };
        words.0.is_empty().then_some(request)
    }
}

impl Fetched {
    pub fn bytes(&self) -> Vec<u8> {
        bytes([self.now], &self.tables)
    }

    /// Likewise.
    pub fn read(bytes: &[u8], strides: &[usize]) -> Option<Fetched> {
        let mut words = Words(bytes);
        let fetched = Fetched { now: words.next()?, tables: words.tables(strides)? };
        words.0.is_empty().then_some(fetched)
    }
}

fn bytes<const N: usize>(heading: [u32; N], tables: &[Changes]) -> Vec<u8> {
    let words: usize = tables.iter().map(|table| 1 + table.slots.len() + table.numbers.len()).sum();
    let mut bytes = Vec::with_capacity(4 * (N + words));
    let mut put = |word: u32| bytes.extend_from_slice(&word.to_le_bytes());
    heading.into_iter().for_each(&mut put);
    for Changes { slots, numbers } in tables {
        put(slots.len() as u32);
        slots.iter().copied().for_each(&mut put);
        numbers.iter().for_each(|x| put(x.to_bits()));
    }
    bytes
}

/// What is left to read of a message.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> Option<u32> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*word))
    }

    fn take<T>(&mut self, n: usize, of: impl Fn(u32) -> T) -> Option<Vec<T>> {
        let (words, rest) = self.0.split_at_checked(n.checked_mul(4)?)?;
        self.0 = rest;
        Some(words.as_chunks().0.iter().map(|word| of(u32::from_le_bytes(*word))).collect())
    }

    fn tables(&mut self, strides: &[usize]) -> Option<Vec<Changes>> {
        let table = |&stride: &usize| {
            let n = self.next()? as usize;
            Some(Changes { slots: self.take(n, |slot| slot)?, numbers: self.take(n.checked_mul(stride)?, f32::from_bits)? })
        };
        strides.iter().map(table).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_written_and_cut_ones_are_not() {
        let tables = vec![
            Changes { slots: vec![0, 7], numbers: vec![1.0, -2.5, 3.0, f32::MIN_POSITIVE] },
            Changes { slots: vec![3], numbers: vec![0.5; 3] },
        ];
        let strides = [2, 3];
        for request in [Request::Push { rate: 0.25, tables: tables.clone() }, Request::Fetch { since: 9 }] {
            let bytes = request.bytes();
            assert_eq!(Request::read(&bytes, &strides), Some(request));
            assert!((0..bytes.len()).all(|n| Request::read(&bytes[..n], &strides).is_none()));
            assert_eq!(Request::read(&[&bytes[..], &[0]].concat(), &strides), None);
        }
        let fetched = Fetched { now: 4, tables };
        let bytes = fetched.bytes();
        assert_eq!(Fetched::read(&bytes, &strides), Some(fetched));
        assert!((0..bytes.len()).all(|n| Fetched::read(&bytes[..n], &strides).is_none()));
        // A count of slots beyond the message, and of bytes beyond any.
        assert_eq!(Request::read(&bytes_of(&[PUSH, 0, u32::MAX, 1]), &[2]), None);
        assert_eq!(Request::read(&bytes_of(&[3, 0]), &[]), None);
    }

    fn bytes_of(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}
