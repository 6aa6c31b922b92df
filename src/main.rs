//! The `hogwild` command: see [`hogwild::command`].
#![deny(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(hogwild::command::main(std::env::args_os()))
}
