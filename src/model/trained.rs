//! A trained model as it is held: its tensors by name, and the ids of their rows.
use crate::classes::Classes;
use hogwild_data::{Ids, Recipe};
use hogwild_kernels::loss::Loss;
use std::sync::Arc;

/// The most models of one file.
pub(crate) const MOST_MEMBERS: usize = 1000;

/// Numbers with a name and a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The name in the file.
    pub name: &'static str,
    /// Rows first.
    pub shape: Vec<usize>,
    /// One row after the other.
    pub numbers: Vec<f32>,
}

/// The tensors of one model, in its family's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors(pub Vec<Tensor>);

impl Tensors {
    /// A tensor by its name.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.iter().find(|tensor| tensor.name == name)
    }

    /// The numbers of a tensor; none where there is no such tensor.
    pub fn numbers(&self, name: &str) -> &[f32] {
        self.get(name).map_or(&[], |tensor| &tensor.numbers)
    }

    /// The first number of a tensor; 0 where there is none.
    pub fn number(&self, name: &str) -> f32 {
        self.numbers(name).first().copied().unwrap_or(0.0)
    }

    /// Whether every number is finite.
    pub fn are_finite(&self) -> bool {
        // Without a way out within a tensor, so that many numbers are looked at at once.
        self.0.iter().all(|tensor| tensor.numbers.iter().fold(true, |all, x| all & x.is_finite()))
    }
}

/// What rows of tensors belong to: features, users, items.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// `feature`, `user`, `item`.
    pub name: &'static str,
    /// The user's id of each row, most frequent first.
    pub ids: Arc<Ids>,
}

/// A model with what is needed to use it.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    /// The name of its family: `linear` or `mf`.
    pub family: &'static str,
    /// What it was trained with; says what a score means.
    pub loss: Loss,
    /// What the loss counts as 1, in the unit of labels and scores: the labels' standard deviation or its like for numbers, 1 for classes.
    pub unit: f32,
    /// Which labels its two classes are; of models of sparse rows whose loss takes classes. In the file they are the entry `"classes"`, a
    /// list of two texts, that of -1 first; without it they are -1 and +1.
    pub classes: Option<Classes>,
    /// What its two classes are called, that of -1 first, where they have names that no recipe knows: two, or none. In the file they are the
    /// entry `"class_names"`.
    pub class_names: Vec<String>,
    /// Whether a row is divided by its length before it is scored; features unknown to the model count in that.
    pub unit_rows: bool,
    /// The settings of the run, by name.
    pub settings: serde_json::Value,
    /// What was done to the text that it was trained on, where that was more than to read it: the same is to be done to what it scores.
    pub recipe: Option<Recipe>,
    /// What rows of tensors belong to, in the family's order.
    pub axes: Vec<Axis>,
    /// The models that predict together, in the order of their cycles: one, unless it is an ensemble of snapshots.
    pub members: Vec<Tensors>,
}

impl TrainedModel {
    /// The last member, which is the model where there is one.
    pub fn last(&self) -> &Tensors {
        static NONE: Tensors = Tensors(Vec::new());
        self.members.last().unwrap_or(&NONE)
    }

    /// The same whose recipe has the features that it goes by, and the idf of each, where it has that.
    pub(crate) fn with_vocabulary(mut self, idf: Vec<f32>) -> TrainedModel {
        if let Some(ids) = self.ids("feature").cloned() {
            self.recipe = self.recipe.map(|recipe| recipe.with_vocabulary(ids, idf));
        }
        self
    }

    /// Whether it was trained on examples with any number of classes: by one-vs-rest, and text whose rows have several labels or none.
    pub fn has_several_labels(&self) -> bool {
        self.recipe.as_ref().is_some_and(Recipe::has_several_labels)
    }

    /// What its two classes are called, that of -1 first: by itself, or by the text that it was trained on. None where labels were numbers.
    pub fn class_words(&self) -> &[String] {
        let of_text = self.recipe.as_ref().map_or(&[][..], Recipe::classes);
        if self.class_names.is_empty() { of_text } else { &self.class_names }
    }

    /// The ids of an axis; without such an axis, none.
    pub fn ids(&self, axis: &str) -> Option<&Arc<Ids>> {
        self.axes.iter().find(|found| found.name == axis).map(|axis| &axis.ids)
    }
}
