"""Learning that goes on: what ``partial_fit`` does for all estimators that have it.

What was learnt is a holder of learners, which an estimator replaces as a whole: other threads see the one before or the one behind.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import validate_data

from . import _hogwild
from ._estimator import RowEstimator, parameters_named
from ._inputs import arrays, summed
from ._kinds import against, check_sets, dense, indices_of
from ._run import plain

__all__ = ["Learner", "learn_classes"]


#: The parameters that learning goes by: where they change between calls, learners are made anew.
_LEARNS_BY = ("loss", "rule", "learning_rate", "schedule", "l2", "l1", "batch_size", "normalize", "average", "shuffle", "fit_intercept", "rank")


class Learner(RowEstimator):
    """Keeps learners in the attribute ``_model_of``, with ``learners`` and the parameters that they were ``learnt_by``."""

    #: Whether features have factors.
    _factors = False
    unit_rows_: bool

    def _state(self, learners: Any, learnt_by: Any) -> Any:
        """A holder of learners."""
        raise NotImplementedError

    def _start(self, learners: list[Any]) -> None:
        """Has new learners begin at what was learnt otherwise."""
        raise NotImplementedError

    def _learners(self, X: Any, count: int) -> tuple[list[Any], tuple[Any, ...]]:
        """Those that go on from what is known, and the parameters that they learn by."""
        known = self.__dict__.get(self._model_of)
        by = (*(getattr(self, name, None) for name in _LEARNS_BY), dict(self.settings or {}))
        if known is not None and known.learnt_by == by:
            return known.learners, by
        rank = _LEARNS_BY.index("rank")
        if known is not None and known.learners is not None and known.learnt_by[rank] != by[rank]:
            raise ValueError(f"rank: what was learnt before has {known.learnt_by[rank]} factors a feature; give that, or begin anew")
        settings = plain(self._begin(X.shape[0]))
        settings.pop("threads", None)
        with parameters_named(self):
            learners = [_hogwild.Online(settings, X.shape[1], self._factors) for _ in range(count)]
            if known is not None and known.learners is not None and known.learnt_by[:2] == by[:2]:
                # The rule's state goes on, by other numbers.
                rate = None if self.learning_rate == "auto" else float(self.learning_rate)
                for i, before in enumerate(known.learners):
                    again, (_, width, numbers, state, factors) = before.__reduce__()
                    rate = state[0] if known.learnt_by[2] == by[2] else rate
                    learners[i] = again(settings, width, numbers, (rate, *state[1:]), factors)
            elif known is not None:
                self._start(learners)
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
        self.learning_rate_, self._rate_by = learners[0].rate, self._how()
        setattr(self, self._model_of, self._state(learners, by))

    def _how(self) -> tuple[Any, ...]:
        """What a learning rate is good for."""
        return self.loss, self.rule, self.normalize, self.batch_size, getattr(self, "multi_class", None)

    def _learns_on(self) -> bool:
        """Whether it has learnt by partial_fit before."""
        known = self.__dict__.get(self._model_of)
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
        if sample_weight is not None and given.shape == y.shape[:1] and not given.any():
            return X, y, np.zeros(len(y), dtype=np.float32)  # of a fit this is an error
        return X, y, self._weights(sample_weight, X)


def learn_classes(estimator: Any, X: Any, y: Any, classes: Any, sample_weight: Any) -> None:
    """Has a classifier learn rows, of more than two classes each against the rest. The first call is to name all classes."""
    if not estimator.__sklearn_is_fitted__():
        estimator.__dict__.pop("multilabel_", None)  # of a call that failed
    if estimator.multilabel_ or estimator._takes_sets(y):
        return _learn_sets(estimator, X, y, classes, sample_weight)
    X, y, weights = estimator._partial(X, y, sample_weight)
    if not estimator.__sklearn_is_fitted__():
        if classes is None:
            raise ValueError("classes: the first call of partial_fit is to name all of them")
        estimator.classes_ = unique_labels(classes)
        if len(estimator.classes_) < 2:
            raise ValueError(f"classes: there is only one class, {estimator.classes_.tolist()[0]!r}, and at least 2 are needed")
    elif classes is not None and not np.array_equal(estimator.classes_, unique_labels(classes)):
        raise ValueError(f"classes: {classes!r} are not those of the first call, {estimator.classes_.tolist()}")
    if estimator.class_weight is not None:
        if isinstance(estimator.class_weight, str):
            raise ValueError("class_weight: what is balanced follows from all rows; give a dict of weights, or use fit")
        of_class = np.array([estimator.class_weight.get(label, 1.0) for label in estimator.classes_.tolist()], dtype=np.float32)
        own = of_class[indices_of(estimator.classes_, y, "y")]
        weights = own if weights is None else weights * own
    indices = indices_of(estimator.classes_, y, "y")
    labels = [1] if len(estimator.classes_) == 2 else range(len(estimator.classes_))
    estimator._learn(X, [against(indices, label) for label in labels], weights)


def _learn_sets(estimator: Any, X: Any, y: Any, classes: Any, sample_weight: Any) -> None:
    """The same of rows with any number of classes: each column of y is learnt by itself."""
    first = not estimator.__sklearn_is_fitted__()
    if not first and not estimator.multilabel_:
        raise ValueError("y: has any number of classes a row, and what was learnt before one; give that, or begin anew")
    if estimator.class_weight is not None:
        raise ValueError("class_weight: is of rows with one class each; give sample_weight")
    y = np.asarray(dense(y))
    if y.ndim != 2 or (not first and y.shape[1] != len(estimator.classes_)):
        told = "a column a class" if first else f"{len(estimator.classes_)} columns, as before"
        raise ValueError(f"y: has the shape {y.shape}; give a row a row of X, and {told}")
    check_sets(y, "y")
    if classes is not None and not np.array_equal(classes, np.arange(y.shape[1])):
        raise ValueError(f"classes: {classes!r} are not the columns of y, 0 to {y.shape[1] - 1}; leave them out")
    X, y, weights = estimator._partial(X, y, sample_weight, multi_output=True)
    estimator.classes_, estimator.multilabel_ = np.arange(y.shape[1]), True
    estimator._learn(X, [against(y[:, label], 1) for label in range(y.shape[1])], weights)
