//! The `hogwild` command.
fn main() {}
