"""Tables with numbers and texts become sparse matrices."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from . import _hogwild

__all__ = ["TableEncoder"]

_NONE = np.uint32(2**32 - 1)


class TableEncoder(TransformerMixin, BaseEstimator):
    """Makes features of the columns of a table, as the command does of CSV: to stand before an estimator in a pipeline.

    A number is the value of a feature ``column``. A text, a category or a boolean is a feature ``column=value`` of value 1.
    The matrix has the column of the table that each of its columns is of as ``fields``, which ``FieldAwareClassifier`` goes by. Slices
    and copies of the matrix are without it: let a pipeline encode, or give the classifier ``fields``.
    What is missing is no feature, and neither is a text that was not there in ``fit``; these are counted in ``unknown_``.
    Tables are those of pandas, Polars, Arrow, DuckDB and all others that Arrow reads (``pip install hogwild[tables]``).

    Parameters
    ----------
    ignore : columns that are left out, such as the label

    Examples
    --------
    >>> import hogwild, pandas
    >>> table = pandas.DataFrame({"site": ["a", "b", "a"], "age": [3.0, None, 0.5]})
    >>> encoder = hogwild.TableEncoder()
    >>> encoder.fit_transform(table).toarray()
    array([[1. , 0. , 3. ],
           [0. , 1. , 0. ],
           [1. , 0. , 0.5]])
    >>> encoder.get_feature_names_out().tolist()
    ['site=a', 'site=b', 'age']
    """

    def __init__(self, *, ignore: Any = ()) -> None:
        self.ignore = ignore

    def fit(self, X: Any, y: Any = None) -> TableEncoder:
        """Learns which texts there are."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """The same, and gives the matrix of the table."""
        table = _arrow(X)
        names = [name for name in table.column_names if name not in _listed(self.ignore)]
        if len(set(names)) < len(names):
            raise ValueError(f"X: columns are to have different names, and there are {names}")
        self.feature_names_in_ = np.array(names, dtype=object)
        self.n_features_in_ = len(names)
        #: The texts of each column that has texts; None of one of numbers.
        self.categories_ = [_hogwild.Categories() if _is_text(table.column(name).type) else None for name in names]
        return self._encoded(table, True)

    def transform(self, X: Any) -> Any:
        """The matrix of a table with the columns that were fitted, in any order; others are left out."""
        check_is_fitted(self)
        table = _arrow(X)
        for name, texts in zip(self.feature_names_in_, self.categories_):
            if name not in table.column_names:
                raise ValueError(f"X: the column {name!r} is missing; there are {table.column_names}")
            if (texts is not None) != _is_text(table.column(name).type):
                was, now = ("text", "numbers") if texts is not None else ("numbers", "text")
                raise ValueError(f"X: the column {name!r} had {was} in fit and has {now} here; convert it")
        return self._encoded(table, False)

    def get_feature_names_out(self, input_features: Any = None) -> Any:
        """What each column of the matrix is: ``column`` or ``column=value``."""
        check_is_fitted(self)
        names: list[str] = []
        for name, texts in zip(self.feature_names_in_, self.categories_):
            names += [name] if texts is None else [f"{name}={text}" for text in texts.texts()]
        return np.array(names, dtype=object)

    def _encoded(self, table: Any, learns: bool) -> Any:
        """The matrix: its cells by column first, then put in order by row."""
        rows = table.num_rows
        numbers, values, self.unknown_ = [], [], 0
        for name, texts in zip(self.feature_names_in_, self.categories_):
            column = table.column(name).combine_chunks()
            if texts is None:
                numbers.append(np.zeros(rows, dtype=np.uint32))
                values.append(_numbers(column, name))
            else:
                found = _text_numbers(column, texts, learns)
                self.unknown_ += int((found == _NONE).sum() - column.null_count)
                numbers.append(found)
                values.append((found != _NONE).astype(np.float64))
        sizes = [1 if texts is None else len(texts) for texts in self.categories_]
        first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        width = int(first[-1])
        index = np.int32 if max(width, rows * len(numbers)) < 2**31 else np.int64
        data = np.column_stack(values) if values else np.zeros((rows, 0))
        columns = np.empty(data.shape, dtype=index)
        for i, found in enumerate(numbers):
            columns[:, i] = np.where(found == _NONE, 0, found) + first[i]
        filled = data != 0
        start = np.concatenate([[0], np.cumsum(filled.sum(axis=1))]).astype(index)
        cells = (data.ravel(), columns.ravel()) if filled.all() else (data[filled], columns[filled])
        matrix = sp.csr_matrix((*cells, start), (rows, width))
        # Models that go by fields take those of the table.
        matrix.fields = np.repeat(self.feature_names_in_, sizes)
        return matrix


def _listed(names: Any) -> Any:
    return [names] if isinstance(names, str) else list(names)


def _arrow(X: Any) -> Any:
    """An Arrow table of any that Arrow reads."""
    try:
        import pyarrow
    except ImportError:
        raise ImportError("tables are read by pyarrow: pip install pyarrow") from None
    if isinstance(X, pyarrow.Table):
        return X
    if not (hasattr(X, "__arrow_c_stream__") or hasattr(X, "columns") or isinstance(X, dict)):
        raise TypeError(f"X is a {type(X).__name__}; give a table, such as a DataFrame")
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(X, pandas.DataFrame):
        return pyarrow.Table.from_pandas(X, preserve_index=False)  # the numbers of rows say nothing of them
    return pyarrow.table(X)


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return True
    texts = (types.is_string, types.is_large_string, types.is_string_view, types.is_boolean, types.is_null)
    return any(is_of(kind) for is_of in texts)


def _numbers(column: Any, name: str) -> Any:
    """The values of a column; 0 where it has none."""
    import pyarrow
    import pyarrow.compute as compute

    try:
        values = compute.fill_null(column.cast(pyarrow.float64()), 0.0).to_numpy(zero_copy_only=False)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError):
        problem = f"the column {name!r} is of the type {column.type}; give numbers or texts, or leave it out by ignore"
        raise TypeError(f"X: {problem}") from None
    return np.nan_to_num(values, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _text_numbers(column: Any, texts: Any, learns: bool) -> Any:
    """The number of each text; 2^32 - 1 of what is missing or not known."""
    import pyarrow
    import pyarrow.compute as compute
    import pyarrow.types as types

    if types.is_dictionary(column.type):
        of_categories = _text_numbers(column.dictionary, texts, learns)
        codes = compute.fill_null(column.indices.cast(pyarrow.int64()), len(of_categories)).to_numpy(zero_copy_only=False)
        return np.concatenate([of_categories, [_NONE]]).astype(np.uint32)[codes]
    if types.is_null(column.type):
        return np.full(len(column), _NONE, dtype=np.uint32)
    column = column.cast(pyarrow.large_string())
    valid, starts, text = column.buffers()
    starts = np.frombuffer(starts, dtype=np.int64)[column.offset : column.offset + len(column) + 1] if len(column) else np.zeros(1, np.int64)
    bytes_of = np.zeros(0, np.uint8) if text is None else np.frombuffer(text, dtype=np.uint8)
    if column.null_count == 0:
        return texts.numbers(starts, bytes_of, learns)
    # Only those that are there: a missing text is not the empty one.
    there = column.is_valid().to_numpy(zero_copy_only=False)
    found = np.full(len(column), _NONE, dtype=np.uint32)
    found[there] = _text_numbers(column.drop_null(), texts, learns)
    return found
