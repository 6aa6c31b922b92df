//! Zstandard, frame by frame. The decoder knows single frames. What makes a file of them is here: frames follow one another, some hold
//! no text and are passed over, and each is held to the length and the checksum that it states.

use std::error::Error as _;
use std::io::{BufRead, Error, ErrorKind, Read, Result, copy, sink};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// The text of all frames.
pub(crate) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    /// Whether a frame has begun whose end was not checked yet.
    within: bool,
    /// Bytes of text that this frame has given.
    given: u64,
}

impl<R: BufRead> Frames<R> {
    pub(crate) fn new(source: R) -> Frames<R> {
        Frames { source, decoder: FrameDecoder::new(), within: false, given: 0 }
    }

    /// Begins the next frame that holds text. Gives `false` where the source ends instead.
    fn next(&mut self) -> Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    (self.within, self.given) = (true, 0);
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if copy(&mut (&mut self.source).take(length), &mut sink())? < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(problem) => return Err(cause(problem)),
            }
        }
        Ok(false)
    }

    /// Holds the text of a whole frame to what its header and its end state, if they do.
    fn check(&mut self) -> Result<()> {
        self.within = false;
        // 0 stands for a length that is not stated, too.
        if ![0, self.given].contains(&self.decoder.content_size()) {
            return Err(Error::new(ErrorKind::InvalidData, "its length is not what it states"));
        }
        let stated = self.decoder.get_checksum_from_data();
        if stated.is_some() && stated != self.decoder.get_calculated_checksum() {
            return Err(Error::new(ErrorKind::InvalidData, "its checksum does not match"));
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            if self.within && self.decoder.can_collect() > 0 {
                let n = self.decoder.read(buffer)?;
                self.given += n as u64;
                return Ok(n);
            }
            if self.within && !self.decoder.is_finished() {
                self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1)).map_err(cause)?;
                continue;
            }
            if self.within {
                self.check()?;
            }
            if !self.next()? {
                return Ok(0);
            }
        }
    }
}

/// The source's own error where there is one below: a source that ends is not one that is damaged.
fn cause(problem: FrameDecoderError) -> Error {
    let mut below = problem.source();
    while let Some(error) = below {
        match error.downcast_ref::<Error>() {
            Some(source) => return source.raw_os_error().map_or_else(|| source.kind().into(), Error::from_raw_os_error),
            None => below = error.source(),
        }
    }
    Error::new(ErrorKind::InvalidData, problem)
}
