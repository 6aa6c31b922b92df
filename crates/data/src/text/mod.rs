//! From files to numbers: what is read, in which format, and where its parts go.
//!
//! [`input`] gives chunks of whole lines; [`guess`] says which format they are in; a [`TextFormat`] hands the parts of each line to a
//! sink: those of an example to [`Examples`](examples::Examples), those of a rating to [`Rated`](rated::Rated).
//!
//! A format is one file with a [`TextFormat`], and its line in the list below. Its name, the values of `format` and their help, what is
//! guessed, and whether it holds examples or ratings all come from there.

pub(crate) mod bins;
pub(crate) mod chunk;
pub(crate) mod codes;
pub(crate) mod collector;
pub(crate) mod crosses;
mod edges;
mod encoding;
pub(crate) mod examples;
mod expected;
mod fasttext;
mod fault;
mod fields;
mod foreign;
mod format;
pub(crate) mod guess;
pub(crate) mod hashed;
pub(crate) mod input;
mod interactions;
mod jsonl;
mod labelling;
mod libffm;
mod mixed;
mod name;
mod names;
pub(crate) mod npz;
mod number;
mod odd;
mod pair;
pub(crate) mod parse;
pub(crate) mod parts;
pub(crate) mod rated;
mod ratings;
pub(crate) mod recipe;
mod repeated;
pub(crate) mod sink;
mod svmlight;
pub(crate) mod table;
mod vw;
mod words;
mod zstd;

use std::sync::Arc;

use crate::bytes::line_end;
pub(crate) use codes::{Codes, Id};
use collector::{Collector, Named};
pub use expected::looks_like;
pub(crate) use fault::Bad;
use fault::Fault;
#[cfg(feature = "arrow")]
pub(crate) use fault::REMEDY_FINITE;
pub(crate) use guess::row_for_model;
pub(crate) use input::{Progress, is_stdin};
pub use labelling::Labelling;
pub use npz::NpyHeader;
#[cfg(feature = "arrow")]
pub(crate) use number::{Why, long_number};
use parse::{Parser, Start};
pub use ratings::columns::{Column, Columns};
#[cfg(feature = "arrow")]
pub(crate) use recipe::is_missing;
pub use recipe::{ColumnKind, Preparation, Recipe, Sampling, Share, TermFrequency};
pub use repeated::Repeated;

format::formats! {
    // Those whose lines are told by their marks come first, for tables of ratings have none.
    /// Vowpal Wabbit's `label |namespace feature feature:value ...`.
    Vw: vw::VowpalWabbit,
    /// `label field:index:value ...`.
    Libffm: libffm::Libffm,
    /// `label index:value index:value ...`, one example a line.
    Svmlight: svmlight::Svmlight,
    /// `__label__x word word ...`.
    Fasttext: fasttext::FastText,
    /// An object a line.
    Jsonl: jsonl::Jsonl,
    /// A table with a heading, between commas, semicolons or bars.
    Csv: table::Csv,
    /// A table with a heading, between tabs.
    Tsv: table::Tsv,
    /// `user item rating [time]`, one rating a line.
    Ratings: ratings::RatingTable,
    /// `user item [count]`, or `user item item item ...`.
    Interactions: interactions::Interactions,
    /// `node node [weight]`, an edge of a graph a line.
    Edges: edges::Edges,
}

/// A text format, one example or rating a line. A value of it knows how one input is laid out.
pub(crate) trait TextFormat: Send + Sync + Sized + 'static {
    /// As `format` takes it.
    const NAME: &'static str;
    /// What a line looks like, for the help of `format`.
    const LOOKS: &'static str;
    /// What its lines give: examples or ratings.
    type Collector: Collector;
    /// Whether its columns have names, so that it can be said what each is.
    const COLUMNS: bool = false;
    /// Whether its features belong to groups with names, which can be crossed: columns, or namespaces.
    const GROUPS: bool = Self::COLUMNS;
    /// Whether its lines are texts of words in a row.
    const WORDS: bool = false;
    /// Whether a feature that stands twice in an example is added up, by what the format means.
    const ADDS: bool = false;
    /// Whether an example may go on over the end of a line.
    const SPANS: bool = false;

    /// Whether the beginning of a text leaves no doubt that it is of this format; with the column of the label, if that was named. It is
    /// asked before any line is looked at by itself.
    fn claims(_first_lines: &[u8], _label: Option<&str>) -> bool {
        false
    }

    /// Whether a line looks like one of this format, where none of the formats before it in the list has claimed it. The line is not empty,
    /// is no comment, and has plain blanks alone.
    fn recognises(line: &[u8]) -> bool;

    /// Looks at the first lines of an input: whether there is a heading, and what it says.
    fn begin(first_lines: &[u8], asked: Asked<'_>) -> Result<Begun<Self>, Bad>;

    /// Reads the line at `at`, which newlines follow, and leaves `at` after its newline. An empty line or a comment gives nothing.
    fn line(&self, text: &[u8], at: &mut usize, rows: &mut Self::Collector) -> Result<(), Fault>;

    /// Where to go on behind a fault of the example that begins at `start`.
    fn resume(&self, text: &[u8], start: usize, found: &Fault) -> usize {
        line_end(text, found.start.max(start))
    }

    /// Whether the first line of an input, which could not be read, is one of counts that some exports put before their lines.
    fn begins_with_counts(_text: &[u8]) -> bool {
        false
    }

    /// The same fault, with advice that does not lead back to what was done already.
    fn advise(found: Fault, _named: Named) -> Fault {
        found
    }
}

/// What is asked of the first lines of an input.
#[derive(Clone, Copy, Default)]
pub(crate) struct Asked<'a> {
    /// The columns that the user named.
    pub(crate) columns: Option<&'a Columns>,
    /// Whether a table that may as well be something else is refused.
    pub(crate) doubtful: bool,
    /// Whether it is known what the text holds, by the model that is to take it.
    pub(crate) known: bool,
    /// Whether labels and ratings may be missing.
    pub(crate) unlabelled: bool,
    /// Whether the text is made of a sparse matrix: lines `row<tab>column<tab>value`.
    pub(crate) is_matrix: bool,
    /// What labels are read as.
    pub(crate) labelling: Labelling,
    /// What is asked of columns and words.
    pub(crate) prepare: Option<&'a Preparation>,
    /// What is known already of how cells become features: by the input before, by an earlier reading, or by a model.
    pub(crate) recipe: Option<&'a Recipe>,
    /// Whether that is a model's, and what does not fit it is wrong.
    pub(crate) is_fixed: bool,
}

/// What the first lines of an input say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begun<F> {
    /// How the input is laid out.
    pub(crate) format: F,
    /// Behind the heading, if there is one.
    pub(crate) start: Start,
    /// Whether there was any line to go by.
    pub(crate) decided: bool,
    /// What of it is to be told.
    pub(crate) note: Option<String>,
    /// How cells become features, for the next input too.
    pub(crate) recipe: Option<Recipe>,
    /// What separates cells, where a cell in quotes may go on over the end of a line.
    pub(crate) quoted: Option<u8>,
}

/// The same of any format.
pub(crate) type Layout = Begun<Arc<dyn Parser>>;

impl Asked<'_> {
    /// Whether labels are classes by name; where they are not looked at, they are nothing.
    pub(crate) fn has_classes(&self) -> bool {
        self.labelling != Labelling::Number && !self.unlabelled
    }

    /// Whether labels are only those that a model's recipe has: of two classes. Of more a model knows some, and data may have others.
    pub(crate) fn has_fixed_labels(&self) -> bool {
        self.is_fixed && !self.has_classes()
    }
}

impl<F> Begun<F> {
    /// Of an input whose lines are all alike.
    fn all(format: F) -> Begun<F> {
        Begun { format, start: Start::default(), decided: true, note: None, recipe: None, quoted: None }
    }
}

impl<F> Begun<F> {
    /// The same with another value for the format.
    fn map<G>(self, of: impl FnOnce(F) -> G) -> Begun<G> {
        let Begun { format, start, decided, note, recipe, quoted } = self;
        Begun { format: of(format), start, decided, note, recipe, quoted }
    }
}

impl<F: Parser + 'static> Begun<F> {
    fn shared(self) -> Layout {
        self.map(|format| Arc::new(format) as Arc<dyn Parser>)
    }
}

/// What to do with a row that cannot be understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OnBadRow {
    /// Stop, naming its place.
    #[default]
    Stop,
    /// Leave it out and count it.
    Skip,
}

hogwild_base::named! { OnBadRow {
    Stop "stop" "Stop at the first, naming file, line and column";
    Skip "skip" "Leave them out; count and report them";
} }
