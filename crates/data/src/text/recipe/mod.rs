//! What was done to a text before it was numbers, so that it can be done again: the one list of all transformations.
//!
//! A [`Recipe`] says which format was read, where the label stood, and what each column is: how a cell becomes features ([`Step`]). It is
//! settled by a first look at the text (and by a second reading, where the first one finds a cell that does not fit), kept as JSON in the
//! packed file and in the model, shown by `inspect`, and followed to the letter when raw rows are scored. Nothing here reads text.

mod asked;
mod classes;
mod json;
mod sampling;
mod step;
mod vocabulary;

use std::sync::Arc;

use crate::{Format, Ids};
pub(crate) use asked::MOST_BITS;
pub use asked::Preparation;
pub(crate) use classes::{MOST_CLASSES, label_of};
use hogwild_base::{Error, Result};
pub use sampling::{Sampling, Share, TermFrequency};
pub(crate) use step::{Bits, MARKS, Step, bin, is_missing, log};
pub(crate) use vocabulary::Vocabulary;

/// What was done to a text before it was numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// The format of the text.
    pub(crate) format: Format,
    /// What the column of the label is called, where columns have names.
    pub(crate) label: Option<String>,
    /// The labels that are words, in their order, of two that of -1 first; none where labels are numbers.
    pub(crate) classes: Vec<String>,
    /// Whether a row has any number of classes.
    pub(crate) several: bool,
    /// What each column is, in the order of the heading.
    pub(crate) columns: Vec<Column>,
    /// Columns, or namespaces, whose features are crossed.
    pub(crate) crosses: Vec<Vec<String>>,
    /// Of words one after the other: up to so many are a feature.
    pub(crate) ngrams: u32,
    /// Whether features are called `field:index`, as some indices stand in several fields.
    pub(crate) by_field: bool,
    /// In how many examples a feature has to occur to be kept.
    pub(crate) min_count: u32,
    /// Of bags of words: whether, and how, words are weighed by tf-idf.
    pub(crate) tfidf: Option<TermFrequency>,
    /// Features are the numbers below this power of two that their names are hashed to.
    pub(crate) hash_bits: Option<u32>,
    /// Of which label examples were left out, and the share that stayed.
    pub(crate) sampled: Option<(Bits, Bits)>,
    /// The features of the text, where what is done to other text depends on them.
    pub(crate) vocabulary: Option<Vocabulary>,
}

/// A column with a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) step: Step,
    /// What made it a column of words, in brackets behind that.
    pub(crate) why: Option<String>,
}

/// What the cells of a column become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// The value of one feature.
    Numbers,
    /// The feature of a bin.
    Bins,
    /// A feature a word.
    Words,
    /// A feature for each of several words.
    Lists,
}

impl ColumnKind {
    fn of(step: &Step) -> ColumnKind {
        match step {
            Step::Bins(..) => ColumnKind::Bins,
            Step::Word => ColumnKind::Words,
            Step::List(_) => ColumnKind::Lists,
            _ => ColumnKind::Numbers,
        }
    }

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            ColumnKind::Numbers => "numbers",
            ColumnKind::Bins => "bins",
            ColumnKind::Words => "words",
            ColumnKind::Lists => "lists",
        }
    }
}

/// What a reading of the text finds that its recipe does not say: the text is then read again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Finding {
    /// A word in a column of numbers, by the column's place in the recipe.
    Words(usize, String),
    /// A label that is a word.
    Class(String),
    /// A row with any number of labels but one.
    Several,
}

impl Finding {
    /// Whether both lead to the same recipe.
    pub(crate) fn is_like(&self, other: &Finding) -> bool {
        match (self, other) {
            (Finding::Words(one, _), Finding::Words(other, _)) => one == other,
            _ => self == other,
        }
    }
}

impl Recipe {
    /// Of a format, with nothing done to its text.
    pub(crate) fn of(format: Format) -> Recipe {
        Recipe {
            format,
            label: None,
            classes: Vec::new(),
            several: false,
            columns: Vec::new(),
            crosses: Vec::new(),
            ngrams: 1,
            by_field: false,
            min_count: 1,
            tfidf: None,
            hash_bits: None,
            sampled: None,
            vocabulary: None,
        }
    }

    /// The format of the text.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The labels that are words, in their order, of two that of -1 first; none where labels are numbers.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The same where another column says how much an example counts.
    ///
    /// # Errors
    /// When that column is a feature.
    pub(crate) fn with_weight(mut self, name: &str) -> Result<Recipe> {
        if self.columns.iter().any(|column| column.name == name && column.step.makes_features()) {
            let problem = "is a feature of the model; name another column, or leave it out".into();
            return Err(Error::BadSetting { setting: "weight", value: name.into(), problem });
        }
        self.columns.retain(|column| column.step != Step::Weight && column.name != name);
        self.columns.push(Column { name: name.into(), step: Step::Weight, why: None });
        Ok(self)
    }

    /// Whether no word of a column can be the feature of another: what stands before it is a name without `=`. Nor may one be a bin: `age>=30`
    /// of a column `age` is also the word `30` of a column `age>`.
    pub(crate) fn keeps_words_apart(&self) -> bool {
        let is_apart = |column: &Column| !matches!(column.step, Step::Bins(..)) && !column.name.contains('=');
        self.crosses.is_empty() && self.columns.iter().filter(|column| column.step.makes_features()).all(is_apart)
    }

    /// Whether what is done to a raw row depends on the features of the training data.
    pub(crate) fn needs_vocabulary(&self) -> bool {
        self.weighs_words() || self.joins_rare_words()
    }

    /// The same with the features of its text, most frequent first, and the [`idf`](Self::idf) of each: which other text is packed by. Of a
    /// recipe that does not depend on features this is the same.
    pub fn with_vocabulary(self, ids: Arc<Ids>, idf: Vec<f32>) -> Recipe {
        // Without its numbers it would weigh words otherwise than in training.
        let is_whole = if self.tfidf.is_some() { idf.len() == ids.len() } else { true };
        let vocabulary = (is_whole && self.needs_vocabulary()).then(|| Vocabulary::new(ids, idf.into()));
        Recipe { vocabulary, ..self }
    }

    /// What each occurrence of a feature in a bag of words is multiplied by (1 of other features), where that is done.
    pub fn idf(&self) -> &[f32] {
        self.vocabulary.as_ref().map_or(&[], |vocabulary| &vocabulary.idf)
    }

    /// Whether features are numbers that names were hashed to.
    pub fn hash_bits(&self) -> Option<u32> {
        self.hash_bits
    }

    /// Whether words are weighed by tf-idf.
    pub fn weighs_words(&self) -> bool {
        self.tfidf.is_some()
    }

    /// Whether rare words of columns are counted as one.
    pub fn joins_rare_words(&self) -> bool {
        self.min_count > 1 && self.keeps_rare()
    }

    /// Whether rare words of a column become one feature.
    fn keeps_rare(&self) -> bool {
        self.format.has_columns() && self.hash_bits.is_none()
    }

    /// What a rare feature is counted as: its column's `name=<rare>`; none where it is left out, as crosses and features without a column are.
    pub(crate) fn rare_of(&self, feature: &str) -> Option<String> {
        let column = self.column_of_word(feature).filter(|_| self.keeps_rare() && !self.is_cross(feature))?;
        Some(format!("{column}=<rare>"))
    }

    /// The column of a feature that is a word.
    fn column_of_word<'a>(&'a self, feature: &'a str) -> Option<&'a str> {
        let of = |step: &Step| matches!(step, Step::Word | Step::List(_) | Step::Bins(..));
        match self.column_of(feature) {
            Some(column) => Some(column).filter(|column| *column != feature && self.step(column).is_some_and(of)),
            // Fields of JSON say themselves what they are.
            None if self.format == Format::Jsonl => feature.split_once('=').map(|(column, _)| column),
            None => None,
        }
    }

    /// Whether a feature looks like what several of the crossed columns are together.
    fn is_cross(&self, feature: &str) -> bool {
        let of = |column: &String| {
            let mut rest = feature;
            while let Some((_, behind)) = rest.split_once('^') {
                if behind
                    .strip_prefix(column.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(step::MARKS) || rest.starts_with('^'))
                {
                    return true;
                }
                rest = behind;
            }
            false
        };
        self.crosses.iter().flatten().any(of)
    }

    /// Which bag of words a feature is of, by the place of its column, if it is of one. A text without columns is one bag.
    pub(crate) fn bag_of(&self, feature: &str) -> Option<usize> {
        if !self.format.has_columns() {
            return Some(0);
        }
        let column = self.column_of(feature).filter(|column| *column != feature)?;
        self.column(column).filter(|_| matches!(self.step(column), Some(Step::List(_))))
    }

    fn step(&self, column: &str) -> Option<&Step> {
        self.columns.get(self.column(column)?).map(|column| &column.step)
    }

    /// Whether a row has any number of labels.
    pub fn has_several_labels(&self) -> bool {
        self.several
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Which column a feature belongs to, by its name: none where it is no column's, or of a text without columns.
    pub fn column_of(&self, feature: &str) -> Option<&str> {
        let is_of = |column: &&Column| {
            let rest = feature.strip_prefix(column.name.as_str()).filter(|_| column.step.makes_features());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(step::MARKS))
        };
        self.columns.iter().find(is_of).map(|column| column.name.as_str())
    }

    /// The same, but for features that are crossed of several columns.
    pub fn single_column_of(&self, feature: &str) -> Option<&str> {
        self.column_of(feature).filter(|_| !self.is_cross(feature))
    }

    /// The columns that become features, in the order of the heading.
    pub fn columns(&self) -> Vec<(String, ColumnKind)> {
        let features = self.columns.iter().filter(|column| column.step.makes_features());
        features.map(|column| (column.name.clone(), ColumnKind::of(&column.step))).collect()
    }

    /// What of another recipe is not as here, a line each: columns that are missing there, that are new, or that are of another type.
    pub fn differences(&self, other: &Recipe) -> Vec<String> {
        let mut found = Vec::new();
        if self.ngrams != other.ngrams {
            found.push(format!("up to {} words are a feature here, and {} are there", self.ngrams, other.ngrams));
        }
        if self.crosses != other.crosses {
            found.push("other columns are crossed here than there".to_owned());
        }
        match (self.tfidf, other.tfidf) {
            (None, None) => {}
            (Some(_), None) => found.push("words are weighed by tf-idf here, and are not there".to_owned()),
            (None, Some(_)) => found.push("words are not weighed by tf-idf here, and are there".to_owned()),
            // Of other text words are called otherwise, or are more; those that both have tell.
            (Some(one), Some(there)) => {
                let is_other = self.vocabulary.as_ref().zip(other.vocabulary.as_ref()).is_some_and(|(one, there)| !one.agrees(there));
                if one != there || is_other {
                    found
                        .push("words are weighed by other documents here than there; give the text in place of the packed file".to_owned());
                }
            }
        }
        if self.min_count != other.min_count && self.keeps_rare() {
            let (here, there) = (self.min_count, other.min_count);
            found.push(format!("words of fewer than {here} examples are rare here, and of fewer than {there} there"));
        }
        if self.hash_bits != other.hash_bits {
            let of = |bits: Option<u32>| bits.map_or("not at all".to_owned(), |bits| format!("by {bits} bits"));
            found.push(format!("features are hashed {} here, and {} there", of(self.hash_bits), of(other.hash_bits)));
        }
        if self.by_field != other.by_field {
            let called = |by_field| if by_field { "`field:index`" } else { "by their indices" };
            found.push(format!("features are called {} here, and {} there", called(self.by_field), called(other.by_field)));
        }
        // More than two classes are found by name.
        if self.classes != other.classes && [self, other].iter().all(|recipe| (1..=2).contains(&recipe.classes.len())) {
            found.push(format!("the labels are {} here, and {} there", self.classes.join(" and "), other.classes.join(" and ")));
        }
        for column in self.columns.iter().filter(|column| column.step.makes_features()) {
            match other.column(&column.name).and_then(|place| other.columns.get(place)) {
                None => found.push(format!("column `{}` is missing", column.name)),
                Some(there) if there.step != column.step => {
                    found.push(format!("column `{}` is {}, and was {} in training", column.name, there.step.told(), column.step.told()));
                }
                Some(_) => {}
            }
        }
        let is_new = |column: &&Column| column.step.makes_features() && self.column(&column.name).is_none();
        found.extend(other.columns.iter().filter(is_new).map(|column| format!("column `{}` was not there in training", column.name)));
        found
    }

    /// The recipe with what a reading found.
    pub(crate) fn amend(mut self, findings: Vec<Finding>) -> Recipe {
        for finding in findings {
            match finding {
                Finding::Words(place, why) => {
                    // The first word of a column is what is told.
                    if let Some(column) = self.columns.get_mut(place).filter(|column| column.step != Step::Word) {
                        (column.step, column.why) = (Step::Word, Some(why));
                    }
                }
                Finding::Class(class) => self.classes.push(class),
                Finding::Several => self.several = true,
            }
        }
        classes::sort(&mut self.classes);
        self
    }

    /// What is told of its columns, a line each.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let [negative, positive] = self.classes.as_slice() {
            lines.push(format!("labels: `{negative}` is -1, `{positive}` is +1"));
        }
        if self.classes.len() > 2 {
            let several = if self.several { ", any number a row" } else { "" };
            lines.push(format!("labels: {} classes{several}", self.classes.len()));
        }
        if let Some(label) = &self.label {
            lines.push(format!("label from column `{label}`"));
        }
        for column in &self.columns {
            let why = column.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
            lines.push(format!("column `{}`: {}{why}", column.name, column.step.told()));
        }
        let crosses = self.crosses.iter().map(|names| format!("crossed: {}", names.join(" with ")));
        lines.extend(crosses);
        lines.extend(self.tfidf.map(|frequency| {
            let count = if frequency == TermFrequency::Sublinear { "1 + ln(count)" } else { "count" };
            let what = if self.format.has_columns() { "each list" } else { "each row" };
            format!("tf-idf: {count} times ln((1 + n) / (1 + df)) + 1; then {what} is divided by its length")
        }));
        lines.extend(self.hash_bits.map(|bits| format!("features are hashed by {bits} bits, and their names are not kept")));
        lines.extend(self.sampled.map(|(label, share)| format!("of the examples with the label {label} a share of {share} stayed")));
        lines
    }
}
