//! What all commands that read data share: the options about it, and the progress of packing.
use super::{
    environment, flags,
    interrupt::{Interrupted, watched},
    named::named,
    prepare::PrepareOptions,
    say::say,
    summary,
};
use clap::Args;
use hogwild::{
    Error, Scored, TrainedModel, Window,
    data::{
        Cache, Check, Columns, Data, Format, Labelling, NotKept, OnBadRow, Opened, Origin, PackReport, PackSettings, Preparation, Progress,
        ReadOptions, Recipe, Repeated, is_safetensors, looks_like,
    },
};
use indicatif::{ProgressBar, ProgressStyle};
use std::{path::PathBuf, sync::atomic::Ordering::Relaxed, time::Duration};

#[derive(Args)]
pub struct DataOptions {
    /// What the text looks like [default: told from its first lines]
    #[arg(long, value_parser = named::<Format>())]
    pub format: Option<Format>,
    /// What to do with rows that cannot be understood
    #[arg(long, value_parser = named::<OnBadRow>(), default_value = "stop")]
    pub on_bad_row: OnBadRow,
    /// What to do with an index that stands twice in an svmlight row
    #[arg(long, value_parser = named::<Repeated>(), default_value = "error")]
    pub repeated: Repeated,
    /// Which columns of a table of ratings are user, item, rating and, if any, weight: numbers from 1, or names of the heading
    /// [default: by the heading; without one, the first three]
    #[arg(long, value_name = "user=2,item=3,rating=4", value_parser = parse_columns)]
    pub columns: Option<Columns>,
    #[command(flatten)]
    pub prepare: PrepareOptions,
    /// As the model has it, or as is asked of packing.
    #[arg(skip)]
    pub labelling: Labelling,
    /// Likewise, whether it goes by fields.
    #[arg(skip)]
    pub fields: bool,
    /// Likewise, whether it takes a graph.
    #[arg(skip)]
    pub graph: bool,
}

fn parse_columns(text: &str) -> Result<Columns, String> {
    text.parse().map_err(|error: Error| match error {
        Error::BadSetting { problem, .. } => problem,
        other => other.to_string(),
    })
}

impl DataOptions {
    pub fn settings(&self) -> PackSettings {
        PackSettings {
            format: self.format.or(self.graph.then_some(Format::Edges)),
            on_bad_row: self.on_bad_row,
            columns: self.columns.clone(),
            repeated: self.repeated,
            unlabelled: false,
            labelling: self.labelling,
            fields: self.fields,
            expected: None,
            prepare: self.prepare.preparation(),
            recipe: None,
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
    /// How much is kept of the packed forms of text, such as 20G: the least recently used go first [default: a fifth of the disk's free
    /// space]
    #[arg(long, value_name = "SIZE", env = "HOGWILD_CACHE_SIZE", value_parser = bytes)]
    pub cache_size: Option<u64>,
    /// When the integrity of a packed file is checked: once, and then only if it has changed since (for which a record is kept in the
    /// cache folder; files under 16 MB always), or always; with --no-cache always
    #[arg(long, value_parser = named::<Check>(), value_name = "WHEN", default_value = "once")]
    pub check: Check,
}

/// A size as windows have it.
fn bytes(text: &str) -> Result<u64, String> {
    match Window::parse(text) {
        Ok(Window::Bytes(bytes)) => Ok(bytes),
        _ => Err("must be a size such as 500M or 20G".into()),
    }
}

impl CacheOptions {
    /// Refuses what is of text where nothing is text.
    pub fn check_columns<'a>(&self, inputs: impl Iterator<Item = &'a PathBuf>) -> anyhow::Result<()> {
        let are_packed = { inputs }.all(|path| is_safetensors(path));
        if self.data.columns.is_some() && are_packed {
            anyhow::bail!("--columns: is of text, and the data are packed already; give it to pack");
        }
        if !self.data.prepare.are_defaults() && are_packed {
            anyhow::bail!("columns and words: are of text, and the data are packed already; say to pack what is done to them");
        }
        Ok(())
    }

    /// Opens packed data, or text by way of the cache; says on standard error what it did.
    pub fn open(&self, inputs: &[PathBuf], quiet: bool) -> anyhow::Result<Opened> {
        self.open_with(inputs, &self.data.settings(), quiet)
    }

    /// The same of held-out data: what was done to the training data is done to them too.
    pub fn open_beside(&self, training: &Data, inputs: &[PathBuf], quiet: bool) -> anyhow::Result<Opened> {
        let recipe = match training {
            Data::Rows(rows) => rows.whole_recipe()?,
            Data::Ratings(_) => None,
        };
        let settings = match recipe.clone() {
            Some(recipe) => PackSettings { recipe: Some(recipe), prepare: Preparation::default(), ..self.data.settings() },
            None => {
                let settings = self.data.settings();
                PackSettings { prepare: Preparation { sample: None, ..settings.prepare }, ..settings }
            }
        };
        let opened = self.open_with(inputs, &settings, quiet)?;
        self.check_hashing(recipe_of(training), &opened, inputs)?;
        if self.data.labelling == Labelling::Number {
            let known = recipe_of(training).map_or(&[][..], Recipe::classes);
            check_classes(known, &opened, inputs, "give the text in place of the packed file")?;
        }
        tell_differences(recipe.as_ref(), &opened, inputs)?;
        Ok(opened)
    }

    /// The same of text that is to be what a model takes, where --format does not say.
    pub fn open_for(&self, model: &TrainedModel, inputs: &[PathBuf]) -> anyhow::Result<Opened> {
        let opened = self.open_with(inputs, &self.settings_for(model, inputs)?, false)?;
        self.check_hashing(model.recipe.as_ref(), &opened, inputs)?;
        if model.ids("class").is_none() {
            let remedy = match model.recipe {
                Some(_) => "give the text in place of the packed file",
                None => "write these words, or -1 and 1",
            };
            check_classes(model.class_words(), &opened, inputs, remedy)?;
        }
        tell_differences(model.recipe.as_ref(), &opened, inputs)?;
        Ok(opened)
    }

    /// The same where labels and ratings may be missing, and a bad row that is not to stop keeps its place.
    pub fn open_unlabelled_for(&self, model: &TrainedModel, inputs: &[PathBuf]) -> anyhow::Result<Opened> {
        let opened = self.open_with(inputs, &PackSettings { unlabelled: true, ..self.settings_for(model, inputs)? }, false)?;
        self.check_hashing(model.recipe.as_ref(), &opened, inputs)?;
        tell_differences(model.recipe.as_ref(), &opened, inputs)?;
        Ok(opened)
    }

    /// The same where, if they are `unlabelled`, labels and ratings may be missing.
    pub fn open_labelled_or_not(&self, inputs: &[PathBuf], unlabelled: bool) -> anyhow::Result<Opened> {
        self.open_with(inputs, &PackSettings { unlabelled, ..self.data.settings() }, false)
    }

    /// How text is read for a model.
    pub fn settings_for(&self, model: &TrainedModel, inputs: &[PathBuf]) -> anyhow::Result<PackSettings> {
        let labelling = model.family().map_or(Labelling::Number, |family| family.labelling());
        let graph = model.family().is_ok_and(|family| family.cuts());
        let format = self.data.format.or(graph.then_some(Format::Edges));
        let settings = PackSettings { labelling, format, ..self.data.settings() };
        if let Some(recipe) = &model.recipe {
            if !self.data.prepare.ask_for_weights_alone() {
                anyhow::bail!(
                    "columns and words: the model keeps what was done to its training data, and does it again; say nothing of them"
                );
            }
            return Ok(PackSettings { recipe: Some(recipe.clone()), ..settings });
        }
        if settings.prepare.sample.is_some() || settings.prepare.min_count.is_some() {
            anyhow::bail!(
                "--sample, --balance and --min-count: are of training data, and a model is held against all rows; leave them out"
            );
        }
        let Ok(kind) = model.family().map(|family| family.takes()) else { return Ok(settings) };
        // Text that shows its format is found in the cache as `train` and `pack` have put it there.
        let packed = inputs.iter().any(|path| is_safetensors(path));
        let is_plain = packed || settings.format.is_some() || settings.columns.is_some() || looks_like(inputs, kind);
        Ok(PackSettings { expected: (!is_plain).then_some(kind), ..settings })
    }

    /// Refuses data whose features are hashed otherwise than in training: numbers of hashed features mean others.
    fn check_hashing(&self, training: Option<&Recipe>, opened: &Opened, inputs: &[PathBuf]) -> anyhow::Result<()> {
        let [known, own] = [training, recipe_of(&opened.data)].map(|recipe| recipe.and_then(Recipe::hash_bits));
        let is_meant = training.is_none() && own.is_some() && own == self.data.settings().prepare.hash_bits;
        if matches!(opened.data, Data::Rows(_)) && known != own && !is_meant {
            let of = |bits: Option<u32>| bits.map_or("not hashed".to_owned(), |bits| format!("hashed by {bits} bits"));
            let (name, known, own) = (summary::names(inputs), of(known), of(own));
            anyhow::bail!("{name}: features are {own}, and were {known} in training; give the text, or pack it as the training data");
        }
        Ok(())
    }

    fn open_with(&self, inputs: &[PathBuf], settings: &PackSettings, quiet: bool) -> anyhow::Result<Opened> {
        let folder = if self.no_cache { None } else { environment::cache_folder() };
        let cache = folder.map(|folder| Cache { folder, check: self.check, size: self.cache_size });
        let opened = interruptible(quiet, |progress| {
            let options = ReadOptions::new().settings(settings.clone()).temporary(environment::temporary_folder()).progress(progress);
            cache.into_iter().fold(options, ReadOptions::cache).open(inputs)
        })?;
        if let Some(report) = &opened.report {
            warn_skipped(report, settings.unlabelled);
        }
        if quiet {
            return Ok(opened);
        }
        if let Some(origin) = origin_text(&opened.origin) {
            say!("{origin}");
        }
        opened.report.iter().flat_map(|report| &report.notes).for_each(|note| say!("{note}"));
        let is_graph = self.data.graph || settings.format == Some(Format::Edges);
        say!("{}: {}", summary::names(inputs), summary::of_packed(&opened.data, is_graph));
        Ok(opened)
    }
}

/// What was done to data that come from text, if that is more than to read it.
fn recipe_of(data: &Data) -> Option<&Recipe> {
    match data {
        Data::Rows(rows) => rows.recipe(),
        Data::Ratings(_) => None,
    }
}

/// Refuses data whose words for labels stand for other classes than in training: +1 may be -1 there.
fn check_classes(known: &[String], opened: &Opened, inputs: &[PathBuf], remedy: &str) -> anyhow::Result<()> {
    let own = recipe_of(&opened.data).map_or(&[][..], Recipe::classes);
    if !known.is_empty() && !own.is_empty() && known != own {
        let (name, own, known) = (summary::names(inputs), own.join(" and "), known.join(" and "));
        anyhow::bail!("{name}: the labels are {own}, and were {known} in training; {remedy}");
    }
    Ok(())
}

/// Says what of packed data is not as in training.
fn tell_differences(training: Option<&Recipe>, opened: &Opened, inputs: &[PathBuf]) -> anyhow::Result<()> {
    if let (Some(training), Data::Rows(rows)) = (training, &opened.data)
        && let Some(own) = rows.whole_recipe()?
    {
        let name = summary::names(inputs);
        training.differences(&own).iter().for_each(|difference| say!("warning: {name}: {difference}"));
    }
    Ok(())
}

/// Rows that were left out (or, with `kept`, only kept their places) are always told of.
pub fn warn_skipped(report: &PackReport, kept: bool) {
    if report.skipped > 0 {
        let what = if kept { "found" } else { "skipped" };
        say!("{what} {} bad rows, the first of them:", report.skipped);
        report.first_skipped.iter().for_each(|row| say!("  {}", flags::in_remedy(row)));
    }
}

/// Where data came from, unless it is the input itself.
fn origin_text(origin: &Origin) -> Option<String> {
    let not_kept = "packed into a file that is not kept:";
    Some(match origin {
        Origin::Found(path) => format!("read from cache {}", path.display()),
        Origin::Kept(path) => format!("packed into {}", path.display()),
        Origin::NotKept(NotKept::TooNew) => {
            format!("{not_kept} the text changed within two seconds of being read, or later by its time: another change might not be seen")
        }
        Origin::NotKept(NotKept::TooLarge { most }) => {
            let most = most / 1_000_000;
            format!("{not_kept} it is larger than the cache may be, {most} MB; see --cache-size, or `hogwild pack`")
        }
        Origin::NotKept(NotKept::Unwritable { folder, source }) => {
            format!("packed into a temporary file, for the cache folder {} cannot be written: {source}", folder.display())
        }
        Origin::NotKept(_) => "packed into a temporary file".into(),
        _ => return None,
    })
}

/// Scores data with each of a model's members.
pub fn score_members(model: &TrainedModel, opened: &Opened, inputs: &[PathBuf]) -> hogwild::Result<Vec<Scored>> {
    model.score_members(&opened.data).map_err(|error| of_input(error, opened, inputs))
}

/// What is wrong with data is told of the file that the user named, not of its packed form.
pub fn of_input(error: Error, opened: &Opened, inputs: &[PathBuf]) -> Error {
    match (error, inputs.first()) {
        (Error::BadFile { path, problem, remedy }, Some(input)) if path == opened.data.name() => {
            Error::BadFile { path: input.clone(), problem, remedy }
        }
        (other, _) => other,
    }
}

/// Packs, or checks what is packed, with a progress bar. Ctrl-C ends it with [`Interrupted`], once what was half written is gone.
pub fn interruptible<T>(quiet: bool, work: impl FnOnce(&dyn Progress) -> hogwild::Result<T>) -> anyhow::Result<T> {
    let bar = ReadingBar::new(quiet);
    let (outcome, stopped) = watched(|stop| {
        let outcome = work(&|done, total: Option<u64>| {
            bar.show(done, total);
            !stop.load(Relaxed)
        });
        (outcome, stop.load(Relaxed))
    });
    bar.0.finish_and_clear();
    if stopped {
        let written = outcome.is_ok();
        return Err(Interrupted(if written { " after reading" } else { " while reading; nothing was written" }).into());
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
