//! Where chunks come from: the inputs in turn, each laid out by its first lines. Which format they are in is found here too.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hogwild_base::{Error, Result};

use super::{PackSettings, interrupted};
use crate::Kind;
use crate::text::chunk::Chunk;
use crate::text::collector::{How, Named};
use crate::text::guess::{Guess, guess, has_a_line};
use crate::text::input::Inputs;
use crate::text::npz::is_matrix;
use crate::text::parse::{Parser, Start};
use crate::text::recipe::Recipe;
use crate::text::{Asked, Column, Columns, Format, Labelling, Repeated, row_for_model};

/// How many chunks may say nothing about the format.
const UNDECIDED: usize = 8;

/// The inputs, and the chunks that had to be looked at for the format.
pub(super) struct Source<'a> {
    pub(super) text: Inputs<'a>,
    pub(super) ahead: VecDeque<Chunk>,
    pub(super) next: u64,
    pub(super) ended: bool,
    pub(super) problem: Option<Error>,
    pub(super) format: Format,
    /// How the input at hand is laid out, once there was a line to tell by.
    pub(super) layout: Option<Arc<dyn Parser>>,
    pub(super) settings: &'a PackSettings,
    /// The columns of ratings that are named, with that of weights.
    columns: Option<Columns>,
    /// Which inputs are sparse matrices.
    matrices: Vec<bool>,
    /// How cells become features, once there was a heading to tell by.
    pub(super) recipe: Option<Recipe>,
    pub(super) notes: Vec<String>,
}

impl<'a> Source<'a> {
    /// Looks at the first lines for the format, where nothing says which it is, and checks what is asked of it.
    pub(super) fn new(text: Inputs<'a>, inputs: &[PathBuf], settings: &'a PackSettings, recipe: Option<Recipe>) -> Result<Source<'a>> {
        let format = Format::usual(settings.expected.unwrap_or(Kind::Sparse));
        let (ahead, notes) = (VecDeque::new(), Vec::new());
        let known = recipe.as_ref().map(Recipe::format);
        let columns = columns_of_ratings(settings)?;
        let matrices: Vec<bool> = inputs.iter().map(|path| is_matrix(path)).collect();
        let matrix = matrices.iter().position(|is_matrix| *is_matrix).and_then(|i| inputs.get(i));
        let mut source =
            Source { text, ahead, next: 0, ended: false, problem: None, format, layout: None, settings, columns, matrices, recipe, notes };
        let are_tables = crate::columnar::are_tables(inputs)?;
        source.format = match (settings.format, known, &settings.columns) {
            _ if are_tables => Format::Csv,
            (Some(format), ..) => format,
            (None, Some(format), _) => format,
            (None, None, Some(_)) => Format::usual(Kind::Ratings),
            (None, None, None) if matrix.is_some() => Format::usual(Kind::Ratings),
            // Labels alone, or nothing that looks like any format: the parser will say what is wrong.
            (None, None, None) => source.detect(inputs)?.unwrap_or(format),
        };
        let format = source.format;
        if let Some(path) = matrix.filter(|_| format.kind() != Kind::Ratings || settings.expected == Some(Kind::Sparse)) {
            let problem = "is a sparse matrix, whose rows have no labels".into();
            let remedy = match settings.unlabelled {
                true => "models of rows take a matrix from Python, or as svmlight (`sklearn.datasets.dump_svmlight_file`)",
                false => {
                    "give it as `format` interactions or ratings, to a model of users and items; write rows with labels as svmlight \
                    (`sklearn.datasets.dump_svmlight_file`), or train on the matrix from Python"
                }
            };
            return Err(Error::BadFile { path: path.clone(), problem, remedy });
        }
        if format != Format::Ratings && settings.columns.is_some() {
            let problem = "is of tables of ratings; leave it out, or give `format` ratings".into();
            return Err(Error::BadSetting { setting: "columns", value: format!("with format {}", format.name()), problem });
        }
        check_prepared(format, settings)?;
        if are_tables {
            check_tables(inputs, settings)?;
        }
        Ok(source)
    }

    /// What is asked of the lines.
    pub(super) fn how(&self) -> How {
        let &PackSettings { on_bad_row, unlabelled, repeated, labelling, .. } = self.settings;
        let named = match (self.settings.format, self.settings.expected) {
            (Some(_), _) => Named::User,
            (None, Some(_)) => Named::Model,
            (None, None) => Named::Nobody,
        };
        let hash_bits = self.recipe.as_ref().and_then(|recipe| recipe.hash_bits);
        How { on_bad_row, unlabelled, repeated, named, every_class: labelling != Labelling::Number, hash_bits }
    }

    /// What ended the reading: standard input, when it was being waited for, ends with a problem of its own.
    pub(super) fn end_of(&self, problem: Error, out: &Path) -> Error {
        if self.text.proceed() { problem } else { interrupted(out) }
    }

    /// The next chunk's number, or `None` when there is none or reading was stopped.
    pub(super) fn take(&mut self, chunk: &mut Chunk, out: &Path) -> Option<u64> {
        if self.ended || (self.ahead.is_empty() && self.problem.is_some()) {
            return None;
        }
        match self.ahead.pop_front() {
            Some(ahead) => *chunk = ahead,
            None => match self.text.next_chunk(chunk) {
                Ok(true) => {}
                end => {
                    self.ended = true;
                    self.problem = end.err();
                    return None;
                }
            },
        }
        if !self.text.proceed() {
            self.ended = true;
            self.problem = Some(interrupted(out));
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }

    /// What is asked of the first lines, or of a schema.
    pub(super) fn asked(&self) -> Asked<'_> {
        let &PackSettings { format, expected, ref columns, unlabelled, labelling, ref prepare, ref recipe, .. } = self.settings;
        Asked {
            columns: self.columns.as_ref(),
            doubtful: format.is_none() && columns.is_none(),
            is_matrix: false,
            known: expected == Some(self.format.kind()),
            unlabelled,
            labelling,
            prepare: Some(prepare),
            recipe: self.recipe.as_ref(),
            is_fixed: recipe.is_some(),
        }
    }

    /// Ends reading by a problem, if there is none before it.
    pub(super) fn end(&mut self, problem: Error) {
        self.ended = true;
        self.problem.get_or_insert(problem);
    }

    /// Counts bytes that were read past the text. Gives whether to go on.
    #[cfg(feature = "arrow")]
    pub(super) fn goes_on(&mut self, bytes: u64, out: &Path) -> bool {
        self.text.count(bytes);
        if !self.ended && !self.text.proceed() {
            self.ended = true;
            self.problem = Some(interrupted(out));
        }
        !self.ended
    }

    /// How the input of a chunk is laid out, by its first lines, and where the lines of this chunk begin; `None` when it is refused.
    pub(super) fn lay_out(&mut self, chunk: &mut Chunk, path: &Path) -> Option<(Arc<dyn Parser>, Start)> {
        if let Some(layout) = self.layout.as_ref().filter(|_| !chunk.first) {
            return Some((layout.clone(), Start::default()));
        }
        let is_matrix = self.matrices.get(chunk.input).copied().unwrap_or(false);
        let asked = self.asked();
        let asked = Asked { is_matrix, doubtful: asked.doubtful && !is_matrix, ..asked };
        match self.format.begin(chunk.lines(), asked) {
            Ok(begun) => {
                self.recipe = begun.recipe.or(self.recipe.take());
                if let Some(mark) = begun.quoted {
                    self.text.cut_behind_quotes(mark, chunk);
                }
                self.layout = begun.decided.then(|| begun.format.clone());
                self.notes.extend(begun.note.map(|note| format!("{}: {note}", path.display())));
                Some((begun.format, begun.start))
            }
            Err(bad) => {
                self.ended = true;
                self.problem = Some(bad.error(path, 0));
                None
            }
        }
    }

    /// Looks for the format in the first chunks, which come again.
    pub(super) fn detect(&mut self, inputs: &[PathBuf]) -> Result<Option<Format>> {
        let mut before = 0;
        while self.ahead.len() < UNDECIDED {
            let mut chunk = Chunk::default();
            match self.text.next_chunk(&mut chunk) {
                Ok(true) => {}
                // What is wrong with the input is told after what is wrong with the rows before it.
                end => {
                    self.problem = end.err();
                    return Ok(None);
                }
            }
            if chunk.first {
                before = 0;
            }
            match guess(chunk.lines(), self.settings.prepare.label.as_deref()) {
                // Who waits for the answer to a line writes no other by which to tell.
                Guess::Nothing if self.text.ends_at_pauses && has_a_line(chunk.lines()) => {
                    self.ahead.push_back(chunk);
                    return Ok(None);
                }
                Guess::Nothing => before += memchr::memchr_iter(b'\n', chunk.lines()).count() as u64,
                Guess::Is(format) => {
                    let expected = self.settings.expected.filter(|&kind| kind != format.kind());
                    // As ratings without a rating, rows would be read without a word.
                    if let Some(bad) = expected.filter(|&kind| kind == Kind::Ratings).and_then(|_| row_for_model(chunk.lines())) {
                        return Err(bad.error(inputs.get(chunk.input).map_or(Path::new("-"), PathBuf::as_path), before));
                    }
                    self.ahead.push_back(chunk);
                    return Ok(Some(expected.map_or(format, Format::usual)));
                }
                Guess::Refused(bad) => return Err(bad.error(inputs.get(chunk.input).map_or(Path::new("-"), PathBuf::as_path), before)),
            }
            self.ahead.push_back(chunk);
        }
        Ok(None)
    }
}

/// The columns of ratings that are named; that of weights may be named by `weight` too, by its number from 1 or by its name.
///
/// # Errors
/// Where both name one, and not the same.
fn columns_of_ratings(settings: &PackSettings) -> Result<Option<Columns>> {
    let weight = settings.prepare.weight.as_ref().map(|name| match name.parse() {
        Ok(number @ 1..) => Column::Number(number),
        _ => Column::Name(name.clone()),
    });
    let columns = settings.columns.clone();
    let Some(weight) = weight else { return Ok(columns) };
    let columns = columns.unwrap_or_default();
    if let Some(other) = columns.weight.as_ref().filter(|other| **other != weight) {
        let problem = format!("is another column than weight={other} in `columns`; name the weight once");
        return Err(Error::BadSetting { setting: "weight", value: weight.to_string(), problem });
    }
    Ok(Some(Columns { weight: Some(weight), ..columns }))
}

/// Refuses what is asked of binary tables and not of them.
pub(super) fn check_tables(inputs: &[PathBuf], settings: &PackSettings) -> Result<()> {
    if let Some(format) = settings.format {
        let problem = "is of text, and these are binary tables, which say themselves what they are; leave it out".into();
        return Err(Error::BadSetting { setting: "format", value: format.name().into(), problem });
    }
    let trained = settings.recipe.as_ref().map(Recipe::format).filter(|format| !format.has_columns());
    let problem = match (settings.expected, trained) {
        (Some(Kind::Ratings), _) => "is a table, and the model takes ratings".to_owned(),
        (_, Some(format)) => format!("is a table, and the model was trained on {}", format.name()),
        _ => return Ok(()),
    };
    Err(Error::BadFile {
        path: inputs.first().cloned().unwrap_or_default(),
        problem,
        remedy: "give the data as text, as it was in training",
    })
}

/// Refuses what is asked of another format.
fn check_prepared(format: Format, PackSettings { repeated, prepare, .. }: &PackSettings) -> Result<()> {
    let bad = |setting, value: &str, problem: String| Err(Error::BadSetting { setting, value: value.into(), problem });
    let these = if format.kind() == Kind::Ratings { "these are ratings".into() } else { format!("these are {} rows", format.name()) };
    let of_ratings = format.kind() == Kind::Ratings;
    if *repeated != Repeated::Error && format.kind() == Kind::Ratings {
        return bad("repeated", repeated.name(), format!("is of the indices of svmlight rows, and {these}; leave it out"));
    }
    if *repeated != Repeated::Error && format.adds() {
        return bad("repeated", repeated.name(), format!("is of the indices of svmlight rows, and {these}, which add up; leave it out"));
    }
    if let Some((setting, name)) =
        prepare.columns().iter().find(|(setting, _)| !(format.has_columns() || of_ratings && *setting == "weight"))
    {
        let named: Vec<&str> = Format::ALL.into_iter().filter(|format| format.has_columns()).map(Format::name).collect();
        return bad(setting, name, format!("is of columns with names (`format` {}), and {these}; leave it out", named.join(" or ")));
    }
    if let Some(names) = prepare.cross.first() {
        let (names, is_all) = (names.join(":"), names.as_slice() == ["*"]);
        if !format.has_groups() {
            let named: Vec<&str> = Format::ALL.into_iter().filter(|format| format.has_groups()).map(Format::name).collect();
            return bad(
                "cross",
                &names,
                format!("is of columns or namespaces (`format` {}), and {these}; leave it out", named.join(" or ")),
            );
        }
        if is_all && !matches!(format, Format::Csv | Format::Tsv) {
            return bad("cross", &names, format!("is of the columns of a heading, and {these}; name what is to be crossed"));
        }
    }
    if let Some(n) = prepare.ngrams.filter(|&n| n > 1 && !format.has_words()) {
        return bad("ngrams", &n.to_string(), format!("is of lines of words (`format` fasttext), and {these}; leave it out"));
    }
    if let Some(n) = prepare.min_count.filter(|&n| n > 1 && format.kind() == Kind::Ratings) {
        return bad("min_count", &n.to_string(), format!("is of the features of rows, and {these}; leave it out"));
    }
    if let Some(bits) = prepare.hash_bits.filter(|_| format.kind() == Kind::Ratings || format == Format::Libffm) {
        return bad("hash_bits", &bits.to_string(), format!("is of features that have names, and {these}; leave it out"));
    }
    if let Some(frequency) = prepare.tfidf {
        let lists: Vec<&String> = prepare.list.iter().map(|(name, _)| name).collect();
        let is_of_lists = format.has_columns() && !lists.is_empty();
        if !is_of_lists && !format.has_words() {
            let problem = format!("is of lines of words (`format` fasttext), or of columns that `list` names, and {these}; leave it out");
            return bad("tfidf", frequency.name(), problem);
        }
        if is_of_lists && prepare.hash_bits.is_some() {
            return bad(
                "tfidf",
                frequency.name(),
                "does not go with `hash_bits` in tables, whose lists are told by names; leave one out".into(),
            );
        }
        if let Some(name) = prepare.cross.iter().flatten().find(|name| lists.contains(name) || *name == "*") {
            return bad(
                "tfidf",
                frequency.name(),
                format!("is of lists, and `{name}` is crossed, of which weights would be wrong; leave one out"),
            );
        }
    }
    if prepare.sample.is_some() && format.kind() == Kind::Ratings {
        return bad("sample", "or balance", format!("are of rows of two classes, and {these}; leave them out"));
    }
    Ok(())
}
