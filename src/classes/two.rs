//! The two classes of a classification loss: which labels they are, and which of them is +1.
use crate::{
    Error, Loss, Result,
    data::{Labels, Ratings, Rows},
};
use hogwild_kernels::loss::Taken;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// Two labels, one of which is +1 to the loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Classes {
    /// The label that is -1 to the loss; none where all training data were of the other.
    pub negative: Option<f32>,
    /// The label that is +1 to the loss.
    pub positive: f32,
}

impl Classes {
    /// -1 and +1, for which 0 and 1 may stand.
    pub const SIGNS: Classes = Classes { negative: Some(-1.0), positive: 1.0 };

    /// The classes of training data: +1 is the larger label, or the one that is `positive`. Labels -1, 0 and 1 have their meaning also
    /// where one of them is all there is.
    ///
    /// # Errors
    /// More than two labels, or none of them is the `positive` one (unless they are all 1 and it is -1 or 0, or the other way round).
    pub fn of(data: &Rows, loss: Loss, positive: Option<f32>) -> Result<Classes> {
        check_given(data)?;
        check_not_many(data)?;
        let labels = data.labels();
        if !labels.are_few() || labels.few().len() > 2 {
            let problem = format!("has labels of more than two classes ({}), and the {} loss takes two", labels.list(), loss.name());
            let remedy = "for a model of several classes give `model` softmax, or, where labels are quantities, \
                use a loss for numbers such as `loss` squared";
            return Err(Error::BadFile { path: data.name().to_owned(), problem, remedy });
        }
        let (low, high) = (labels.spread.min + 0.0, labels.spread.max + 0.0); // -0 is 0
        match positive {
            None if low < high => Ok(Classes { negative: Some(low), positive: high }),
            None if low == 1.0 || low == -1.0 => Ok(Classes::SIGNS),
            None if low == 0.0 => Ok(Classes { negative: Some(0.0), positive: 1.0 }),
            None => Ok(Classes { negative: None, positive: high }),
            Some(positive) if positive != low && positive != high && !(low == high && are_opposite(low, positive)) => {
                let problem = format!(
                    "is none of the labels, which {} {}; give one of them",
                    if low < high { "are" } else { "are all" },
                    labels.list()
                );
                Err(Error::BadSetting { setting: "positive", value: positive.to_string(), problem })
            }
            Some(positive) => {
                let other = [low, high].into_iter().find(|&label| label != positive);
                let unseen = [1.0, -1.0].into_iter().find(|&sign| positive == -sign);
                Ok(Classes { negative: other.or(unseen), positive: positive + 0.0 })
            }
        }
    }

    /// Whether these are the signs, or 0 and 1.
    pub fn are_usual(&self) -> bool {
        self.positive == 1.0 && self.negative.is_none_or(|negative| negative == -1.0 || negative == 0.0)
    }

    /// Whether each label of other data is one of the classes. Where they are -1 or 0 and 1, both ways to write them will do.
    ///
    /// # Errors
    /// Names the first row whose label is neither.
    pub fn check(&self, data: &Rows) -> Result<()> {
        check_given(data)?;
        check_not_many(data)?;
        let labels: Labels = data.labels();
        let is_known = |label: f32| {
            let usual = self.are_usual() && (label == -1.0 || label == 0.0);
            label == self.positive || self.negative == Some(label) || usual
        };
        // If all labels are known there are three at most, and the few are all.
        let has = |label: f32| labels.few().iter().any(|found| found.label == label);
        let problem = match labels.few().iter().find(|found| !is_known(found.label)) {
            Some(other) => {
                format!("row {} has label {}, and the model's classes are {}", other.row + 1, other.label, self.names().join(" and "))
            }
            None if self.are_usual() && has(-1.0) && has(0.0) => {
                format!("has both labels -1 and 0, and the model's classes are {}", self.names().join(" and "))
            }
            None => return Ok(()),
        };
        Err(Error::BadFile { path: data.name().to_owned(), problem, remedy: "give data with the labels that the model was trained on" })
    }

    /// Whether they are the same two in the same order, as far as is known.
    pub(crate) fn agree(&self, other: &Classes) -> bool {
        let same = self.negative.zip(other.negative).is_none_or(|(one, other)| one == other);
        self.are_usual() && other.are_usual() || self.positive == other.positive && same
    }

    /// What a loss takes a label for; ratings, and models without classes of their own, have the signs.
    pub(crate) fn taken(classes: Option<Classes>, loss: Loss) -> Taken {
        Taken::new(loss, classes.unwrap_or(Classes::SIGNS).positive)
    }

    /// The labels as text, the negative one first; only the other where that was never seen.
    pub fn names(&self) -> Vec<String> {
        self.negative.into_iter().chain([self.positive]).map(|label| label.to_string()).collect()
    }

    /// For a model's file.
    pub(crate) fn to_json(self) -> Value {
        json!([self.negative.map(|label| label.to_string()), self.positive.to_string()])
    }

    pub(crate) fn from_json(json: &Value) -> Option<Classes> {
        let label = |value: &Value| value.as_str()?.parse::<f32>().ok().filter(|label| label.is_finite());
        let [negative, positive] = json.as_array()?.as_slice() else { return None };
        let classes = Classes { negative: label(negative), positive: label(positive)? };
        (negative.is_null() || classes.negative.is_some_and(|label| label != classes.positive)).then_some(classes)
    }
}

/// Whether two labels are the usual classes: if one of them is all there is, the other has its meaning.
fn are_opposite(one: f32, other: f32) -> bool {
    let is_minus = |label: f32| label == -1.0 || label == 0.0;
    one == 1.0 && is_minus(other) || other == 1.0 && is_minus(one)
}

/// Whether every label is given, and none is less than the loss takes.
pub(crate) fn check_numbers(loss: Loss, data: &Rows) -> Result<()> {
    check_given(data)?;
    check_not_many(data)?;
    check_least(loss, data.name(), "the label of row", data.label_cells())
}

/// Names the first label that is less than the loss takes.
fn check_least(loss: Loss, path: &Path, what: &str, labels: &[AtomicU32]) -> Result<()> {
    let least = loss.meaning().least_label;
    if least == f32::NEG_INFINITY {
        return Ok(());
    }
    let label = |cell: &AtomicU32| f32::from_bits(cell.load(Relaxed));
    match labels.iter().position(|cell| label(cell) < least) {
        Some(row) => {
            let (number, found, name) = (row + 1, label(&labels[row]), loss.name());
            let problem = format!("{what} {number} is {found}, and the {name} loss takes numbers from {least} up");
            Err(Error::BadFile { path: path.to_owned(), problem, remedy: "use `loss` squared, or change the numbers" })
        }
        None => Ok(()),
    }
}

/// Whether labels are numbers, or words of two classes.
fn check_not_many(data: &Rows) -> Result<()> {
    let (names, several) = (data.class_names(), data.class_sets().is_some());
    if names.len() <= 2 && !several {
        return Ok(());
    }
    let (first, more) = (names.iter().take(5).cloned().collect::<Vec<_>>().join(", "), if names.len() > 5 { ", ..." } else { "" });
    let any = if several { ", any number of them a row" } else { "" };
    let problem = format!("has labels that are classes by name ({first}{more}){any}, and this model takes numbers or two classes");
    let remedy = if several { "use `model` ovr" } else { "use `model` softmax or ovr" };
    Err(Error::BadFile { path: data.name().to_owned(), problem, remedy })
}

/// Whether every label is given.
pub(crate) fn check_given(data: &Rows) -> Result<()> {
    if data.is_unlabelled() { Err(unlabelled(data.name(), "labels")) } else { Ok(()) }
}

/// Whether every rating is given.
pub(crate) fn check_ratings_given(data: &Ratings) -> Result<()> {
    if data.is_unlabelled() { Err(unlabelled(data.name(), "ratings")) } else { Ok(()) }
}

fn unlabelled(path: &Path, what: &str) -> Error {
    Error::BadFile { path: path.to_owned(), problem: format!("has rows without {what}"), remedy: "such data are for `predict` alone" }
}

/// Whether ratings fit the loss: one of two classes takes 1 and either -1 or 0, for ratings have no classes of their own in a model.
pub(crate) fn check_ratings(loss: Loss, data: &Ratings) -> Result<()> {
    check_ratings_given(data)?;
    let ratings = data.labels();
    let first = |is: &dyn Fn(f32) -> bool| ratings.few().iter().find(|found| is(found.label));
    // At most three come before one that is no class, so it is among the few.
    let odd = first(&|rating| rating.abs() != 1.0 && rating != 0.0);
    let found = match (odd, first(&|rating| rating == -1.0), first(&|rating| rating == 0.0)) {
        _ if !loss.is_classification() => return check_least(loss, data.name(), "rating", data.rating_cells()),
        (Some(odd), ..) => format!("rating {} is {}", odd.row + 1, odd.label),
        (None, Some(minus), Some(zero)) => format!("rating {} is -1 and rating {} is 0", minus.row + 1, zero.row + 1),
        _ => return Ok(()),
    };
    let problem = format!("{found}, and the {} loss takes two classes: ratings 1 and 0, or 1 and -1", loss.name());
    let remedy = "use `loss` squared, or write the ratings as two classes";
    Err(Error::BadFile { path: data.name().to_owned(), problem, remedy })
}
