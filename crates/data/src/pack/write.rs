//! The second pass: ids become ranks, rows are sorted, and each piece goes to its place in the file.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Sender;

use rayon::prelude::*;
use safetensors::Dtype;

use super::super::dictionary::Ranked;
use super::super::file::{read_at, write_at};
use super::super::input::Progress;
use super::super::layout::{checksum, checksum_place, hash_blocks, lay_out};
use super::super::{Ids, Kind};
use super::read::{Piece, Place, Read};
use super::sort::sort_pairs;
use super::{PackReport, interrupted};
use hogwild_base::{Error, Result, output::Temporary};

/// A tensor to be written: its name, type, cells.
type Plan<'a> = (&'a str, Dtype, usize);
/// The header, the places by order of the plan, and the length.
type Begun = (Vec<u8>, Vec<u64>, u64);

struct Writer<'a> {
    file: &'a File,
    out: &'a Path,
    spill: &'a File,
    unlabelled: bool,
    proceed: &'a (dyn Fn() -> bool + Sync),
    written: AtomicU64,
    sync: Sender<()>,
}

/// After how many bytes those written so far are sent on to the disk.
const SYNC: u64 = 16 << 20;

/// Writes the file and puts it in its place.
pub(super) fn write(read: Read, target: Temporary, out: &Path, source: &str, progress: Progress<'_>) -> Result<PackReport> {
    let Read { format, first, items, pieces, spill, skipped, first_skipped, notes, targets, unlabelled, bytes, given } = read;
    let kind = Kind::from(format);
    let rows: usize = pieces.iter().map(|piece| piece.rows).sum();
    let nonzeros: usize = pieces.iter().map(|piece| piece.cells).sum();
    let (first, items) = (first.rank(), items.rank());
    let [columns, users] = match kind {
        Kind::Sparse => [first.counts.len() as u64, 0],
        Kind::Ratings => [0, first.counts.len() as u64],
    };
    let report = PackReport {
        kind,
        rows: rows as u64,
        columns,
        nonzeros: nonzeros as u64,
        users,
        items: items.counts.len() as u64,
        targets,
        skipped,
        first_skipped,
        notes,
        bytes,
        seconds: 0.0,
    };
    let file = target.as_file();
    let proceed = || progress.progress(given.0, given.1);
    let (sync, syncs) = std::sync::mpsc::channel();
    let writer = Writer { file, out, spill: &spill, unlabelled, proceed: &proceed, written: AtomicU64::new(0), sync };
    let (written, synced) = std::thread::scope(|scope| {
        // The disk takes what there is while the rest is still being made. An error is told only once, so it must be kept.
        // Without a thread for it, all is synced in the end.
        let sync = move || syncs.into_iter().try_for_each(|()| file.sync_data());
        let synced = std::thread::Builder::new().spawn_scoped(scope, sync);
        let written = match kind {
            Kind::Sparse => writer.sparse(source, pieces, nonzeros, rows, &first),
            Kind::Ratings => writer.ratings(source, pieces, rows, &first, &items),
        };
        drop(writer);
        let hashed = written.and_then(|(header, length)| {
            let (hashes, _) = hash_blocks(file, header.len() as u64, length, |_, _| Ok(())).map_err(Error::io(out, "read back"))?;
            Ok((header, hashes))
        });
        let joined = |synced: std::thread::ScopedJoinHandle<'_, std::io::Result<()>>| synced.join();
        (hashed, synced.map_or(Ok(Ok(())), joined).unwrap_or_else(|_| Err(std::io::Error::other("the thread that syncs is gone"))))
    });
    let (mut header, hashes) = written?;
    synced.map_err(Error::io(out, "write"))?;
    let sum = checksum(&header, &hashes);
    if let Some(digits) = checksum_place(&header).and_then(|place| header.get_mut(place)) {
        digits.copy_from_slice(sum.as_bytes());
    }
    write_at(file, &header, 0).map_err(Error::io(out, "write"))?;
    if !proceed() {
        return Err(interrupted(out));
    }
    target.finish()?;
    Ok(report)
}

impl Writer<'_> {
    fn put(&self, bytes: &[u8], at: u64) -> Result<()> {
        write_at(self.file, bytes, at).map_err(Error::io(self.out, "write"))?;
        let length = bytes.len() as u64;
        let before = self.written.fetch_add(length, Relaxed);
        if before / SYNC < (before + length) / SYNC {
            // Fails only when the other end has met an error, which it will tell.
            let _ = self.sync.send(());
        }
        Ok(())
    }

    /// Lays the file out and gives it its length.
    fn begin(&self, kind: Kind, source: &str, plan: &[Plan<'_>]) -> Result<Begun> {
        let layout = lay_out(kind.name(), source, self.unlabelled, plan)
            .map_err(|problem| Error::io(self.out, "lay out")(std::io::Error::other(problem)))?;
        self.file.set_len(layout.length).map_err(Error::io(self.out, "write"))?;
        Ok((layout.header, layout.places, layout.length))
    }

    /// Does `work` for each piece, given its cells, and where its rows and cells begin. Memory is given back piece by piece.
    fn each(&self, pieces: Vec<Piece>, work: impl Fn(&Piece, &mut [u32], u64, u64) -> Result<()> + Sync) -> Result<()> {
        let (mut rows, mut cells) = (0, 0);
        let begin = |mut piece: Piece| {
            let at = (rows, cells);
            rows += piece.rows as u64;
            cells += piece.cells as u64;
            (std::mem::replace(&mut piece.place, Place::Spilled(0, 0)), piece, at)
        };
        let begun: Vec<_> = pieces.into_iter().map(begin).collect();
        begun.into_par_iter().with_max_len(1).try_for_each_init(Vec::new, |buffer, (place, piece, (rows, cells))| {
            if !(self.proceed)() {
                return Err(interrupted(self.out));
            }
            match place {
                Place::Kept(mut words) => work(&piece, &mut words, rows, cells),
                Place::Spilled(at, count) => {
                    buffer.resize(count, 0);
                    read_at(self.spill, bytemuck::cast_slice_mut(buffer), at).map_err(Error::io(self.out, "read beside"))?;
                    work(&piece, buffer, rows, cells)
                }
            }
        })
    }

    fn sparse(&self, source: &str, pieces: Vec<Piece>, cells: usize, rows: usize, ranked: &Ranked) -> Result<(Vec<u8>, u64)> {
        let counts = &ranked.counts;
        let values = pieces.iter().any(|piece| !piece.ones);
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
        let bits = usize::BITS - counts.len().leading_zeros();
        let (header, places, length) = self.begin(Kind::Sparse, source, &plan)?;
        let place = |tensor: usize| places.get(tensor).copied().unwrap_or(length);
        if let Ids::Numbers(ids) = &ranked.ids {
            self.put(bytemuck::cast_slice(ids), place(1))?;
        }
        self.put(bytemuck::cast_slice(counts), place(2))?;
        self.put(&(cells as u64).to_le_bytes(), place(0) + 8 * rows as u64)?;
        self.each(pieces, |piece, words, first_row, first_cell| {
            let (lengths, rest) = words.split_at_mut(piece.rows);
            let (labels, rest) = rest.split_at_mut(piece.rows);
            let (columns, reals) = rest.split_at_mut(piece.cells);
            let (mut starts, mut begin) = (Vec::with_capacity(piece.rows), 0);
            let (mut pairs, mut buffer): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
            for &row in lengths.iter() {
                starts.push(first_cell + begin as u64);
                let end = begin + row as usize;
                let columns = columns.get_mut(begin..end).unwrap_or_default();
                match reals.get_mut(begin..end) {
                    Some(reals) => {
                        pairs.clear();
                        let pair = |(&code, &bits): (&u32, &u32)| u64::from(ranked.rank(code)) << 32 | u64::from(bits);
                        pairs.extend(columns.iter().zip(reals.iter()).map(pair));
                        sort_pairs(&mut pairs, &mut buffer, bits);
                        for ((column, real), &pair) in columns.iter_mut().zip(reals).zip(&pairs) {
                            (*column, *real) = ((pair >> 32) as u32, pair as u32);
                        }
                    }
                    None => {
                        columns.iter_mut().for_each(|code| *code = ranked.rank(*code));
                        columns.sort_unstable();
                    }
                }
                begin = end;
            }
            self.put(bytemuck::cast_slice(&starts), place(0) + 8 * first_row)?;
            self.put(bytemuck::cast_slice(columns), place(3) + 4 * first_cell)?;
            self.put(bytemuck::cast_slice(labels), place(4) + 4 * first_row)?;
            if values && piece.ones {
                self.put(bytemuck::cast_slice(&vec![1f32; piece.cells]), place(5) + 4 * first_cell)?;
            }
            self.put(bytemuck::cast_slice(reals), place(5) + 4 * first_cell)
        })?;
        Ok((header, length))
    }

    fn ratings(&self, source: &str, pieces: Vec<Piece>, rows: usize, users: &Ranked, items: &Ranked) -> Result<(Vec<u8>, u64)> {
        let mut plan = Vec::new();
        let mut tables: Vec<&[u8]> = Vec::new();
        for (side, [id, start_name, count]) in
            [(users, ["user_id", "user_name_start", "user_count"]), (items, ["item_id", "item_name_start", "item_count"])]
        {
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
        for (side, name) in [(users, "user_name"), (items, "item_name")] {
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
        self.each(pieces, |piece, words, first, _| {
            for (tensor, (side, part)) in (cells..).zip([Some(users), Some(items), None].into_iter().zip(words.chunks_mut(piece.rows))) {
                if let Some(side) = side {
                    part.iter_mut().for_each(|code| *code = side.rank(*code));
                }
                self.put(bytemuck::cast_slice(part), place(tensor) + 4 * first)?;
            }
            Ok(())
        })?;
        Ok((header, length))
    }
}
