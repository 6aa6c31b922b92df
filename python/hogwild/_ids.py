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
        kinds = self.values.dtype.kind, ids.dtype.kind
        if len(self.values) and (kinds == ("U", "U") or (kinds[0] in "iu" and kinds[1] in "iu")):
            outside = None
            if kinds[0] in "iu":
                wide = np.int64 if kinds[0] == "i" else np.uint64
                found = ids.astype(wide)
                # Only numbers from 0 up to the largest of both are the same ones in both types.
                outside = None if kinds[0] == kinds[1] else (ids < 0 if kinds[1] == "i" else found < 0)
                values, ids = self.values.astype(wide), found
            else:
                values = self.values
            if self._order is None:
                self._order = np.argsort(values, kind="stable")
            rows = self._order[np.minimum(np.searchsorted(values, ids, sorter=self._order), len(values) - 1)]
            is_known = values[rows] == ids
            return np.where(is_known if outside is None else is_known & ~outside, rows, -1)
        if self._index is None:
            self._index = {value: row for row, value in enumerate(self.values.tolist())}
        return np.array([self._index.get(value, -1) for value in ids.tolist()], dtype=np.int64)

    def asked(self, ids: Any) -> tuple[Any, bool]:
        """Ids as a list, and whether there were several: a tuple that is an id itself is one."""
        if isinstance(ids, tuple) and self.values.dtype.kind == "O":
            one = np.empty(1, dtype=object)
            one[0] = ids
            if self.rows(one)[0] >= 0:
                return one, False
        several = isinstance(ids, (list, tuple, np.ndarray)) or hasattr(ids, "to_numpy")
        return (ids, True) if several else ([ids], False)

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
    if ids.dtype.kind == "f" and np.isnan(ids).any():
        raise ValueError(f"ids: that of row {int(np.flatnonzero(np.isnan(ids))[0])} (from 0) is nan; leave the row out, or give an id")
    if ids.dtype.kind in "iuUbf":
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
    if isinstance(ids, (list, tuple)) and array.ndim == 1 and array.dtype.kind in "Uf":
        # NumPy makes texts of numbers among texts, and rounds whole numbers among others.
        kind, letter = (str, "U") if array.dtype.kind == "U" else (float, "f")
        if not all(isinstance(value, kind) or (isinstance(value, np.generic) and value.dtype.kind == letter) for value in ids):
            array = np.empty(len(ids), dtype=object)
            array[:] = [value.item() if isinstance(value, np.generic) else value for value in ids]
    if array.dtype.kind in "OT" and array.size and all(type(value) is str for value in array.flat):
        return array.astype(str)
    return array
