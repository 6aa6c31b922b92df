"""Trained models: files, weights, predictions."""

from __future__ import annotations

import json
from os import PathLike, fspath
from typing import Any

import numpy as np
import scipy.sparse as sp

from . import _hogwild
from ._data import Ratings, Rows
from ._inputs import CELLS_A_WORKER, ROWS_A_WORKER, arrays, as_csr, check_scores, is_sparse, summed, workers
from .errors import BadDataError

__all__ = ["Model", "load"]


class Model:
    """A trained model, as a model file holds it. It pickles as the bytes of that file.

    >>> import hogwild, scipy.sparse
    >>> X = scipy.sparse.csr_matrix([[0, 2.0, 0], [1.0, 0, 3.0]])
    >>> model = hogwild.train(hogwild.Rows.from_matrix(X, [1, -1]), lr=0.5).model
    >>> hogwild.Model.from_bytes(model.to_bytes()).predict(X).round() # probabilities of +1
    array([1., 0.], dtype=float32)
    """

    __slots__ = ("_inner", "_places")

    def __init__(self, inner: _hogwild.Model) -> None:
        self._inner = inner
        self._places: dict[str, int] | bool | None = None

    @classmethod
    def from_bytes(cls, data: bytes) -> Model:
        """The model of which :meth:`to_bytes` gave these bytes, or which a model file holds."""
        return cls(_hogwild.Model.from_bytes(data))

    def to_bytes(self) -> bytes:
        """What the model's file holds."""
        return self._inner.to_bytes()

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a file that ``hogwild predict`` reads: to a temporary name first, then renamed."""
        self._inner.save(fspath(path))

    def scores(self, X: Any, *, names: Any = None, n_jobs: int | None = None) -> Any:
        """The scores of a matrix, or of Rows or Ratings.

        Columns of a matrix are the features' numbers. Of a model whose features have names, columns have these too: those
        of a data frame, or ``names``, one a column. Features that the model does not know add nothing.
        """
        if isinstance(X, (Rows, Ratings)):
            scores = self._shaped(self._inner.score_data(X._inner, workers(n_jobs, len(X) // ROWS_A_WORKER)))
            if not np.isfinite(scores).all():
                row = int(np.flatnonzero(~np.isfinite(scores.reshape(len(scores), -1)).all(axis=1))[0])
                raise BadDataError(f"the score of row {row} (from 0) is not finite; give smaller values")
            return scores
        return self._of_matrix(X, names, n_jobs, False)

    def _of_matrix(self, X: Any, names: Any, n_jobs: int | None, predict: bool) -> Any:
        """The scores of a matrix, or what they predict."""
        if not is_sparse(X):
            if names is None and hasattr(X, "columns"):
                names = list(X.columns)
            X = as_csr(X)
        elif X.format != "csr":
            X = as_csr(X)
        if self._inner.unit_rows or self.family in ("fm", "ffm"):
            X = summed(X)
        if self._places is None:
            known = self._inner.ids("feature")
            self._places = {name: place for place, name in enumerate(known)} if isinstance(known, list) else False
        if isinstance(self._places, dict):
            X = _by_name(X, names, self._places)
        csr, count = arrays(X), workers(n_jobs, X.nnz // CELLS_A_WORKER)
        found, are_finite = self._inner.score_csr(csr, count, predict)
        if not are_finite:
            check_scores(X, self._shaped(self._inner.score_csr(csr, count)[0]))
        return self._shaped(found)

    def _shaped(self, scores: Any) -> Any:
        """Scores with a column a class, of a model of several."""
        classes = self._inner.ids("class")
        return scores if classes is None else scores.reshape(-1, len(classes))

    def predict(self, X: Any, *, names: Any = None, n_jobs: int | None = None) -> Any:
        """What the scores predict: probabilities of +1 by the logistic loss, means by poisson, else the scores.

        Of several classes there is a column a class, in the order of ``ids("class")``.
        """
        if not isinstance(X, (Rows, Ratings)) and self.family != "softmax":
            return self._of_matrix(X, names, n_jobs, True)
        scores = self.scores(X, names=names, n_jobs=n_jobs)
        if self.family == "softmax":
            likely = np.exp(scores - scores.max(axis=1, keepdims=True))
            return likely / likely.sum(axis=1, keepdims=True)
        if scores.ndim == 1:
            return self._inner.predictions(scores)
        return self._inner.predictions(np.ascontiguousarray(scores.ravel())).reshape(scores.shape)

    def weights(self, top: int | None = None) -> list[tuple[Any, float]]:
        """The weights by feature, the largest first; only so many of them."""
        found = self._inner.tensor("weight")
        if found is None or len(found[1]) != 1:
            raise TypeError(f"a model of family {self.family} has no single weight a feature; see tensor('weight')")
        weights, ids = found[0], self._inner.ids("feature")
        order = np.argsort(-np.abs(weights), kind="stable")[:top]
        return [(ids[i] if isinstance(ids, list) else int(ids[i]), float(weights[i])) for i in order]

    def ids(self, axis: str) -> Any:
        """What the rows of tensors belong to, in their order: of the axis feature, class, user or item."""
        return self._inner.ids(axis)

    def tensor(self, name: str) -> Any:
        """A tensor by its name: bias, weight, factor, mean, user_bias, user_factor, item_bias, item_factor."""
        found = self._inner.tensor(name)
        if found is None:
            raise KeyError(name)
        numbers, shape = found
        return numbers.reshape(shape)

    @property
    def family(self) -> str:
        """linear, fm, ffm, softmax, ovr or mf."""
        return self._inner.family

    @property
    def classes(self) -> list[Any] | None:
        """The classes that scores are of, of two that of -1 first: texts, or of two numbers these; None of models that predict numbers."""
        known = self._inner.classes
        return self._inner.class_names or (None if known is None else [label for label in known if label is not None])

    @property
    def loss(self) -> str:
        """What it was trained with."""
        return self._inner.loss

    @property
    def settings(self) -> Any:
        """The settings of its run, by name."""
        return json.loads(self._inner.settings_json)

    def __reduce__(self) -> tuple[Any, tuple[bytes]]:
        return (Model.from_bytes, (self.to_bytes(),))

    def __repr__(self) -> str:
        return f"<hogwild.Model: {self.family}, {self.loss} loss>"


def load(source: str | PathLike[str] | bytes) -> Model:
    """A model from its file, or from the bytes of one."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        return Model.from_bytes(bytes(source))
    return Model(_hogwild.Model.open(fspath(source)))


def _by_name(X: Any, names: Any, known: dict[str, int]) -> Any:
    """X with the columns of a model whose features have names, in its order; unknown ones come behind them."""
    if names is None:
        raise BadDataError("X: the features of this model have names, and X has none; give a data frame, or names=, one a column")
    names = [str(name) for name in names]
    if len(names) != X.shape[1]:
        raise BadDataError(f"names: there are {len(names)}, and X has {X.shape[1]} columns; give one a column")
    if len(set(names)) < len(names):
        raise BadDataError(f"names: {next(name for name in names if names.count(name) > 1)!r} is there twice; give each column its own")
    places = np.array([known.get(name, len(known) + i) for i, name in enumerate(names)], dtype=np.int64)
    return sp.csr_matrix((X.data, places[X.indices], X.indptr.astype(np.int64)), (X.shape[0], len(known) + len(names)))
