//! Where examples come from: rows of a mapped data set, or ratings in tiles (scaled rows: see `scale`). A feed knows how to read the example
//! at a position into private memory.
use super::{Order, Settings, Targets};
use crate::{
    Classes, Error, Result,
    classes::Taken,
    data::{Dataset, Ratings},
    memory,
    models::{Block, ENDS, Factorization, Linear, Model, Pair, Row, Width},
    params::{Integers, Isa, Places},
};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use rayon::prelude::*;
use std::{
    ops::Range,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

/// Examples for model `M` by position.
pub(crate) trait Feed<M: Model>: Sync {
    /// Whether neighbours may be alike, so that examples are to be shuffled inside their blocks too.
    const SHUFFLE: bool;
    /// How many examples ahead of their turn they are read.
    const AHEAD: usize;
    /// How many examples ahead of their turn they are asked for; their places, twice as many.
    fn fetched(&self) -> usize;
    /// The most features of an example.
    fn longest(&self) -> usize;
    /// Room for one example.
    fn room(&self) -> M::Example;
    /// Whether there are positions that are not trained on.
    fn chooses(&self) -> bool;
    /// Whether the position is trained on (and not held out).
    fn keeps(&self, position: u32) -> bool;
    /// Reads the example at a position, finds its parameters' places and asks for them; returns its label.
    fn read<I: Isa>(&self, isa: I, position: u32, example: &mut M::Example, places: &impl Places<I>) -> f32;
    // Before that it is fetched in two stages, each of which reads what the one before it, some examples earlier, has asked for.
    /// Asks for where the example lies.
    fn prefetch_place<I: Isa>(&self, isa: I, position: u32);
    /// Asks for the example itself (or, where its place is the example, for its parameters).
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32, places: &impl Places<I>);
    /// Stored numbers of the example.
    fn size(&self, example: &M::Example) -> u64;
    /// Why what was read may be nothing: a mapped file was cut short.
    fn damage(&self) -> Option<Error> {
        None
    }
}

/// Rows of a sparse data set.
///
/// The file is mapped and may change under us: columns are copied into private memory by relaxed loads, and a row number
/// beyond the parameters is an empty lane, so that a changed file can give wrong numbers but never a place outside the parameters.
pub(crate) struct SparseFeed<'a> {
    data: &'a Dataset,
    /// Held-out data, whose damage ends a run as well.
    valid: Option<&'a Dataset>,
    longest: usize,
    fetched: usize,
    starts: &'a [AtomicU64],
    labels: &'a [AtomicU32],
    columns: &'a [AtomicU32],
    values: Option<&'a [AtomicU32]>,
    targets: Targets,
    /// Held-out share as a threshold on the row's hash.
    holdout: u64,
    seed: u64,
}

/// Nonzeros of the examples that are asked for.
const FETCHED: usize = 1024;

impl<'a> SparseFeed<'a> {
    pub fn new(data: &'a Dataset, settings: &Settings) -> Self {
        SparseFeed {
            data,
            valid: None,
            longest: data.longest_row(),
            // Not so far that they drive the parameters out of the nearest cache: six examples of imdb_1gram (2% to 4% faster than twelve).
            fetched: (FETCHED / (data.nonzeros() as usize / data.rows().max(1)).max(1)).clamp(4, 12),
            starts: data.start_cells(),
            labels: data.label_cells(),
            columns: data.column_cells(),
            values: data.value_cells(),
            targets: Targets::plain(settings.loss, None),
            holdout: (settings.holdout * u64::MAX as f64) as u64,
            seed: settings.seed,
        }
    }

    /// The same with targets by the labels that are trained on, which are told.
    pub fn with_targets(mut self, classes: Option<Classes>, settings: &Settings) -> (Self, Targets) {
        self.targets = Targets::new(settings.loss, classes, settings.standardize, |each| {
            let rows = (0..).zip(self.labels).filter(|&(row, _)| self.keeps(row));
            rows.for_each(|(_, label)| each(f32::from_bits(label.load(Relaxed))));
        });
        let targets = self.targets;
        (self, targets)
    }

    /// The same, with held-out data.
    pub fn beside(self, valid: Option<&'a Dataset>) -> Self {
        SparseFeed { valid, ..self }
    }

    /// Where a row's cells are, if a file that may have changed still says so.
    #[inline(always)]
    fn range(&self, position: u32) -> Range<usize> {
        let starts = &self.starts[position as usize..][..2];
        let [start, end] = [&starts[0], &starts[1]].map(|start| start.load(Relaxed) as usize);
        start..start.wrapping_add(end.wrapping_sub(start).min(self.longest))
    }

    /// Units of a few consecutive rows: about as many as a page holds, and no more than a block.
    pub fn units(&self, block: u32) -> Vec<Range<u32>> {
        let rows = self.data.rows() as u32;
        let unit = block.clamp(1, 16);
        (0..rows).step_by(unit as usize).map(|start| start..rows.min(start.saturating_add(unit))).collect()
    }

    /// The units without the rows that are held out; few rows one by one.
    pub fn kept_units(&self, units: &[Range<u32>]) -> Vec<Range<u32>> {
        const FEW: usize = 8192;
        if self.data.rows() > FEW && self.holdout == 0 {
            return units.to_vec();
        }
        let rows = units.iter().cloned().flatten().filter(|&row| self.keeps(row));
        let mut kept: Vec<Range<u32>> = Vec::new();
        for row in rows {
            match kept.last_mut() {
                Some(last) if self.data.rows() > FEW && last.end == row && last.len() < 16 => last.end += 1,
                _ => kept.push(row..row + 1),
            }
        }
        kept
    }

    pub fn is_held_out(&self, position: u32) -> bool {
        let x = (self.seed ^ 0x5851_F42D_4C95_7F2D).wrapping_add((position as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        crate::math::mixed(x) < self.holdout
    }
}

impl Feed<Linear> for SparseFeed<'_> {
    const SHUFFLE: bool = true;
    /// So that reading, placing and asking for them is done while the processor waits for others.
    const AHEAD: usize = 3;

    fn fetched(&self) -> usize {
        self.fetched
    }

    fn longest(&self) -> usize {
        self.longest
    }

    fn room(&self) -> Row {
        Row::with_room(self.longest)
    }

    fn chooses(&self) -> bool {
        self.holdout > 0
    }

    #[inline(always)]
    fn keeps(&self, position: u32) -> bool {
        self.holdout == 0 || !self.is_held_out(position)
    }

    #[inline(always)]
    fn read<I: Isa>(&self, isa: I, position: u32, row: &mut Row, places: &impl Places<I>) -> f32 {
        let range = self.range(position);
        let columns = self.columns.get(range.clone()).unwrap_or_default();
        let values = self.values.map(|values| values.get(range).unwrap_or_default());
        row.features = columns.len();
        let one = I::U::of(1);
        let (whole, rest) = columns.as_chunks();
        let (blocks, last) = row.blocks.split_at_mut(whole.len());
        let (last, end) = (&mut last[0], &ENDS[rest.len()]);
        let mut bits = I::U::of(1f32.to_bits());
        match values.map(|values| values.as_chunks()) {
            Some((values, rest)) => {
                for (block, (columns, values)) in blocks.iter_mut().zip(whole.iter().zip(values)) {
                    isa.load_line(values).store_bits(&mut block.values);
                    put(isa.load_line(columns).plus(one), block, places);
                }
                bits = isa.load_some(rest);
            }
            None => {
                for (block, columns) in blocks.iter_mut().zip(whole) {
                    bits.store_bits(&mut block.values);
                    put(isa.load_line(columns).plus(one), block, places);
                }
            }
        }
        bits.and(I::U::load(&end.keep)).or(I::U::load(&end.value)).store_bits(&mut last.values);
        put(isa.load_some(rest).plus(one).and(I::U::load(&end.keep)).or(I::U::load(&end.row)), last, places);
        self.targets.target(f32::from_bits(self.labels[position as usize].load(Relaxed)))
    }

    #[inline(always)]
    fn prefetch_place<I: Isa>(&self, isa: I, position: u32) {
        isa.prefetch(&self.starts[position as usize]);
        isa.prefetch(&self.labels[position as usize]);
    }

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, isa: I, position: u32, _places: &impl Places<I>) {
        let range = self.range(position);
        isa.prefetch_all(self.columns.get(range.clone()).unwrap_or_default());
        if let Some(values) = self.values {
            isa.prefetch_all(values.get(range).unwrap_or_default());
        }
    }

    #[inline(always)]
    fn size(&self, row: &Row) -> u64 {
        row.features as u64
    }

    fn damage(&self) -> Option<Error> {
        [Some(self.data), self.valid].into_iter().flatten().find_map(|data| data.whole().err())
    }
}

/// Puts sixteen rows into a block, with their places.
#[inline(always)]
fn put<I: Isa>(rows: I::U, block: &mut Block, places: &impl Places<I>) {
    rows.store(&mut block.rows);
    places.place(rows, &mut block.places);
}

/// One rating, with dictionary numbers (items counted from behind the users).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rating {
    pub pair: Pair,
    pub value: f32,
}

/// Users x items of a tile: their factor rows at rank 32 fill a second-level cache, no more.
const TILE: (u32, u32) = (2048, 1024);

/// Ratings, copied into tiles once, and shuffled within the tile then; or all in the order of the file.
pub(crate) struct RatingFeed {
    pub ratings: Vec<Rating>,
    pub units: Vec<Range<u32>>,
    pub targets: Targets,
}

impl RatingFeed {
    /// The feed, and the ratings that are held out: the same in any order.
    ///
    /// # Errors
    /// When there is no room for them.
    pub fn new(data: &Ratings, settings: &Settings) -> Result<(RatingFeed, Vec<Rating>)> {
        // Each with its number, and once more while they are sorted.
        let bytes = (data.len() * (size_of::<u32>() + 2 * size_of::<Rating>())) as u64;
        memory::ask(
            bytes,
            || format!("{} ratings, which train from memory,", data.len()),
            "train on fewer of them, or where there is more",
        )?;
        let &Settings { loss, holdout, seed, standardize, .. } = settings;
        let threads = settings.workers();
        let users = data.users() as u32;
        let items = data.items() as u32;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let (user, item, value) = (data.user_cells(), data.item_cells(), data.rating_cells());
        let rating = |&i: &u32| Rating {
            pair: Pair { user: user[i as usize].load(Relaxed).min(users - 1), item: users + item[i as usize].load(Relaxed).min(items - 1) },
            value: f32::from_bits(value[i as usize].load(Relaxed)),
        };
        let mut numbers: Vec<u32> = (0..data.len() as u32).collect();
        numbers.shuffle(&mut random);
        let taken = Taken::new(loss, None);
        let held = numbers.split_off(numbers.len() - (holdout * numbers.len() as f64) as usize);
        let held = held.iter().map(rating).map(|r| Rating { value: taken.of(r.value), ..r }).collect();
        let sequential = settings.order == Order::Sequential;
        if sequential {
            numbers.sort_unstable();
        }
        let mut ratings: Vec<Rating> = numbers.iter().map(rating).collect();
        drop(numbers);
        data.whole()?;
        let targets = Targets::new(loss, None, standardize, |each| ratings.iter().for_each(|r| each(r.value)));
        ratings.iter_mut().for_each(|r| r.value = targets.target(r.value));
        let tile = |r: &Rating| if sequential { (0, 0) } else { (r.pair.user / TILE.0, (r.pair.item - users) / TILE.1) };
        ratings.par_sort_by_key(tile); // stable: the shuffle remains within the tile
        // Workers are to find work: large tiles are cut for them.
        let most = if threads == 1 { usize::MAX >> 1 } else { (ratings.len() / (8 * threads)).max(1024) };
        let mut units = Vec::new();
        let mut start = 0u32;
        for run in ratings.chunk_by(|a, b| tile(a) == tile(b)) {
            let end = start + run.len() as u32;
            units.extend((start..end).step_by(most).map(|from| from..end.min(from.saturating_add(most as u32))));
            start = end;
        }
        Ok((RatingFeed { ratings, units, targets }, held))
    }

    /// Puts places among the parameters for row numbers, of rows of so many vectors.
    pub fn set_places(&mut self, stride: u32) {
        for Rating { pair, .. } in &mut self.ratings {
            (pair.user, pair.item) = (pair.user * stride, pair.item * stride);
        }
    }
}

impl<W: Width> Feed<Factorization<W>> for RatingFeed {
    /// They lie in the order of a shuffle.
    const SHUFFLE: bool = false;
    /// They lie ready.
    const AHEAD: usize = 0;

    fn fetched(&self) -> usize {
        12
    }

    fn longest(&self) -> usize {
        2
    }

    fn room(&self) -> Pair {
        Pair { user: 0, item: 0 }
    }

    fn chooses(&self) -> bool {
        false
    }

    #[inline(always)]
    fn keeps(&self, _position: u32) -> bool {
        true
    }

    #[inline(always)]
    fn read<I: Isa>(&self, _isa: I, position: u32, pair: &mut Pair, _places: &impl Places<I>) -> f32 {
        let rating = &self.ratings[position as usize];
        *pair = rating.pair;
        rating.value
    }

    #[inline(always)]
    fn prefetch_place<I: Isa>(&self, _isa: I, _position: u32) {} // they are read in their order, which the processor sees

    #[inline(always)]
    fn prefetch_example<I: Isa>(&self, _isa: I, position: u32, places: &impl Places<I>) {
        let pair = self.ratings[position as usize].pair;
        places.prefetch_wide(pair.user, W::VECTORS);
        places.prefetch_wide(pair.item, W::VECTORS);
    }

    #[inline(always)]
    fn size(&self, _pair: &Pair) -> u64 {
        1
    }
}
