//! Between the two passes: all pieces of examples are read, and those that have become others are put by again.

use std::fs::File;
use std::io::Result;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use hogwild_base::threads;

use super::piece::{ExampleWords, Piece, Place};
use crate::file::{read_at, write_at};

/// The examples of a piece, as they are to be.
#[derive(Default)]
pub(crate) struct PieceRows {
    /// How many features each has.
    pub(crate) lengths: Vec<u32>,
    /// The bits of each label.
    pub(crate) labels: Vec<u32>,
    pub(crate) codes: Vec<u32>,
    /// The bits of each value; none where all are 1.
    pub(crate) values: Option<Vec<u32>>,
    /// The bits of each weight; none where all count alike.
    pub(crate) weights: Option<Vec<u32>>,
    pub(crate) classes: Vec<u32>,
}

impl PieceRows {
    /// None so far, for what a piece has.
    pub(crate) fn like(words: &ExampleWords<'_>) -> PieceRows {
        let (values, weights) = (words.values.as_ref().map(|_| Vec::new()), words.weights.map(|_| Vec::new()));
        PieceRows { values, weights, ..PieceRows::default() }
    }

    /// Puts a value in the place of those that all were 1.
    pub(crate) fn values(&mut self) -> &mut Vec<u32> {
        let count = self.codes.len();
        self.values.get_or_insert_with(|| vec![1f32.to_bits(); count])
    }

    fn words(&self) -> Vec<u32> {
        let values = self.values.as_deref().unwrap_or_default();
        [&self.lengths, &self.labels, &self.codes, values, self.weights.as_deref().unwrap_or_default(), &self.classes].concat()
    }
}

/// Looks at all pieces: `look` is given each, with the number of its first row among all. Gives what it makes of them, in their order.
pub(crate) fn look<T: Send>(pieces: &[Piece<'_>], spill: &File, look: impl Fn(u64, &ExampleWords<'_>) -> T + Sync) -> Result<Vec<T>> {
    let firsts = firsts(pieces);
    let found = threads::map_with(pieces.len(), Vec::new, |buffer, i| {
        let piece = &pieces[i];
        read_piece(piece, spill, buffer)?;
        Ok(look(firsts[i], &ExampleWords::of(piece, buffer)))
    });
    found.into_iter().collect()
}

/// Puts what `change` makes of each piece in its place, where it makes anything of it.
pub(crate) fn rewrite(
    pieces: &mut [Piece<'_>],
    spill: &File,
    change: impl Fn(u64, &ExampleWords<'_>) -> Option<PieceRows> + Sync,
) -> Result<()> {
    let firsts = firsts(pieces);
    let end = |piece: &Piece<'_>| if let Place::Spilled(at, count) = piece.place { at + 4 * count as u64 } else { 0 };
    let behind = AtomicU64::new(pieces.iter().map(end).max().unwrap_or(0));
    // A piece stays in its old place if it is not longer.
    threads::each(pieces.iter_mut().zip(firsts).collect(), Vec::new, |buffer, (piece, first)| {
        read_piece(piece, spill, buffer)?;
        let Some(rows) = change(first, &ExampleWords::of(piece, buffer)) else { return Ok(()) };
        let words = rows.words();
        let place = match std::mem::replace(&mut piece.place, Place::Spilled(0, 0)) {
            Place::Kept(room) if words.len() <= room.len() => {
                let (own, _) = room.split_at_mut(words.len());
                own.copy_from_slice(&words);
                Place::Kept(own)
            }
            Place::Kept(_) | Place::Made(_) => Place::Made(words),
            Place::Spilled(at, count) => {
                let at = if words.len() <= count { at } else { behind.fetch_add(4 * words.len() as u64, Relaxed) };
                write_at(spill, bytemuck::cast_slice(&words), at)?;
                Place::Spilled(at, words.len())
            }
        };
        *piece = Piece {
            number: piece.number,
            rows: rows.lengths.len(),
            cells: rows.codes.len(),
            ones: rows.values.is_none(),
            weighted: rows.weights.is_some(),
            classes: rows.classes.len(),
            place,
        };
        Ok(())
    })
}

/// The number of each piece's first row.
fn firsts(pieces: &[Piece<'_>]) -> Vec<u64> {
    let mut next = 0;
    let first = |piece: &Piece<'_>| {
        next += piece.rows as u64;
        next - piece.rows as u64
    };
    pieces.iter().map(first).collect()
}

fn read_piece(piece: &Piece<'_>, spill: &File, buffer: &mut Vec<u32>) -> Result<()> {
    let words = match &piece.place {
        Place::Kept(words) => words,
        Place::Made(words) => words.as_slice(),
        Place::Spilled(at, count) => {
            buffer.resize(*count, 0);
            return read_at(spill, bytemuck::cast_slice_mut(buffer), *at);
        }
    };
    buffer.clear();
    buffer.extend_from_slice(words);
    Ok(())
}
