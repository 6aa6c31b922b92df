//! A chunk's rows between the two passes: 32-bit words, in memory or in the spill file, and what each of them is.

use crate::text::parts::Parts;

/// The rows of a chunk.
pub(crate) struct Piece<'a> {
    /// Of the chunk.
    pub(crate) number: u64,
    /// Examples, or ratings.
    pub(crate) rows: usize,
    /// Features in all examples together; 0 for ratings.
    pub(crate) cells: usize,
    /// Whether every value is 1, so that none is kept.
    pub(crate) ones: bool,
    /// Whether some example, or rating, counts more than others.
    pub(crate) weighted: bool,
    /// How many classes all examples have together, where they have any number.
    pub(crate) classes: usize,
    pub(crate) place: Place<'a>,
}

/// Where a piece is.
pub(crate) enum Place<'a> {
    /// In memory that was there for it.
    Kept(&'a mut [u32]),
    /// In memory of its own: what it became since, where that is longer.
    Made(Vec<u32>),
    /// At this byte of the spill file, so many words.
    Spilled(u64, usize),
}

impl Piece<'_> {
    /// The words of a chunk whose ids are counted, in the order in which they are split again, and the piece that they make.
    pub(crate) fn of(number: u64, parts: &Parts) -> (Self, [&[u32]; 6]) {
        let (rows, cells, ones, weighted, words): (_, _, _, _, [&[u32]; 6]) = match parts {
            Parts::Examples(rows) => {
                let values = if rows.ones { &[] } else { bytemuck::cast_slice(&rows.values) };
                let weights = bytemuck::cast_slice(&rows.weights);
                let words = [&rows.lengths, bytemuck::cast_slice(&rows.labels), rows.features.as_slice(), values, weights, &rows.classes];
                (rows.labels.len(), rows.features.len(), rows.ones, !weights.is_empty(), words)
            }
            Parts::Ratings(rows) => {
                let (ratings, weights) = (bytemuck::cast_slice(&rows.ratings), bytemuck::cast_slice(&rows.weights));
                let words = [rows.users.as_slice(), rows.items.as_slice(), ratings, &[], weights, &[]];
                (rows.ratings.len(), 0, false, !weights.is_empty(), words)
            }
        };
        let place = Place::Spilled(0, words.iter().map(|words| words.len()).sum());
        (Piece { number, rows, cells, ones, weighted, classes: words[5].len(), place }, words)
    }
}

/// The words of a piece of examples.
pub(crate) struct ExampleWords<'a> {
    pub(crate) lengths: &'a mut [u32],
    pub(crate) labels: &'a mut [u32],
    pub(crate) codes: &'a mut [u32],
    /// None where all are 1.
    pub(crate) values: Option<&'a mut [u32]>,
    /// None where all count alike.
    pub(crate) weights: Option<&'a [u32]>,
    /// None where each has one label.
    pub(crate) classes: &'a [u32],
}

impl<'a> ExampleWords<'a> {
    pub(crate) fn of(piece: &Piece<'_>, words: &'a mut [u32]) -> ExampleWords<'a> {
        let (lengths, rest) = words.split_at_mut(piece.rows);
        let (labels, rest) = rest.split_at_mut(piece.rows);
        let (codes, rest) = rest.split_at_mut(piece.cells);
        let (values, rest) = rest.split_at_mut(if piece.ones { 0 } else { piece.cells });
        let (weights, classes) = rest.split_at_mut(if piece.weighted { piece.rows } else { 0 });
        let (values, weights) = ((!piece.ones).then_some(values), piece.weighted.then_some(&*weights));
        ExampleWords { lengths, labels, codes, values, weights, classes }
    }
}

/// The words of a piece of ratings.
pub(crate) struct RatingWords<'a> {
    pub(crate) users: &'a mut [u32],
    pub(crate) items: &'a mut [u32],
    pub(crate) ratings: &'a mut [u32],
    /// None where all count alike.
    pub(crate) weights: Option<&'a [u32]>,
}

impl<'a> RatingWords<'a> {
    pub(crate) fn of(piece: &Piece<'_>, words: &'a mut [u32]) -> RatingWords<'a> {
        let (users, rest) = words.split_at_mut(piece.rows);
        let (items, rest) = rest.split_at_mut(piece.rows);
        let (ratings, weights) = rest.split_at_mut(piece.rows);
        RatingWords { users, items, ratings, weights: piece.weighted.then_some(&*weights) }
    }
}
