//! How many threads a command uses.
use clap::Args;
use hogwild::Threads;

/// As many as can be asked for.
pub const MOST_THREADS: usize = 1024;

#[derive(Args)]
pub struct ThreadOptions {
    /// Threads that do the work [default: as many as cores]
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
