//! # The page of all options
//!
//! `cargo run --example options > docs/options.md` writes it from the declarations in `src/options/`.
use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(hogwild::options_page().as_bytes())
}
