//! What all parts of hogwild stand on: errors that name place and remedy, questions about memory, files that appear whole or not at all.
//!
//! An inner part of `hogwild`: it promises nothing by itself.
#![deny(unsafe_code)]

mod error;
pub mod knob;
pub mod left;
pub mod memory;
pub mod output;
mod progress;

pub use error::{Error, Result};
pub use knob::Knob;
pub use output::OutputFile;
pub use progress::Progress;
