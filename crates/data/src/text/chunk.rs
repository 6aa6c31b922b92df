//! A chunk: whole lines of one input, and newlines behind them.
//!
//! This is the contract between reading and parsing. A parser may look up to [`PAD`] bytes beyond the last line, and finds newlines
//! there: eight digits are read at a time, and no bound is asked for on the way.

use crate::bytes::up_to;

/// How many newlines stand behind the text: so many bytes beyond a number may be read.
pub(crate) const PAD: usize = 16;

/// Whole lines of one input.
#[derive(Default)]
pub(crate) struct Chunk {
    /// The lines and the newlines behind them; what comes after these is left from earlier chunks.
    pub(crate) text: Vec<u8>,
    /// Where the lines end, after a newline; [`PAD`] newlines follow.
    pub(crate) end: usize,
    /// Which input.
    pub(crate) input: usize,
    /// Whether it holds the input's first line.
    pub(crate) first: bool,
}

impl Chunk {
    /// The lines with the newlines behind them.
    pub(crate) fn padded(&self) -> &[u8] {
        up_to(&self.text, self.end + PAD)
    }

    /// The lines alone.
    pub(crate) fn lines(&self) -> &[u8] {
        up_to(&self.text, self.end)
    }
}
