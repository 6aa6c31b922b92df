//! Data sets: rows and ratings, from arrays of Python's or from packed files.
use crate::{
    errors::raise,
    matrix::{Csr, WithMatrix},
    settings::at_most,
};
use hogwild::{
    AnyData, Threads,
    data::{self, Data, Index, Kind, Matrix, Number, Opened, PackSettings, ReadOptions},
};
use numpy::PyReadonlyArray1;
use pyo3::{exceptions::PyTypeError, prelude::*};
use std::{path::PathBuf, sync::Arc};

/// Labelled sparse rows, as they are trained on.
#[pyclass(frozen, module = "hogwild._hogwild")]
pub struct Rows {
    pub inner: Arc<data::Rows>,
    /// Columns of the matrix that they come from; of a file, as many as it has ids.
    pub columns: usize,
}

/// Ratings of items by users, as they are trained on.
#[pyclass(frozen, module = "hogwild._hogwild")]
pub struct Ratings {
    pub inner: Arc<data::Ratings>,
}

/// Makes rows of a matrix.
struct Make<'a> {
    labels: &'a [f32],
    weights: Option<&'a [f32]>,
    threads: Threads,
}

impl WithMatrix for Make<'_> {
    type Output = hogwild::Result<data::Rows>;

    fn with<I: Index, V: Number>(self, matrix: &Matrix<'_, I, V>) -> Self::Output {
        self.threads.run(|| data::Rows::from_matrix(matrix, self.labels, self.weights))
    }
}

/// A packed file, or text, which is packed into the system's folder for temporary files and read from there.
fn open(py: Python<'_>, path: PathBuf, kind: Kind) -> PyResult<Data> {
    let settings = PackSettings { expected: Some(kind), ..PackSettings::default() };
    let options = || ReadOptions::new().settings(settings).temporary(std::env::temp_dir());
    py.detach(|| options().open(&[path])).map(Opened::into_data).map_err(raise)
}

#[pymethods]
impl Rows {
    /// Copies a CSR matrix with its labels, and how much each row counts, above 0.
    ///
    /// `fields`: the field of each column, as its place among names, for models that go by fields.
    #[staticmethod]
    #[pyo3(signature = (csr, labels, weights, threads, fields=None))]
    fn from_csr(
        py: Python<'_>,
        csr: Csr<'_>,
        labels: PyReadonlyArray1<'_, f32>,
        weights: Option<PyReadonlyArray1<'_, f32>>,
        threads: usize,
        fields: Option<(PyReadonlyArray1<'_, u16>, Vec<String>)>,
    ) -> PyResult<Rows> {
        let (columns, weights) = (csr.3, weights.as_ref().map(|weights| weights.as_slice()).transpose()?);
        let made = csr.with(Make { labels: labels.as_slice()?, weights, threads: at_most(threads) })?;
        let mut inner = made.map_err(raise)?;
        if let Some((fields, names)) = fields {
            let of_column = fields.as_slice()?;
            let ids = inner.feature_ids().map_err(raise)?;
            // Fields were given one a column of the matrix; rows have those columns alone that occur.
            let data::Ids::Numbers(columns) = ids else { return Err(PyTypeError::new_err("rows of a matrix have features by number")) };
            let of = columns.iter().map(|&column| of_column.get(column as usize).copied().unwrap_or(u16::MAX)).collect();
            let fields = data::Fields { of, names: names.iter().map(String::as_str).collect() };
            inner = py.detach(|| inner.with_fields(fields)).map_err(raise)?;
        }
        Ok(Rows { inner: Arc::new(inner), columns })
    }

    /// A packed file of rows, which is mapped; or text.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Rows> {
        match open(py, path, Kind::Sparse)? {
            Data::Rows(rows) => Ok(Rows { columns: rows.columns(), inner: Arc::new(rows) }),
            Data::Ratings(_) => Err(PyTypeError::new_err("the file holds ratings; open it by Ratings.open")),
        }
    }

    /// The same rows with other labels: nothing else is copied.
    fn with_labels(&self, py: Python<'_>, labels: PyReadonlyArray1<'_, f32>) -> PyResult<Rows> {
        let labels = labels.as_slice()?;
        let inner = py.detach(|| self.inner.with_labels(labels)).map_err(raise)?;
        Ok(Rows { inner: Arc::new(inner), columns: self.columns })
    }

    /// The same rows with any number of classes each: `classes[starts[i]..starts[i + 1]]` are those of row `i`, by their places among names.
    fn with_class_sets(
        &self,
        py: Python<'_>,
        starts: PyReadonlyArray1<'_, u64>,
        classes: PyReadonlyArray1<'_, u32>,
        names: Vec<String>,
    ) -> PyResult<Rows> {
        let (starts, classes) = (starts.as_slice()?, classes.as_slice()?);
        let inner = py.detach(|| self.inner.with_class_sets(starts, classes, names)).map_err(raise)?;
        Ok(Rows { inner: Arc::new(inner), columns: self.columns })
    }

    /// Rows and columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.inner.rows(), self.columns)
    }

    /// Cells of all rows together.
    #[getter]
    fn nonzeros(&self) -> u64 {
        self.inner.nonzeros()
    }

    fn __repr__(&self) -> String {
        format!("<hogwild.Rows: {} rows, {} columns, {} nonzeros>", self.inner.rows(), self.columns, self.inner.nonzeros())
    }

    fn __len__(&self) -> usize {
        self.inner.rows()
    }
}

#[pymethods]
impl Ratings {
    /// Copies ratings: users and items by number, or by name; and how much each rating counts.
    #[staticmethod]
    #[pyo3(signature = (users, items, ratings, weights=None))]
    fn from_arrays(
        py: Python<'_>,
        users: Ids<'_>,
        items: Ids<'_>,
        ratings: PyReadonlyArray1<'_, f32>,
        weights: Option<PyReadonlyArray1<'_, f32>>,
    ) -> PyResult<Ratings> {
        let ratings = ratings.as_slice()?;
        let weights = weights.as_ref().map(|weights| weights.as_slice()).transpose()?;
        let (users, items) = (users.owned()?, items.owned()?);
        let made = py.detach(|| data::Ratings::from_weighted_triples(users.list(), items.list(), ratings, weights));
        Ok(Ratings { inner: Arc::new(made.map_err(raise)?) })
    }

    /// A packed file of ratings, which is mapped; or text.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Ratings> {
        match open(py, path, Kind::Ratings)? {
            Data::Ratings(ratings) => Ok(Ratings { inner: Arc::new(ratings) }),
            Data::Rows(_) => Err(PyTypeError::new_err("the file holds rows; open it by Rows.open")),
        }
    }

    /// Users and items.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.inner.users(), self.inner.items())
    }

    fn __repr__(&self) -> String {
        format!("<hogwild.Ratings: {} ratings of {} items by {} users>", self.inner.len(), self.inner.items(), self.inner.users())
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }
}

/// What users or items are called.
#[derive(FromPyObject)]
pub enum Ids<'py> {
    Numbers(PyReadonlyArray1<'py, u64>),
    Names(Vec<String>),
}

/// The same without Python.
pub enum OwnedIds {
    Numbers(Vec<u64>),
    Names(Vec<String>),
}

impl Ids<'_> {
    pub fn owned(self) -> PyResult<OwnedIds> {
        Ok(match self {
            Ids::Numbers(numbers) => OwnedIds::Numbers(numbers.as_slice()?.to_vec()),
            Ids::Names(names) => OwnedIds::Names(names),
        })
    }
}

impl OwnedIds {
    pub fn list(&self) -> data::IdList<'_> {
        match self {
            OwnedIds::Numbers(numbers) => numbers.into(),
            OwnedIds::Names(names) => names.into(),
        }
    }
}

/// Data of either kind.
#[derive(FromPyObject)]
pub enum AnyPyData<'py> {
    Rows(PyRef<'py, Rows>),
    Ratings(PyRef<'py, Ratings>),
}

/// The same without Python.
pub enum Held {
    Rows(Arc<data::Rows>),
    Ratings(Arc<data::Ratings>),
}

impl AnyPyData<'_> {
    pub fn held(&self) -> Held {
        match self {
            AnyPyData::Rows(rows) => Held::Rows(rows.inner.clone()),
            AnyPyData::Ratings(ratings) => Held::Ratings(ratings.inner.clone()),
        }
    }
}

impl Held {
    pub fn data(&self) -> AnyData<'_> {
        match self {
            Held::Rows(rows) => AnyData::Rows(rows),
            Held::Ratings(ratings) => AnyData::Ratings(ratings),
        }
    }
}
