"""Linear models by their coefficients: scores of matrices where they lie, and learning that goes on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _hogwild
from ._estimator import RowEstimator, feature_names
from ._inputs import arrays
from ._model import Model

__all__ = ["Coefficients"]


class Coefficients(RowEstimator):
    """What both have: coefficients, scores by them, and learning that goes on."""

    _family = "linear"
    unit_rows_: bool

    def _coefficients(self, runs: list[Any]) -> None:
        """Attributes of runs, a model each."""
        self._keep(runs)
        if runs[0].model.family in ("softmax", "ovr"):
            coef, intercept = runs[0].model._inner.class_coefficients(self.n_features_in_)
            coef = coef.reshape(len(intercept), -1)
            self.coef_, self.intercept_ = coef, intercept
        else:
            self._take([run.model._inner.coefficients(self.n_features_in_) for run in runs])
        self.unit_rows_ = runs[0].model._inner.unit_rows

    def _take(self, found: list[Any]) -> None:
        """Coefficients and intercept of models."""
        coef = np.stack([coef for coef, _ in found])
        self.coef_ = coef if isinstance(self, ClassifierMixin) else coef[0]
        self.intercept_ = np.array([intercept for _, intercept in found], dtype=np.float32)

    @property
    def coef_(self) -> Any:
        """A row a model, a column a feature. After partial_fit it is read from the learners when it is asked for."""
        self._read()
        return self._of_dict("_coef")

    @coef_.setter
    def coef_(self, value: Any) -> None:
        self.__dict__.pop("_learners", None)
        self.__dict__["_coef"] = value

    @property
    def intercept_(self) -> Any:
        """One a model."""
        self._read()
        return self._of_dict("_intercept")

    @intercept_.setter
    def intercept_(self, value: Any) -> None:
        self.__dict__.pop("_learners", None)
        self.__dict__["_intercept"] = value

    def _of_dict(self, name: str) -> Any:
        if name not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no {name[1:]}_ before it is fitted")
        return self.__dict__[name]

    def _read(self) -> None:
        """Takes the coefficients of the learners, if they are newer."""
        learners = self.__dict__.get("_learners")
        if learners is not None and "_coef" not in self.__dict__:
            self._take([learner.weights() for learner in learners])
            self.__dict__["_learners"] = learners

    def _learn(self, X: Any, labels: list[Any], weights: Any) -> None:
        """Learns rows once each, a model for each of the labels."""
        learners = self.__dict__.get("_learners")
        if learners is None:
            settings = self._begin(X.shape[0])
            settings.pop("threads", None)
            learners = [_hogwild.Online(settings, X.shape[1]) for _ in labels]
            if "_coef" in self.__dict__:
                coef, intercept = np.atleast_2d(self._of_dict("_coef")), np.atleast_1d(self._of_dict("_intercept"))
                for learner, row, start in zip(learners, coef, intercept):
                    learner.start_at(np.ascontiguousarray(row, dtype=np.float32), float(start))
            self.unit_rows_, self.n_iter_ = self.normalize == "row", 0
        csr = arrays(X)
        for learner, labels_of_one in zip(learners, labels):
            labels_of_one = np.ascontiguousarray(labels_of_one, dtype=np.float32)
            try:
                learner.learn(csr, labels_of_one, weights)
            except ValueError:
                if X.has_canonical_format:
                    validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
                    raise
                X = X.copy()
                X.sum_duplicates()
                csr = arrays(X)
                learner.learn(csr, labels_of_one, weights)
        self.__dict__.pop("_coef", None)
        self.__dict__.pop("_intercept", None)
        self.__dict__["_learners"] = learners
        self.n_iter_ += 1
        self.learning_rate_ = learners[0].rate

    def _partial(self, X: Any, y: Any, sample_weight: Any, **more: Any) -> tuple[Any, Any, Any]:
        """Rows to go on with, without those of weight 0."""
        if self.early_stopping:
            raise ValueError("early_stopping: partial_fit goes through its rows once; stop calling it instead")
        first = not ("_learners" in self.__dict__ or "_coef" in self.__dict__)
        plain = np.asarray(y)
        if not first and self._is_plain(X) and plain.shape == X.shape[:1] and plain.dtype.kind != "O":
            y = plain
        else:
            X, y = self._validated(X, y, reset=first, **more)
        weights = self._weights(sample_weight, X)
        if weights is not None:
            kept = np.flatnonzero(weights)
            X, y, weights = X[kept], y[kept], np.ascontiguousarray(weights[kept], dtype=np.float32)
        return X, y, weights

    def _scores(self, X: Any) -> Any:
        """A row a row of X, a column a model."""
        X = self._matrix(X)
        coef = np.atleast_2d(self.coef_)
        if isinstance(X, np.ndarray):
            if self.unit_rows_:
                length = np.sqrt(np.einsum("ij,ij->i", X, X))[:, None]
                X = X / np.where(length > 0, length, 1)
            return X @ coef.T + self.intercept_
        coef = np.ascontiguousarray(coef, dtype=np.float32)
        intercept = np.ascontiguousarray(np.atleast_1d(self.intercept_), dtype=np.float32)
        scores = _hogwild.score_matrix(arrays(X), coef, intercept, self.unit_rows_, self._threads_for(X))
        self._check_finite(X, scores)
        return scores.reshape(-1, len(intercept))

    def _model(self, row: int, classes: tuple[float, float] | None) -> Model:
        """The model of one row of coefficients."""
        coef = np.ascontiguousarray(np.atleast_2d(self.coef_)[row], dtype=np.float32)
        settings = json.dumps({name: value for name, value in self.get_params().items() if isinstance(value, (str, int, float, type(None)))})
        loss = _hogwild.losses(self.loss)[self.loss.split(":")[0]]["text"]
        intercept = float(np.atleast_1d(self.intercept_)[row])
        return Model(_hogwild.Model.linear(coef, intercept, loss, classes, feature_names(self), self.unit_rows_, settings))

    def weights(self, top: int | None = None) -> list[tuple[Any, float]]:
        """The weights by feature (its name, or its column), the largest first; only so many of them."""
        check_is_fitted(self)
        coef = np.atleast_2d(self.coef_)
        length = np.abs(coef).max(axis=0)
        names = feature_names(self)
        order = np.argsort(-length, kind="stable")[:top]
        one = len(coef) == 1
        return [(names[i] if names else int(i), float(coef[0, i]) if one else float(length[i])) for i in order]
