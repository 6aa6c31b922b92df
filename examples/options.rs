//! # The page of all options
//!
//! Shows where a program finds all settings with their help, defaults and ranges: `hogwild::options`, of which `options_page` makes a page.
//! `cargo run --release --example options > docs/options.md` writes that page anew from the declarations in `src/options/`.
use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(hogwild::options_page().as_bytes())
}
