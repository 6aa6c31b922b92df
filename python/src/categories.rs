//! The texts of a column become numbers: each text the number of its first occurrence.
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::{exceptions::PyValueError, prelude::*, types::PyBytes};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What no text is.
const NONE: u32 = u32::MAX;

/// What makes one again, and of what: ends and text.
type Reduced<'py> = (Bound<'py, PyAny>, (Vec<u64>, Bound<'py, PyBytes>));

/// The texts of a column that are known, with their numbers.
#[pyclass(frozen, module = "hogwild._hogwild")]
pub struct Categories {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    numbers: HashMap<Box<[u8]>, u32, FixedState>,
    /// All texts in order, one after the other, and where each ends.
    text: Vec<u8>,
    ends: Vec<u64>,
}

impl Known {
    fn number(&mut self, text: &[u8], learns: bool) -> u32 {
        match self.numbers.get(text) {
            Some(&number) => number,
            None if learns && self.ends.len() < NONE as usize => {
                let number = self.ends.len() as u32;
                self.numbers.insert(text.into(), number);
                self.text.extend_from_slice(text);
                self.ends.push(self.text.len() as u64);
                number
            }
            None => NONE,
        }
    }

    fn texts(&self) -> impl Iterator<Item = &[u8]> {
        let start = |i: usize| i.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        (0..self.ends.len()).map(move |i| &self.text[start(i)..self.ends[i] as usize])
    }
}

impl Categories {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Categories {
    #[new]
    fn new() -> Categories {
        Categories { known: Mutex::default() }
    }

    /// The numbers of texts, of which the `i`th is `text[starts[i]..starts[i + 1]]`; 2^32 - 1 of those that are not known. With `learns` these
    /// become known.
    fn numbers<'py>(
        &self,
        py: Python<'py>,
        starts: PyReadonlyArray1<'_, i64>,
        text: PyReadonlyArray1<'_, u8>,
        learns: bool,
    ) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let (starts, text) = (starts.as_slice()?, text.as_slice()?);
        let numbers = py.detach(|| {
            let mut known = self.known();
            let number = |pair: &[i64]| Some(known.number(text.get(pair[0] as usize..pair[1] as usize)?, learns));
            starts.windows(2).map(number).collect::<Option<Vec<u32>>>()
        });
        Ok(numbers.ok_or_else(|| PyValueError::new_err("starts do not fit the text"))?.into_pyarray(py))
    }

    /// All texts, by number.
    fn texts(&self) -> Vec<String> {
        self.known().texts().map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    fn __len__(&self) -> usize {
        self.known().ends.len()
    }

    /// Those of which another one gave its texts.
    #[staticmethod]
    fn of(ends: Vec<u64>, text: Vec<u8>) -> PyResult<Categories> {
        let mut known = Known::default();
        let mut start = 0;
        for end in ends {
            let text = text.get(start..end as usize).ok_or_else(|| PyValueError::new_err("ends do not fit the text"))?;
            known.number(text, true);
            start = end as usize;
        }
        Ok(Categories { known: Mutex::new(known) })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        let known = self.known();
        Ok((py.get_type::<Categories>().getattr("of")?, (known.ends.clone(), PyBytes::new(py, &known.text))))
    }
}
