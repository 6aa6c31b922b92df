//! What was done to a text before it was numbers, so that it can be done again: the one list of all transformations.
//!
//! A [`Recipe`] says which format was read, where the label stood, and what each column is: how a cell becomes features ([`Step`]). It is
//! settled by a first look at the text (and by a second reading, where the first one finds a cell that does not fit), kept as JSON in the
//! packed file and in the model, shown by `inspect`, and followed to the letter when raw rows are scored. Nothing here reads text.

mod asked;
mod classes;
mod json;
mod step;

use crate::Format;
pub use asked::Preparation;
pub(crate) use classes::{MOST_CLASSES, label_of};
use hogwild_base::{Error, Result};
pub(crate) use step::{Bits, MARKS, Step, bin, is_missing, log};

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
}

/// A column with a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) step: Step,
    /// What made it a column of words, in brackets behind that.
    pub(crate) why: Option<String>,
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

    /// What of another recipe is not as here, a line each: columns that are missing there, that are new, or that are of another type.
    pub fn differences(&self, other: &Recipe) -> Vec<String> {
        let mut found = Vec::new();
        if self.ngrams != other.ngrams {
            found.push(format!("up to {} words are a feature here, and {} are there", self.ngrams, other.ngrams));
        }
        if self.crosses != other.crosses {
            found.push("other columns are crossed here than there".to_owned());
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
        lines
    }
}
