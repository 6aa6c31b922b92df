//! Messages as bytes: framed records of little-endian numbers, which any carrier may bring anywhere.
//!
//! A message is a frame: the mark `hogw`, the version, what kind of message it is (each four bytes), and how many bytes follow (eight). What
//! follows is the business of whoever sends it. A reader checks as it reads: a message that is cut short, or is none of ours, is an error
//! that says why. Numbers are written and read where they lie in the buffer, so that a message costs no copy beside the one that sends it.
use crate::simd::LANES;
use hogwild_base::{Error, Result};

const MARK: [u8; 4] = *b"hogw";
const VERSION: u32 = 1;
/// Bytes before what follows.
const FRAME: usize = 20;

/// Begins a message in a buffer, in place of what was there.
pub(crate) fn begin(message: &mut Vec<u8>, kind: u32) {
    message.clear();
    message.extend_from_slice(&MARK);
    put(message, VERSION);
    put(message, kind);
    message.extend_from_slice(&0u64.to_le_bytes());
}

/// Ends it: says how many bytes followed.
pub(crate) fn end(message: &mut [u8]) {
    let follow = (message.len() - FRAME) as u64;
    message[FRAME - 8..FRAME].copy_from_slice(&follow.to_le_bytes());
}

/// Adds a number.
pub(crate) fn put(message: &mut Vec<u8>, x: u32) {
    message.extend_from_slice(&x.to_le_bytes());
}

/// Adds so many bytes, to be set.
#[inline(always)]
pub(crate) fn room(message: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    let start = message.len();
    message.resize(start + bytes, 0);
    &mut message[start..]
}

/// Sets number `i` of some bytes.
///
/// # Panics
/// When there are fewer.
#[inline(always)]
pub(crate) fn set(bytes: &mut [u8], i: usize, x: u32) {
    bytes.as_chunks_mut().0[i] = x.to_le_bytes();
}

/// Sets the sixteen numbers from number `first` on.
///
/// # Panics
/// When there are fewer.
#[inline(always)]
pub(crate) fn set_line(bytes: &mut [u8], first: usize, numbers: &[f32; LANES]) {
    let bytes: &mut [[u8; 4]] = &mut bytes.as_chunks_mut().0[first..first + LANES];
    for i in 0..LANES {
        bytes[i] = numbers[i].to_le_bytes();
    }
}

/// The sixteen numbers from number `first` of some bytes on.
///
/// # Panics
/// When there are fewer.
#[inline(always)]
pub(crate) fn line(bytes: &[u8], first: usize) -> [f32; LANES] {
    let bytes: &[[u8; 4]] = &bytes.as_chunks().0[first..first + LANES];
    let mut numbers = [0.0; LANES];
    for i in 0..LANES {
        numbers[i] = f32::from_le_bytes(bytes[i]);
    }
    numbers
}

/// Number `i` of some bytes.
///
/// # Panics
/// When there are fewer.
#[inline(always)]
pub(crate) fn number(bytes: &[u8], i: usize) -> f32 {
    f32::from_le_bytes(bytes.as_chunks().0[i])
}

/// A message that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'b> {
    rest: &'b [u8],
    /// Of the whole message.
    bytes: usize,
}

impl<'b> Reader<'b> {
    /// The kind of a message, and what follows.
    ///
    /// # Errors
    /// When it is cut short, or not of this program and version.
    pub fn open(message: &'b [u8]) -> Result<(u32, Reader<'b>)> {
        let mut reader = Reader { rest: message, bytes: message.len() };
        if reader.take(4, "a mark")? != MARK {
            return Err(reader.bad("is not of hogwild: it does not begin with `hogw`".into()));
        }
        let version = reader.number("a version")?;
        if version != VERSION {
            return Err(reader.bad(format!("is of version {version}, and this program's is {VERSION}")));
        }
        let kind = reader.number("a kind")?;
        let follow = reader.long("a length")?;
        if follow != reader.rest.len() as u64 {
            return Err(reader.bad(format!("says that {follow} bytes follow its frame, and {} do", reader.rest.len())));
        }
        Ok((kind, reader))
    }

    /// The next bytes; `what` they are to be.
    ///
    /// # Errors
    /// When there are fewer; as of all that is read.
    #[inline(always)]
    pub fn take(&mut self, bytes: usize, what: &str) -> Result<&'b [u8]> {
        match self.rest.split_at_checked(bytes) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => Err(self.cut_short(bytes, what)),
        }
    }

    #[cold]
    fn cut_short(&self, bytes: usize, what: &str) -> Error {
        self.bad(format!("is cut short: {what} takes {bytes} bytes, and {} are left", self.rest.len()))
    }

    /// The next bytes as something to be read on its own.
    pub fn part(&mut self, bytes: u64, what: &str) -> Result<Reader<'b>> {
        Ok(Reader { rest: self.take(usize::try_from(bytes).unwrap_or(usize::MAX), what)?, ..*self })
    }

    #[inline(always)]
    pub fn number(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.take(4, what)?.as_chunks().0[0]))
    }

    pub fn long(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_le_bytes(self.take(8, what)?.as_chunks().0[0]))
    }

    pub fn real(&mut self, what: &str) -> Result<f32> {
        Ok(f32::from_bits(self.number(what)?))
    }

    /// All has been read.
    pub fn close(self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(self.bad(format!("has {more} bytes behind its end"))),
        }
    }

    /// Says what is wrong with the message.
    pub fn bad(&self, problem: String) -> Error {
        Error::BadMessage { bytes: self.bytes, problem }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Vec<u8> {
        let mut message = vec![7; 3];
        begin(&mut message, 5);
        put(&mut message, 9);
        set_line(room(&mut message, 64), 0, &std::array::from_fn(|i| i as f32 - 0.5));
        end(&mut message);
        message
    }

    #[test]
    fn what_is_written_is_read() {
        let message = message();
        let (kind, mut reader) = Reader::open(&message).unwrap();
        assert_eq!((kind, reader.number("nine").unwrap()), (5, 9));
        let numbers = reader.take(64, "a line").unwrap();
        assert_eq!((line(numbers, 0)[15], number(numbers, 3)), (14.5, 2.5));
        reader.close().unwrap();
    }

    #[test]
    fn what_is_cut_short_or_foreign_is_refused_with_its_reason() {
        let whole = message();
        for end in 0..whole.len() {
            let error = Reader::open(&whole[..end]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("a message of {end} bytes")) && error.contains(if end < 20 { "cut short" } else { "follow" }),
                "{error}"
            );
        }
        let with = |at: usize, byte: u8| {
            let mut message = whole.clone();
            message[at] = byte;
            Reader::open(&message).unwrap_err().to_string()
        };
        assert!(
            with(0, b'X').contains("is not of hogwild")
                && with(4, 2).contains("is of version 2")
                && with(12, 1).contains("says that 1 bytes")
        );
        let mut reader = Reader::open(&whole).unwrap().1;
        assert!(reader.take(69, "more than there is").unwrap_err().to_string().contains("69 bytes, and 68 are left"));
        assert!(reader.close().unwrap_err().to_string().contains("68 bytes behind its end"));
    }
}
