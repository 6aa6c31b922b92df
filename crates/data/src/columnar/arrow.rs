//! Arrow's files, batch by batch. Lengths that the file states are looked at before room is made for them, as a damaged one may state any.
//!
//! A file ends in a footer, which says where dictionaries and batches lie. Each of these is a block: a message that describes buffers, and
//! the buffers.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;
use std::vec::IntoIter;

use arrow_array::RecordBatch;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::{Block, convert::fb_to_schema, root_as_footer, root_as_message};
use arrow_schema::SchemaRef;
use hogwild_base::memory;

/// What a file ends in: the length of the footer, and a mark.
const END: usize = 10;

/// A file, and what of it is not read yet.
pub(super) struct ArrowFile {
    file: File,
    length: u64,
    decoder: FileDecoder,
    batches: IntoIter<Block>,
}

impl ArrowFile {
    /// Opens a file, of which these columns are wanted; all where none are said.
    pub(super) fn open(mut file: File, wanted: Option<&[usize]>) -> Result<(SchemaRef, ArrowFile), String> {
        let length = file.metadata().map_err(|problem| problem.to_string())?.len();
        let end = bytes(&mut file, length, length.saturating_sub(END as u64), END as u64)?;
        let end = end.as_slice().try_into().map_err(|_| "its end is missing")?;
        let footer_length = read_footer_length(end).map_err(|problem| problem.to_string())? as u64;
        let start = length.checked_sub(END as u64 + footer_length).ok_or("the footer is longer than the file")?;
        let footer = bytes(&mut file, length, start, footer_length)?;
        let footer = root_as_footer(&footer).map_err(|problem| format!("the footer is none: {problem}"))?;
        let fields = footer.schema().ok_or("it has no schema")?;
        if !fields.endianness().equals_to_target_endianness() {
            return Err("its numbers have the other byte order".into());
        }
        let schema = Arc::new(fb_to_schema(fields));
        let mut decoder = FileDecoder::new(schema.clone(), footer.version());
        if let Some(wanted) = wanted {
            decoder = decoder.with_projection(wanted.to_vec());
        }
        for block in footer.dictionaries().iter().flatten() {
            let buffer = self::block(&mut file, length, block)?;
            decoder.read_dictionary(block, &buffer).map_err(|problem| problem.to_string())?;
        }
        let batches: Vec<Block> = footer.recordBatches().iter().flatten().copied().collect();
        Ok((schema, ArrowFile { file, length, decoder, batches: batches.into_iter() }))
    }

    /// The next batch.
    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, String> {
        let Some(block) = self.batches.next() else { return Ok(None) };
        let buffer = self::block(&mut self.file, self.length, &block)?;
        let batch = self.decoder.read_record_batch(&block, &buffer).map_err(|problem| problem.to_string())?;
        batch.ok_or_else(|| "a batch is empty".into()).map(Some)
    }
}

/// Bytes of the file, in memory that columns may lie in.
fn bytes(file: &mut File, all: u64, start: u64, length: u64) -> Result<Buffer, String> {
    if start.checked_add(length).is_none_or(|end| end > all) {
        return Err("a block lies beyond the end of the file".into());
    }
    let mut buffer = MutableBuffer::from_len_zeroed(usize::try_from(length).map_err(|problem| problem.to_string())?);
    file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut buffer)).map_err(|problem| problem.to_string())?;
    Ok(buffer.into())
}

/// A block whose buffers, unpacked, fit into memory.
fn block(file: &mut File, all: u64, block: &Block) -> Result<Buffer, String> {
    let unsigned = |number: i64| u64::try_from(number).map_err(|_| "a block has a length below 0".to_owned());
    let (start, head, body) = (unsigned(block.offset())?, unsigned(block.metaDataLength().into())?, unsigned(block.bodyLength())?);
    let buffer = bytes(file, all, start, head.saturating_add(body))?;
    let (head, body) = buffer.split_at_checked(head as usize).unwrap_or_default();
    // Behind a mark that files before 2019 do not have, and a length.
    let message = head.strip_prefix(&[0xff; 4]).unwrap_or(head).get(4..).ok_or("a message is cut short")?;
    let message = root_as_message(message).map_err(|problem| format!("a message is none: {problem}"))?;
    let of_dictionary = || message.header_as_dictionary_batch().and_then(|batch| batch.data());
    let Some(batch) = message.header_as_record_batch().or_else(of_dictionary) else { return Err("a block is no batch".into()) };
    for place in batch.buffers().iter().flatten() {
        let part = unsigned(place.offset())?..unsigned(place.offset().saturating_add(place.length()))?;
        let part = body.get(part.start as usize..part.end as usize).ok_or("a buffer lies beyond its block")?;
        // Of a packed buffer the length comes first; -1 where it is as it is.
        let unpacked = part.first_chunk().filter(|_| batch.compression().is_some()).map_or(0, |bytes| i64::from_le_bytes(*bytes));
        let unpacked = u64::try_from(unpacked).unwrap_or(0);
        memory::ask(unpacked, || "columns of a batch".into(), "write smaller batches").map_err(|problem| problem.to_string())?;
    }
    Ok(buffer)
}
