//! A run without the GIL: it is taken to tell of epochs, and now and then to see whether Python has a signal.
use crate::{data::AnyPyData, errors::raise, model::Model, settings::settings_of};
use hogwild::{Ended, EpochProgress, EpochReport, Outcome, RateSearchReport, TrainedModel, Watch, family, family_for};
use pyo3::{
    exceptions::PyValueError,
    prelude::*,
    types::{PyDict, PyList},
};
use std::{
    ops::ControlFlow,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

/// How often Python is asked for signals: taking the GIL may take a while.
const LOOK: Duration = Duration::from_millis(100);

/// What a run gave.
#[pyclass(frozen, get_all, module = "hogwild._hogwild")]
pub struct Run {
    /// The model; None where the first epoch already diverged.
    model: Option<Py<Model>>,
    /// A dict an epoch: loss, seconds, examples, and held-out metrics.
    epochs: Py<PyList>,
    /// How it ended: finished, stopped early, stopped, interrupted, diverged, data lost.
    ended: String,
    /// What was wrong, where it diverged or data were lost; or that it loses more than a constant.
    problem: Option<String>,
    /// With early stopping the epoch whose model it is, from 1.
    best_epoch: Option<usize>,
    /// The settings as used, by name.
    settings: Py<PyAny>,
    /// Held-out metrics of the model.
    metrics: Option<Py<PyDict>>,
}

#[pymethods]
impl Run {
    fn __repr__(&self) -> String {
        format!("<hogwild.Run: {}>", self.ended)
    }
}

/// Tells Python of the run.
struct Follow<'a> {
    callback: Option<&'a Py<PyAny>>,
    /// Whether it is told of models too.
    takes_models: bool,
    model: Option<TrainedModel>,
    /// What a callback raised, or a signal's handler.
    failed: Option<PyErr>,
    looked: Instant,
}

impl<'a> Follow<'a> {
    fn new(callback: Option<&'a Py<PyAny>>, takes_models: bool) -> Follow<'a> {
        Follow { callback, takes_models, model: None, failed: None, looked: Instant::now() }
    }

    /// Whether the run is to end.
    fn go(&mut self, outcome: PyResult<bool>) -> ControlFlow<()> {
        match outcome {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => ControlFlow::Break(()),
            Err(error) => {
                self.failed = self.failed.take().or(Some(error));
                ControlFlow::Break(())
            }
        }
    }

    fn call(&self, event: &str, report: impl FnOnce(Python<'_>) -> PyResult<Py<PyDict>>) -> PyResult<bool> {
        let Some(callback) = self.callback else { return Ok(false) };
        Python::attach(|py| callback.call1(py, (event, report(py)?))?.bind(py).is_truthy())
    }
}

impl Watch for Follow<'_> {
    fn rate_search(&mut self, report: &RateSearchReport) {
        let _ = {
            let told = self.call("rate_search", |py| {
                let dict = PyDict::new(py);
                dict.set_item("chosen", report.chosen)?;
                dict.set_item("seconds", report.seconds)?;
                dict.set_item("tried", report.rates.iter().map(|tried| (tried.rate, tried.loss)).collect::<Vec<_>>())?;
                Ok(dict.unbind())
            });
            self.go(told)
        };
    }

    fn progress(&mut self, _progress: EpochProgress) -> ControlFlow<()> {
        if self.failed.is_some() {
            return ControlFlow::Break(());
        }
        if self.looked.elapsed() < LOOK {
            return ControlFlow::Continue(());
        }
        self.looked = Instant::now();
        self.go(Python::attach(|py| py.check_signals()).map(|()| false))
    }

    fn takes_models(&self) -> bool {
        self.takes_models
    }

    fn model(&mut self, model: TrainedModel) {
        self.model = Some(model);
    }

    fn epoch(&mut self, report: &EpochReport) -> ControlFlow<()> {
        let model = self.model.take();
        let told = self.call("epoch", |py| {
            let dict = epoch(py, report)?;
            if let Some(model) = model {
                dict.set_item("model", Py::new(py, Model::new(Arc::new(model)))?)?;
            }
            Ok(dict.unbind())
        });
        let signals = if self.looked.elapsed() < LOOK { Ok(()) } else { Python::attach(|py| py.check_signals()) };
        self.go(signals.and(told))
    }
}

/// An epoch's report.
fn epoch<'py>(py: Python<'py>, report: &EpochReport) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("epoch", report.epoch)?;
    dict.set_item("loss", report.loss)?;
    dict.set_item("seconds", report.seconds)?;
    dict.set_item("evaluation_seconds", report.evaluation_seconds)?;
    dict.set_item("examples", report.examples)?;
    dict.set_item("nonzeros", report.nonzeros)?;
    if let Some(valid) = &report.valid {
        dict.set_item("valid", metrics(py, valid)?)?;
    }
    Ok(dict)
}

fn metrics<'py>(py: Python<'py>, metrics: &hogwild::Metrics) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("loss", metrics.loss)?;
    metrics.named().try_for_each(|(name, value)| dict.set_item(name, value))?;
    Ok(dict)
}

/// What kind of model: by the name of its family, or one to go on from.
#[derive(FromPyObject)]
pub enum Kind<'py> {
    Family(String),
    Start(PyRef<'py, Model>),
}

/// Trains, from a model on if there is one. The exception is what a callback raised, or KeyboardInterrupt: the run is what came of it until
/// then. `models`: reports of epochs have the model too.
#[pyfunction]
#[pyo3(signature = (data, valid, model, settings, callback, models=false))]
pub fn train(
    py: Python<'_>,
    data: AnyPyData<'_>,
    valid: Option<AnyPyData<'_>>,
    model: Option<Kind<'_>>,
    settings: &Bound<'_, PyDict>,
    callback: Option<Py<PyAny>>,
    models: bool,
) -> PyResult<(Run, Option<PyErr>)> {
    let (data, valid) = (data.held(), valid.map(|valid| valid.held()));
    let start = match &model {
        Some(Kind::Start(start)) => Some(start.inner()),
        _ => None,
    };
    let name = match &model {
        Some(Kind::Family(name)) => Some(name.as_str()),
        _ => start.as_ref().map(|start| start.family),
    };
    let family = match name {
        Some(name) => family(name).ok_or_else(|| {
            let names = hogwild::FAMILIES.map(|family| family.name()).join(", ");
            PyValueError::new_err(format!("model {name:?}: there are {names}"))
        })?,
        None => family_for(data.data().kind()),
    };
    let settings = settings_of(family, settings)?;
    let (never, mut follow) = (AtomicBool::new(false), Follow::new(callback.as_ref(), models));
    let valid_data = valid.as_ref().map(|valid| valid.data());
    let train = || match &start {
        Some(start) => hogwild::train_from(start, family, data.data(), valid_data, &settings, &mut follow, &never),
        None => hogwild::train(family, data.data(), valid_data, &settings, &mut follow, &never),
    };
    let outcome = py.detach(train).map_err(raise)?;
    // A signal that came behind the last epoch: raised by the next code of Python's, it would take the model with it.
    let failed = follow.failed.take().or_else(|| py.check_signals().err());
    Ok((run(py, outcome)?, failed))
}

fn run(py: Python<'_>, outcome: Outcome) -> PyResult<Run> {
    let epochs = outcome.epochs.iter().map(|report| epoch(py, report)).collect::<PyResult<Vec<_>>>()?;
    let (ended, problem) = match &outcome.ended {
        Ended::Finished => {
            ("finished", outcome.astray.filter(|astray| astray.diverged).map(|_| "it loses more than a constant prediction".into()))
        }
        Ended::StoppedEarly => ("stopped early", None),
        Ended::Stopped => ("stopped", None),
        Ended::Interrupted => ("interrupted", None),
        Ended::Diverged(error) => ("diverged", Some(error.to_string())),
        Ended::DataLost(error) => ("data lost", Some(error.to_string())),
    };
    let json = py.import("json")?;
    let settings = json.call_method1("loads", (outcome.settings.describe().to_string(),))?;
    let valid = outcome.valid();
    Ok(Run {
        epochs: PyList::new(py, epochs)?.unbind(),
        ended: ended.into(),
        problem,
        best_epoch: outcome.best,
        settings: settings.unbind(),
        metrics: valid.map(|valid| metrics(py, &valid).map(Bound::unbind)).transpose()?,
        model: outcome.model.map(|model| Py::new(py, Model::new(Arc::new(model)))).transpose()?,
    })
}
