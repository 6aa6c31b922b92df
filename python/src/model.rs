//! Models: their bytes, their weights by column, and what they score.
use crate::{
    by_column::{ByColumn, Score, ScoreByField, classes_of},
    data::AnyPyData,
    errors::raise,
    matrix::Csr,
    settings::at_most,
};
use hogwild::{
    Axis, Classes, FieldMatrixScorer, LinearModel, Loss, MatrixScorer, Tensor, Tensors, TrainedModel,
    data::Ids,
    loss::{Link, Predicts},
};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyBytes, PyDict},
};
use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

/// A trained model: what a model file holds.
#[pyclass(frozen, module = "hogwild._hogwild")]
pub struct Model {
    inner: Arc<TrainedModel>,
    /// Weights and factors by the features' own numbers, made when a matrix is first scored.
    by_column: OnceLock<ByColumn>,
}

impl Model {
    pub fn new(inner: Arc<TrainedModel>) -> Model {
        Model { inner, by_column: OnceLock::new() }
    }

    pub fn inner(&self) -> Arc<TrainedModel> {
        self.inner.clone()
    }

    /// By column, where features have numbers.
    fn by_column(&self) -> PyResult<&ByColumn> {
        match self.by_column.get() {
            Some(known) => Ok(known),
            None => ByColumn::of(&self.inner).map(|made| self.by_column.get_or_init(|| made)),
        }
    }
}

#[pymethods]
impl Model {
    /// Reads a model file.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Model> {
        py.detach(|| TrainedModel::open(&path)).map(|model| Model::new(Arc::new(model))).map_err(raise)
    }

    /// The model of which `to_bytes` gave these bytes.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: Vec<u8>) -> PyResult<Model> {
        py.detach(|| TrainedModel::from_bytes(bytes)).map(|model| Model::new(Arc::new(model))).map_err(raise)
    }

    /// A linear model of such weights, by column: those that are 0 are left out, unless it is to have `all`.
    #[staticmethod]
    #[pyo3(signature = (coef, intercept, loss, classes, names, unit_rows, settings, all=false))]
    #[allow(clippy::too_many_arguments)]
    fn linear(
        coef: PyReadonlyArray1<'_, f32>,
        intercept: f32,
        loss: &str,
        classes: Option<(f32, f32)>,
        names: Option<Vec<String>>,
        unit_rows: bool,
        settings: &str,
        all: bool,
    ) -> PyResult<Model> {
        let coef = coef.as_slice()?;
        let kept: Vec<usize> = (0..coef.len()).filter(|&column| all || coef[column] != 0.0).collect();
        let ids = match &names {
            Some(names) => kept.iter().filter_map(|&column| names.get(column)).map(String::as_str).collect(),
            None => Ids::Numbers(kept.iter().map(|&column| column as u64).collect()),
        };
        let weights: Vec<f32> = kept.iter().map(|&column| coef[column]).collect();
        let loss = Loss::parse(loss).map_err(raise)?;
        let view = LinearModel { ids: &ids, bias: intercept, weights: &weights, unit_rows };
        let classes = classes.map(|(negative, positive)| Classes { negative: Some(negative), positive });
        let settings = serde_json::from_str(settings).unwrap_or_default();
        let classes = classes.or(loss.is_classification().then_some(Classes::SIGNS));
        Ok(Model::new(Arc::new(TrainedModel { classes, settings, ..view.trained(loss) })))
    }

    /// The same linear model as one of several classes, `family` softmax or ovr: of weights class by class, and a bias a class.
    #[pyo3(signature = (family, coef, intercept, classes, names, all=false))]
    fn of_classes(
        &self,
        family: &str,
        coef: PyReadonlyArray2<'_, f32>,
        intercept: PyReadonlyArray1<'_, f32>,
        classes: Vec<String>,
        names: Option<Vec<String>>,
        all: bool,
    ) -> PyResult<Model> {
        let (coef, intercept) = (coef.as_array(), intercept.as_slice()?);
        let kept: Vec<usize> = (0..coef.ncols()).filter(|&column| all || coef.column(column).iter().any(|&w| w != 0.0)).collect();
        let weights: Vec<f32> = kept.iter().flat_map(|&column| coef.column(column).to_vec()).collect();
        let ids: Ids = match &names {
            Some(names) => kept.iter().filter_map(|&column| names.get(column)).map(String::as_str).collect(),
            None => Ids::Numbers(kept.iter().map(|&column| column as u64).collect()),
        };
        let class_ids: Ids = classes.iter().map(String::as_str).collect();
        let family = hogwild::family(family).map(|family| family.name()).ok_or_else(|| PyValueError::new_err("no such family"))?;
        let tensor = |name, shape, numbers| Tensor { name, shape, numbers };
        let tensors =
            vec![tensor("bias", vec![intercept.len()], intercept.to_vec()), tensor("weight", vec![kept.len(), classes.len()], weights)];
        let axes = vec![Axis { name: "feature", ids: ids.into() }, Axis { name: "class", ids: class_ids.into() }];
        let (classes, class_names, members) = (None, Vec::new(), vec![Tensors(tensors)]);
        let inner = TrainedModel { family, classes, class_names, axes, members, ..TrainedModel::clone(&self.inner) };
        Ok(Model::new(Arc::new(inner)))
    }

    /// The same model with features by name, and with the labels of its two classes, or with what they are called.
    #[pyo3(signature = (names, classes, class_names=Vec::new()))]
    fn renamed(&self, names: Option<Vec<String>>, classes: Option<(f32, f32)>, class_names: Vec<String>) -> Model {
        let mut model = TrainedModel::clone(&self.inner);
        if let Some(names) = names {
            for axis in model.axes.iter_mut().filter(|axis| axis.name == "feature") {
                if let Ids::Numbers(numbers) = &*axis.ids {
                    let name = |&number: &u64| names.get(number as usize).map_or("", String::as_str);
                    axis.ids = Arc::new(numbers.iter().map(name).collect());
                }
            }
        }
        if let Some((negative, positive)) = classes {
            model.classes = Some(Classes { negative: Some(negative), positive });
        }
        model.class_names = class_names;
        Model::new(Arc::new(model))
    }

    /// The bytes of its file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| self.inner.to_bytes()).map_err(raise)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes its file: beside the target first, then renamed.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.inner.save(&path)).map_err(raise)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<Model>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }

    /// The family: linear, fm, ffm, softmax, ovr or mf.
    #[getter]
    fn family(&self) -> &'static str {
        self.inner.family
    }

    /// The loss that it was trained with.
    #[getter]
    fn loss(&self) -> String {
        self.inner.loss.to_string()
    }

    /// The settings of its run, as JSON.
    #[getter]
    fn settings_json(&self) -> String {
        self.inner.settings.to_string()
    }

    /// The labels of the classes that are -1 and +1 to the loss.
    #[getter]
    fn classes(&self) -> Option<(Option<f32>, f32)> {
        self.inner.classes.map(|classes| (classes.negative, classes.positive))
    }

    /// Whether rows are divided by their lengths before they are scored.
    #[getter]
    fn unit_rows(&self) -> bool {
        self.inner.unit_rows
    }

    /// The ids of an axis, most frequent first: numbers or names. None where there is no such axis.
    fn ids<'py>(&self, py: Python<'py>, axis: &str) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(ids) = self.inner.ids(axis) else { return Ok(None) };
        Ok(Some(match &**ids {
            Ids::Numbers(numbers) => numbers.clone().into_pyarray(py).into_any(),
            Ids::Names { .. } => (0..ids.len()).map(|i| ids.name(i)).collect::<Vec<_>>().into_pyobject(py)?,
        }))
    }

    /// A tensor of the last member, flat, with its shape. None where there is no such tensor.
    fn tensor<'py>(&self, py: Python<'py>, name: &str) -> Option<(Bound<'py, PyArray1<f32>>, Vec<usize>)> {
        let tensor = self.inner.last().get(name)?;
        Some((PyArray1::from_slice(py, &tensor.numbers), tensor.shape.clone()))
    }

    /// How many members predict together.
    #[getter]
    fn members(&self) -> usize {
        self.inner.members.len()
    }

    /// The weights by column, of so many columns, and the bias; of an ensemble, of its last member.
    fn coefficients<'py>(&self, py: Python<'py>, columns: usize) -> PyResult<(Bound<'py, PyArray1<f32>>, f32)> {
        let mut coef = vec![0.0; columns];
        if let (Some(ids), weights) = (self.inner.ids("feature"), self.inner.last().numbers("weight"))
            && let Ids::Numbers(numbers) = &**ids
        {
            for (&id, &w) in numbers.iter().zip(weights) {
                if let Some(cell) = coef.get_mut(id as usize) {
                    *cell = w;
                }
            }
        }
        Ok((coef.into_pyarray(py), self.inner.last().number("bias")))
    }

    /// Of a model of several classes: weights by column, class by class, and a bias a class.
    fn class_coefficients<'py>(&self, py: Python<'py>, columns: usize) -> (Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>) {
        let (classes, weights) = (classes_of(&self.inner), self.inner.last().numbers("weight"));
        let mut coef = vec![0.0; columns * classes];
        if let Some(ids) = self.inner.ids("feature")
            && let Ids::Numbers(numbers) = &**ids
        {
            for (&id, row) in numbers.iter().zip(weights.chunks_exact(classes)).filter(|(id, _)| (**id as usize) < columns) {
                row.iter().enumerate().for_each(|(class, &w)| coef[class * columns + id as usize] = w);
            }
        }
        (coef.into_pyarray(py), self.inner.last().numbers("bias").to_vec().into_pyarray(py))
    }

    /// What the classes are called, of two that of -1 first. None where their labels were numbers.
    #[getter]
    fn class_names(&self) -> Vec<String> {
        match self.inner.ids("class") {
            Some(names) => (0..names.len()).map(|class| names.name(class)).collect(),
            None => self.inner.class_words().to_vec(),
        }
    }

    /// The scores of a CSR matrix whose columns are the features' numbers, or what they predict, and whether all scores are finite. Features
    /// that the model does not know add nothing.
    #[pyo3(signature = (csr, threads, predict=false))]
    fn score_csr<'py>(&self, py: Python<'py>, csr: Csr<'_>, threads: usize, predict: bool) -> PyResult<(Bound<'py, PyArray1<f32>>, bool)> {
        let ByColumn { width, bias, weights, factors, rank, classes, places } = self.by_column()?;
        let mut members = Vec::new();
        for member in self.inner.members.iter().filter(|_| !places.is_empty()) {
            let scorer = FieldMatrixScorer { member, places, unit_rows: self.inner.unit_rows };
            members.push(csr.with(ScoreByField { scorer, threads: at_most(threads) })?.map_err(raise)?);
        }
        for (member, factors) in factors.iter().enumerate() {
            let weights = &weights[member * width * classes..][..width * classes];
            let bias = &bias[member * classes..][..*classes];
            let scorer = MatrixScorer { bias, weights, factors, rank: *rank, unit_rows: self.inner.unit_rows };
            members.push(csr.with(Score { scorer, width: *width, threads: at_most(threads) })?.map_err(raise)?);
        }
        let loss = self.inner.loss;
        let (scores, are_finite) = py.detach(|| {
            let mut scores: Vec<f32> = match members.len() {
                1 => members.remove(0),
                _ => (0..members[0].len()).map(|i| loss.mean_score(members.iter().map(|scores| scores[i]))).collect(),
            };
            let are_finite = scores.iter().fold(true, |all, score| all & score.is_finite());
            if predict {
                scores.iter_mut().for_each(|score| *score = loss.predict(*score));
            }
            (scores, are_finite)
        });
        Ok((scores.into_pyarray(py), are_finite))
    }

    /// The scores of rows or ratings.
    fn score_data<'py>(&self, py: Python<'py>, data: AnyPyData<'_>, threads: usize) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let data = data.held();
        let scored = py.detach(|| at_most(threads).run(|| self.inner.score(data.data()))).map_err(raise)?;
        if let Some(classes) = &scored.classes {
            return Ok((0..classes.len()).flat_map(|row| classes.scores(row)).copied().collect::<Vec<_>>().into_pyarray(py));
        }
        Ok(scored.scores.into_iter().map(|(score, _)| score).collect::<Vec<_>>().into_pyarray(py))
    }

    /// What scores predict: probabilities, means or the scores themselves.
    fn predictions<'py>(&self, py: Python<'py>, scores: PyReadonlyArray1<'_, f32>) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let (loss, scores) = (self.inner.loss, scores.as_slice()?);
        Ok(py.detach(|| scores.iter().map(|&z| loss.predict(z)).collect::<Vec<_>>()).into_pyarray(py))
    }
}

/// Scores a CSR matrix by weights: `coef` has a model a row.
#[pyfunction]
pub fn score_matrix<'py>(
    py: Python<'py>,
    csr: Csr<'_>,
    coef: PyReadonlyArray2<'_, f32>,
    intercept: PyReadonlyArray1<'_, f32>,
    unit_rows: bool,
    threads: usize,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let (bias, weights) = (intercept.as_slice()?, coef.as_slice()?);
    let width = weights.len() / bias.len().max(1);
    let scorer = MatrixScorer { bias, weights, factors: &[], rank: 0, unit_rows };
    let scores = csr.with(Score { scorer, width, threads: at_most(threads) })?.map_err(raise)?;
    Ok(scores.into_pyarray(py))
}

/// What each loss predicts: by name, a dict of `predicts` (class, probability, number), `link` (identity, logit, log) and its text with all settings.
#[pyfunction]
#[pyo3(signature = (loss=None))]
pub fn losses<'py>(py: Python<'py>, loss: Option<&str>) -> PyResult<Bound<'py, PyDict>> {
    let all = match loss {
        Some(text) => vec![Loss::parse(text).map_err(raise)?],
        None => Loss::ALL.to_vec(),
    };
    let dict = PyDict::new(py);
    for loss in all {
        let meaning = loss.meaning();
        let one = PyDict::new(py);
        one.set_item(
            "predicts",
            match meaning.predicts {
                Predicts::Class => "class",
                Predicts::Probability => "probability",
                Predicts::Number => "number",
            },
        )?;
        one.set_item(
            "link",
            match meaning.link {
                Link::Identity => "identity",
                Link::Logit => "logit",
                Link::Log => "log",
            },
        )?;
        one.set_item("text", loss.to_string())?;
        dict.set_item(loss.name(), one)?;
    }
    Ok(dict)
}
