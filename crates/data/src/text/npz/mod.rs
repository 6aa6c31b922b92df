//! Sparse matrices as `scipy.sparse.save_npz` writes them (CSR, CSC, COO), given as text: a line `row<tab>column<tab>value` an entry.
//!
//! So what is done to interactions and ratings is done to them, and a message names the entry as its line. Rows are users, columns are
//! items, both called by their numbers from 0. The arrays are read side by side, a block of each at a time.

mod array;
mod header;

use std::fmt;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use zip::ZipArchive;

use crate::text::input::is_stdin;
use array::{Array, Element, text};
pub use header::NpyHeader;

/// Text that is made at a time.
const BLOCK: usize = 1 << 16;
/// What to do about a file that is none.
pub(crate) const REMEDY: &str = "write it by `scipy.sparse.save_npz`, of a matrix in CSR, CSC or COO";

/// What is wrong with a matrix.
#[derive(Debug)]
pub(crate) struct BadMatrix(pub(crate) String);

impl fmt::Display for BadMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadMatrix {}

/// Whether a file holds a sparse matrix, or is called so. Other archives are not: what they are is told where text is expected.
pub(crate) fn is_matrix(path: &Path) -> bool {
    if is_stdin(path) || !path.is_file() {
        return false;
    }
    let mut magic = [0; 4];
    let is_archive = File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && &magic == b"PK\x03\x04";
    let has_layout =
        || File::open(path).is_ok_and(|file| ZipArchive::new(file).is_ok_and(|all| all.index_for_name("format.npy").is_some()));
    is_archive && (path.extension().is_some_and(|end| end.eq_ignore_ascii_case("npz")) || has_layout())
}

/// Where entries are along the axis that the matrix is stored by.
enum Outer {
    /// Where those of each line begin: the line at hand, where it ends, and where the last one has to.
    Pointers { of: Array, line: u64, end: u64 },
    /// A place an entry.
    Places(Array),
}

/// The entries of a matrix as lines of text.
pub(crate) struct Entries {
    path: PathBuf,
    outer: Outer,
    inner: Array,
    values: Array,
    /// Whether the outer axis is that of columns.
    by_column: bool,
    /// Lengths of the outer and the inner axis.
    lengths: [u64; 2],
    done: u64,
    text: Vec<u8>,
    at: usize,
}

impl Entries {
    /// Opens a matrix; what is read of its file is added to `read`.
    pub(crate) fn open(path: &Path, read: &Arc<AtomicU64>) -> std::result::Result<Entries, BadMatrix> {
        Entries::found(path, read).map_err(BadMatrix)
    }

    fn found(path: &Path, read: &Arc<AtomicU64>) -> std::result::Result<Entries, String> {
        let file = File::open(path).map_err(|problem| format!("cannot be opened ({problem})"))?;
        let archive = &mut ZipArchive::new(file).map_err(|problem| format!("is no archive of arrays, or is cut short ({problem})"))?;
        let layout = text(path, archive, "format.npy", read)?;
        let mut open = |name: &str| Array::open(path, archive, name, read);
        let mut shape = open("shape.npy")?;
        if shape.count != 2 {
            return Err(format!("its member `shape.npy` has {} numbers instead of two", shape.count));
        }
        let [rows, columns] = [shape.next_place()?, shape.next_place()?];
        let by_column = layout == "csc";
        let lengths = if by_column { [columns, rows] } else { [rows, columns] };
        let (outer, inner) = match layout.as_str() {
            "csr" | "csc" => {
                let mut of = open("indptr.npy")?;
                if (of.count as u64).checked_sub(1) != Some(lengths[0]) {
                    return Err(format!("its member `indptr.npy` has {} numbers, and the shape {rows} x {columns} takes others", of.count));
                }
                if of.next_place()? != 0 {
                    return Err("its member `indptr.npy` does not begin with 0".into());
                }
                (Outer::Pointers { of, line: 0, end: 0 }, open("indices.npy")?)
            }
            "coo" => (Outer::Places(open("row.npy")?), open("col.npy")?),
            other => return Err(format!("is a matrix in the layout `{other}`, which is not read")),
        };
        let values = open("data.npy")?;
        let counts = match &outer {
            Outer::Places(places) => [places.count, inner.count],
            Outer::Pointers { .. } => [inner.count; 2],
        };
        if counts != [values.count; 2] {
            return Err(format!("has {} values and {} places of them", values.count, counts[1]));
        }
        let (text, path) = (Vec::with_capacity(BLOCK + 128), path.to_owned());
        Ok(Entries { path, outer, inner, values, by_column, lengths, done: 0, text, at: 0 })
    }

    /// Where the next entry is on the outer axis; none behind the last.
    fn next_outer(&mut self) -> std::result::Result<Option<u64>, String> {
        let all = self.values.count as u64;
        match &mut self.outer {
            Outer::Places(_) if self.done == all => Ok(None),
            Outer::Places(places) => places.next_place().map(Some),
            Outer::Pointers { of, line, end } => {
                while self.done == *end {
                    if *line == self.lengths[0] {
                        return if self.done == all { Ok(None) } else { Err(format!("has {all} values, and its rows have {end}")) };
                    }
                    let next = of.next_place()?;
                    if next < *end || next > all {
                        return Err(format!("its member `indptr.npy` goes from {end} to {next}, of {all} values"));
                    }
                    (*line, *end) = (*line + 1, next);
                }
                Ok(Some(*line - 1))
            }
        }
    }

    /// Makes the next lines.
    fn fill(&mut self) -> std::result::Result<(), String> {
        self.text.clear();
        self.at = 0;
        while self.text.len() < BLOCK {
            let Some(outer) = self.next_outer()? else { return Ok(()) };
            let inner = self.inner.next_place()?;
            self.done += 1;
            if outer >= self.lengths[0] || inner >= self.lengths[1] {
                let [rows, columns] = if self.by_column { [self.lengths[1], self.lengths[0]] } else { self.lengths };
                return Err(format!("its entry {} lies outside of the shape {rows} x {columns}", self.done));
            }
            let [row, column] = if self.by_column { [inner, outer] } else { [outer, inner] };
            digits(row, b'\t', &mut self.text);
            digits(column, b'\t', &mut self.text);
            match self.values.next()? {
                Element::Whole(number @ 0..) => digits(number as u64, b'\n', &mut self.text),
                Element::Real(real) if real.fract() == 0.0 && (0.0..1e9).contains(&real) => digits(real as u64, b'\n', &mut self.text),
                // Never fails: the text is in memory.
                Element::Whole(number) => drop(writeln!(self.text, "{number}")),
                Element::Large(number) => drop(writeln!(self.text, "{number}")),
                Element::Real(real) => drop(writeln!(self.text, "{real}")),
            }
        }
        Ok(())
    }
}

impl Read for Entries {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.at == self.text.len() {
            self.fill().map_err(|problem| Error::new(ErrorKind::InvalidData, BadMatrix(problem)))?;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.at += n;
        Ok(n)
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entries of {}", self.path.display())
    }
}

/// Writes a number and what stands behind it.
fn digits(mut number: u64, end: u8, text: &mut Vec<u8>) {
    let (mut room, mut at) = ([0; 21], 20);
    room[at] = end;
    loop {
        at -= 1;
        room[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&room[at..]);
}
