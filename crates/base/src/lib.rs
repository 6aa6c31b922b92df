//! What all parts of hogwild stand on: errors that name place and remedy, questions about memory, files that appear whole or not at all.
//!
//! An inner part of `hogwild`: it promises nothing by itself.
#![deny(unsafe_code)]

mod error;
pub mod hyperparameter;
pub mod left;
pub mod memory;
mod named;
pub mod output;
mod progress;
mod size;
pub mod threads;

pub use error::{Error, Result};
pub use hyperparameter::Hyperparameter;
pub use named::Named;
pub use output::OutputFile;
pub use progress::Progress;
pub use threads::Threads;
