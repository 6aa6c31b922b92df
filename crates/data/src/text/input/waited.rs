//! Inputs that are waited for, and how much was read of any.

use std::io::{Cursor, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use hogwild_base::{Error, Result};

use super::Progress;

/// Counts what is read.
pub(super) struct Counted<R> {
    pub(super) inner: R,
    pub(super) read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

/// Standard input, or a named pipe, read by a thread of its own: whoever waits for it can still be stopped.
pub(super) struct Waited<'a> {
    blocks: Receiver<std::io::Result<Vec<u8>>>,
    block: Cursor<Vec<u8>>,
    read: Arc<AtomicU64>,
    progress: Progress<'a>,
}

impl<'a> Waited<'a> {
    /// What `open` gives is opened by the thread too: a pipe waits for who writes into it.
    pub(super) fn new<R: Read>(
        open: impl FnOnce() -> std::io::Result<R> + Send + 'static,
        [read, arrived]: [Arc<AtomicU64>; 2],
        progress: Progress<'a>,
    ) -> Result<Waited<'a>> {
        let (sender, blocks) = sync_channel(4);
        let work = move || {
            let mut input = match open() {
                Ok(input) => input,
                Err(problem) => return drop(sender.send(Err(problem))),
            };
            loop {
                let mut block = vec![0; 1 << 18];
                let outcome = input.read(&mut block).map(|n| {
                    arrived.fetch_add(n as u64, Relaxed);
                    block.truncate(n);
                    block
                });
                let last = outcome.as_ref().map_or_else(|problem| problem.kind() != ErrorKind::Interrupted, Vec::is_empty);
                if sender.send(outcome).is_err() || last {
                    break;
                }
            }
        };
        std::thread::Builder::new().spawn(work).map_err(|source| Error::Threads { source })?;
        Ok(Waited { blocks, block: Cursor::default(), read, progress })
    }
}

impl Read for Waited<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.block.position() == self.block.get_ref().len() as u64 {
            match self.blocks.recv_timeout(Duration::from_millis(100)) {
                Ok(block) => self.block = Cursor::new(block?),
                Err(RecvTimeoutError::Timeout) if self.progress.progress(self.read.load(Relaxed), None) => continue,
                Err(RecvTimeoutError::Timeout) => return Err(std::io::Error::other("interrupted")),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
            if self.block.get_ref().is_empty() {
                return Ok(0);
            }
        }
        self.block.read(buffer)
    }
}
