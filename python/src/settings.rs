//! Settings by name: the keywords of `train` are the settings of the library, which declares each once.
use crate::errors::raise;
use hogwild::{AnyFamily, Settings, Threads, options};
use pyo3::{
    prelude::*,
    types::{PyBool, PyDict},
};

/// The settings of a run.
pub fn settings_of(family: &dyn AnyFamily, given: &Bound<'_, PyDict>) -> PyResult<Settings> {
    let mut settings = family.defaults();
    set_all(&mut settings, &pairs(given)?)?;
    family.check(&settings).map_err(raise)?;
    Ok(settings)
}

/// Names and values as the library reads them; what is None is not given.
pub fn pairs(given: &Bound<'_, PyDict>) -> PyResult<Vec<(String, String)>> {
    let is_given = |(_, value): &(Bound<'_, PyAny>, Bound<'_, PyAny>)| !value.is_none();
    given.iter().filter(is_given).map(|(name, value)| Ok((name.extract()?, text(&value)?))).collect()
}

/// Sets all, and what follows from them.
pub fn set_all(settings: &mut Settings, given: &[(String, String)]) -> PyResult<()> {
    // What a rule has to set can be told when the rule is known.
    let (rule, others): (Vec<_>, Vec<_>) = given.iter().partition(|(name, _)| name == "rule");
    rule.into_iter().chain(others).try_for_each(|(name, text)| settings.set(name, text)).map_err(raise)?;
    if !given.iter().any(|(name, _)| name == "schedule") {
        settings.choose_schedule();
    }
    Ok(())
}

/// A value as the library reads it.
fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    match value.cast::<PyBool>() {
        Ok(value) => Ok(if value.is_true() { "true" } else { "false" }.into()),
        Err(_) => Ok(value.str()?.to_string()),
    }
}

/// Every setting: name, group, what its values are, help and the defaults for rows and for ratings.
#[pyfunction]
pub fn settings(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let one = |option: &hogwild::Opt| {
        let dict = PyDict::new(py);
        let [rows, ratings] = option.defaults();
        dict.set_item("name", option.name)?;
        dict.set_item("group", option.group)?;
        dict.set_item("help", option.help.trim())?;
        dict.set_item("must_be", option.must_be)?;
        dict.set_item("choices", option.choices())?;
        dict.set_item("default", rows)?;
        dict.set_item("default_of_ratings", ratings)?;
        Ok(dict)
    };
    options().map(one).collect()
}

/// The most threads of a call, as of the command.
const MOST_THREADS: usize = 1024;

/// So many threads, or the most that a call may have.
pub fn at_most(threads: usize) -> Threads {
    Threads::new(threads.min(MOST_THREADS))
}

/// Cores that this process may use, by its affinity and its control group.
#[pyfunction]
pub fn cores() -> usize {
    Threads::all().count()
}
