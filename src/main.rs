//! The `hogwild` command: parse, run, print the error chain. Exit codes: 0 done, 1 training diverged, 2 bad input, 130 interrupted.
#![deny(unsafe_code)]
mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Command::parse().run() {
        Ok(code) => code,
        // Whoever reads our output may stop reading, as `head` does.
        Err(error) if cli::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hogwild: {error:#}");
            ExitCode::from(2)
        }
    }
}
