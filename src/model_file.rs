//! Trained models and their files: plain safetensors, keyed by the user's own ids, so that a model scores any other file.
//!
//! Linear: `weight` f32 [features], `bias` f32 [1], ids; `"unit_rows": true` in the entry `hogwild` where rows are to be divided by their lengths,
//! `"unit"` where the loss counts another number than 1 as 1. Factorization: `user_bias`, `item_bias`, `user_factor` [users, rank],
//! `item_factor` [items, rank], `mean` f32 [1], ids of users and of items. Ids are `*_id` u64 or `*_name_start` u64 with `*_name` u8.
//! The metadata entry `hogwild` has checksum (see `model_check`), kind, loss and the settings of the run as JSON. All that is format version 1. An ensemble of
//! snapshots is version 2: every f32 tensor has a leading dimension, one for each member, ids are there once.
use crate::{
    Classes, Error, Loss, OutputFile, Result,
    classes::{check_given, check_ratings},
    data::{Data, Ids, Ratings, Rows},
    evaluate::{self, Scored},
    memory,
    model_check::{self, Kind},
    model_read,
    train::Window,
};
use safetensors::{Dtype, tensor::TensorView};
use std::{borrow::Cow, collections::HashMap, io::Write, path::Path, sync::Arc};

/// A linear model.
#[derive(Clone, Debug)]
pub struct LinearModel {
    /// The user's id of each feature, most frequent first.
    pub ids: Arc<Ids>,
    /// The score of an example without features.
    pub bias: f32,
    /// One a feature.
    pub weights: Vec<f32>,
    /// Whether a row is divided by its length before it is scored; features unknown to the model count in that.
    pub unit_rows: bool,
}

/// Matrix factorization.
#[derive(Clone, Debug)]
pub struct FactorModel {
    /// The score of an unknown user and item.
    pub mean: f32,
    /// Factors a row.
    pub rank: usize,
    /// The user's ids, most frequent first.
    pub users: Arc<Ids>,
    /// The item's ids, most frequent first.
    pub items: Arc<Ids>,
    /// One a user.
    pub user_bias: Vec<f32>,
    /// One an item.
    pub item_bias: Vec<f32>,
    /// `rank` a user.
    pub user_factor: Vec<f32>,
    /// `rank` an item.
    pub item_factor: Vec<f32>,
}

impl FactorModel {
    /// The score of a user and an item by number; what is out of range is unknown and adds nothing.
    pub fn score(&self, user: usize, item: usize) -> f32 {
        let dot = if user < self.user_bias.len() && item < self.item_bias.len() {
            let (p, q) = (&self.user_factor[user * self.rank..][..self.rank], &self.item_factor[item * self.rank..][..self.rank]);
            p.iter().zip(q).map(|(p, q)| p * q).sum()
        } else {
            0.0
        };
        self.mean + self.user_bias.get(user).unwrap_or(&0.0) + self.item_bias.get(item).unwrap_or(&0.0) + dot
    }
}

/// The kinds of models.
#[derive(Clone, Debug)]
pub enum ModelKind {
    /// Of `train_linear`.
    Linear(LinearModel),
    /// Of `train_factorization`.
    Factorization(FactorModel),
}

/// A model with what is needed to use it.
#[derive(Clone, Debug)]
pub struct TrainedModel {
    /// What it was trained with; says what a score means.
    pub loss: Loss,
    /// What the loss counts as 1, in the unit of labels and scores: the labels' standard deviation or its like for numbers, 1 for classes.
    pub unit: f32,
    /// Which labels its two classes are; of linear models whose loss takes classes. In the file they are the entry `"classes"`, a list
    /// of two texts, that of -1 first; without it they are -1 and +1.
    pub classes: Option<Classes>,
    /// The settings of the run, by name.
    pub settings: serde_json::Value,
    /// The numbers; of an ensemble of snapshots, those of the last.
    pub kind: ModelKind,
    /// Of an ensemble of snapshots the members before, in the order of their cycles, with the same ids; otherwise empty.
    pub earlier: Vec<ModelKind>,
}

pub(crate) const FORMAT: &str = "hogwild-model";
/// Of one model, and of an ensemble.
pub(crate) const VERSIONS: [&str; 2] = ["1", "2"];

impl ModelKind {
    /// The tensors that are numbers.
    pub(crate) fn floats(&self) -> Vec<(&'static str, Vec<usize>, &[f32])> {
        use std::slice::from_ref;
        match self {
            ModelKind::Linear(m) => vec![("weight", vec![m.weights.len()], &m.weights), ("bias", vec![1], from_ref(&m.bias))],
            ModelKind::Factorization(m) => vec![
                ("mean", vec![1], from_ref(&m.mean)),
                ("user_bias", vec![m.user_bias.len()], &m.user_bias),
                ("item_bias", vec![m.item_bias.len()], &m.item_bias),
                ("user_factor", vec![m.user_bias.len(), m.rank], &m.user_factor),
                ("item_factor", vec![m.item_bias.len(), m.rank], &m.item_factor),
            ],
        }
    }
}

impl TrainedModel {
    /// `linear` or `mf`.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            ModelKind::Linear(_) => Kind::Linear.name(),
            ModelKind::Factorization(_) => Kind::Factorization.name(),
        }
    }

    /// The models that predict together, in the order of their cycles: one, unless it is an ensemble.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &ModelKind> {
        let n = self.earlier.len();
        (0..n + 1).map(move |i| if i < n { &self.earlier[i] } else { &self.kind })
    }

    /// Scores a data set of the model's kind. An ensemble's scores are those that predict the mean of what its members predict: of the
    /// probabilities for logistic, of the scores otherwise.
    ///
    /// # Errors
    /// When the data is of the other kind, or its dictionary cannot be read.
    pub fn score(&self, data: &Data) -> Result<Scored> {
        Ok(Scored::mean(self.loss, self.score_members(data)?))
    }

    /// Scores a data set with each of the [`members`](Self::members).
    ///
    /// # Errors
    /// As [`score`](Self::score).
    pub fn score_members(&self, data: &Data) -> Result<Vec<Scored>> {
        let scored = self.members().map(|member| match (member, data) {
            (ModelKind::Linear(model), Data::Rows(data)) => model.score(self.loss, self.classes, data),
            (ModelKind::Factorization(model), Data::Ratings(data)) => model.score_ratings(self.loss, data),
            (_, Data::Rows(data)) => Err(wrong_kind(data.name(), "sparse rows", "give a file of ratings, or a linear model")),
            (_, Data::Ratings(data)) => Err(wrong_kind(data.name(), "ratings", "give a file of sparse rows, or an mf model")),
        });
        scored.map(|scored| Ok(Scored { unit: self.unit, ..scored? })).collect()
    }

    /// Whether the data's labels are such as the model's loss takes: what metrics ask for beside [`score`](Self::score).
    ///
    /// # Errors
    /// Names the first label that is not.
    pub fn check_labels(&self, data: &Data) -> Result<()> {
        match data {
            Data::Rows(data) => match self.classes.filter(|_| self.loss.is_classification()) {
                Some(classes) => classes.check(data),
                None => check_given(data),
            },
            Data::Ratings(data) => check_ratings(self.loss, data),
        }
    }

    /// Writes the model: to a temporary file beside the target, synced, then renamed.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn save(&self, path: &Path) -> Result<()> {
        let members: Vec<_> = self.members().map(ModelKind::floats).collect();
        let mut tensors: Tensors<'_> = Vec::new();
        for (i, (name, shape, values)) in self.kind.floats().into_iter().enumerate() {
            let tensor = if self.earlier.is_empty() {
                (name.into(), Dtype::F32, shape, Cow::Borrowed(bytemuck::cast_slice(values)))
            } else {
                let all: Vec<u8> = members.iter().flat_map(|member| bytemuck::cast_slice(member[i].2)).copied().collect();
                (name.into(), Dtype::F32, [vec![members.len()], shape].concat(), Cow::Owned(all))
            };
            tensors.push(tensor);
        }
        match &self.kind {
            ModelKind::Linear(m) => put_ids(&mut tensors, "feature", &m.ids),
            ModelKind::Factorization(m) => {
                put_ids(&mut tensors, "user", &m.users);
                put_ids(&mut tensors, "item", &m.items);
            }
        }
        let failed = |e: safetensors::SafeTensorError| Error::io(path, "write")(std::io::Error::other(e));
        let views: Vec<(&str, TensorView<'_>)> = tensors
            .iter()
            .map(|(name, dtype, shape, bytes)| Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?)))
            .collect::<std::result::Result<_, _>>()
            .map_err(failed)?;
        // One entry, so that the same model is the same file: the format's own entries have no order.
        let mut header = serde_json::json!({
            "checksum": model_check::BLANK, "format": FORMAT, "version": VERSIONS[!self.earlier.is_empty() as usize], "kind": self.kind_name(), "loss": self.loss.name(), "settings": self.settings,
        });
        if self.unit != 1.0 {
            header["unit"] = self.unit.into();
        }
        if matches!(&self.kind, ModelKind::Linear(LinearModel { unit_rows: true, .. })) {
            header["unit_rows"] = true.into();
        }
        if let Some(classes) = self.classes {
            header["classes"] = classes.to_json();
        }
        let metadata = HashMap::from([("hogwild".to_string(), header.to_string())]);
        let mut bytes = safetensors::serialize(views, Some(metadata)).map_err(failed)?;
        model_check::seal(&mut bytes);
        let mut file = OutputFile::create(path)?;
        file.write_all(&bytes).map_err(Error::io(path, "write"))?;
        file.finish()
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// When it is not one, is damaged, or was written by a later version.
    pub fn open(path: &Path) -> Result<TrainedModel> {
        let length = std::fs::metadata(path).map_err(Error::io(path, "read"))?.len();
        // The file, and what is made of it.
        memory::ask(2 * length, || format!("{}: the model's numbers", path.display()), "use it where there is more")?;
        let mut bytes = std::fs::read(path).map_err(Error::io(path, "read"))?;
        model_read::read(&mut bytes).map_err(|problem| {
            let remedy = "give a model that `hogwild train --out` wrote";
            Error::BadFile { path: path.to_owned(), problem, remedy }
        })
    }
}

impl LinearModel {
    /// Scores sparse rows with any dictionary. To a loss of two classes a label is +1 if it is the positive one of `classes` and -1 if it
    /// is any other; without classes +1 is label 1. Give the [`classes`](TrainedModel::classes) that the model was trained on: then this
    /// is [`TrainedModel::score`]. Other losses take labels as they are. Labels are not checked: see [`Classes::check`].
    ///
    /// # Errors
    /// When the dictionary cannot be read.
    pub fn score(&self, loss: Loss, classes: Option<Classes>, data: &Rows) -> Result<Scored> {
        let taken = Classes::taken(classes, loss);
        let columns = data.feature_ids()?.translate(&self.ids);
        let weights: Vec<f32> = std::iter::once(self.bias).chain(self.weights.iter().copied()).collect();
        let window = Window::Auto.of(data, 16 * (weights.len() + columns.len()) as u64);
        let scored = evaluate::linear(&weights, self.unit_rows, taken, data, window, Some(&columns), None);
        data.whole().map(|()| scored)
    }
}

impl FactorModel {
    /// Scores ratings with any dictionaries. To a loss of two classes rating 1 is +1 and any other -1; other losses take ratings as they are.
    ///
    /// # Errors
    /// When the dictionaries cannot be read.
    pub fn score_ratings(&self, loss: Loss, data: &Ratings) -> Result<Scored> {
        Ok(evaluate::ratings(self, &evaluate::translate_ratings(data, &self.users, &self.items, loss)?))
    }
}

fn wrong_kind(path: &Path, has: &str, remedy: &'static str) -> Error {
    Error::BadFile { path: path.to_owned(), problem: format!("holds {has}, which is not what this model scores"), remedy }
}

type Tensors<'a> = Vec<(String, Dtype, Vec<usize>, Cow<'a, [u8]>)>;

fn put_ids<'a>(tensors: &mut Tensors<'a>, name: &str, ids: &'a Ids) {
    let mut put = |name, dtype, n, bytes| tensors.push((name, dtype, vec![n], Cow::Borrowed(bytes)));
    match ids {
        Ids::Numbers(numbers) => put(format!("{name}_id"), Dtype::U64, numbers.len(), bytemuck::cast_slice(numbers)),
        Ids::Names { start, bytes } => {
            put(format!("{name}_name_start"), Dtype::U64, start.len(), bytemuck::cast_slice(start));
            put(format!("{name}_name"), Dtype::U8, bytes.len(), bytes);
        }
    }
}
