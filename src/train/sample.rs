//! Ratings for a rehearsal: those of some users (or of some items, where those are more), as a sample of single ratings would leave every row
//! too few to learn from. Rows are numbered anew, so that a rehearsal's parameters are as few as its ratings need.
use super::{
    Settings,
    factorization::start_factors,
    rehearsal::{Fold, Judge, Stage, folds},
};
use crate::models::Pair;
use hogwild_kernels::{
    engine::FactorKernel,
    feed::{Rating, RatingFeed},
    params::{Finish, Parameters, Shape, TableShape},
    rules::Layout,
    simd::math::mixed,
};
use rand::{SeedableRng, rngs::Xoshiro256PlusPlus, seq::SliceRandom};
use std::ops::Range;

/// Ratings that stay together while they are shuffled, at most; of few ratings fewer, so that there are some dozens of such units.
const UNIT: u32 = 64;

/// A stage of about so many ratings to train on.
pub(super) fn stage<'a>(
    feed: &RatingFeed,
    layout: &Layout,
    users: u32,
    items: u32,
    size: (u64, usize),
    settings: &'a Settings,
) -> Stage<'a, FactorKernel> {
    let (seed, wanted) = (settings.seed, size.0);
    // Some more, which judge.
    let share = 1.5 * wanted as f64 / feed.ratings.len().max(1) as f64;
    let row = |pair: &Pair| if users >= items { pair.user } else { pair.item };
    let among = |pair: &Pair| share >= 1.0 || mixed(seed ^ 0x817D ^ ((row(pair) as u64) << 20)) as f64 / (u64::MAX as f64) < share;
    let mut ratings: Vec<Rating> = feed.ratings.iter().filter(|rating| among(&rating.pair)).copied().collect();
    if (ratings.len() as u64) < wanted {
        ratings = feed.ratings.clone(); // so few rows that none, or hardly any, was drawn
    }
    ratings.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x2ACE));
    ratings.truncate(2 * wanted.max(1) as usize); // one row can have nearly all
    // New numbers in the order of the old ones: users, then items.
    let mut numbers = vec![u32::MAX; (users + items) as usize];
    ratings.iter().flat_map(|rating| [rating.pair.user, rating.pair.item]).for_each(|old| numbers[old as usize] = 0);
    let mut rows = 0;
    for number in numbers.iter_mut().filter(|number| **number == 0) {
        (*number, rows) = (rows, rows + 1);
    }
    let stride = Parameters::row_stride(layout, settings.rank);
    let place = |old: u32| numbers[old as usize] * stride;
    ratings.iter_mut().for_each(|Rating { pair, .. }| *pair = Pair { user: place(pair.user), item: place(pair.item) });
    let all = ratings.len() as u32;
    let unit = (all / UNIT).clamp(1, UNIT);
    let units: Vec<Range<u32>> = (0..all).step_by(unit as usize).map(|start| start..all.min(start + unit)).collect();
    let (rank, base, judged) = (settings.rank, feed.targets.base, ratings.clone());
    let judge: Judge<'a> = Box::new(move |parameters: &Parameters, finish: &Finish<'_>, fold: &Fold| {
        let row = |place: u32| (place / stride) as usize;
        let score = |&Rating { pair, value }: &Rating| {
            let (user, item) = (row(pair.user), row(pair.item));
            let table = parameters.table(0);
            let factors = table.weights(user..user + 1, finish).zip(table.weights(item..item + 1, finish));
            let dot: f32 = factors.map(|(p, q)| p * q).sum();
            (base + table.beside(user, finish) + table.beside(item, finish) + dot, value)
        };
        fold.held.iter().map(|&position| score(&judged[position as usize])).collect()
    });
    Stage {
        folds: folds(&units, size, false, seed),
        feed: RatingFeed { ratings, units, targets: feed.targets },
        shape: Shape::of(TableShape::rows(rows as usize, rank)),
        start: Box::new(move |parameters| start_factors(parameters, rank, seed)),
        judge,
    }
}
