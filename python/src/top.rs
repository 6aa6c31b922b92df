//! The best rows of factors for many queries, without the GIL.
use crate::settings::at_most;
use hogwild::TopScores;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::{exceptions::PyValueError, prelude::*};

/// Rows of factors, laid out to be scored for many queries.
#[pyclass(frozen, module = "hogwild._hogwild")]
pub struct Top {
    inner: TopScores,
    rank: usize,
}

/// Rows with their scores, by query.
type Found<'py> = (Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<f32>>);

/// Where the rows of each query start, and the rows.
type Without<'py> = (PyReadonlyArray1<'py, i64>, PyReadonlyArray1<'py, u32>);

#[pymethods]
impl Top {
    #[new]
    fn new(py: Python<'_>, factors: PyReadonlyArray2<'_, f32>, bias: PyReadonlyArray1<'_, f32>) -> PyResult<Top> {
        let rank = factors.as_array().ncols();
        let (factors, bias) = (factors.as_slice()?, bias.as_slice()?);
        Ok(Top { inner: py.detach(|| TopScores::new(factors, bias, rank)), rank })
    }

    /// The `n` best rows of each query, but for those that `without` names by query (where each query's start, then the rows, ascending) and
    /// those not in `allowed`.
    #[pyo3(signature = (queries, n, without, allowed, threads))]
    fn top<'py>(
        &self,
        py: Python<'py>,
        queries: PyReadonlyArray2<'_, f32>,
        n: usize,
        without: Option<Without<'_>>,
        allowed: Option<PyReadonlyArray1<'_, bool>>,
        threads: usize,
    ) -> PyResult<Found<'py>> {
        if queries.as_array().ncols() != self.rank {
            return Err(PyValueError::new_err(format!("queries have {} numbers, and rows {}", queries.as_array().ncols(), self.rank)));
        }
        let queries = queries.as_slice()?;
        let (start, seen) = match &without {
            Some((start, seen)) => (start.as_slice()?, seen.as_slice()?),
            None => (&[][..], &[][..]),
        };
        let allowed = allowed.as_ref().map(|allowed| allowed.as_slice()).transpose()?;
        let leaves_out = |query: usize, row: u32| {
            let at = |i: usize| start.get(i).map_or(0, |&start| start as usize);
            let of_query = seen.get(at(query)..at(query + 1)).unwrap_or_default();
            of_query.binary_search(&row).is_ok() || allowed.is_some_and(|allowed| !allowed.get(row as usize).copied().unwrap_or(false))
        };
        let (rows, scores) = py.detach(|| at_most(threads).run(|| self.inner.top(queries, n, leaves_out)));
        Ok((rows.into_pyarray(py), scores.into_pyarray(py)))
    }
}
