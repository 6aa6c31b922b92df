//! How many rows each worker holds privately, and how often those are exchanged: by how frequent the features are.
//!
//! A row that two workers touch often passes between their caches each time, and an update is lost where both have it at hand. A row that
//! is rarely touched is better shared: a private copy takes room in the cache and time at each exchange. On two threads imdb_1gram,
//! imdb_2gram and criteo were fastest at some 10,000, 32,000 and 2,500 rows (`hogwild train --hot-rows`): those that more than one of a
//! thousand examples has.
use crate::options::Settings;
use hogwild_base::{Result, memory};
use hogwild_data::Rows;
use hogwild_kernels::{
    order::{BLOCK, Order},
    simd::LANES,
};

/// A row that more than one of so many examples has is hot.
const RARE: u64 = 1024;
/// The most numbers of private rows: with what they were at the last exchange they take a quarter of a second-level cache.
const CELLS: usize = 1 << 15;
/// Examples between exchanges: at least, at most. (On kdd99, whose 49 hot rows are in every example, two threads at a high rate were up to
/// 8% off one thread's loss by an exchange each 256 examples, up to 4% each 64, at no cost: `hogwild train --exchange-every`.)
const EXCHANGE: [u64; 2] = [64, 1024];
/// Exchanges an epoch at least: on few examples at high rates, two workers that go by old copies for long step too far together (easy text
/// of 14,000 rows, rate 5: log-loss .26 on one thread, .26 to .39 by an exchange each 256 examples, .26 each 128), and not oftener than
/// each so many.
const EXCHANGES: u64 = 96;
const LEAST: u64 = 8;
/// Nonzeros trained between exchanges for each private vector of sixteen cells: exchanging then takes about a thirtieth of the time.
const NONZEROS: u64 = 24;
/// Of the most frequent shared row one update in so many, at most, may be overwritten where what was gathered for the score serves for the
/// step too.
const MEETINGS: u64 = 64;

/// The most rows that are dense, and the fewest examples for which they are: with fewer a group of eight is a larger part of what is learnt,
/// and nothing takes long.
pub(super) const MOST_DENSE: usize = 128;
const LEAST_EXAMPLES: u64 = 1 << 15;
/// Longer rows gain nothing: a chain from example to example is short beside their work (imdb_1gram, 141 nonzeros: .45% worse at 128 rows).
const LONGEST: f64 = 64.0;
/// What a vector of dense rows costs an example, in what another nonzero costs.
const VECTOR: f64 = 1.3;
/// The share of nonzeros that is to be dense at least.
const LEAST_SHARE: f64 = 0.25;
/// The longest row that a worker keeps room for eight of unasked.
const LONGEST_ROW: usize = 1 << 12;
/// Bytes of that room for each feature of the longest row.
const ROOM: u64 = 8 * 32;

/// How many of the most frequent rows are dense, where a run by groups may have any; unasked only where there is memory for it, and where
/// the order is by lot: of rows sorted by a feature, all eight may have it.
///
/// # Errors
/// No room for as many as were asked for.
pub(super) fn dense(settings: &Settings, data: &Rows, hot: &Hot) -> Result<usize> {
    let short = hot.exchange_every < 4 * LANES as u32 || data.longest_row() > LONGEST_ROW;
    if settings.dense_rows.is_none() && (short || settings.order == Order::Sequential) {
        return Ok(0);
    }
    let rows = how_many(settings, data, hot.rows)?;
    let masks = data.rows() as u64 * (rows / LANES + 1) as u64 * size_of::<u16>() as u64;
    let bytes = masks + settings.workers() as u64 * ROOM * data.longest_row() as u64;
    match memory::ask(bytes, || "masks of the dense rows and room for eight examples".into(), "give `dense_rows` 0") {
        Err(_) if settings.dense_rows.is_none() => Ok(0),
        asked => asked.map(|_| rows),
    }
}

fn how_many(settings: &Settings, data: &Rows, hot: usize) -> Result<usize> {
    let all = (data.columns() + 1).next_multiple_of(LANES);
    // Several workers exchange what they hold privately, and nothing else.
    let held = if settings.workers() > 1 && hot <= data.columns() { hot / LANES * LANES } else { MOST_DENSE };
    let most = all.min(held).min(MOST_DENSE);
    match settings.dense_rows {
        Some(asked) => Ok(asked.min(most)),
        None => Ok(dense_rows(&data.first_counts(most)?, data.rows() as u64, data.nonzeros()).min(most)),
    }
}

/// The number that costs least, by in how many examples each feature occurs. Row 0 is the bias.
fn dense_rows(counts: &[u64], examples: u64, nonzeros: u64) -> usize {
    let mean = nonzeros as f64 / examples.max(1) as f64;
    if examples < LEAST_EXAMPLES || mean > LONGEST {
        return 0;
    }
    let others = |rows: usize| mean - counts.iter().take(rows - 1).sum::<u64>() as f64 / examples as f64;
    let cost = |rows: &usize| VECTOR * (rows / LANES) as f64 + others(*rows);
    let best = (LANES..=MOST_DENSE).step_by(LANES).min_by(|a, b| cost(a).total_cmp(&cost(b))).unwrap_or(0);
    if mean - others(best) < LEAST_SHARE * mean { 0 } else { best }
}

/// Which rows workers hold privately.
pub(super) struct Hot {
    /// The most frequent ones, so many.
    pub rows: usize,
    /// Examples between exchanges.
    pub exchange_every: u32,
    /// Whether the rows that stay shared are so rare that workers hardly meet there.
    pub rare: bool,
}

/// What the settings ask for, or leave open, for rows of `stride` cells.
pub(super) fn choose(settings: &Settings, data: &Rows, stride: usize) -> Result<Hot> {
    let (examples, others) = (data.rows() as u64, settings.workers() as u64 - 1);
    // Row 0 is the bias.
    let most = settings.hot_rows.unwrap_or(CELLS / stride).min(data.columns() + 1);
    let counts = if others > 0 { data.first_counts(most)? } else { Vec::new() };
    let rows = settings.hot_rows.map_or_else(|| if others > 0 { hot_rows(&counts, examples, stride) } else { 0 }, |_| most);
    let exchange_every = with_others(exchange_every(rows * stride / LANES, examples, data.nonzeros()), others);
    let exchange_every = settings.block(exchange_every, examples);
    Ok(Hot { rows, exchange_every, rare: are_rare(&counts, rows, examples, others) })
}

/// Whether the rows behind the hot ones are rare.
fn are_rare(counts: &[u64], hot: usize, examples: u64, others: u64) -> bool {
    let shared = if hot == 0 { examples } else { counts.get(hot - 1).copied().unwrap_or(0) };
    others.saturating_mul(shared) < examples / MEETINGS
}

/// The bias and the features that are frequent enough, as far as there is room. `counts`: in how many examples each feature occurs,
/// descending.
fn hot_rows(counts: &[u64], examples: u64, stride: usize) -> usize {
    let frequent = counts.iter().take_while(|&count| count.saturating_mul(RARE) > examples).count();
    (1 + frequent).min(CELLS / stride)
}

/// Examples between exchanges of so many vectors of cells.
fn exchange_every(vectors: usize, examples: u64, nonzeros: u64) -> u32 {
    if vectors == 0 {
        return BLOCK;
    }
    let every = (vectors as u64 * NONZEROS).saturating_mul(examples) / nonzeros.max(1);
    let few = (examples / EXCHANGES).max(LEAST);
    let most = 1 << few.ilog2(); // the power of two below
    every.clamp(EXCHANGE[0], EXCHANGE[1]).next_power_of_two().min(most) as u32
}

/// The same for workers of so many others: all together train as many examples between exchanges as two workers do. What copies have not
/// handed over yet adds up, and with more of it workers step too far together. (64 virtual workers on imdb_1gram, rate .5: with an exchange
/// each 256 examples they lose 27 times as much as one, each 16 a half more after the first epoch, each 8 within .1%: `hogwild simulate
/// --exchange-every`.)
fn with_others(every: u32, others: u64) -> u32 {
    (2 * every as u64 / (others + 1).max(2)).max(1) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_features_are_hot_as_far_as_there_is_room() {
        // In a thousandth of the examples and less; the bias is always one.
        assert_eq!(hot_rows(&[50_000, 200, 98, 97, 1], 100_000, 2), 4);
        assert_eq!(hot_rows(&[], 100_000, 2), 1);
        let many = vec![1000; 100_000];
        assert_eq!([1, 2, 4].map(|stride| hot_rows(&many, 1000, stride)), [32_768, 16_384, 8192]);
    }

    #[test]
    fn as_many_rows_are_dense_as_pay() {
        // Twelve features in every example and a thousand in few; few examples; long rows; nothing is frequent.
        let short: Vec<u64> = [100_000; 12].into_iter().chain([10; 1000]).collect();
        assert_eq!(dense_rows(&short, 100_000, 1_210_000), 16);
        assert_eq!(dense_rows(&short, 10_000, 121_000), 0);
        assert_eq!(dense_rows(&[100_000; 120], 100_000, 12_000_000), 0);
        assert_eq!(dense_rows(&[100; 12_000], 100_000, 1_200_000), 0);
        // Forty in every other example.
        assert_eq!(dense_rows(&[50_000; 40], 100_000, 2_000_000), 48);
    }

    #[test]
    fn rows_that_workers_meet_at_are_not_rare() {
        // The most frequent shared row is in a half of the examples, in one of a hundred, in one of a thousand; all rows are shared.
        let counts = [50_000, 1_000, 100];
        assert_eq!([1, 2, 3, 0].map(|hot| are_rare(&counts, hot, 100_000, 1)), [false, true, true, false]);
        assert_eq!([2, 3].map(|hot| are_rare(&counts, hot, 100_000, 7)), [false, true]);
        // One worker meets nobody.
        assert!(are_rare(&[], 0, 100_000, 0));
    }

    #[test]
    fn many_workers_exchange_as_often_together_as_two() {
        assert_eq!([0, 1, 3, 63, 1023].map(|others| with_others(256, others)), [256, 256, 128, 8, 1]);
    }

    #[test]
    fn exchanges_are_the_rarer_the_more_there_is_to_exchange() {
        // As of kdd99, imdb_1gram, criteo; no private rows; far too many.
        assert_eq!(exchange_every(6, 494_021, 6_179_964), 64);
        assert_eq!(exchange_every(1320, 25_000, 3_533_782), 256);
        assert_eq!(exchange_every(331, 72_000, 2_409_263), 256);
        assert_eq!(exchange_every(0, 72_000, 2_409_263), 256);
        // Few examples: some hundred times an epoch all the same.
        assert_eq!([14_000, 2_000, 100].map(|examples| exchange_every(1320, examples, 141 * examples)), [128, 16, 8]);
        assert_eq!(exchange_every(usize::MAX >> 8, u64::MAX, 1), 1024);
    }
}
