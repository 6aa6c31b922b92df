"""Matrices of any container and type become the arrays of a CSR matrix that the Rust side takes."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
import scipy.sparse as sp

from . import _hogwild
from .errors import BadDataError

_VALUES = (np.dtype(np.float64), np.dtype(np.float32), np.dtype(np.int64))
_INDICES = (np.dtype(np.int32), np.dtype(np.int64))

#: Cells of a matrix that are worth a thread that reads them.
CELLS_A_WORKER = 1 << 16
#: Rows or ratings that are worth a thread: fewer are learnt alike by any number of them.
ROWS_A_WORKER = 1024

#: So few numbers are looked at one by one.
FEW = 16

#: indptr, indices, data, columns
Csr = tuple[Any, Any, Any, int]


def threads(n_jobs: int | None) -> int:
    """How many threads a call may use: all cores of the process (at most OMP_NUM_THREADS where that is set), or so many."""
    cores = int(_hogwild.cores())
    if n_jobs is None:
        limit = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
        return min(cores, int(limit)) if limit.isdigit() and int(limit) > 0 else cores
    if n_jobs == 0 or n_jobs != int(n_jobs):
        raise ValueError(f"n_jobs {n_jobs}: must be a number of threads, -1 for all cores, or None")
    return max(1, cores + 1 + int(n_jobs)) if n_jobs < 0 else int(n_jobs)


def is_sparse(X: Any) -> bool:
    """Whether X is a sparse matrix or array of SciPy's."""
    return bool(sp.issparse(X))


def as_csr(X: Any) -> Any:
    """X as a CSR matrix of types that need no conversion; X itself where it is one."""
    if not is_sparse(X):
        X = np.asarray(X)
        if X.ndim != 2:
            raise ValueError(f"X has {X.ndim} dimensions; give rows and columns")
        X = sp.csr_matrix(X if X.dtype.kind in "fiu" else X.astype(np.float64))
    elif X.format != "csr":
        X = X.tocsr()
    if X.ndim != 2:
        raise ValueError(f"X has {X.ndim} dimensions; give rows and columns")
    return X


def arrays(X: Any) -> Csr:
    """What the Rust side takes of a CSR matrix."""
    indptr, indices, data = X.indptr, X.indices, X.data
    if data.dtype not in _VALUES:
        if data.dtype.kind == "c":
            raise ValueError("Complex data not supported")
        exact = data.dtype.kind == "b" or (data.dtype.kind in "iu" and data.dtype.itemsize <= 2)
        data = data.astype(np.float32 if exact else np.float64)
    if indices.dtype not in _INDICES or indptr.dtype != indices.dtype:
        wide = np.int64 if indptr.dtype.itemsize > 4 or indices.dtype.itemsize > 4 else np.int32
        indptr, indices = indptr.astype(wide, copy=False), indices.astype(wide, copy=False)
    return _plain(indptr), _plain(indices), _plain(data), int(X.shape[1])


def _plain(array: Any) -> Any:
    flags = array.flags
    return array if flags.c_contiguous and flags.aligned and array.dtype.isnative else np.require(array, array.dtype.newbyteorder("="), ["C", "A"])


def summed(X: Any) -> Any:
    """X with each column at most once in a row; X itself where it is so."""
    if X.has_canonical_format:
        return X
    X = X.copy()
    X.sum_duplicates()
    return X


def workers(n_jobs: int | None, tasks: int) -> int:
    """How many threads a call of so many tasks is worth."""
    return min(threads(n_jobs), tasks) if tasks > 1 else 1  # counting cores takes longer than to score a row


def check_scores(X: Any, scores: Any) -> None:
    """Scores that are not finite are an error, which names the value that is largest in its row."""
    if scores.size <= FEW and all(map(math.isfinite, scores.ravel().tolist())):
        return  # a fifth of what NumPy takes of a single row
    finite = np.isfinite(scores)
    if finite.all():
        return
    row = int(np.flatnonzero(~finite.reshape(len(finite), -1).all(axis=1))[0])
    if is_sparse(X):
        cells = slice(int(X.indptr[row]), int(X.indptr[row + 1]))
        columns, values = X.indices[cells], X.data[cells]
    else:
        columns, values = np.arange(X.shape[1]), np.asarray(X[row])
    if len(values) == 0:
        raise BadDataError(f"X: the score of row {row} (from 0) is not finite, though the row is empty: weights are not finite; train again")
    worst = int(np.argmax(np.where(np.isnan(values), np.inf, np.abs(values))))
    problem = f"the value of column {int(columns[worst])} in row {row} (from 0) is {values[worst]!s}, and the score of the row is not finite"
    raise BadDataError(f"X: {problem}; give smaller values, or scale that column")


def rows_of(X: Any, labels: Any, count: int, weights: Any = None, fields: Any = None) -> Any:
    """Rust's rows of a CSR matrix, with a label each. Rows of weight 0 are left out; where a column is twice in a row its values are summed."""
    labels = np.ascontiguousarray(labels, dtype=np.float32)
    if weights is not None:
        weights = np.ascontiguousarray(weights, dtype=np.float32)
        if weights.shape == labels.shape and not weights.all():
            kept = np.flatnonzero(weights)
            X, labels, weights = X[kept], labels[kept], weights[kept]
    count = min(count, max(1, X.nnz // CELLS_A_WORKER))
    try:
        return _hogwild.Rows.from_csr(arrays(X), labels, weights, count, fields)
    except ValueError:
        if X.has_canonical_format:
            raise
        return _hogwild.Rows.from_csr(arrays(summed(X)), labels, weights, count, fields)


def ids_of(values: Any, what: str) -> Any:
    """Ids of users or items as Rust takes them: an array of 64-bit numbers, or a list of texts."""
    values = np.asarray(values)
    if values.ndim != 1:
        raise ValueError(f"{what} have {values.ndim} dimensions; give a list")
    if values.dtype.kind in "iu":
        if values.size and values.min() < 0:
            raise ValueError(f"{what} have the number {values.min()}; numbers are to be from 0 up, or give texts")
        return np.ascontiguousarray(values, dtype=np.uint64)
    return [str(value) for value in values.tolist()]
