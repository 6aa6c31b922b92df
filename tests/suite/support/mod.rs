//! What several files of tests need.
pub mod command;
pub mod data;
pub mod either_kind;
