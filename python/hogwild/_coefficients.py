"""Linear models by their coefficients: scores of matrices where they lie, and learning that goes on."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from . import _hogwild
from ._estimator import feature_names
from ._inputs import arrays, check_scores, summed
from ._learning import Learner
from ._model import Model

__all__ = ["Coefficients"]


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


class Coefficients(Learner):
    """What both have: coefficients, scores by them, and learning that goes on."""

    _family, _model_of = "linear", "_weights_now"
    unit_rows_: bool
    warm_start: bool

    def _coefficients(self, runs: list[Any]) -> None:
        """Attributes of runs, a model each."""
        self._keep(runs)
        self._rate_by = self._how()
        self.unit_rows_ = runs[0].model._inner.unit_rows
        self._weights_now = _Weights(*self._of_models([run.model for run in runs]))

    def _of_models(self, models: list[Model]) -> tuple[Any, Any]:
        """Coefficients and intercept of models."""
        if models[0].family not in ("softmax", "ovr"):
            found = [model._inner.coefficients(self.n_features_in_) for model in models]
            if len(found) == 1:
                [(coef, one)] = found
                return coef[None, :] if isinstance(self, ClassifierMixin) else coef, np.array([one], dtype=np.float32)
            coef, intercept = np.stack([coef for coef, _ in found]), np.array([one for _, one in found], dtype=np.float32)
            return coef if isinstance(self, ClassifierMixin) else coef[0], intercept
        coef, intercept = models[0]._inner.class_coefficients(self.n_features_in_)
        return coef.reshape(len(intercept), -1), intercept

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

    def _state(self, learners: Any, learnt_by: Any) -> Any:
        return _Weights(learners=learners, learnt_by=learnt_by)

    def _start(self, learners: list[Any]) -> None:
        coef, intercept = self._both()
        for learner, row, start in zip(learners, np.atleast_2d(coef), np.atleast_1d(intercept)):
            learner.start_at(np.ascontiguousarray(row, dtype=np.float32), float(start), np.zeros(0, dtype=np.float32))

    def _before(self) -> Any:
        if not self.warm_start or not self.__sklearn_is_fitted__():
            return None
        coef, intercept = self._both()
        known = getattr(self, "classes_", None), getattr(self, "multilabel_", False)
        return np.atleast_2d(coef), np.atleast_1d(intercept), known, getattr(self, "learning_rate_", None), getattr(self, "_rate_by", None)

    def _starts(self, before: Any, family: str | None, columns: int, classes: int) -> list[Any]:
        starts = super()._starts(before, family, columns, classes)
        if before is None:
            return starts
        coef, intercept, (known, had_sets), _, how = before
        if coef.shape[1] != columns:
            raise ValueError(f"warm_start: X has {columns} columns, and what was learnt before {coef.shape[1]}; give warm_start=False")
        if had_sets != getattr(self, "multilabel_", False):
            was, now = ("any number of classes", "one") if had_sets else ("one class", "any number")
            raise ValueError(f"warm_start: rows had {was} before, and have {now} now; give warm_start=False")
        if known is not None and not np.array_equal(known, self.classes_):
            raise ValueError(f"warm_start: the classes were {known.tolist()} before; give warm_start=False")
        for name, place in [("loss", 0), ("multi_class", 4)] if how is not None else []:
            before_it, it = (None if each is None else each.split(":")[0] for each in (how[place], self._how()[place]))
            if before_it != it and (place == 0 or len(intercept) > 1):
                raise ValueError(f"warm_start: {name} was {before_it} before, and is {it} now; give warm_start=False")
        models = [self._raw_model(row, float(start), None, None, True) for row, start in zip(coef, intercept)]
        if family is None:
            return models if len(models) > 1 else [models[0]] * len(starts)
        names = [str(label) for label in range(len(intercept))]
        halves = (np.ascontiguousarray(half, dtype=np.float32) for half in (coef, intercept))
        return [models[0].of_classes(family, *halves, names, None, True)]

    def _rate_of(self, before: Any, run: int = 0) -> dict[str, Any]:
        # Another rule, or other scales, ask for another rate.
        if before is None or self.learning_rate != "auto" or before[3] is None or before[4] != self._how():
            return {}
        rate = before[3]
        return {"lr": rate[run] if isinstance(rate, list) else rate}

    def _fitted(self, model: Any) -> dict[str, Any]:
        return {"_weights_now": _Weights(*self._of_models([model])), "unit_rows_": model._inner.unit_rows}

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
        return Model(self._raw_model(np.atleast_2d(self.coef_)[row], float(np.atleast_1d(self.intercept_)[row]), classes, feature_names(self)))

    def _raw_model(self, coef: Any, intercept: float, classes: tuple[float, float] | None, names: list[str] | None, all_columns: bool = False) -> Any:
        """The same of given ones; ``all_columns``: with those of weight 0."""
        coef = np.ascontiguousarray(coef, dtype=np.float32)
        settings = json.dumps({name: value for name, value in self.get_params().items() if isinstance(value, (str, int, float, type(None)))})
        loss = _hogwild.losses(self.loss)[self.loss.split(":")[0]]["text"]
        return _hogwild.Model.linear(coef, intercept, loss, classes, names, self.unit_rows_, settings, all_columns)

    def weights(self, top: int | None = None) -> list[tuple[Any, float]]:
        """The weights by feature (its name, or its column), the largest first; only so many of them."""
        check_is_fitted(self)
        coef = np.atleast_2d(self.coef_)
        length = np.abs(coef).max(axis=0)
        names = feature_names(self)
        order = np.argsort(-length, kind="stable")[:top]
        one = len(coef) == 1
        return [(names[i] if names else int(i), float(coef[0, i]) if one else float(length[i])) for i in order]
