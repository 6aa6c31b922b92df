//! Ratings for a trial: those of some users (or of some items, where those are more), as a sample of single ratings would leave every row
//! too few to learn from. Rows are numbered anew, so that a trial's parameters are as few as its ratings need.
use super::parts::Parts;
use crate::family::{
    folds::{Fold, folds},
    prepared::{Judged, Stage, WithEngine},
};
use hogwild_kernels::{
    engine::{Counters, Task},
    feed::{Rating, RatingFeed},
    models::Pair,
    params::{Finish, Parameters, Shape, TableShape},
    seeds::Stream,
    simd::math::mixed,
};
use rand::seq::SliceRandom;
use std::ops::Range;

/// Ratings that stay together while they are shuffled, at most; of few ratings fewer, so that there are some dozens of such units.
const UNIT: u32 = 64;

/// A sample of ratings.
pub(super) struct RatingsStage<'a> {
    parts: &'a Parts<'a>,
    feed: RatingFeed,
    folds: Vec<Fold>,
    /// Rows of parameters.
    rows: usize,
    /// Vectors of a row.
    stride: u32,
}

impl<'a> RatingsStage<'a> {
    /// Of about `size.0` ratings to train on, held out in `size.1` parts at most.
    pub fn new(parts: &'a Parts<'a>, size: (u64, usize)) -> RatingsStage<'a> {
        let (feed, seed, wanted) = (&parts.feed, parts.settings.seed, size.0);
        let (users, items) = (parts.users as u32, parts.items as u32);
        // Some more, which judge.
        let share = 1.5 * wanted as f64 / feed.ratings.len().max(1) as f64;
        let row = |pair: &Pair| parts.row(if users >= items { pair.user } else { pair.item });
        let by_lot = |row: usize| mixed(Stream::SampledRows.seed(seed) ^ ((row as u64) << 20)) as f64 / (u64::MAX as f64);
        let among = |pair: &Pair| share >= 1.0 || by_lot(row(pair)) < share;
        let all = 0..feed.ratings.len() as u32;
        let mut positions: Vec<u32> = all.clone().filter(|&at| among(&feed.ratings[at as usize].pair)).collect();
        if (positions.len() as u64) < wanted {
            positions = all.collect(); // so few rows that none, or hardly any, was drawn
        }
        positions.shuffle(&mut Stream::Sample.random(seed));
        positions.truncate(2 * wanted.max(1) as usize); // one row can have nearly all
        let weights = feed.weights.as_ref().map(|weights| positions.iter().map(|&at| weights[at as usize]).collect());
        let mut ratings: Vec<Rating> = positions.iter().map(|&at| feed.ratings[at as usize]).collect();
        // New numbers in the order of the old ones: users, then items.
        let mut numbers = vec![u32::MAX; (users + items) as usize];
        ratings.iter().flat_map(|rating| [rating.pair.user, rating.pair.item]).for_each(|place| numbers[parts.row(place)] = 0);
        let mut rows = 0;
        for number in numbers.iter_mut().filter(|number| **number == 0) {
            (*number, rows) = (rows, rows + 1);
        }
        let stride = Parameters::row_stride(&parts.layout, parts.settings.rank);
        let place = |place: u32| numbers[parts.row(place)] * stride;
        ratings.iter_mut().for_each(|Rating { pair, .. }| *pair = Pair { user: place(pair.user), item: place(pair.item) });
        let all = ratings.len() as u32;
        let unit = (all / UNIT).clamp(1, UNIT);
        let units: Vec<Range<u32>> = (0..all).step_by(unit as usize).map(|start| start..all.min(start + unit)).collect();
        let folds = folds(&units, size, false, seed);
        let feed = RatingFeed { ratings, weights, units, targets: feed.targets, quads: None };
        RatingsStage { parts, feed, folds, rows: rows as usize, stride }
    }
}

impl Stage for RatingsStage<'_> {
    fn folds(&self) -> &[Fold] {
        &self.folds
    }

    fn shape(&self) -> Shape {
        Shape::of(TableShape::rows(self.rows, self.parts.settings.rank))
    }

    fn start(&self, parameters: &Parameters) {
        self.parts.start(parameters);
    }

    fn judge(&self, parameters: &Parameters, finish: &Finish<'_>, fold: &Fold) -> Vec<Judged> {
        let row = |place: u32| (place / self.stride) as usize;
        let score = |&position: &u32| {
            let Rating { pair, value } = self.feed.ratings[position as usize];
            let weight = self.feed.weights.as_ref().map_or(1.0, |weights| weights[position as usize]);
            let (user, item) = (row(pair.user), row(pair.item));
            let table = parameters.table(0);
            let factors = table.weights(user..user + 1, finish).zip(table.weights(item..item + 1, finish));
            let dot: f32 = factors.map(|(p, q)| p * q).sum();
            let score = self.feed.targets.base + table.beside(user, finish) + table.beside(item, finish) + dot;
            Judged { score, target: value, weight }
        };
        fold.held.iter().map(score).collect()
    }

    fn with_engine(&self, task: &Task<'_>, counters: &Counters, run: &mut WithEngine<'_>) {
        run(self.parts.rule.alone(&self.feed, &self.parts.model, task, counters).as_mut());
    }
}
