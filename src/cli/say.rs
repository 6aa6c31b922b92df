//! The one room that prints. What is said on standard error never ends a run: whoever read it may have closed the terminal. Results on
//! standard output must arrive whole, or the command fails; but where their reader has gone, as `head` does, it ends quietly.
use anyhow::Context;
use std::{
    fmt::Arguments,
    io::{ErrorKind, IoSlice, Write, stderr, stdout},
    path::Path,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

/// A line on standard error, where it can be written.
macro_rules! say {
    ($($arguments:tt)*) => { $crate::cli::say::line(format_args!($($arguments)*)) };
}
pub(crate) use say;

/// See [`say!`].
pub fn line(text: Arguments<'_>) {
    // In one piece, so that lines of several threads do not mix.
    let _ = stderr().lock().write_all(format!("{text}\n").as_bytes());
}

static READER_GONE: AtomicBool = AtomicBool::new(false);

/// Whether a write to standard output failed because nobody reads it any more.
pub fn reader_is_gone() -> bool {
    READER_GONE.load(Relaxed)
}

/// Whether a path is a name of standard output. Such a file is not opened: that would cut it short where it has other text already.
pub fn is_standard_output(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path.as_os_str() == *name)
}

/// Standard output, to be flushed by whoever writes to it.
pub struct Results;

impl Results {
    fn see<T>(outcome: std::io::Result<T>) -> std::io::Result<T> {
        if outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
            READER_GONE.store(true, Relaxed);
        }
        outcome
    }
}

impl Write for Results {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Results::see(stdout().lock().write(bytes))
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> std::io::Result<usize> {
        Results::see(stdout().lock().write_vectored(parts))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Results::see(stdout().lock().flush())
    }
}

/// Prints a part of the results, all of it.
pub fn show(text: &str) -> anyhow::Result<()> {
    Results.write_all(text.as_bytes()).and_then(|()| Results.flush()).context("cannot write to standard output")
}
