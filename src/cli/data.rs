//! What all commands that read data share: the options about it, and the progress of packing.
use super::interrupt::watched;
use clap::{Args, ValueEnum};
use hogwild::{
    Error, Scored, TrainedModel,
    data::{Check, Format, OnBadRow, Opened, PackSettings, Repeated, open_or_pack_while},
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{path::PathBuf, sync::atomic::Ordering::Relaxed, time::Duration};

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

#[derive(Clone, Copy, ValueEnum)]
pub enum RepeatedName {
    /// The row is bad
    Error,
    /// Its values are added up
    Add,
    /// The last value counts
    Last,
}

#[derive(Args)]
pub struct DataOptions {
    /// What the text looks like [default: told from its first lines]
    #[arg(long, value_enum)]
    pub format: Option<FormatName>,
    /// What to do with rows that cannot be understood
    #[arg(long, value_enum, default_value = "stop")]
    pub on_bad_row: BadRow,
    /// What to do with an index that stands twice in an svmlight row
    #[arg(long, value_enum, default_value = "error")]
    pub repeated: RepeatedName,
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
            repeated: match self.repeated {
                RepeatedName::Error => Repeated::Error,
                RepeatedName::Add => Repeated::Add,
                RepeatedName::Last => Repeated::Last,
            },
            unlabelled: false,
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
    /// When the integrity of a packed file is checked: once, and then only if it has changed since (for which a stamp is kept in the
    /// cache folder; files under 16 MB always), or always; with --no-cache always
    #[arg(long, value_enum, value_name = "WHEN", default_value = "once")]
    pub check: CheckName,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CheckName {
    Once,
    Always,
}

impl CacheOptions {
    /// Opens packed data, or text by way of the cache; says on standard error what it did.
    pub fn open(&self, inputs: &[PathBuf], quiet: bool) -> anyhow::Result<Opened> {
        self.open_with(inputs, &self.data.settings(), quiet)
    }

    /// The same where labels and ratings may be missing, and a bad row that is not to stop keeps its place.
    pub fn open_unlabelled(&self, inputs: &[PathBuf]) -> anyhow::Result<Opened> {
        self.open_with(inputs, &PackSettings { unlabelled: true, ..self.data.settings() }, false)
    }

    fn open_with(&self, inputs: &[PathBuf], settings: &PackSettings, quiet: bool) -> anyhow::Result<Opened> {
        let check = match self.check {
            CheckName::Once => Check::Once,
            CheckName::Always => Check::Always,
        };
        let cache = (!self.no_cache).then_some(check);
        let opened = interruptible(quiet, |progress| open_or_pack_while(inputs, settings, cache, progress))?;
        if let Some(report) = &opened.report {
            super::pack::warn_skipped(report, settings.unlabelled);
        }
        if !quiet && !opened.note.is_empty() {
            eprintln!("{}", opened.note);
        }
        Ok(opened)
    }
}

/// Scores data with each of a model's members.
pub fn score_members(model: &TrainedModel, opened: &Opened, inputs: &[PathBuf]) -> hogwild::Result<Vec<Scored>> {
    model.score_members(&opened.packed).map_err(|error| of_input(error, opened, inputs))
}

/// What is wrong with data is told of the file that the user named, not of its packed form.
pub fn of_input(error: Error, opened: &Opened, inputs: &[PathBuf]) -> Error {
    match (error, inputs.first()) {
        (Error::BadFile { path, problem, remedy }, Some(input)) if path == opened.packed.path() => {
            Error::BadFile { path: input.clone(), problem, remedy }
        }
        (other, _) => other,
    }
}

/// Packs, or checks what is packed, with a progress bar. Ctrl-C ends the program, with code 130, once what was half written is gone.
pub fn interruptible<T>(
    quiet: bool,
    work: impl FnOnce(&(dyn Fn(u64, Option<u64>) -> bool + Sync)) -> hogwild::Result<T>,
) -> anyhow::Result<T> {
    let bar = ReadingBar::new(quiet);
    let (outcome, stopped) = watched(|stop| {
        let outcome = work(&|done, total| {
            bar.show(done, total);
            !stop.load(Relaxed)
        });
        (outcome, stop.load(Relaxed))
    });
    bar.0.finish_and_clear();
    if stopped {
        let written = outcome.is_ok();
        // A temporary folder goes with it.
        drop(outcome);
        eprintln!("hogwild: interrupted {}", if written { "after reading" } else { "while reading; nothing was written" });
        std::process::exit(130);
    }
    Ok(outcome?)
}

/// Shows bytes read, on a terminal, once a second has passed.
struct ReadingBar(ProgressBar, std::time::Instant);

impl ReadingBar {
    fn new(quiet: bool) -> ReadingBar {
        let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
        ReadingBar(bar, std::time::Instant::now())
    }

    fn show(&self, done: u64, total: Option<u64>) {
        if self.1.elapsed() < Duration::from_secs(1) {
            return;
        }
        if let Some(total) = total {
            self.0.set_length(total); // of the text, then of its packed form
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
