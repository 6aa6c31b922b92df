//! Whether text is, by its first lines, what a model takes: then what the cache has of it for other commands serves too.

use std::path::PathBuf;

use super::Format;
use super::input::{Chunk, Inputs};

/// Whether the first lines of the first input say, without doubt, that it is of this format. Only plain files are looked at, as what is read
/// of a pipe is gone; of whatever cannot be read the answer is no, for who packs it to tell.
pub fn looks_like(inputs: &[PathBuf], format: Format) -> bool {
    let Some(first) = inputs.get(..1).filter(|first| first.iter().all(|path| path.is_file())) else { return false };
    let mut chunk = Chunk::default();
    let read = Inputs::new(first, &()).and_then(|mut text| text.next_chunk(&mut chunk));
    matches!(read, Ok(true)) && Format::detect(chunk.lines()) == Some(format)
}
