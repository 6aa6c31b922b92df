//! A linear model or a factorization machine that goes on learning, for `partial_fit`. It pickles with the rule's state, so that it goes on from there.
use crate::{
    errors::raise,
    matrix::{Csr, WithMatrix},
    model::Model,
    settings::{pairs, set_all},
};
use hogwild::{
    OnlineModel, OnlineState, Settings,
    data::{Index, Matrix, Number},
};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::{prelude::*, types::PyDict};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A model that learns batch by batch.
#[pyclass(frozen, module = "hogwild._hogwild")]
pub struct Online {
    inner: Mutex<OnlineModel>,
    /// Its settings, by name.
    settings: Vec<(String, String)>,
    width: usize,
    has_factors: bool,
}

/// What is kept of one, but for its numbers.
type State = (Option<f32>, Option<[f32; 3]>, u64, u64, Vec<u64>, Option<f32>);

/// What makes one again, and of what.
type Reduced<'py> = (Bound<'py, PyAny>, (Bound<'py, PyDict>, usize, Bound<'py, PyArray1<f32>>, State, bool));

/// Learns a batch.
struct Learn<'a> {
    model: &'a Mutex<OnlineModel>,
    labels: &'a [f32],
    weights: Option<&'a [f32]>,
}

impl WithMatrix for Learn<'_> {
    type Output = hogwild::Result<f64>;

    fn with<I: Index, V: Number>(self, matrix: &Matrix<'_, I, V>) -> Self::Output {
        locked(self.model).learn(matrix, self.labels, self.weights)
    }
}

fn locked(model: &Mutex<OnlineModel>) -> MutexGuard<'_, OnlineModel> {
    model.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl Online {
    #[new]
    #[pyo3(signature = (settings, width, factors=false))]
    fn new(settings: &Bound<'_, PyDict>, width: usize, factors: bool) -> PyResult<Online> {
        let given = pairs(settings)?;
        let (name, make): (_, fn(&Settings, usize) -> _) = if factors { ("fm", OnlineModel::fm) } else { ("linear", OnlineModel::linear) };
        let defaults = hogwild::family(name).map_or_else(Settings::default, |family| family.defaults());
        let mut settings = Settings { threads: 1, ..defaults };
        set_all(&mut settings, &given)?;
        Ok(Online { inner: Mutex::new(make(&settings, width).map_err(raise)?), settings: given, width, has_factors: factors })
    }

    /// Learns rows, once each; gives their mean loss before.
    #[pyo3(signature = (csr, labels, weights))]
    fn learn(&self, csr: Csr<'_>, labels: PyReadonlyArray1<'_, f32>, weights: Option<PyReadonlyArray1<'_, f32>>) -> PyResult<f64> {
        let weights = weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
        csr.with(Learn { model: &self.inner, labels: labels.as_slice()?, weights })?.map_err(raise)
    }

    /// Weights by column, and the bias.
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyArray1<f32>>, f32)> {
        let (bias, weights) = py.detach(|| locked(&self.inner).weights()).map_err(raise)?;
        Ok((weights.into_pyarray(py), bias))
    }

    /// The model as it is.
    fn model(&self, py: Python<'_>) -> PyResult<Model> {
        py.detach(|| locked(&self.inner).model()).map(|model| Model::new(Arc::new(model))).map_err(raise)
    }

    /// Begins at these weights, and at factors column by column.
    fn start_at(
        &self,
        py: Python<'_>,
        coef: PyReadonlyArray1<'_, f32>,
        intercept: f32,
        factors: PyReadonlyArray1<'_, f32>,
    ) -> PyResult<()> {
        let (coef, factors) = (coef.as_slice()?, factors.as_slice()?);
        py.detach(|| locked(&self.inner).start_at(intercept, coef, factors)).map_err(raise)
    }

    /// The learning rate; None before the first batch where none is given.
    #[getter]
    fn rate(&self, py: Python<'_>) -> Option<f32> {
        py.detach(|| locked(&self.inner).rate())
    }

    /// One that goes on from where another one was.
    #[staticmethod]
    #[pyo3(signature = (settings, width, numbers, state, factors=false))]
    fn resume(
        settings: &Bound<'_, PyDict>,
        width: usize,
        numbers: PyReadonlyArray1<'_, f32>,
        state: State,
        factors: bool,
    ) -> PyResult<Online> {
        let (rate, targets, rows, batches, counts, factor_rate) = state;
        let resumed = Online::new(settings, width, factors)?;
        locked(&resumed.inner)
            .resume(numbers.as_slice()?, OnlineState { rate, targets, rows, batches, counts, factor_rate })
            .map_err(raise)?;
        Ok(resumed)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        let settings = PyDict::new(py);
        self.settings.iter().try_for_each(|(name, text)| settings.set_item(name, text))?;
        let (numbers, OnlineState { rate, targets, rows, batches, counts, factor_rate }) = py.detach(|| {
            let model = locked(&self.inner);
            let (numbers, state) = model.state();
            (numbers, state.clone())
        });
        let state = (rate, targets, rows, batches, counts, factor_rate);
        Ok((py.get_type::<Online>().getattr("resume")?, (settings, self.width, numbers.into_pyarray(py), state, self.has_factors)))
    }
}
