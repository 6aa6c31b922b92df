//! Packing: text is parsed in parallel, numbered in order, spilled; then ranked by frequency, sorted and written.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rayon::prelude::*;
use safetensors::Dtype;
use tempfile::NamedTempFile;

use super::dictionary::{Dictionary, Ranked};
use super::file::{read_at, write_at};
use super::format::{DESCRIBED, Parsed, parse};
use super::input::{Chunk, Inputs};
use super::layout::{checksum, checksum_place, hash_blocks, lay_out};
use super::{Format, Ids, Kind, OnBadRow};
use crate::{Error, Result};

/// How to pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PackSettings {
    /// The text's format; found out from the first lines when `None`.
    pub format: Option<Format>,
    /// What to do with a row that cannot be understood.
    pub on_bad_row: OnBadRow,
}

/// What was packed.
#[derive(Clone, Debug, PartialEq)]
pub struct PackReport {
    /// What the file holds.
    pub kind: Kind,
    /// Examples, or ratings.
    pub rows: u64,
    /// Different features; 0 for ratings.
    pub columns: u64,
    /// Cells in all rows together; 0 for ratings.
    pub nonzeros: u64,
    /// Different users; 0 for sparse rows.
    pub users: u64,
    /// Different items; 0 for sparse rows.
    pub items: u64,
    /// Bad rows left out.
    pub skipped: u64,
    /// The first of them, each with its place and what is wrong.
    pub first_skipped: Vec<String>,
    /// Bytes of text read, after decompression.
    pub bytes: u64,
    /// Seconds taken.
    pub seconds: f64,
}

/// Packs text into one file. The target appears complete or not at all: a file that was there stays if anything fails.
/// The result depends on the text alone, not on the number of threads.
///
/// `progress` is told the bytes read, before decompression, and how many there are in all, where that is known.
pub fn pack(inputs: &[PathBuf], out: &Path, settings: &PackSettings, progress: &(dyn Fn(u64, Option<u64>) + Sync)) -> Result<PackReport> {
    let began = Instant::now();
    let directory = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let text = Inputs::new(inputs)?;
    let target = create(directory, out)?;
    let spill = tempfile::tempfile_in(directory).map_err(Error::io(out, "create"))?;
    let mut packer = Packer { inputs, out, settings, spill, pieces: Vec::new(), end: 0, state: State::default() };
    packer.read(text, progress)?;
    let mut report = packer.write(target)?;
    report.seconds = began.elapsed().as_secs_f64();
    Ok(report)
}

fn create(directory: &Path, out: &Path) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".hogwild-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(directory).map_err(Error::io(out, "create"))
}

/// A chunk's rows in the spill file: lengths, labels, columns, values (left out when all are 1); or users, items, ratings.
struct Piece {
    at: u64,
    rows: usize,
    cells: usize,
    ones: bool,
}

#[derive(Default)]
struct State {
    format: Option<Format>,
    features: Dictionary,
    users: Dictionary,
    items: Dictionary,
    rows: u64,
    cells: u64,
    values: bool,
    skipped: u64,
    first_skipped: Vec<String>,
    /// Lines of the current input before the next chunk.
    lines: u64,
    bytes: u64,
}

struct Packer<'a> {
    inputs: &'a [PathBuf],
    out: &'a Path,
    settings: &'a PackSettings,
    spill: File,
    pieces: Vec<Piece>,
    end: u64,
    state: State,
}

/// Some chunks, and what stopped the reading after them.
type Batch = (Vec<Chunk>, Option<Error>);

fn next_batch(text: &mut Inputs<'_>, progress: &(dyn Fn(u64, Option<u64>) + Sync)) -> Batch {
    let size = rayon::current_num_threads().saturating_mul(2).clamp(2, 8);
    let mut chunks = Vec::with_capacity(size);
    while chunks.len() < size {
        match text.next_chunk() {
            Ok(Some(chunk)) => chunks.push(chunk),
            Ok(None) => break,
            Err(problem) => return (chunks, Some(problem)),
        }
        let (read, total) = text.progress();
        progress(read, total);
    }
    (chunks, None)
}

impl Packer<'_> {
    /// Reads everything: while one batch is parsed, the one before is numbered and spilled and the one after is read.
    fn read(&mut self, mut text: Inputs<'_>, progress: &(dyn Fn(u64, Option<u64>) + Sync)) -> Result<()> {
        let (mut chunks, mut stopped) = next_batch(&mut text, progress);
        let mut format = self.settings.format;
        let mut parsed: Vec<Parsed> = Vec::new();
        while !chunks.is_empty() || !parsed.is_empty() {
            if format.is_none() {
                format = chunks.iter().find_map(|chunk| Format::detect(&chunk.text));
            }
            // Labels alone, or nothing that looks like either: the parser of svmlight will say what is wrong.
            let known = format.unwrap_or(Format::Svmlight);
            format = Some(known);
            self.state.format = format;
            let on_bad_row = self.settings.on_bad_row;
            let last = stopped.is_some();
            let now = std::mem::take(&mut chunks);
            let (next, merged) = {
                let (parse_side, merge_side) = rayon::join(
                    || now.into_par_iter().map(|chunk| parse(chunk, known, on_bad_row)).collect::<Vec<_>>(),
                    || {
                        let merged = std::mem::take(&mut parsed).into_iter().try_for_each(|rows| self.merge(rows));
                        let next = if last || merged.is_err() { (Vec::new(), None) } else { next_batch(&mut text, progress) };
                        (next, merged)
                    },
                );
                parsed = parse_side;
                merge_side
            };
            merged?;
            chunks = next.0;
            stopped = stopped.or(next.1);
        }
        if let Some(problem) = stopped {
            return Err(problem);
        }
        if self.state.rows == 0 {
            let path = self.inputs.first().cloned().unwrap_or_else(|| PathBuf::from("-"));
            let problem = match self.state.skipped {
                0 => "holds no examples at all".to_owned(),
                n => format!("holds no examples at all besides {n} bad rows"),
            };
            return Err(Error::BadFile { path, problem, remedy: "give text with one example a line" });
        }
        Ok(())
    }

    fn merge(&mut self, rows: Parsed) -> Result<()> {
        let path = self.inputs.get(rows.input).map(PathBuf::as_path).unwrap_or(Path::new("-"));
        let state = &mut self.state;
        if rows.first {
            state.lines = 0;
        }
        for bad in rows.bad {
            let problem = bad.error(path, state.lines);
            if self.settings.on_bad_row == OnBadRow::Stop {
                return Err(problem);
            }
            if state.first_skipped.len() < DESCRIBED {
                state.first_skipped.push(problem.to_string());
            }
        }
        state.skipped += rows.bad_count;
        state.lines += rows.lines;
        state.bytes += rows.bytes;
        let too_many = || Error::BadFile {
            path: path.to_owned(),
            problem: "brings more than 4294967295 different ids".into(),
            remedy: "hash the ids to fewer",
        };
        let at = self.end;
        let mut spill = |bytes: &[u8]| {
            self.end += bytes.len() as u64;
            self.spill.write_all(bytes).map_err(Error::io(self.out, "write beside"))
        };
        let piece = if rows.pairs.is_empty() {
            let mut columns = Vec::with_capacity(rows.ids.len());
            for &id in &rows.ids {
                columns.push(state.features.number(id).ok_or_else(too_many)?);
            }
            spill(bytemuck::cast_slice(&rows.lengths))?;
            spill(bytemuck::cast_slice(&rows.labels))?;
            spill(bytemuck::cast_slice(&columns))?;
            if !rows.ones {
                spill(bytemuck::cast_slice(&rows.values))?;
                state.values = true;
            }
            Piece { at, rows: rows.labels.len(), cells: columns.len(), ones: rows.ones }
        } else {
            let (mut users, mut items) = (Vec::with_capacity(rows.pairs.len()), Vec::with_capacity(rows.pairs.len()));
            for (user, item) in &rows.pairs {
                users.push(state.users.key(user.key(&rows.text)).ok_or_else(too_many)?);
                items.push(state.items.key(item.key(&rows.text)).ok_or_else(too_many)?);
            }
            spill(bytemuck::cast_slice(&users))?;
            spill(bytemuck::cast_slice(&items))?;
            spill(bytemuck::cast_slice(&rows.values))?;
            Piece { at, rows: users.len(), cells: 0, ones: false }
        };
        state.rows += piece.rows as u64;
        state.cells += piece.cells as u64;
        if piece.rows > 0 {
            self.pieces.push(piece);
        }
        Ok(())
    }

    fn write(self, target: NamedTempFile) -> Result<PackReport> {
        let Packer { inputs, out, spill, pieces, state, .. } = self;
        let State { format, features, users, items, rows, cells, values, skipped, first_skipped, bytes, .. } = state;
        let kind = Kind::from(format.unwrap_or(Format::Svmlight));
        let report = PackReport {
            kind,
            rows,
            columns: features.len() as u64,
            nonzeros: cells,
            users: users.len() as u64,
            items: items.len() as u64,
            skipped,
            first_skipped,
            bytes,
            seconds: 0.0,
        };
        let source = inputs.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(", ");
        let writer = Writer { file: target.as_file(), out, spill, pieces };
        let (mut header, length) = match kind {
            Kind::Sparse => writer.sparse(&source, rows as usize, cells as usize, values, features.rank())?,
            Kind::Ratings => writer.ratings(&source, rows as usize, users.rank(), items.rank())?,
        };
        drop(writer);
        let file = target.as_file();
        let (hashes, _) = hash_blocks(file, header.len() as u64, length, |_, _| ()).map_err(Error::io(out, "read back"))?;
        let sum = checksum(&header, &hashes);
        if let Some(digits) = checksum_place(&header).and_then(|place| header.get_mut(place)) {
            digits.copy_from_slice(sum.as_bytes());
        }
        write_at(file, &header, 0).map_err(Error::io(out, "write"))?;
        file.sync_all().map_err(Error::io(out, "write"))?;
        target.persist(out).map_err(|problem| Error::io(out, "create")(problem.error))?;
        Ok(report)
    }
}

struct Writer<'a> {
    file: &'a File,
    out: &'a Path,
    spill: File,
    pieces: Vec<Piece>,
}

/// A tensor to be written: its name, type, cells.
type Plan<'a> = (&'a str, Dtype, usize);

impl Writer<'_> {
    fn put(&self, bytes: &[u8], at: u64) -> Result<()> {
        write_at(self.file, bytes, at).map_err(Error::io(self.out, "write"))
    }

    fn spilled<T: bytemuck::Pod>(&self, at: &mut u64, count: usize) -> Result<Vec<T>> {
        let mut cells = vec![T::zeroed(); count];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut cells);
        read_at(&self.spill, bytes, *at).map_err(Error::io(self.out, "read beside"))?;
        *at += bytes.len() as u64;
        Ok(cells)
    }

    /// Lays the file out and gives it its length. Gives the header, the places by order of `plan`, and the length.
    fn begin(&self, kind: Kind, source: &str, plan: &[Plan<'_>]) -> Result<(Vec<u8>, Vec<u64>, u64)> {
        let layout =
            lay_out(kind.name(), source, plan).map_err(|problem| Error::io(self.out, "lay out")(std::io::Error::other(problem)))?;
        self.file.set_len(layout.length).map_err(Error::io(self.out, "write"))?;
        Ok((layout.header, layout.places, layout.length))
    }

    /// Does `work` for each piece, given where its rows and cells begin.
    fn each(&self, work: impl Fn(&Piece, u64, u64) -> Result<()> + Sync) -> Result<()> {
        let mut begins = Vec::with_capacity(self.pieces.len());
        let (mut rows, mut cells) = (0, 0);
        for piece in &self.pieces {
            begins.push((piece, rows, cells));
            rows += piece.rows as u64;
            cells += piece.cells as u64;
        }
        begins.into_par_iter().with_max_len(1).try_for_each(|(piece, rows, cells)| work(piece, rows, cells))
    }

    fn sparse(&self, source: &str, rows: usize, cells: usize, values: bool, ranked: Ranked) -> Result<(Vec<u8>, u64)> {
        let Ranked { rank, ids, counts } = ranked;
        let mut plan = vec![
            ("row_start", Dtype::U64, rows + 1),
            ("feature_id", Dtype::U64, counts.len()),
            ("feature_count", Dtype::U64, counts.len()),
            ("column", Dtype::U32, cells),
            ("label", Dtype::F32, rows),
        ];
        if values {
            plan.push(("value", Dtype::F32, cells));
        }
        let (header, places, length) = self.begin(Kind::Sparse, source, &plan)?;
        let place = |tensor: usize| places.get(tensor).copied().unwrap_or(length);
        if let Ids::Numbers(ids) = &ids {
            self.put(bytemuck::cast_slice(ids), place(1))?;
        }
        self.put(bytemuck::cast_slice(&counts), place(2))?;
        self.put(&(cells as u64).to_le_bytes(), place(0) + 8 * rows as u64)?;
        self.each(|piece, first_row, first_cell| {
            let mut at = piece.at;
            let lengths: Vec<u32> = self.spilled(&mut at, piece.rows)?;
            let labels: Vec<u32> = self.spilled(&mut at, piece.rows)?;
            let mut columns: Vec<u32> = self.spilled(&mut at, piece.cells)?;
            let mut reals: Vec<f32> = if piece.ones { Vec::new() } else { self.spilled(&mut at, piece.cells)? };
            if values && piece.ones {
                reals.resize(piece.cells, 1.0);
            }
            for column in &mut columns {
                *column = rank.get(*column as usize).copied().unwrap_or(0);
            }
            let (mut starts, mut begin) = (Vec::with_capacity(piece.rows), 0);
            let mut pairs: Vec<u64> = Vec::new();
            for &row in &lengths {
                starts.push(first_cell + begin as u64);
                let end = begin + row as usize;
                let row = columns.get_mut(begin..end).unwrap_or_default();
                if !row.is_sorted() {
                    match reals.get_mut(begin..end) {
                        Some(reals) if values => sort_row(row, reals, &mut pairs),
                        _ => row.sort_unstable(),
                    }
                }
                begin = end;
            }
            self.put(bytemuck::cast_slice(&starts), place(0) + 8 * first_row)?;
            self.put(bytemuck::cast_slice(&columns), place(3) + 4 * first_cell)?;
            self.put(bytemuck::cast_slice(&labels), place(4) + 4 * first_row)?;
            self.put(bytemuck::cast_slice(&reals), place(5) + 4 * first_cell)
        })?;
        Ok((header, length))
    }

    fn ratings(&self, source: &str, rows: usize, users: Ranked, items: Ranked) -> Result<(Vec<u8>, u64)> {
        let mut plan = Vec::new();
        let mut tables: Vec<&[u8]> = Vec::new();
        for (side, names) in
            [(&users, ["user_id", "user_name_start", "user_count"]), (&items, ["item_id", "item_name_start", "item_count"])]
        {
            let [id, start_name, count] = names;
            match &side.ids {
                Ids::Numbers(ids) => {
                    plan.push((id, Dtype::U64, ids.len()));
                    tables.push(bytemuck::cast_slice(ids));
                }
                Ids::Names { start, .. } => {
                    plan.push((start_name, Dtype::U64, start.len()));
                    tables.push(bytemuck::cast_slice(start));
                }
            }
            plan.push((count, Dtype::U64, side.counts.len()));
            tables.push(bytemuck::cast_slice(&side.counts));
        }
        let cells = plan.len();
        plan.extend([("user", Dtype::U32, rows), ("item", Dtype::U32, rows), ("rating", Dtype::F32, rows)]);
        let names = plan.len();
        let mut texts: Vec<&[u8]> = Vec::new();
        for (side, name) in [(&users, "user_name"), (&items, "item_name")] {
            if let Ids::Names { bytes, .. } = &side.ids {
                plan.push((name, Dtype::U8, bytes.len()));
                texts.push(bytes);
            }
        }
        let (header, places, length) = self.begin(Kind::Ratings, source, &plan)?;
        let place = |tensor: usize| places.get(tensor).copied().unwrap_or(length);
        for (tensor, table) in tables.into_iter().enumerate().chain((names..).zip(texts)) {
            self.put(table, place(tensor))?;
        }
        self.each(|piece, first, _| {
            let mut at = piece.at;
            for (tensor, rank) in (cells..).zip([&users.rank, &items.rank]) {
                let mut cells: Vec<u32> = self.spilled(&mut at, piece.rows)?;
                for cell in &mut cells {
                    *cell = rank.get(*cell as usize).copied().unwrap_or(0);
                }
                self.put(bytemuck::cast_slice(&cells), place(tensor) + 4 * first)?;
            }
            let ratings: Vec<u32> = self.spilled(&mut at, piece.rows)?;
            self.put(bytemuck::cast_slice(&ratings), place(cells + 2) + 4 * first)
        })?;
        Ok((header, length))
    }
}

/// Sorts a row's columns, taking the values along.
fn sort_row(columns: &mut [u32], values: &mut [f32], pairs: &mut Vec<u64>) {
    pairs.clear();
    pairs.extend(columns.iter().zip(values.iter()).map(|(&column, value)| u64::from(column) << 32 | u64::from(value.to_bits())));
    pairs.sort_unstable();
    for ((column, value), &pair) in columns.iter_mut().zip(values.iter_mut()).zip(pairs.iter()) {
        *column = (pair >> 32) as u32;
        *value = f32::from_bits(pair as u32);
    }
}
