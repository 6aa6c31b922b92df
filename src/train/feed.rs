//! Where examples come from: rows of a mapped data set, or ratings in tiles. A feed knows how to read the example at a position into private memory.
use crate::{
    data::{Dataset, Ratings},
    loss::Loss,
    models::{Factorization, Linear, Model, Pair, Row},
    params::{Hogwild, Isa, LANES},
    rules::{State, UpdateRule},
};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::{
    ops::Range,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// Examples for model `M` by position.
pub(crate) trait Feed<M: Model>: Sync {
    /// The most features of an example.
    fn longest(&self) -> usize;
    /// Room for one example.
    fn room(&self) -> M::Example;
    /// Whether the position is trained on (and not held out).
    fn keeps(&self, position: u32) -> bool;
    /// Reads the example at a position; returns its label.
    fn read<I: Isa>(&self, isa: I, position: u32, example: &mut M::Example) -> f32;
    /// Asks for the example at a position; [`prefetch`](Self::prefetch), later, reads it.
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32);
    /// Asks for what the example at a position will need.
    fn prefetch<R, I, const S: usize>(&self, isa: I, position: u32, weights: &Hogwild<'_, R, I, S>)
    where
        R: UpdateRule,
        R::State: State<Cell = [f32; S]>,
        I: Isa;
    /// Stored numbers of the example.
    fn size(&self, example: &M::Example) -> u64;
}

/// Rows of a sparse data set.
///
/// The file is mapped and may change under us: columns are copied into private memory by relaxed loads and cut to the number of
/// columns there, so that a changed file can give wrong numbers but never a place outside the parameters.
pub(crate) struct SparseFeed<'a> {
    data: &'a Dataset,
    columns: &'a [AtomicU32],
    values: Option<&'a [AtomicU32]>,
    loss: Loss,
    /// Held-out share as a threshold on the row's hash.
    holdout: u64,
    seed: u64,
}

impl<'a> SparseFeed<'a> {
    /// `holdout`: the share of rows, 0 to 1, that is not trained on.
    pub fn new(data: &'a Dataset, loss: Loss, holdout: f64, seed: u64) -> Self {
        SparseFeed {
            data,
            columns: data.column_cells(),
            values: data.value_cells(),
            loss,
            holdout: (holdout * u64::MAX as f64) as u64,
            seed,
        }
    }

    /// Units of consecutive rows.
    pub fn units(&self, block: u32) -> Vec<Range<u32>> {
        let rows = self.data.rows() as u32;
        (0..rows).step_by(block.max(1) as usize).map(|start| start..rows.min(start.saturating_add(block))).collect()
    }

    pub fn is_held_out(&self, position: u32) -> bool {
        let mut x = (self.seed ^ 0x5851_F42D_4C95_7F2D).wrapping_add((position as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) < self.holdout
    }
}

impl Feed<Linear> for SparseFeed<'_> {
    fn longest(&self) -> usize {
        self.data.longest_row()
    }

    fn room(&self) -> Row {
        Row::with_room(self.data.longest_row())
    }

    #[inline(always)]
    fn keeps(&self, position: u32) -> bool {
        self.holdout == 0 || !self.is_held_out(position)
    }

    #[inline(always)]
    fn read<I: Isa>(&self, isa: I, position: u32, row: &mut Row) -> f32 {
        let range = self.data.row_range(position as usize);
        // A changed file might claim a longer row than there is room for.
        let n = range.len().min(row.rows.len() - 2 * LANES);
        let columns = &self.columns[range.start..][..n];
        let last = self.data.columns() as u32;
        copy(isa, columns, &mut row.rows[1..], |c| (c + 1).min(last));
        if let Some(values) = self.values {
            copy(isa, &values[range.start..][..n], &mut row.values[1..], f32::from_bits);
        } else if row.len <= n {
            row.values[row.len..n + 1].fill(1.0);
        }
        row.len = n + 1;
        row.values[n + 1..][..LANES].fill(0.0);
        self.loss.target(self.data.label(position as usize))
    }

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, _isa: I, _position: u32) {
        // The offsets of a block's rows are few and lie together.
    }

    #[inline(always)]
    fn prefetch<R, I, const S: usize>(&self, isa: I, position: u32, _weights: &Hogwild<'_, R, I, S>)
    where
        R: UpdateRule,
        R::State: State<Cell = [f32; S]>,
        I: Isa,
    {
        let range = self.data.row_range(position as usize);
        for cells in [Some(self.columns), self.values].into_iter().flatten() {
            for cell in cells[range.clone()].iter().step_by(16) {
                isa.prefetch(cell);
            }
        }
    }

    #[inline(always)]
    fn size(&self, row: &Row) -> u64 {
        row.len as u64 - 1
    }
}

/// Copies mapped cells into private memory, whole blocks as long as there are, each number through `f`.
#[inline(always)]
fn copy<I: Isa, T: Copy>(isa: I, from: &[AtomicU32], to: &mut [T], f: impl Fn(u32) -> T) {
    let (blocks, rest) = from.as_chunks::<LANES>();
    for (to, from) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(blocks) {
        *to = isa.load16u(from).map(&f);
    }
    for (to, from) in to[blocks.len() * LANES..].iter_mut().zip(rest) {
        *to = f(from.load(Relaxed));
    }
}

/// One rating, with dictionary numbers (items counted from behind the users).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rating {
    pub pair: Pair,
    pub value: f32,
}

/// Users x items of a tile: their factor rows at rank 32 fill a second-level cache, no more.
const TILE: (u32, u32) = (2048, 1024);

/// Ratings, copied into tiles once; shuffled within the tile then, and within the block each epoch.
pub(crate) struct RatingFeed {
    pub ratings: Vec<Rating>,
    pub units: Vec<Range<u32>>,
}

impl RatingFeed {
    /// `threads`: so many workers are to find work; large tiles are cut for them.
    pub fn new(data: &Ratings, loss: Loss, holdout: f64, seed: u64, threads: usize) -> (RatingFeed, Vec<Rating>) {
        let users = data.users() as u32;
        let items = data.items() as u32;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let cells = data.user_cells().iter().zip(data.item_cells()).zip(data.rating_cells());
        let mut ratings: Vec<Rating> = cells
            .map(|((user, item), value)| Rating {
                pair: Pair { user: user.load(Relaxed).min(users - 1), item: users + item.load(Relaxed).min(items - 1) },
                value: loss.target(f32::from_bits(value.load(Relaxed))),
            })
            .collect();
        ratings.shuffle(&mut random);
        let held = ratings.split_off(ratings.len() - (holdout * ratings.len() as f64) as usize);
        let tile = |r: &Rating| (r.pair.user / TILE.0, (r.pair.item - users) / TILE.1);
        ratings.sort_by_key(tile); // stable: the shuffle remains within the tile
        let most = if threads == 1 { usize::MAX >> 1 } else { (ratings.len() / (8 * threads)).max(1024) };
        let mut units = Vec::new();
        let mut start = 0u32;
        for run in ratings.chunk_by(|a, b| tile(a) == tile(b)) {
            let end = start + run.len() as u32;
            units.extend((start..end).step_by(most).map(|from| from..end.min(from.saturating_add(most as u32))));
            start = end;
        }
        (RatingFeed { ratings, units }, held)
    }
}

impl Feed<Factorization> for RatingFeed {
    fn longest(&self) -> usize {
        2
    }

    fn room(&self) -> Pair {
        Pair { user: 0, item: 0 }
    }

    #[inline(always)]
    fn keeps(&self, _position: u32) -> bool {
        true
    }

    #[inline(always)]
    fn read<I: Isa>(&self, _isa: I, position: u32, pair: &mut Pair) -> f32 {
        let rating = &self.ratings[position as usize];
        *pair = rating.pair;
        rating.value
    }

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32) {
        isa.prefetch(&self.ratings[position as usize]);
    }

    #[inline(always)]
    fn prefetch<R, I, const S: usize>(&self, _isa: I, position: u32, weights: &Hogwild<'_, R, I, S>)
    where
        R: UpdateRule,
        R::State: State<Cell = [f32; S]>,
        I: Isa,
    {
        let pair = self.ratings[position as usize].pair;
        weights.prefetch_wide(pair.user);
        weights.prefetch_wide(pair.item);
    }

    #[inline(always)]
    fn size(&self, _pair: &Pair) -> u64 {
        1
    }
}
