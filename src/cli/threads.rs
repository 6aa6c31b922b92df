//! The threads that read, check, pack and score: started here with a look at whether the system has them. (rayon would start them at the
//! first use, and panic where it can't.)
use hogwild::data::Data;
use rayon::{ThreadBuilder, ThreadPoolBuilder};
use std::{
    sync::mpsc::{Sender, channel},
    thread,
};

/// Starts as many threads as there are cores (or as RAYON_NUM_THREADS says), or as many as are to be had; where there are none, the
/// command's own thread does their work.
pub fn start() -> anyhow::Result<()> {
    let wanted = std::env::var("RAYON_NUM_THREADS").ok().and_then(|text| text.parse().ok()).filter(|&threads| threads > 0);
    let wanted = wanted.unwrap_or_else(|| thread::available_parallelism().map_or(1, |n| n.get()));
    // Pools are built of threads that run already, and can't lack one in the midst of it.
    let mut running: Vec<Sender<ThreadBuilder>> = (0..wanted).map_while(|_| waiting().ok()).collect();
    match running.len() {
        0 => ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global()?,
        threads => ThreadPoolBuilder::new()
            .num_threads(threads)
            .spawn_handler(|job| {
                let thread = running.pop().ok_or(std::io::ErrorKind::WouldBlock)?;
                thread.send(job).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
            })
            .build_global()?,
    }
    Ok(())
}

/// A thread that waits for what it is to do.
fn waiting() -> std::io::Result<Sender<ThreadBuilder>> {
    let (sender, jobs) = channel::<ThreadBuilder>();
    thread::Builder::new().spawn(move || jobs.recv().map(ThreadBuilder::run))?;
    Ok(sender)
}

/// Nonzeros and ratings of an epoch for each worker: of less, which takes some two milliseconds, a second one saves nothing that could be noticed, and on few
/// examples at high rates several go by each other's old weights.
const NONZEROS: u64 = 2_000_000;
const RATINGS: u64 = 500_000;

/// How many workers the data are worth.
pub fn worth(data: &Data) -> usize {
    let (work, each) = match data {
        Data::Rows(data) => (data.nonzeros(), NONZEROS),
        Data::Ratings(data) => (data.len() as u64, RATINGS),
    };
    (1 + work / each).min(1024) as usize
}
