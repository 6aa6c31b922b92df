//! Ratings in tiles: copied once, and shuffled within the tile then; or all in the order of the file.
use super::{
    cells::Cells,
    groups::{FOUR, grouped},
    weights,
};
use crate::{Parallel, classes::Classes, options::Settings};
use hogwild_base::{Result, memory, threads};
use hogwild_data::Ratings;
use hogwild_kernels::{
    Bands,
    feed::{Quads, Rating, RatingFeed},
    models::Pair,
    order::Order,
    seeds::Stream,
    targets::Targets,
};
use rand::seq::SliceRandom;
use std::{ops::Range, sync::atomic::Ordering::Relaxed};

/// Users x items of a tile: their factor rows at rank 32 fill a second-level cache, no more.
const TILE: (u32, u32) = (2048, 1024);

/// Rows of nobody: a user and an item for each of the ratings in flight.
const NOBODY: u32 = 2 * FOUR as u32;

/// Ratings in the order of a run.
pub(super) struct Tiles {
    pub feed: RatingFeed,
    /// The ratings that are held out: the same in any order.
    pub held: Vec<Rating>,
    /// How much those count; none where all count alike.
    pub held_weights: Vec<f32>,
    /// By `parallel` partitioned.
    pub cells: Option<CellEnds>,
}

/// Where the units of each cell end, the cells of a block of users (or of the finer side) one after the other.
pub(super) struct CellEnds {
    pub ends: Vec<usize>,
    /// Where one side is cut finer than the other.
    pub bands: Option<Bands>,
}

/// The ratings of a run, in its order. `quads`: whether they are to lie in groups of four, where that can be had.
///
/// # Errors
/// When there is no room for them.
pub(super) fn tiles(data: &Ratings, settings: &Settings, quads: bool) -> Result<Tiles> {
    // Each with its number, and once more while they are sorted. Weights are sorted beside their ratings, in a copy and what that takes.
    let each = match data.weight_cells() {
        Some(_) => 3 * size_of::<(Rating, f32)>(),
        None => size_of::<u32>() + 2 * size_of::<Rating>(),
    };
    let bytes = (data.len() * each) as u64;
    memory::ask(bytes, || format!("{} ratings, which train from memory,", data.len()), "train on fewer of them, or where there is more")?;
    let &Settings { loss, holdout, seed, standardize, .. } = settings;
    let users = data.users() as u32;
    let items = data.items() as u32;
    let mut random = Stream::Tiles.random(seed);
    let (user, item, value) = (data.user_cells(), data.item_cells(), data.rating_cells());
    let rating = |&i: &u32| Rating {
        pair: Pair { user: user[i as usize].load(Relaxed).min(users - 1), item: users + item[i as usize].load(Relaxed).min(items - 1) },
        value: f32::from_bits(value[i as usize].load(Relaxed)),
    };
    let mut numbers: Vec<u32> = (0..data.len() as u32).collect();
    numbers.shuffle(&mut random);
    let taken = Classes::taken(None, loss);
    let held = numbers.split_off(numbers.len() - (holdout * numbers.len() as f64) as usize);
    let held_weights = weights::of_rows(data, held.iter().copied()).unwrap_or_default();
    let held = held.iter().map(rating).map(|r| Rating { value: taken.of(r.value), ..r }).collect();
    let sequential = settings.order == Order::Sequential;
    if sequential {
        numbers.sort_unstable();
    }
    let mut ratings: Vec<Rating> = numbers.iter().map(rating).collect();
    let mut weights = weights::scaled(weights::of_rows(data, numbers.iter().copied()));
    drop(numbers);
    data.whole()?;
    let targets = Targets::new(loss, taken, standardize, |each| {
        ratings.iter().enumerate().for_each(|(i, r)| each(r.value, weights.as_ref().map_or(1.0, |weights| weights[i].into())));
    });
    ratings.iter_mut().for_each(|r| r.value = targets.target(r.value));
    let partitioned = settings.parallel == Parallel::Partitioned;
    // Groups of four are of ratings that count alike.
    let quads = quads && partitioned && weights.is_none();
    let cut = if quads { Cells::in_bands } else { Cells::square };
    let cells = partitioned.then(|| cut(&ratings, users as usize, items as usize, settings));
    let cell = |r: &Rating| cells.as_ref().map_or(0, |cells| cells.of(r));
    let in_cell = |r: &Rating| if sequential || quads { (0, 0) } else { (r.pair.user / TILE.0, (r.pair.item - users) / TILE.1) };
    let tile = |r: &Rating| (cell(r), in_cell(r));
    weights::sort_by_key(&mut ratings, &mut weights, tile); // stable: the shuffle remains within the tile
    // Workers and replicas are to find work: large tiles are cut for them.
    let (most, each) = (usize::MAX >> 1, |n: usize| ratings.len() / (8 * n));
    let most = match (settings.workers(), settings.replica_count()) {
        (1, 0) => most,
        (workers, 0) => each(workers).max(1024),
        (_, replicas) => each(replicas).min(settings.round().map_or(most, |every| every as usize)).max(1),
    };
    let mut units = Vec::new();
    let mut ends = vec![0; cells.as_ref().map_or(0, Cells::count)];
    let mut start = 0u32;
    for run in ratings.chunk_by(|a, b| tile(a) == tile(b)) {
        let end = start + run.len() as u32;
        units.extend((start..end).step_by(most).map(|from| from..end.min(from.saturating_add(most as u32))));
        start = end;
        run.first().and_then(|first| ends.get_mut(cell(first) as usize)).into_iter().for_each(|end| *end = units.len());
    }
    let mut before = 0;
    for end in &mut ends {
        before = before.max(*end);
        *end = before; // cells without ratings end where the one before does
    }
    let quads = cells.as_ref().filter(|_| quads).and_then(|cells| in_groups(&mut ratings, &units, cells, users as usize));
    let cells = cells.map(|Cells { bands, .. }| CellEnds { ends, bands });
    Ok(Tiles { feed: RatingFeed { ratings, weights, units, targets, quads }, held, held_weights, cells })
}

/// Puts the ratings of each unit in groups; none where these would be half empty, as of a handful of items.
fn in_groups(ratings: &mut [Rating], units: &[Range<u32>], cells: &Cells, users: usize) -> Option<Quads> {
    let unit = |unit: &Range<u32>| unit.start as usize..unit.end as usize;
    let all = threads::map(units.len(), |i| grouped(&ratings[unit(&units[i])]));
    let groups: usize = all.iter().flat_map(|(_, sizes)| sizes).map(|&groups| groups as usize).sum();
    if FOUR * groups > 2 * ratings.len() {
        return None;
    }
    let sizes = all.into_iter().zip(units).map(|((ordered, sizes), range)| {
        ratings[unit(range)].copy_from_slice(&ordered);
        sizes
    });
    let sizes = sizes.collect();
    let (blocks, fine) = (cells.rows(users), cells.bands.map_or(0, |bands| bands.fine));
    let all = blocks[1].last().map_or(0, |block| block.end);
    let nobody = (0..blocks[1 - fine].len() as u32).map(|block| all + NOBODY * block..all + NOBODY * (block + 1));
    Some(Quads { sizes, nobody: nobody.collect(), blocks, fine })
}
