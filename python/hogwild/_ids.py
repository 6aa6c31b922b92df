"""Ids of users and items: any come in, the same come out, and rows are found by them."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Ids", "codes_of"]


class Ids:
    """The ids of rows, in their order."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self._order: Any = None
        self._index: dict[Any, int] | None = None

    def rows(self, ids: Any) -> Any:
        """The row of each id; -1 of those that are not known."""
        ids = _array(ids)
        if self.values.dtype.kind == ids.dtype.kind and ids.dtype.kind in "iuU" and len(self.values):
            if self._order is None:
                self._order = np.argsort(self.values, kind="stable")
            found = np.minimum(np.searchsorted(self.values, ids, sorter=self._order), len(self.values) - 1)
            rows = self._order[found]
            return np.where(self.values[rows] == ids, rows, -1)
        if self._index is None:
            self._index = {value: row for row, value in enumerate(self.values.tolist())}
        return np.array([self._index.get(value, -1) for value in ids.tolist()], dtype=np.int64)

    def __getstate__(self) -> Any:
        return self.values

    def __setstate__(self, values: Any) -> None:
        Ids.__init__(self, values)


def codes_of(ids: Any) -> tuple[Any, Any]:
    """Numbers from 0 up for ids, with the ids in the order of these; numbers are their own, and have no list."""
    ids = _array(ids)
    if ids.ndim != 1:
        raise ValueError(f"ids have {ids.ndim} dimensions; give a list")
    if ids.dtype.kind in "iu" and (not ids.size or ids.min() >= 0):
        return np.ascontiguousarray(ids, dtype=np.uint64), None
    if ids.dtype.kind in "iuUb":
        values, codes = np.unique(ids, return_inverse=True)
        return np.ascontiguousarray(codes, dtype=np.uint64), values
    index: dict[Any, int] = {}
    codes = np.fromiter((index.setdefault(value, len(index)) for value in ids.tolist()), dtype=np.uint64, count=len(ids))
    values = np.empty(len(index), dtype=object)
    values[:] = list(index)
    return codes, values


def _array(ids: Any) -> Any:
    """Ids as an array; texts as such, and not as objects."""
    if hasattr(ids, "to_numpy"):
        ids = ids.to_numpy()
    if isinstance(ids, (list, tuple)) and any(isinstance(value, (list, tuple)) for value in ids):
        array = np.empty(len(ids), dtype=object)
        array[:] = [tuple(value) if isinstance(value, list) else value for value in ids]
        return array
    array = np.asarray(ids)
    if array.dtype.kind == "f" and array.size and np.equal(array, np.floor(array)).all():
        return array.astype(np.int64)
    if array.dtype.kind in "OT" and array.size and all(type(value) is str for value in array.flat):
        return array.astype(str)
    return array
