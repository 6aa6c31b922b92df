//! From text to memory-mapped rows.
