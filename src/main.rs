//! The `hogwild` command: parse, run, print the error chain. Exit codes: 0 done, 1 training diverged or results are not finite, 2 bad input
//! or results that cannot be written, 130 interrupted.
#![deny(unsafe_code)]
mod cli;

use clap::Parser;
use cli::{
    interrupt::Interrupted,
    say::{reader_is_gone, say, show},
};
use std::{io::IsTerminal, process::ExitCode};

fn main() -> ExitCode {
    let done = match cli::Command::try_parse() {
        Ok(command) => command.run(),
        // Help and version are results like others.
        Err(told) if !told.use_stderr() => {
            let (text, coloured) = (told.render(), std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none());
            show(&if coloured { text.ansi().to_string() } else { text.to_string() }).map(|()| ExitCode::SUCCESS)
        }
        Err(wrong) => {
            let _ = wrong.print(); // as `say!`
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(code) => code,
        Err(error) if error.is::<Interrupted>() => {
            say!("hogwild: {error}");
            ExitCode::from(130)
        }
        // Whoever reads our output may stop reading, as `head` does.
        Err(_) if reader_is_gone() => ExitCode::SUCCESS,
        Err(error) => {
            say!("hogwild: {}", cli::flags::of_chain(&error));
            ExitCode::from(2)
        }
    }
}
