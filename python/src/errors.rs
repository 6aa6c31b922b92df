//! Errors of the library as Python's own: each of a class that says what to do about it.
use hogwild::Error;
use pyo3::{
    exceptions::{PyMemoryError, PyOSError, PyRuntimeError},
    prelude::*,
    sync::PyOnceLock,
    types::PyType,
};

/// The error as an exception, with what caused it.
pub fn raise(error: Error) -> PyErr {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    match error {
        Error::Io { source, path, .. } => match source.raw_os_error() {
            // Python makes FileNotFoundError and its like of the number.
            Some(number) => PyOSError::new_err((number, text, path)),
            None => PyOSError::new_err(text),
        },
        Error::BadSetting { setting, .. } => Python::attach(|py| match class(py, "BadSettingError") {
            Ok(class) => PyErr::from_type(class.clone(), (text, setting)),
            Err(error) => error,
        }),
        Error::NoRoom { .. } | Error::TooManyRows { .. } => PyMemoryError::new_err(text),
        Error::Threads { .. } | Error::BadMessage { .. } | Error::Missing { .. } => PyRuntimeError::new_err(text),
        Error::Diverged { .. } | Error::NoModel { .. } => of_class("DivergedError", text),
        _ => of_class("BadDataError", text),
    }
}

/// An exception of a class of `hogwild.errors`.
pub fn of_class(name: &'static str, text: String) -> PyErr {
    Python::attach(|py| match class(py, name) {
        Ok(class) => PyErr::from_type(class.clone(), (text,)),
        Err(error) => error,
    })
}

/// A class of `hogwild.errors`, which is written in Python.
fn class<'py>(py: Python<'py>, name: &'static str) -> PyResult<Bound<'py, PyType>> {
    static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = MODULE.get_or_try_init(py, || py.import("hogwild.errors").map(Bound::unbind))?;
    Ok(module.bind(py).getattr(name)?.cast_into::<PyType>()?)
}
