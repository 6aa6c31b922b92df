//! What the score of an example is made of: terms that add up to it, the heaviest first.
use crate::model::TrainedModel;
use hogwild_base::{Error, Result};
use std::ops::Range;

/// Terms beyond those asked for that are collected before the lightest are summed up.
const ROOM: usize = 1 << 14;

/// Which examples are explained, and how far.
#[derive(Clone, Debug)]
pub struct Explain {
    /// The examples, by number from 0.
    pub rows: Range<usize>,
    /// The most terms of each; the others are summed up.
    pub top: usize,
    /// Of models of several classes: whose score; without, that of the most probable class of each example.
    pub class: Option<String>,
}

/// The score of an example, by terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// The example, by number from 0.
    pub row: usize,
    /// The class whose score it is, of models of several.
    pub class: Option<String>,
    /// The sum of all terms; NaN of a row that could not be read.
    pub score: f64,
    /// What the model predicts of the score: a probability, a mean, or the score itself.
    pub prediction: f32,
    /// The heaviest terms, by absolute value.
    pub terms: Vec<Term>,
    /// How many others there are, and their sum.
    pub others: (usize, f64),
    /// Features, users or items that the model does not know; they add nothing.
    pub unknown: u64,
}

impl Explained {
    /// A row that could not be read, and merely keeps its place: it has no score.
    pub(super) fn unread(row: usize) -> Explained {
        Explained { row, class: None, score: f64::NAN, prediction: f32::NAN, terms: Vec::new(), others: (0, 0.0), unknown: 0 }
    }
}

/// What something adds to a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// A feature, a pair `a * b`, `bias`, `mean`, `user x` or `item y`.
    pub name: String,
    /// The value of the feature, or the product of both; 1 of all else.
    pub value: f32,
    /// Weight times value.
    pub adds: f64,
}

/// Collects terms by keys, of which only those that remain are named.
pub(super) struct Terms<K> {
    top: usize,
    kept: Vec<(K, f32, f64)>,
    others: (usize, f64),
}

impl<K> Terms<K> {
    pub fn new(top: usize) -> Terms<K> {
        Terms { top, kept: Vec::new(), others: (0, 0.0) }
    }

    pub fn push(&mut self, key: K, value: f32, adds: f64) {
        self.kept.push((key, value, adds));
        if self.kept.len() >= self.top.saturating_add(ROOM) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.top {
            let by_weight = |a: &(K, f32, f64), b: &(K, f32, f64)| b.2.abs().total_cmp(&a.2.abs());
            self.kept.select_nth_unstable_by(self.top, by_weight);
            let others = self.kept.drain(self.top..);
            self.others = others.fold(self.others, |(count, sum), (_, _, adds)| (count + 1, sum + adds));
        }
    }

    /// The heaviest, named, with the sum of all.
    pub fn into_named(mut self, name: impl Fn(K) -> String) -> (Vec<Term>, (usize, f64), f64) {
        self.cut();
        self.kept.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
        let score = self.others.1 + self.kept.iter().map(|&(_, _, adds)| adds).sum::<f64>();
        let terms = self.kept.into_iter().map(|(key, value, adds)| Term { name: name(key), value, adds }).collect();
        (terms, self.others, score)
    }
}

/// Refuses an ensemble, whose prediction is no sum of terms.
pub(super) fn check_single(model: &TrainedModel) -> Result<()> {
    match model.members.len() {
        1 => Ok(()),
        count => {
            let problem =
                format!("of {count} models, each of which has terms of its own; give one of them, which `member` of export writes");
            Err(Error::BadSetting { setting: "model", value: "is an ensemble".into(), problem })
        }
    }
}

/// The refusal of a family without terms.
pub(super) fn no_terms(family: &str) -> Error {
    Error::BadSetting { setting: "model", value: family.into(), problem: "has scores that are not told as sums of terms".into() }
}
