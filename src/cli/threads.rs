//! How many threads a command uses, and how many workers data are worth.
use clap::Args;
use hogwild::{Threads, data::Packed};

/// As many as can be asked for.
pub const MOST_THREADS: usize = 1024;

#[derive(Args)]
pub struct ThreadOptions {
    /// Threads that read, check, pack and score [default: as many as cores]
    #[arg(long, value_parser = count)]
    threads: Option<usize>,
}

impl ThreadOptions {
    pub fn threads(&self) -> Threads {
        self.threads.map_or_else(Threads::all, Threads::new)
    }
}

fn count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|threads| (1..=MOST_THREADS).contains(threads)).ok_or_else(|| format!("must be from 1 to {MOST_THREADS}"))
}

/// Nonzeros and ratings of an epoch for each worker: of less, which takes some two milliseconds, a second one saves nothing that could be noticed, and on few
/// examples at high rates several go by each other's old weights.
const NONZEROS: u64 = 2_000_000;
const RATINGS: u64 = 500_000;

/// How many workers the data are worth.
pub fn worth(data: &Packed) -> usize {
    let (work, each) = match data {
        Packed::Sparse(data) => (data.nonzeros(), NONZEROS),
        Packed::Ratings(data) => (data.len() as u64, RATINGS),
    };
    (1 + work / each).min(MOST_THREADS as u64) as usize
}
