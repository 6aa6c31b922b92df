//! The scaling of features, so that one learning rate suits all of them: examples are read in scaled form, `x_j / s_j`, weights are learnt
//! for that, and the model that is kept has them divided by `s_j`: it takes raw features. The bias is not scaled.
//!
//! - `max-abs`: `s_j` is the largest absolute value of the feature; `std`: its standard deviation, zeros counted (without centring, which
//!   would fill the zeros in; the largest absolute value where a feature does not vary). One pass over the data beforehand.
//! - `online` (Ross, Mineiro & Langford, "Normalized online learning", UAI 2013): `s_j` is the largest absolute value so far. When it
//!   grows to `s'`, the paper's NAG has `w_j <- w_j s_j / s'`, so that what the feature can add to a score stays the same; here weights
//!   are those of scaled features, `w_j s_j`, so nothing is to be done, under any rule.
//! - `row`: each row is divided by its length. Weights cannot undo that, so the model says that it takes rows of length 1.
//!
//! The paper multiplies the rate by `t / N`, and for adaptive rules (NAG) by its root; `N` is the sum of the squared scaled lengths of the
//! `t` rows so far. That is one over the mean squared length of a scaled row, by which our default rates go anyway. So the default rate of
//! scaled features has this factor, from the first ten thousand rows and for good: no counter that all workers share, and FTRL's rate may
//! not change. A rate that is given is taken as it is.
//!
//! What decides for the root is the aim, that badly scaled data are learnt like well scaled ones: synthetic text after ten epochs of
//! Adagrad, held-out log-loss .270 as it is; by max-abs, std and online .270, .268 and .274 with the root, .301, .526 and .318 without. On
//! real data it is not always the better, after five epochs by max-abs with it and without: imdb_1gram .271 and .313, a9a .325 and .324,
//! criteo .456 and .448 (at best .446 and .448), kdd99 .467 and .354 (where held-out loss rises after the first epoch at each rate tried by
//! max-abs).
use hogwild_base::{Result, threads};
use hogwild_data::Rows;
use hogwild_kernels::{
    engine::{Kernel, Loops},
    feed::{Normalize, Scaling},
};
use std::sync::atomic::Ordering::Relaxed;

/// Places in the file and rows at each that are looked at for the sizes of features, and the least share of them that a feature is to be in
/// to count.
const PLACES: usize = 64;
const LOOKS: usize = 128;
const SHARE: f64 = 0.01;
/// The most columns that have a place in a table, however large the data are: so many are seldom often in a sample.
const FREQUENT: usize = 1 << 20;
/// How much larger than the smallest the largest feature is to be, and how far from 1, for features to be scaled unasked. Words weighted by
/// their rarity differ by less than 30; ages beside incomes, counts beside shares by a thousand and more.
const SPREAD: f64 = 100.0;
const FAR: f64 = 1e6;
/// Or how short the mean row: one rate has to suit the bias too, whose value is 1. (Ten normal features times .003 lost 5% to 30% unscaled,
/// times .001 half of what there was to gain; rows of texts by tf-idf have length 1.)
const SHORT: f64 = 0.1;
/// Rows that are looked at for a rate, and for the size of factors at the start.
pub(super) const LOOKS_AT_ROWS: usize = 10_000;
/// Rows that one thread counts at a time.
const CHUNK: usize = 1 << 14;

/// How features are scaled.
pub(super) struct Scaled {
    /// Never [`Normalize::Auto`].
    pub how: Normalize,
    /// Where that was left to the data and they ask for it: the sizes of the smallest and the largest feature.
    pub sizes: Option<[f64; 2]>,
}

/// What is done where it is left to the data.
pub(super) fn choose(how: Normalize, data: &Rows) -> Scaled {
    let as_they_are = Scaled { how: Normalize::None, sizes: None };
    if how != Normalize::Auto {
        return Scaled { how, sizes: None };
    }
    let Some(values) = data.value_cells() else { return as_they_are };
    let rows = data.rows();
    let places = if rows <= PLACES * LOOKS { 1 } else { PLACES };
    let looks = rows.min(PLACES * LOOKS) / places;
    let place = |place: usize| (place as u128 * rows as u128 / places as u128) as usize;
    let often = (SHARE * (places * looks) as f64).max(2.0);
    // Columns go by falling counts, so those that can be often enough are the first of all.
    let most = data.columns().min((data.nonzeros() as f64 / often) as usize).min(FREQUENT);
    // Counts only save room: where they can't be read, the rows that are looked at tell the same.
    let many = data.first_counts(most).map_or(most, |counts| counts.partition_point(|&count| count as f64 >= often));
    let mut frequent = vec![(0.0, 0.0); many];
    let (columns, mut all) = (data.column_cells(), 0.0);
    for row in (0..places).flat_map(|i| place(i)..place(i) + looks) {
        let cells = data.row_range(row);
        // Sums that do not wait for each other.
        let mut squares = [0f64; 4];
        for (i, x) in values[cells.clone()].iter().enumerate() {
            squares[i % 4] += (f32::from_bits(x.load(Relaxed)) as f64).powi(2);
        }
        all += squares.iter().sum::<f64>();
        for i in cells {
            // Columns ascend in a row.
            let Some((count, squares)) = frequent.get_mut(columns[i].load(Relaxed) as usize) else { break };
            let x = f32::from_bits(values[i].load(Relaxed)) as f64;
            if x != 0.0 {
                (*count, *squares) = (*count + 1.0, *squares + x * x);
            }
        }
    }
    let sizes = frequent.iter().filter(|(count, _)| *count >= often).map(|(count, squares)| (squares / count).sqrt());
    let (least, most) = sizes.fold((f64::INFINITY, 0f64), |(least, most), size| (least.min(size), most.max(size)));
    // Beside the bias, which is 1 in every row.
    let length = (all / (places * looks).max(1) as f64).sqrt();
    let asks = most / least > SPREAD || most > FAR || least < 1.0 / FAR || length < SHORT;
    if !asks || most == 0.0 {
        return as_they_are;
    }
    Scaled { how: Normalize::MaxAbs, sizes: Some([least, most]) }
}

/// What the data are scaled by; none: nothing is scaled, and there is a `bias`. `keeps`: the rows that are looked at.
pub(super) fn scaling(how: Normalize, bias: bool, data: &Rows, keeps: impl Fn(u32) -> bool + Sync) -> Result<Option<Scaling>> {
    let by = |scale: fn(&Seen, f64) -> f64| {
        let in_chunk = |chunk: usize| (chunk * CHUNK..data.rows().min((chunk + 1) * CHUNK)).filter(|&row| keeps(row as u32)).count();
        let rows = threads::map(data.rows().div_ceil(CHUNK), in_chunk).iter().sum::<usize>().max(1) as f64;
        let of = |seen: Seen| if seen.most > 0.0 { scale(&seen, rows) as f32 } else { 0.0 };
        see(data, &keeps).map(|seen| seen.into_iter().map(of).collect())
    };
    let scales: Vec<f32> = match how {
        Normalize::None | Normalize::Auto => Vec::new(),
        Normalize::MaxAbs => by(|seen, _| seen.most)?,
        Normalize::Std => by(Seen::deviation)?,
        Normalize::Online => vec![0.0; data.columns()],
        Normalize::Row => Vec::new(),
    };
    Ok(of_kind(how, bias, scales))
}

/// The same by scales that are known.
pub(super) fn of_kind(how: Normalize, bias: bool, scales: Vec<f32>) -> Option<Scaling> {
    let scaling = Scaling::new(how, scales);
    if bias { Some(scaling).filter(|_| how != Normalize::None) } else { Some(scaling.without_bias()) }
}

/// The learning rate for rows in scaled form. Rules whose state is sums are the adaptive ones: by those steps shrink.
pub(super) fn default_rate<K: Kernel>(data: &Rows, rule: &dyn Loops<K>, scaling: Option<&Scaling>) -> f32 {
    let square = mean_square(data, scaling);
    let is_scaled = scaling.is_some_and(|scaling| scaling.how() != Normalize::None);
    rule.default_rate(if is_scaled && !rule.facts().averages { square.sqrt() } else { square })
}

/// The mean squared length of a row in scaled form, by the first ten thousand.
fn mean_square(data: &Rows, scaling: Option<&Scaling>) -> f32 {
    if scaling.is_some_and(|scaling| scaling.how() == Normalize::Row) {
        return 1.0;
    }
    let square = scaled_squares(data, scaling);
    let rows = data.rows().min(LOOKS_AT_ROWS);
    let squares: f64 = (0..rows).map(|row| data.row_range(row).map(&square).sum::<f64>()).sum();
    (squares / rows.max(1) as f64) as f32
}

/// The square of a nonzero by its place, in scaled form (but for rows by their length).
pub(super) fn scaled_squares(data: &Rows, scaling: Option<&Scaling>) -> impl Fn(usize) -> f64 {
    let scaling = scaling.map(Scaling::copy);
    let (columns, values) = (data.column_cells(), data.value_cells());
    move |i| {
        let x = values.map_or(1.0, |values| f32::from_bits(values[i].load(Relaxed)));
        let row = columns[i].load(Relaxed) as usize + 1;
        (scaling.as_ref().map_or(x, |scaling| scaling.scaled(row, x)) as f64).powi(2)
    }
}

/// What was seen of a feature.
#[derive(Clone, Copy, Default)]
struct Seen {
    most: f64,
    sum: f64,
    squares: f64,
}

impl Seen {
    fn deviation(&self, rows: f64) -> f64 {
        let (mean, square) = (self.sum / rows, self.squares / rows);
        let variance = square - mean * mean;
        // Of a feature that is the same in every row rounding is all that is left.
        if variance > 1e-10 * square { variance.sqrt() } else { self.most }
    }
}

/// Looks at all features, in memory that goes with their number alone: each task has a range of the columns, as many numbers as another,
/// and goes through all rows for it. So sums are taken in the order of the rows, and have the same bits for any number of tasks.
fn see(data: &Rows, keeps: &(impl Fn(u32) -> bool + Sync)) -> Result<Vec<Seen>> {
    let mut seen = vec![Seen::default(); data.columns()];
    let counts = data.feature_counts()?;
    let share = counts.iter().fold(0, |sum: u64, &count| sum.saturating_add(count)) / threads::count() as u64;
    let (mut parts, mut rest, mut first) = (Vec::new(), seen.as_mut_slice(), 0);
    while !rest.is_empty() {
        let mut sum = 0u64;
        let mut fits = |count: &u64| {
            sum = sum.saturating_add(*count);
            sum <= share
        };
        let columns = counts.get(first..).unwrap_or_default().iter().take_while(|&count| fits(count)).count().clamp(1, rest.len());
        let (part, others) = rest.split_at_mut(columns);
        parts.push((first as u32, part));
        (rest, first) = (others, first + columns);
    }
    let (columns, values) = (data.column_cells(), data.value_cells());
    let look = |first: u32, part: &mut [Seen]| {
        for row in (0..data.rows() as u32).filter(|&row| keeps(row)) {
            let range = data.row_range(row as usize);
            let skipped = columns[range.clone()].partition_point(|column| column.load(Relaxed) < first);
            for i in range.skip(skipped) {
                let Some(seen) = part.get_mut(columns[i].load(Relaxed).wrapping_sub(first) as usize) else { break };
                let x = values.map_or(1.0, |values| f32::from_bits(values[i].load(Relaxed))) as f64;
                *seen = Seen { most: seen.most.max(x.abs()), sum: seen.sum + x, squares: seen.squares + x * x };
            }
        }
    };
    let looked: Result<()> = threads::each(
        parts,
        || (),
        |(), (first, part)| {
            look(first, part);
            Ok(())
        },
    );
    looked.map(|()| seen)
}
