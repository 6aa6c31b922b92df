//! Sparse matrices as SciPy holds them: the arrays of a CSR matrix, of the types that occur, read where they lie.
//!
//! `hogwild/_inputs.py` makes these types of all others. The GIL is released meanwhile, so another thread of Python could write to the arrays.
//! As NumPy itself, this takes them for constant: who writes to them during a call has a data race. Every index is checked where it is used.
use hogwild::data::{Index, Matrix, Number};
use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::{exceptions::PyTypeError, prelude::*};

/// What is done with a matrix, whatever its types.
pub trait WithMatrix {
    type Output;
    fn with<I: Index, V: Number>(self, matrix: &Matrix<'_, I, V>) -> Self::Output;
}

/// `(indptr, indices, data, columns)` of a CSR matrix.
#[derive(FromPyObject)]
pub struct Csr<'py>(Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>, pub usize);

impl Csr<'_> {
    /// Does it, without the GIL.
    pub fn with<W: WithMatrix<Output: Send> + Send>(&self, work: W) -> PyResult<W::Output> {
        if self.1.cast::<PyArray1<i32>>().is_ok() { self.by_index::<i32, W>(work) } else { self.by_index::<i64, W>(work) }
    }

    fn by_index<I: Index + numpy::Element, W: WithMatrix<Output: Send> + Send>(&self, work: W) -> PyResult<W::Output> {
        if self.2.cast::<PyArray1<f64>>().is_ok() {
            self.by_value::<I, f64, W>(work)
        } else if self.2.cast::<PyArray1<f32>>().is_ok() {
            self.by_value::<I, f32, W>(work)
        } else {
            self.by_value::<I, i64, W>(work)
        }
    }

    fn by_value<I: Index + numpy::Element, V: Number + numpy::Element, W: WithMatrix<Output: Send> + Send>(
        &self,
        work: W,
    ) -> PyResult<W::Output> {
        let Csr(row_start, columns, values, width) = self;
        let wrong = |_| PyTypeError::new_err("indptr and indices are to be both int32 or int64, data float32, float64 or int64");
        let row_start = row_start.extract::<PyReadonlyArray1<'_, I>>().map_err(wrong)?;
        let columns = columns.extract::<PyReadonlyArray1<'_, I>>().map_err(wrong)?;
        let values = values.extract::<PyReadonlyArray1<'_, V>>().map_err(wrong)?;
        let matrix = Matrix { row_start: row_start.as_slice()?, columns: columns.as_slice()?, values: values.as_slice()?, width: *width };
        Ok(row_start.py().detach(|| work.with(&matrix)))
    }
}
