//! The `hogwild` command as a function: parse, run, print the error chain. The binary calls it, and so does the Python package, which has no
//! second copy of it.
use crate::cli::{
    Command, flags,
    interrupt::Interrupted,
    say::{reader_is_gone, say, show},
};
use clap::Parser;
use std::{ffi::OsString, io::IsTerminal, process::ExitCode};

/// Runs the command with such words, of which the first is its own name. Gives the exit code: 0 done, 1 training diverged or results are
/// not finite, 2 bad input or results that cannot be written, 130 interrupted.
///
/// It prints, reads environment variables and handles signals, as nothing else in the library does.
pub fn main(words: impl IntoIterator<Item = OsString>) -> u8 {
    let done = match Command::try_parse_from(words) {
        Ok(command) => command.run(),
        // Help and version are results like others.
        Err(told) if !told.use_stderr() => {
            let (text, coloured) = (told.render(), std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none());
            show(&if coloured { text.ansi().to_string() } else { text.to_string() }).map(|()| ExitCode::SUCCESS)
        }
        Err(wrong) => {
            let _ = wrong.print(); // as `say!`
            return 2;
        }
    };
    match done {
        // What a process tells its parent is a byte.
        Ok(code) => (0..=u8::MAX).find(|&byte| ExitCode::from(byte) == code).unwrap_or(1),
        Err(error) if error.is::<Interrupted>() => {
            say!("hogwild: {error}");
            130
        }
        // Whoever reads our output may stop reading, as `head` does.
        Err(_) if reader_is_gone() => 0,
        Err(error) => {
            say!("hogwild: {}", flags::of_chain(&error));
            2
        }
    }
}
