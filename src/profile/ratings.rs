//! A profile of ratings: which values there are, how many ratings users and items have, and the most frequent of both. Means are by weight,
//! counts are not.
use super::{NumbersProfile, ValueProfile};
use hogwild_base::Result;
use hogwild_data::{Ids, Ratings};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// Different ratings that are told apart.
const MOST_VALUES: usize = 1 << 12;

/// What ratings hold.
#[derive(Clone, Debug, PartialEq)]
pub struct RatingsProfile {
    /// How many ratings.
    pub ratings: u64,
    /// The share of all pairs of users and items that is rated.
    pub density: f64,
    /// The sum of the weights, where they have such.
    pub weights: Option<f64>,
    /// How the ratings are spread; none where none is given.
    pub values: Option<NumbersProfile>,
    /// The most frequent ratings with their counts; none where there are more than some thousand.
    pub frequent_values: Vec<(f32, u64)>,
    /// Of the users.
    pub users: SideProfile,
    /// Of the items.
    pub items: SideProfile,
}

/// Users, or items.
#[derive(Clone, Debug, PartialEq)]
pub struct SideProfile {
    /// How many.
    pub count: u64,
    /// Ratings of the one that has fewest, of the one in the middle, and of the one that has most.
    pub ratings: [u64; 3],
    /// The share of the ratings that the most frequent hundredth has.
    pub hundredth: f64,
    /// Those that have most, with their mean ratings.
    pub frequent: Vec<ValueProfile>,
}

impl RatingsProfile {
    pub(super) fn of(data: &Ratings, top: usize) -> Result<RatingsProfile> {
        let mut values: BTreeMap<i64, (f32, u64)> = BTreeMap::new();
        for bits in data.rating_cells() {
            let value = f32::from_bits(bits.load(Relaxed));
            if values.len() <= MOST_VALUES && !value.is_nan() {
                values.entry(order(value)).or_insert((value, 0)).1 += 1;
            }
        }
        let mut frequent_values: Vec<(f32, u64)> = if values.len() > MOST_VALUES { Vec::new() } else { values.into_values().collect() };
        frequent_values.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        frequent_values.truncate(top);
        let spread = data.spread();
        let (mean, deviation) = if data.weight_cells().is_some() { by_weight(data) } else { (spread.mean, spread.deviation()) };
        let numbers = NumbersProfile { mean, deviation, min: spread.min, max: spread.max };
        let users = side(&data.user_ids()?, &data.user_counts()?, data.user_cells(), data, top);
        let items = side(&data.item_ids()?, &data.item_counts()?, data.item_cells(), data, top);
        data.whole()?;
        Ok(RatingsProfile {
            ratings: data.len() as u64,
            density: data.len() as f64 / (data.users() as f64 * data.items() as f64).max(1.0),
            weights: data.weight_cells().map(|_| (0..data.len()).map(|row| f64::from(data.weight(row))).sum()),
            values: (spread.count > 0).then_some(numbers),
            frequent_values,
            users,
            items,
        })
    }
}

/// Mean and deviation of ratings that do not count alike.
fn by_weight(data: &Ratings) -> (f64, f64) {
    let given = || {
        let rating = |row: usize| f64::from(f32::from_bits(data.rating_cells()[row].load(Relaxed)));
        (0..data.len()).map(move |row| (rating(row), f64::from(data.weight(row)))).filter(|(rating, _)| !rating.is_nan())
    };
    let all = given().map(|(_, weight)| weight).sum::<f64>();
    let mean = given().map(|(rating, weight)| weight * rating).sum::<f64>() / all;
    let square = given().map(|(rating, weight)| weight * (rating - mean).powi(2)).sum::<f64>() / all;
    (mean, square.sqrt())
}

/// A key in the order of numbers; 0 and -0 are one.
fn order(value: f32) -> i64 {
    let bits = i64::from((value + 0.0).to_bits() as i32);
    if bits < 0 { i64::from(i32::MIN) - bits } else { bits }
}

fn side(ids: &Ids, counts: &[u64], cells: &[AtomicU32], data: &Ratings, top: usize) -> SideProfile {
    let mut sums = vec![(0.0, 0.0); top.min(counts.len())];
    for (i, (row, rating)) in cells.iter().zip(data.rating_cells()).enumerate() {
        let rating = f32::from_bits(rating.load(Relaxed));
        if let Some((sum, given)) = sums.get_mut(row.load(Relaxed) as usize).filter(|_| !rating.is_nan()) {
            let weight = f64::from(data.weight(i));
            (*sum, *given) = (*sum + weight * f64::from(rating), *given + weight);
        }
    }
    let value = |(i, &(sum, given)): (usize, &(f64, f64))| ValueProfile {
        name: ids.name(i),
        count: counts[i],
        label: (given > 0.0).then(|| sum / given),
    };
    let at = |i: usize| counts.get(i).copied().unwrap_or(0);
    let all: u64 = counts.iter().sum();
    let hundredth: u64 = counts.iter().take(counts.len().div_ceil(100)).sum();
    SideProfile {
        count: counts.len() as u64,
        ratings: [at(counts.len().saturating_sub(1)), at(counts.len() / 2), at(0)],
        hundredth: hundredth as f64 / all.max(1) as f64,
        frequent: sums.iter().enumerate().map(value).collect(),
    }
}
