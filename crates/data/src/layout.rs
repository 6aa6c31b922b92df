//! The frame of a packed file: header, places of the tensors, checksum.

use crate::file::read_at;
use hogwild_base::{Error, Result, threads};
use safetensors::{
    Dtype,
    tensor::{Metadata, TensorInfo},
};
use serde_json::{Map, Value};
use std::{fs::File, path::Path};
use xxhash_rust::xxh3::xxh3_64;

/// What `format` says in the metadata.
const FORMAT: &str = "hogwild-data";
/// The version written, and the only one read.
pub(crate) const VERSION: &str = "1";
/// What the tensors of rows are called in a file. Behind them come the names of features, and of fields: see
/// [`Store::ids`](crate::store::Store::ids).
pub(crate) mod names {
    /// Where each row's cells start, and where the last row's end: `u64`.
    pub const ROW_START: &str = "row_start";
    /// The column of each cell: `u32`.
    pub const COLUMN: &str = "column";
    /// The value of each cell: `f32`; left out when all are 1.
    pub const VALUE: &str = "value";
    /// The label of each row: `f32`.
    pub const LABEL: &str = "label";
    /// How much each row counts: `f32`, above 0; left out when all count alike.
    pub const WEIGHT: &str = "weight";
    /// Where the classes of each row begin, and those of the last end: `u64`; left out where each row has one label.
    pub const CLASS_START: &str = "class_start";
    /// The classes of all rows, by their place among the classes of the recipe: `u32`.
    pub const CLASS: &str = "class";
    /// What the occurrences of each feature in bags of words were multiplied by: `f32`; left out where they were not.
    pub const IDF: &str = "feature_idf";
    /// The field of each column: `u16`; left out where features have none, or their names tell it.
    pub const FIELD: &str = "feature_field";
}

/// The checksum is taken over blocks of this size.
pub(crate) const BLOCK: usize = 4 << 20;
/// Where the checksum stands in the header, and what stands there while it is taken.
const CHECKSUM: &str = "\"checksum\":\"";
const BLANK: &[u8; 16] = b"0000000000000000";
/// A header longer than this is none.
const LONGEST_HEADER: u64 = 100_000_000;

/// Whether a file is called `.safetensors`: by that packed files are told from text. Models are called so too.
pub fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
}

/// A file to be written.
pub(crate) struct Layout {
    /// Length and JSON, with a blank checksum.
    pub(crate) header: Vec<u8>,
    /// Where each tensor begins in the file.
    pub(crate) places: Vec<u64>,
    /// Length of the file.
    pub(crate) length: u64,
}

/// What the metadata says where some labels are not given, so that the file is for predictions only.
pub(crate) const UNLABELLED: &str = "unlabelled";

/// What the metadata calls what was done to the text (a [`Recipe`](crate::Recipe)), as JSON.
pub(crate) const RECIPE: &str = "recipe";

/// What the metadata says besides what is the same in all files.
#[derive(Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) kind: &'a str,
    pub(crate) source: &'a str,
    pub(crate) unlabelled: bool,
    pub(crate) recipe: Option<&'a str>,
}

/// Lays out tensors in the order given: those of wider cells must come first.
pub(crate) fn lay_out(about: About<'_>, tensors: &[(&str, Dtype, usize)]) -> std::result::Result<Layout, String> {
    let About { kind, source, unlabelled, recipe } = about;
    let mut map = Map::new();
    let texts = [("checksum", "0000000000000000"), ("format", FORMAT), ("version", VERSION), ("kind", kind), ("source", source)];
    let texts = texts.into_iter().chain(unlabelled.then_some((UNLABELLED, "true"))).chain(recipe.map(|recipe| (RECIPE, recipe)));
    let metadata = texts.map(|(key, text)| (key.to_owned(), Value::from(text))).collect::<Map<_, _>>();
    map.insert("__metadata__".into(), Value::Object(metadata));
    let (mut end, mut starts) = (0, Vec::with_capacity(tensors.len()));
    for &(name, dtype, count) in tensors {
        let start = end;
        end += count * dtype.bitsize() / 8;
        starts.push(start as u64);
        let info = TensorInfo { dtype, shape: vec![count], data_offsets: (start, end) };
        map.insert(name.to_owned(), serde_json::to_value(info).map_err(|problem| problem.to_string())?);
    }
    let mut json = serde_json::to_vec(&map).map_err(|problem| problem.to_string())?;
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.append(&mut json);
    let base = header.len() as u64;
    Ok(Layout { places: starts.iter().map(|start| start + base).collect(), length: base + end as u64, header })
}

/// Where the 16 digits of the checksum are in a header.
pub(crate) fn checksum_place(header: &[u8]) -> Option<std::ops::Range<usize>> {
    let start = memchr::memmem::find(header, CHECKSUM.as_bytes())? + CHECKSUM.len();
    header.get(start..start + BLANK.len()).map(|_| start..start + BLANK.len())
}

/// Blanks the checksum in a header.
pub(crate) fn blank_checksum(header: &mut [u8]) {
    if let Some(digits) = checksum_place(header).and_then(|place| header.get_mut(place)) {
        digits.copy_from_slice(BLANK);
    }
}

/// The checksum of a header with a blank checksum and of the blocks after it.
pub(crate) fn checksum(header: &[u8], blocks: &[u64]) -> String {
    let mut all = xxh3_64(header).to_le_bytes().to_vec();
    all.extend(blocks.iter().flat_map(|block| block.to_le_bytes()));
    format!("{:016x}", xxh3_64(&all))
}

/// The hashes of all blocks of a file from `start` to `end`, each with what `look` makes of the block, unless that fails.
pub(crate) fn hash_blocks<T: Send>(
    file: &File,
    start: u64,
    end: u64,
    look: impl Fn(usize, &[u8]) -> std::io::Result<T> + Sync,
) -> std::io::Result<(Vec<u64>, Vec<T>)> {
    let blocks = end.saturating_sub(start).div_ceil(BLOCK as u64);
    let each = threads::map_with(blocks as usize, Vec::new, |buffer, block| {
        let from = start + (block * BLOCK) as u64;
        buffer.resize((end - from).min(BLOCK as u64) as usize, 0);
        read_at(file, buffer, from)?;
        Ok((xxh3_64(buffer), look(from as usize, buffer)?))
    });
    each.into_iter().collect::<std::io::Result<Vec<_>>>().map(|pairs| pairs.into_iter().unzip())
}

/// The header of a packed file.
pub(crate) struct Header {
    pub(crate) metadata: Metadata,
    /// As it is in the file, but with a blank checksum.
    pub(crate) blanked: Vec<u8>,
    pub(crate) checksum: String,
    pub(crate) length: u64,
}

const PACK_AGAIN: &str = "pack the text again";

/// An error about a packed file.
pub(crate) fn bad(path: &Path, problem: impl Into<String>) -> Error {
    Error::BadFile { path: path.to_owned(), problem: problem.into(), remedy: PACK_AGAIN }
}

fn foreign(path: &Path, problem: impl Into<String>) -> Error {
    Error::BadFile { path: path.to_owned(), problem: problem.into(), remedy: "give a file written by `hogwild pack`, or text" }
}

/// Reads and checks a header.
pub(crate) fn read_header(file: &File, path: &Path) -> Result<Header> {
    let length = file.metadata().map_err(Error::io(path, "read"))?.len();
    if length < 8 {
        return Err(foreign(path, if length == 0 { "is empty" } else { "is too short for packed data" }));
    }
    let mut prefix = [0; 8];
    read_at(file, &mut prefix, 0).map_err(Error::io(path, "read"))?;
    let json = u64::from_le_bytes(prefix);
    if json > LONGEST_HEADER {
        return Err(foreign(path, "is not packed data"));
    }
    if json > length - 8 {
        return Err(bad(path, "is not packed data, or has been cut short within its header"));
    }
    let mut header = vec![0; 8 + json as usize];
    read_at(file, &mut header, 0).map_err(Error::io(path, "read"))?;
    let metadata: Metadata = serde_json::from_slice(&header[8..])
        .map_err(|problem| bad(path, format!("is not packed data, or its header is damaged ({problem})")))?;
    let text = |key: &str| metadata.metadata().as_ref().and_then(|map| map.get(key)).map(String::as_str).unwrap_or_default();
    if text("format") != FORMAT {
        return Err(foreign(path, "is a safetensors file, but not packed data"));
    }
    if text("version") != VERSION {
        return Err(bad(path, format!("has version {:?} of the packed format, and only {VERSION} is known", text("version"))));
    }
    let expected = (header.len() as u64).saturating_add(metadata.data_len() as u64);
    if length < expected {
        return Err(bad(path, format!("has been cut short: {length} bytes instead of {expected}")));
    }
    if length > expected {
        return Err(bad(path, format!("has {} bytes too many at its end", length - expected)));
    }
    let checksum = text("checksum").to_owned();
    checksum_place(&header).ok_or_else(|| bad(path, "has no checksum"))?;
    blank_checksum(&mut header);
    Ok(Header { metadata, blanked: header, checksum, length })
}
