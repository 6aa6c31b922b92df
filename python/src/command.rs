//! The command, of which the package has no second copy.
use pyo3::prelude::*;
use std::ffi::OsString;

/// Runs `hogwild` with such words, the first of which is its name; gives the exit code.
#[pyfunction]
pub fn command(py: Python<'_>, words: Vec<OsString>) -> u8 {
    py.detach(|| hogwild::command::main(words))
}
