//! How many rows each worker holds privately, and how often those are exchanged: by how frequent the features are.
//!
//! A row that two workers touch often passes between their caches each time, and an update is lost where both have it at hand. A row that
//! is rarely touched is better shared: a private copy takes room in the cache and time at each exchange. On two threads imdb_1gram,
//! imdb_2gram and criteo were fastest at some 10,000, 32,000 and 2,500 rows: those in more than one of a thousand examples.
use super::Settings;
use crate::{Result, data::Dataset, params::LANES};

/// A row in more of the examples than one of so many is hot.
const RARE: u64 = 1024;
/// The most numbers of private rows: with what they were at the last exchange, they take a quarter of a second-level cache.
const CELLS: usize = 1 << 15;
/// Examples between exchanges: at least, at most. (kdd99, whose 49 hot rows are in every example: each 256 examples the loss of two threads at a high rate
/// is up to 8% off one thread's, each 64 up to 4%, at no cost.)
const EXCHANGE: [u64; 2] = [64, 1024];
/// Examples a block where nothing is exchanged.
const BLOCK: u32 = 256;
/// So many nonzeros take the time to exchange a vector of cells, at a thirtieth of the run.
const NONZEROS: u64 = 24;

/// Fills in what the settings leave open, for rows of `stride` cells. Tells whether the rows that stay shared are so rare that workers hardly meet there.
pub(super) fn choose(settings: &mut Settings, data: &Dataset, stride: usize) -> Result<bool> {
    let (rows, others) = (data.rows() as u64, settings.workers() as u64 - 1);
    let counts = if others > 0 { data.first_counts(settings.hot_rows.unwrap_or(0).max(CELLS / stride) + 1)? } else { Vec::new() };
    // Row 0 is the bias.
    let frequent = 1 + counts.iter().take_while(|&count| count.saturating_mul(RARE) > rows).count();
    let hot = *settings.hot_rows.get_or_insert(if others > 0 { frequent.min(CELLS / stride) } else { 0 });
    let vectors = (hot * stride / LANES) as u64;
    let every = vectors * NONZEROS * rows / data.nonzeros().max(1);
    let every = if others > 0 { every.next_power_of_two().clamp(EXCHANGE[0], EXCHANGE[1]) as u32 } else { BLOCK };
    settings.exchange_every.get_or_insert(every);
    // Of the most frequent shared row: the share of updates that another worker may overwrite.
    let shared = if hot == 0 { rows } else { counts.get(hot - 1).copied().unwrap_or(0) };
    Ok(others.saturating_mul(shared) < rows / 64)
}
