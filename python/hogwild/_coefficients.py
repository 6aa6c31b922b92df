"""Linear models by their coefficients: scores of matrices where they lie, and learning that goes on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from . import _hogwild
from ._estimator import RowEstimator, feature_names, parameters_named
from ._inputs import arrays, check_scores, summed
from ._model import Model
from ._run import plain

__all__ = ["Coefficients"]


#: The parameters that learning goes by: where they change between calls, learners are made anew.
_LEARNS_BY = ("loss", "rule", "learning_rate", "schedule", "l2", "l1", "batch_size", "normalize", "average", "shuffle")


class _Weights:
    """Coefficients and intercept; of learners, which have newer ones after each call, read when they are asked for.

    An estimator has one of these, which it replaces as a whole: other threads see the one before or the one behind.
    """

    def __init__(self, coef: Any = None, intercept: Any = None, learners: Any = None, learnt_by: Any = None) -> None:
        self.both = (coef, intercept) if learners is None else None
        self.learners, self.learnt_by = learners, learnt_by

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "both": self.both if self.learners is None else None}

    def get(self, of_one: bool) -> tuple[Any, Any]:
        """Both; ``of_one``: without an axis of models."""
        both = self.both
        if both is None:
            found = [learner.weights() for learner in self.learners]
            coef, intercept = np.stack([coef for coef, _ in found]), np.array([intercept for _, intercept in found], dtype=np.float32)
            # They are copies: who wrote to them would be forgotten by the next call.
            coef.flags.writeable = intercept.flags.writeable = False
            both = self.both = (coef[0] if of_one else coef, intercept)
        return both


class Coefficients(RowEstimator):
    """What both have: coefficients, scores by them, and learning that goes on."""

    _family, _model_of = "linear", "_weights_now"
    unit_rows_: bool

    def _coefficients(self, runs: list[Any]) -> None:
        """Attributes of runs, a model each."""
        self._keep(runs)
        if runs[0].model.family in ("softmax", "ovr"):
            coef, intercept = runs[0].model._inner.class_coefficients(self.n_features_in_)
            coef = coef.reshape(len(intercept), -1)
        else:
            found = [run.model._inner.coefficients(self.n_features_in_) for run in runs]
            coef, intercept = np.stack([coef for coef, _ in found]), np.array([one for _, one in found], dtype=np.float32)
            coef = coef if isinstance(self, ClassifierMixin) else coef[0]
        self.unit_rows_ = runs[0].model._inner.unit_rows
        self._weights_now = _Weights(coef, intercept)

    def _both(self) -> tuple[Any, Any]:
        """Coefficients and intercept, of one moment."""
        coef, intercept = self._halves()
        if coef is None or intercept is None:
            raise AttributeError(f"{type(self).__name__} has no {'coef_' if coef is None else 'intercept_'} before it is fitted")
        return coef, intercept

    def _halves(self) -> tuple[Any, Any]:
        """The same, where one may have been set before the other."""
        weights = self.__dict__.get("_weights_now")
        return (None, None) if weights is None else weights.get(not isinstance(self, ClassifierMixin))

    @property
    def coef_(self) -> Any:
        """A row a model, a column a feature. After partial_fit it is read from the learners when it is asked for, and read-only."""
        return self._both()[0]

    @coef_.setter
    def coef_(self, value: Any) -> None:
        self._weights_now = _Weights(value, self._halves()[1])

    @property
    def intercept_(self) -> Any:
        """One a model."""
        return self._both()[1]

    @intercept_.setter
    def intercept_(self, value: Any) -> None:
        self._weights_now = _Weights(self._halves()[0], value)

    def _learners(self, X: Any, count: int) -> tuple[list[Any], tuple[Any, ...]]:
        """Those that go on from what is known, and the parameters that they learn by."""
        known = self.__dict__.get("_weights_now")
        by = (*(getattr(self, name) for name in _LEARNS_BY), dict(self.settings or {}))
        if known is not None and known.learnt_by == by:
            return known.learners, by
        settings = plain(self._begin(X.shape[0]))
        settings.pop("threads", None)
        with parameters_named():
            learners = [_hogwild.Online(settings, X.shape[1]) for _ in range(count)]
            if known is not None and known.learners is not None and known.learnt_by[:2] == by[:2]:
                # The rule's state goes on, by other numbers.
                rate = None if self.learning_rate == "auto" else float(self.learning_rate)
                for i, before in enumerate(known.learners):
                    again, (_, width, numbers, state) = before.__reduce__()
                    rate = state[0] if known.learnt_by[2] == by[2] else rate
                    learners[i] = again(settings, width, numbers, (rate, *state[1:]))
            elif known is not None:
                coef, intercept = self._both()
                for learner, row, start in zip(learners, np.atleast_2d(coef), np.atleast_1d(intercept)):
                    learner.start_at(np.ascontiguousarray(row, dtype=np.float32), float(start))
        return learners, by

    def _learn(self, X: Any, labels: list[Any], weights: Any) -> None:
        """Learns rows once each, a model for each of the labels. Rows of weight 0 are none."""
        if weights is not None:
            kept = np.flatnonzero(weights)
            if len(kept) == 0:
                return
            X, labels, weights = X[kept], [each[kept] for each in labels], np.ascontiguousarray(weights[kept], dtype=np.float32)
        learners, by = self._learners(X, len(labels))
        csr = arrays(X)
        for learner, labels_of_one in zip(learners, labels):
            labels_of_one = np.ascontiguousarray(labels_of_one, dtype=np.float32)
            try:
                learner.learn(csr, labels_of_one, weights)
            except ValueError:
                if X.has_canonical_format:
                    validate_data(self, X, accept_sparse="csr", dtype=[np.float64, np.float32], reset=False)
                    raise
                X = summed(X)
                csr = arrays(X)
                learner.learn(csr, labels_of_one, weights)
        self.unit_rows_ = self.normalize == "row"
        self.n_iter_ = self.n_iter_ + 1 if self._learns_on() else 1
        self.learning_rate_ = learners[0].rate
        self._weights_now = _Weights(learners=learners, learnt_by=by)

    def _learns_on(self) -> bool:
        """Whether it has learnt by partial_fit before."""
        known = self.__dict__.get("_weights_now")
        return known is not None and known.learners is not None

    def _partial(self, X: Any, y: Any, sample_weight: Any, **more: Any) -> tuple[Any, Any, Any]:
        """Rows to go on with."""
        if self.early_stopping:
            raise ValueError("early_stopping: partial_fit goes through its rows once; stop calling it instead")
        first = not self.__sklearn_is_fitted__()
        ys = np.asarray(y)
        if not first and self._is_plain(X) and ys.shape == X.shape[:1] and ys.dtype.kind != "O":
            y = ys
        else:
            X, y = self._validated(X, y, reset=first, **more)
        given = np.asarray(sample_weight)
        if sample_weight is not None and given.shape == y.shape and not given.any():
            return X, y, np.zeros(len(y), dtype=np.float32)  # of a fit this is an error
        return X, y, self._weights(sample_weight, X)

    def _scores(self, X: Any) -> Any:
        """A row a row of X, a column a model."""
        X = self._matrix(X)
        coef, intercept = self._both()
        coef, intercept = np.atleast_2d(coef), np.atleast_1d(intercept)
        if isinstance(X, np.ndarray):
            cells = X
            if self.unit_rows_:
                with np.errstate(over="ignore"):
                    length = np.sqrt(np.einsum("ij,ij->i", X, X))[:, None]
                check_scores(X, length)
                X = X / np.where(length > 0, length, 1)
            with np.errstate(over="ignore", invalid="ignore"):
                scores = X @ coef.T + intercept
            check_scores(cells, scores)
            return scores
        if self.unit_rows_:
            X = summed(X)
        coef, intercept = np.ascontiguousarray(coef, dtype=np.float32), np.ascontiguousarray(intercept, dtype=np.float32)
        scores = _hogwild.score_matrix(arrays(X), coef, intercept, self.unit_rows_, self._threads_for(X)).reshape(-1, len(intercept))
        self._check_finite(X, scores)
        return scores

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
