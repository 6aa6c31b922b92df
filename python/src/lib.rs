//! `hogwild._hogwild`: what of the Python package is written in Rust.
//!
//! Python code in `hogwild/` gives arrays of plain types; here they become rows or ratings, a run trains without the GIL, and models score.
//! Classes are frozen: what they hold is never changed, so threads of Python may share them.
#![deny(unsafe_code)]
mod by_column;
mod categories;
mod command;
mod data;
mod errors;
mod matrix;
mod model;
mod online;
mod run;
mod settings;
mod top;

use pyo3::prelude::*;

// It needs no lock of the interpreter: classes are frozen, or guard what they hold.
#[pymodule(gil_used = false)]
mod _hogwild {
    use super::*;
    #[pymodule_export]
    use super::{
        categories::Categories,
        command::command,
        data::{Ratings, Rows},
        model::{Model, losses, score_matrix},
        online::Online,
        run::{Run, train},
        settings::{cores, settings},
        top::Top,
    };

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
