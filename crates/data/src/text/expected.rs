//! Whether text is, by its first lines, what a model takes: then what the cache has of it for other commands serves too.

use std::path::PathBuf;

use crate::Kind;
use crate::text::{Format, chunk::Chunk, input::Inputs};

/// Whether the first lines of the first input say, without doubt, that it holds this kind of data. Only plain files are looked at, as what
/// is read of a pipe is gone; of whatever cannot be read the answer is no, for who packs it to tell.
pub fn looks_like(inputs: &[PathBuf], kind: Kind) -> bool {
    let Some(first) = inputs.split_at_checked(1).map(|(first, _)| first).filter(|first| first.iter().all(|path| path.is_file())) else {
        return false;
    };
    let (goes_on, mut chunk) = (|_, _| true, Chunk::default());
    let read = Inputs::new(first, &goes_on).and_then(|mut text| text.next_chunk(&mut chunk));
    matches!(read, Ok(true)) && Format::detect(chunk.lines()).is_some_and(|format| format.kind() == kind)
}
