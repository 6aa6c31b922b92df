//! Packing: text is parsed and counted in parallel, kept or spilled; then ranked by frequency, sorted and written.

mod chunked;
mod fields;
mod in_memory;
mod known_features;
mod piece;
mod plan;
mod ranking;
mod read;
mod rewrite;
mod room;
mod sample;
pub(crate) mod sort;
mod source;
mod stream;
mod thin;
mod weigh;
mod write;

pub(crate) use fields::MOST_FIELDS;
pub use stream::{Arrived, Stream};

use std::path::{Path, PathBuf};
use std::time::Instant;

use room::Room;

use crate::sources::Sources;
use crate::text::recipe::{Preparation, Recipe};
use crate::text::{Columns, Format, Labelling, OnBadRow, Progress, Repeated, input::Inputs};
use crate::{Kind, TargetCounts};
use hogwild_base::{Error, OutputFile, Result, output::Temporary, threads};

/// How to pack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct PackSettings {
    /// The text's format; found out from the first lines when `None`.
    pub format: Option<Format>,
    /// The kind of data that a model takes, where `format` does not say: what cannot be read as such is refused.
    pub expected: Option<Kind>,
    /// What to do with a row that cannot be understood.
    pub on_bad_row: OnBadRow,
    /// Which columns of a table of ratings are read; by the heading, or user, item, rating in that order when `None`.
    pub columns: Option<Columns>,
    /// What to do with an index that stands twice in a row; of svmlight rows.
    pub repeated: Repeated,
    /// Whether labels and ratings may be missing, or be anything: for predictions. Rows that cannot be understood are then not left out by
    /// [`OnBadRow::Skip`] but keep their places, without features.
    pub unlabelled: bool,
    /// What labels are read as.
    pub labelling: Labelling,
    /// Whether it is for models with fields: a feature of libffm's rows that stands in several fields is then one for each of them, called
    /// `field:index`.
    pub fields: bool,
    /// How cells and words become features, where the text does not say it by itself.
    pub prepare: Preparation,
    /// What was done to the training data of a model: the same is done to this text. `prepare` may name the column of weights, and has no
    /// say in anything else. Columns that are missing, or of another type, are refused; but for that of weights.
    pub recipe: Option<Recipe>,
}

/// What was packed.
#[derive(Clone, Debug, PartialEq)]
pub struct PackReport {
    /// What the file holds.
    pub kind: Kind,
    /// The format of the text.
    pub format: Format,
    /// What was done to the text, where that is more than to read it.
    pub recipe: Option<Recipe>,
    /// Examples, or ratings.
    pub rows: u64,
    /// Different features; 0 for ratings.
    pub columns: u64,
    /// Cells in all rows together; 0 for ratings.
    pub nonzeros: u64,
    /// Different users; 0 for sparse rows.
    pub users: u64,
    /// Different items; 0 for sparse rows.
    pub items: u64,
    /// Labels, or ratings.
    pub targets: TargetCounts,
    /// Bad rows left out.
    pub skipped: u64,
    /// The first of them, each with its place and what is wrong.
    pub first_skipped: Vec<String>,
    /// What else the user should hear: what was taken otherwise than as plain text with an example a line, and which columns of a table
    /// were read, where these are not the usual ones.
    pub notes: Vec<String>,
    /// Bytes of text read, after decompression.
    pub bytes: u64,
    /// Seconds taken.
    pub seconds: f64,
}

/// How many bytes of the rows are kept in memory; the rest is spilled.
const KEPT: u64 = 112 << 20;

/// How often text that changes while it is read is read before it is given up.
const TRIES: usize = 3;

/// Packs text into one file; gives also what the inputs were when they were read. The target appears complete or not at all.
pub(crate) fn pack_sources(
    inputs: &[PathBuf],
    out: &Path,
    settings: &PackSettings,
    progress: Progress<'_>,
) -> Result<(PackReport, Sources)> {
    threads::in_call(|| pack_by(inputs, out, settings, progress))
}

/// Refuses a recipe by which words would be weighed, and that has not what by.
fn check_recipe(given: Option<&Recipe>) -> Result<()> {
    if given.is_some_and(|recipe| recipe.tfidf.is_some() && recipe.vocabulary.is_none()) {
        let problem = "lacks the idf of its words, which are kept in the model file that `train` wrote; use that".into();
        return Err(Error::BadSetting { setting: "recipe", value: "with tf-idf".into(), problem });
    }
    Ok(())
}

fn pack_by(inputs: &[PathBuf], out: &Path, settings: &PackSettings, progress: Progress<'_>) -> Result<(PackReport, Sources)> {
    let began = Instant::now();
    let directory = OutputFile::folder_of(out);
    settings.prepare.check()?;
    // A model says nothing of how much the examples of other data count.
    let weighted = settings.recipe.clone().zip(settings.prepare.weight.as_ref());
    let weighted = weighted.map(|(recipe, name)| recipe.with_weight(name)).transpose()?;
    let given = weighted.as_ref().or(settings.recipe.as_ref());
    check_recipe(given)?;
    let (mut tries, mut recipe, mut room) = (0, None, Room::new(KEPT));
    let (read, sources) = loop {
        let before = Sources::of(inputs);
        let text = Inputs::new(inputs, progress)?;
        // Has no name; and shows before the work that the directory can be written to.
        let spill = tempfile::tempfile_in(directory).map_err(Error::io(out, "create"))?;
        let known = Known { recipe: recipe.as_ref().or(given), may_read_again: before.are_files() };
        let outcome = read::read(text, inputs, out, settings, known, spill, room.free());
        if Sources::of(inputs).are_as(&before) || outcome.as_ref().is_err_and(is_interrupted) {
            match outcome? {
                Outcome::Read(read) => break (*read, before),
                // What was found twice would be found for ever.
                Outcome::Again(found) if recipe.as_ref() == Some(&found) => {
                    let (path, problem) = (inputs.first().cloned().unwrap_or_default(), "has columns that do not settle".into());
                    return Err(Error::BadFile { path, problem, remedy: "say what its columns are: `categorical`, `numeric`, `label`" });
                }
                Outcome::Again(found) => recipe = Some(found),
            }
            continue;
        }
        tries += 1;
        // Half of it was of one state, half of another, whatever was found in it.
        if tries == TRIES || !before.are_files() {
            let (path, problem) = (inputs.first().cloned().unwrap_or_default(), "changed while it was read, at each try".into());
            return Err(Error::BadFile { path, problem, remedy: "give a copy, or wait until nobody writes to it" });
        }
    };
    let target = Temporary::new(out)?;
    let source = inputs.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>().join(", ");
    let mut report = write::write(read, target, out, &source, settings, progress)?;
    report.seconds = began.elapsed().as_secs_f64();
    Ok((report, sources))
}

/// What is known when a text is read.
#[derive(Clone, Copy)]
struct Known<'a> {
    /// How cells become features, by a model or by an earlier reading.
    recipe: Option<&'a Recipe>,
    /// Whether the text can be read once more.
    may_read_again: bool,
}

/// What comes of reading a text.
enum Outcome<'a> {
    Read(Box<read::Read<'a>>),
    /// Some of the text does not fit the recipe that the beginning suggested: it is to be read by this one.
    Again(Recipe),
}

fn is_interrupted(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::Interrupted)
}

fn interrupted(out: &Path) -> Error {
    Error::io(out, "finish")(std::io::Error::new(std::io::ErrorKind::Interrupted, "interrupted"))
}
