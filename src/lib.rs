//! Lock-free multicore training of sparse models.
#![deny(unsafe_code, missing_docs)]

pub mod data;
mod error;

pub use error::{Error, Result};
