"""Data sets that are made once and trained on often."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np

from . import _hogwild
from ._inputs import as_csr, ids_of, rows_of, threads

__all__ = ["Ratings", "Rows"]


class Rows:
    """Labelled sparse rows: 8 bytes a nonzero (4 where all values are 1), or a packed file that is mapped.

    >>> import hogwild, scipy.sparse
    >>> X = scipy.sparse.csr_matrix([[0, 2.0, 0], [1.0, 0, 3.0]])
    >>> rows = hogwild.Rows.from_matrix(X, [1, -1])
    >>> rows.shape, rows.nonzeros
    ((2, 3), 3)
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: _hogwild.Rows) -> None:
        self._inner = inner

    @classmethod
    def from_matrix(cls, X: Any, y: Any, *, n_jobs: int | None = None) -> Rows:
        """Copies a matrix, sparse or dense, with a label a row: -1 and +1 for two classes, or numbers."""
        return cls(rows_of(as_csr(X), y, threads(n_jobs)))

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Rows:
        """A file that ``hogwild pack`` wrote, which is mapped; or text of any format that the command reads, which is packed first."""
        return cls(_hogwild.Rows.open(fspath(path)))

    def with_labels(self, y: Any) -> Rows:
        """The same rows with other labels; nothing else is copied."""
        return Rows(self._inner.with_labels(np.ascontiguousarray(y, dtype=np.float32)))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._inner.shape

    @property
    def nonzeros(self) -> int:
        """Cells of all rows together."""
        return self._inner.nonzeros

    def __len__(self) -> int:
        return len(self._inner)

    def __reduce__(self) -> Any:
        raise TypeError("Rows are not pickled: pickle the matrix, or open a packed file by Rows.open in the other process")

    def __repr__(self) -> str:
        return repr(self._inner)


class Ratings:
    """Users' ratings of items: 12 bytes a rating, or a packed file that is mapped.

    >>> import hogwild
    >>> hogwild.Ratings.from_arrays(["ann", "ann", "bob"], ["Brazil", "Alien", "Alien"], [4.0, 5.0, 3.5])
    <hogwild.Ratings: 3 ratings of 2 items by 2 users>
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: _hogwild.Ratings) -> None:
        self._inner = inner

    @classmethod
    def from_arrays(cls, users: Any, items: Any, ratings: Any, weights: Any = None) -> Ratings:
        """Copies ratings. Users and items are numbers from 0 up, or texts. ``weights``: how much each counts; one of 0 is left out."""
        values = np.ascontiguousarray(ratings, dtype=np.float32)
        counts = None if weights is None else np.ascontiguousarray(weights, dtype=np.float32)
        return cls(_hogwild.Ratings.from_arrays(ids_of(users, "users"), ids_of(items, "items"), values, counts))

    @classmethod
    def open(cls, path: str | PathLike[str]) -> Ratings:
        """A file that ``hogwild pack`` wrote, which is mapped; or text of ratings, which is packed first."""
        return cls(_hogwild.Ratings.open(fspath(path)))

    @property
    def shape(self) -> tuple[int, int]:
        """Users and items."""
        return self._inner.shape

    def __len__(self) -> int:
        return len(self._inner)

    def __reduce__(self) -> Any:
        raise TypeError("Ratings are not pickled: pickle the arrays, or open a packed file by Ratings.open in the other process")

    def __repr__(self) -> str:
        return repr(self._inner)
