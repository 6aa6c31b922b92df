//! Threads that run.
use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuilder};
use std::{
    io::{Error, ErrorKind, Result},
    mem,
    sync::mpsc::{Sender, channel},
    thread::{self, JoinHandle},
};

/// Threads that run until this is dropped.
#[derive(Debug)]
pub struct Pool {
    /// Always there but while it is dropped.
    threads: Option<ThreadPool>,
    running: Vec<JoinHandle<()>>,
    /// A forked process has none of the threads that its parent had.
    process: u32,
}

impl Pool {
    /// So many threads, each of which does `begin` first, given its number.
    ///
    /// # Errors
    /// When the system refuses so many.
    pub fn start(count: usize, begin: impl Fn(usize) + Send + Sync + 'static) -> Result<Pool> {
        Pool::of((0..count).map(|_| waiting()).collect::<Result<_>>()?, begin)
    }

    /// As many threads as are to be had, up to so many. None: they would be no more than the calling one.
    pub(super) fn of_at_most(count: usize) -> Option<Pool> {
        let waiting: Vec<_> = (0..count).map_while(|_| waiting().ok()).collect();
        if waiting.len() < 2 { None } else { Pool::of(waiting, |_| ()).ok() }
    }

    /// Of threads that run already: rayon, where it starts them, panics if one is refused in the midst of it.
    fn of(waiting: Vec<Waiting>, begin: impl Fn(usize) + Send + Sync + 'static) -> Result<Pool> {
        let (mut jobs, running): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let builder = ThreadPoolBuilder::new().num_threads(running.len()).start_handler(begin);
        let builder = builder.spawn_handler(|job| {
            let thread = jobs.pop().ok_or(ErrorKind::WouldBlock)?;
            thread.send(job).map_err(|_| ErrorKind::BrokenPipe.into())
        });
        Ok(Pool { threads: Some(builder.build().map_err(Error::other)?), running, process: std::process::id() })
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.running.len()
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        self.process == std::process::id()
    }

    /// The threads, for rayon's functions. None is never there while someone can ask.
    pub fn threads(&self) -> Option<&ThreadPool> {
        self.threads.as_ref()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            // They are not there: nobody would answer.
            mem::forget((self.threads.take(), mem::take(&mut self.running)));
            return;
        }
        drop(self.threads.take());
        for thread in self.running.drain(..).filter(|thread| thread.thread().id() != thread::current().id()) {
            let _ = thread.join(); // a panic was told where the work was waited for
        }
    }
}

/// What a thread waits for, and the thread.
type Waiting = (Sender<ThreadBuilder>, JoinHandle<()>);

/// A thread that waits for what it is to do.
fn waiting() -> Result<Waiting> {
    let (sender, jobs) = channel::<ThreadBuilder>();
    let wait = move || {
        // Without a job there is nothing to do.
        let _ = jobs.recv().map(ThreadBuilder::run);
    };
    Ok((sender, thread::Builder::new().spawn(wait)?))
}
