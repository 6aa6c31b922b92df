//! What all commands that read data share: the options about it, and the progress of packing.
use clap::{Args, ValueEnum};
use hogwild::data::{Format, OnBadRow, Opened, PackSettings, open_or_pack};
use indicatif::{ProgressBar, ProgressStyle};
use std::{path::PathBuf, time::Duration};

#[derive(Clone, Copy, ValueEnum)]
pub enum FormatName {
    /// `label index:value index:value ...`
    Svmlight,
    /// `user item rating [time]`, separated by blanks, tabs, commas or `::`
    Ratings,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum BadRow {
    /// Stop at the first, naming file, line and column
    Stop,
    /// Leave them out; count and report them
    Skip,
}

#[derive(Args)]
pub struct DataOptions {
    /// What the text looks like [default: told from its first lines]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// What to do with rows that cannot be understood
    #[arg(long, value_enum, default_value = "stop")]
    pub on_bad_row: BadRow,
}

impl DataOptions {
    pub fn settings(&self) -> PackSettings {
        PackSettings {
            format: self.format.map(|name| match name {
                FormatName::Svmlight => Format::Svmlight,
                FormatName::Ratings => Format::Ratings,
            }),
            on_bad_row: match self.on_bad_row {
                BadRow::Stop => OnBadRow::Stop,
                BadRow::Skip => OnBadRow::Skip,
            },
        }
    }
}

#[derive(Args)]
pub struct CacheOptions {
    #[command(flatten)]
    pub data: DataOptions,
    /// Do not keep the packed form of text; it is otherwise kept in $HOGWILD_CACHE, else in the user's cache folder
    #[arg(long)]
    pub no_cache: bool,
}

impl CacheOptions {
    /// Opens packed data, or text by way of the cache; says on standard error what it did.
    pub fn open(&self, inputs: &[PathBuf], quiet: bool) -> anyhow::Result<Opened> {
        let bar = ReadingBar::new(quiet);
        let opened = open_or_pack(inputs, &self.data.settings(), !self.no_cache, &|done, total| bar.show(done, total));
        bar.0.finish_and_clear();
        let opened = opened?;
        if let Some(report) = &opened.report {
            super::pack::warn_skipped(report);
        }
        if !quiet && !opened.note.is_empty() {
            eprintln!("{}", opened.note);
        }
        Ok(opened)
    }
}

/// Shows bytes read, on a terminal, once a second has passed.
pub struct ReadingBar(pub ProgressBar, std::time::Instant);

impl ReadingBar {
    pub fn new(quiet: bool) -> ReadingBar {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        ReadingBar(bar, std::time::Instant::now())
    }

    pub fn show(&self, done: u64, total: Option<u64>) {
        if self.1.elapsed() < Duration::from_secs(1) {
            return;
        }
        if let (Some(total), None) = (total, self.0.length()) {
            self.0.set_length(total);
        }
        let style = if total.is_some() {
            "reading {bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left"
        } else {
            "reading {bytes} {binary_bytes_per_sec}"
        };
        if let Ok(style) = ProgressStyle::with_template(style) {
            self.0.set_style(style);
        }
        self.0.set_position(done);
    }
}
