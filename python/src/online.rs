//! A linear model that goes on learning, for `partial_fit`. It pickles with the rule's state, so that it goes on from there.
use crate::{
    errors::raise,
    matrix::{Csr, WithMatrix},
    settings::{pairs, set_all},
};
use hogwild::{
    OnlineLinear, OnlineState, Settings,
    data::{Index, Matrix, Number},
};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::{prelude::*, types::PyDict};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A linear model that learns batch by batch.
#[pyclass(frozen, module = "hogwild._hogwild")]
pub struct Online {
    inner: Mutex<OnlineLinear>,
    /// Its settings, by name.
    settings: Vec<(String, String)>,
    width: usize,
}

/// What is kept of one, but for its numbers.
type State = (Option<f32>, Option<[f32; 3]>, u64, u64, Vec<u64>);

/// What makes one again, and of what.
type Reduced<'py> = (Bound<'py, PyAny>, (Bound<'py, PyDict>, usize, Bound<'py, PyArray1<f32>>, State));

/// Learns a batch.
struct Learn<'a> {
    model: &'a Mutex<OnlineLinear>,
    labels: &'a [f32],
    weights: Option<&'a [f32]>,
}

impl WithMatrix for Learn<'_> {
    type Output = hogwild::Result<f64>;

    fn with<I: Index, V: Number>(self, matrix: &Matrix<'_, I, V>) -> Self::Output {
        locked(self.model).learn(matrix, self.labels, self.weights)
    }
}

fn locked(model: &Mutex<OnlineLinear>) -> MutexGuard<'_, OnlineLinear> {
    model.lock().unwrap_or_else(PoisonError::into_inner)
}

#[pymethods]
impl Online {
    #[new]
    fn new(settings: &Bound<'_, PyDict>, width: usize) -> PyResult<Online> {
        let given = pairs(settings)?;
        let mut settings = Settings { threads: 1, ..Settings::default() };
        set_all(&mut settings, &given)?;
        Ok(Online { inner: Mutex::new(OnlineLinear::new(&settings, width).map_err(raise)?), settings: given, width })
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

    /// Begins at these weights.
    fn start_at(&self, py: Python<'_>, coef: PyReadonlyArray1<'_, f32>, intercept: f32) -> PyResult<()> {
        let coef = coef.as_slice()?;
        py.detach(|| locked(&self.inner).start_at(intercept, coef)).map_err(raise)
    }

    /// The learning rate; None before the first batch where none is given.
    #[getter]
    fn rate(&self, py: Python<'_>) -> Option<f32> {
        py.detach(|| locked(&self.inner).rate())
    }

    /// One that goes on from where another one was.
    #[staticmethod]
    fn resume(settings: &Bound<'_, PyDict>, width: usize, numbers: PyReadonlyArray1<'_, f32>, state: State) -> PyResult<Online> {
        let (rate, targets, rows, batches, counts) = state;
        let resumed = Online::new(settings, width)?;
        locked(&resumed.inner).resume(numbers.as_slice()?, OnlineState { rate, targets, rows, batches, counts }).map_err(raise)?;
        Ok(resumed)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        let settings = PyDict::new(py);
        self.settings.iter().try_for_each(|(name, text)| settings.set_item(name, text))?;
        let (numbers, OnlineState { rate, targets, rows, batches, counts }) = py.detach(|| {
            let model = locked(&self.inner);
            let (numbers, state) = model.state();
            (numbers, state.clone())
        });
        let state = (rate, targets, rows, batches, counts);
        Ok((py.get_type::<Online>().getattr("resume")?, (settings, self.width, numbers.into_pyarray(py), state)))
    }
}
