"""Trained models: files, weights, predictions."""

from __future__ import annotations

import json
from os import PathLike, fspath
from typing import Any

import numpy as np

from . import _hogwild
from ._data import Ratings, Rows
from ._inputs import arrays, as_csr, is_sparse, threads

__all__ = ["Model", "load"]


class Model:
    """A trained model, as a model file holds it. It pickles as the bytes of that file.

    >>> import hogwild, scipy.sparse
    >>> X = scipy.sparse.csr_matrix([[0, 2.0, 0], [1.0, 0, 3.0]])
    >>> model = hogwild.train(hogwild.Rows.from_matrix(X, [1, -1]), lr=0.5).model
    >>> hogwild.Model.from_bytes(model.to_bytes()).predict(X).round() # probabilities of +1
    array([1., 0.], dtype=float32)
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: _hogwild.Model) -> None:
        self._inner = inner

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

    def scores(self, X: Any, *, n_jobs: int | None = None) -> Any:
        """The scores of a matrix whose columns are the features' numbers, or of Rows or Ratings."""
        if isinstance(X, (Rows, Ratings)):
            return self._shaped(self._inner.score_data(X._inner, threads(n_jobs)))
        if not (is_sparse(X) and X.format == "csr"):
            X = as_csr(X)
        return self._shaped(self._inner.score_csr(arrays(X), 1 if X.nnz < 1 << 18 else threads(n_jobs)))

    def _shaped(self, scores: Any) -> Any:
        """Scores with a column a class, of a model of several."""
        names = self._inner.class_names
        return scores if names is None else scores.reshape(-1, len(names))

    def predict(self, X: Any, *, n_jobs: int | None = None) -> Any:
        """What the scores predict: probabilities of +1 by the logistic loss, means by poisson, else the scores.

        Of several classes there is a column a class, in the order of ``ids("class")``.
        """
        scores = self.scores(X, n_jobs=n_jobs)
        if self.family == "softmax":
            likely = np.exp(scores - scores.max(axis=1, keepdims=True))
            return likely / likely.sum(axis=1, keepdims=True)
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
