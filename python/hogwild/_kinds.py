"""What classifiers share, and what regressors do: labels become those of the loss, scores predictions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from . import _hogwild
from ._estimator import RowEstimator, held_out
from ._inputs import is_sparse

__all__ = ["Classifier", "Regressor", "against", "check_sets", "dense", "indices_of", "is_binary"]


def has_probabilities(estimator: Any) -> bool:
    """Whether the loss predicts probabilities."""
    if predicts(estimator.loss) != "probability":
        raise AttributeError(f"probabilities are not to be had of the {estimator.loss} loss; use logistic")
    return True


def is_binary(estimator: Any) -> bool:
    return not getattr(estimator, "multilabel_", False) and len(getattr(estimator, "classes_", (0, 1))) == 2


def predicts(loss: str) -> str:
    return str(_hogwild.losses(loss)[loss.split(":")[0]]["predicts"])


class Classifier(ClassifierMixin, RowEstimator):
    """Classes by scores: of two classes one model, of more a model a class, that class against the rest."""

    classes_: Any
    class_weight: Any

    #: Whether a row may have any number of classes: y is then a matrix of them, 1 where a row has the class of a column.
    multilabel_: bool = False

    def _fit_classes(self, X: Any, y: Any, sample_weight: Any, eval_set: Any) -> list[Any]:
        before = self._forget()
        eval_set = held_out(eval_set)
        if predicts(self.loss) == "number":
            raise ValueError(f"loss {self.loss}: is a loss of numbers; use a loss of classes such as logistic, or a regressor")
        self.__dict__.pop("multilabel_", None)
        if self._takes_sets(y):
            return self._fit_sets(X, y, sample_weight, eval_set, before)
        X, y = self._validated(X, y)
        weights = self._weights(sample_weight, X)
        X, y, weights = _counting(X, y, weights)
        classes, indices = classes_of(y)
        if self.class_weight is not None:
            of_class = compute_class_weight(self.class_weight, classes=classes, y=y)[indices]
            weights = (of_class if weights is None else weights * of_class).astype(np.float32)
            X, y, weights = _counting(X, y, weights)
            classes, indices = classes_of(y)
        if len(classes) < 2:
            raise ValueError(f"{type(self).__name__} needs at least 2 classes, but the data contains only one class: {y[:1].tolist()[0]!r}")
        self.classes_ = classes
        settings = self._begin(X.shape[0])
        known = None if eval_set is None else indices_of(classes, np.asarray(eval_set[1]), "eval_set")
        family = self._family_of(len(classes))
        self._told(X, y, weights, 1 if family is not None or len(classes) == 2 else len(classes))
        starts = self._starts(before, family, X.shape[1], len(classes))
        if family is not None:
            # All classes in one pass: a label is the number of its class.
            rows = self._rows(X, indices, weights)
            valid = None if known is None else self._eval_rows(eval_set, lambda _: known)
            return [self._run(rows, valid, {**settings, "l1": None, **self._rate_of(before)}, family, starts[0])]
        first = 1 if len(classes) == 2 else 0
        rows = self._rows(X, against(indices, first), weights)
        valid = None if known is None else self._eval_rows(eval_set, lambda _: against(known, first))
        runs = [self._run(rows, valid, {**settings, **self._rate_of(before)}, None, starts[0])]
        for label in range(first + 1, len(classes)):
            if len(classes) == 2 or self._error is not None:
                break
            other = None if valid is None else valid.with_labels(against(known, label))
            own = {**settings, **self._rate_of(before, label)}
            runs.append(self._run(rows.with_labels(against(indices, label)), other, own, None, starts[label]))
        if len(classes) > 2 and len(runs) < len(classes):
            self._finish()  # a model of some of the classes is none
        return runs

    def _takes_sets(self, y: Any) -> bool:
        """Whether y says which of the classes each row has, of models that take any number of them."""
        return False

    def _fit_sets(self, X: Any, y: Any, sample_weight: Any, eval_set: Any, before: Any) -> list[Any]:
        """Each class against the rest, all in one pass, of rows with any number of them."""
        X, y = self._validated(X, dense(y), multi_output=True)
        check_sets(y, "y")
        X, y, weights = _counting(X, y, self._weights(sample_weight, X))
        if self.class_weight is not None:
            raise ValueError("class_weight: is of rows with one class each; give sample_weight")
        self.classes_, self.multilabel_ = np.arange(y.shape[1]), True
        settings = self._begin(X.shape[0])
        self._told(X, y, weights, 1)
        [start] = self._starts(before, "ovr", X.shape[1], y.shape[1])
        rows = _with_sets(self._rows(X, np.zeros(len(y)), weights), y)
        valid = None
        if eval_set is not None:
            known = np.asarray(dense(eval_set[1]))
            if known.ndim != 2 or known.shape[1] != y.shape[1]:
                raise ValueError(f"eval_set: y has the shape {known.shape}, and that of the rows {y.shape}; give a column a class")
            check_sets(known, "eval_set: y")
            valid = _with_sets(self._eval_rows((eval_set[0], known), lambda known: np.zeros(len(known))), known)
        return [self._run(rows, valid, {**settings, "l1": None, **self._rate_of(before)}, "ovr", start)]

    def _family_of(self, classes: int) -> str | None:
        """The family of models that learns so many classes in one pass; None: a model a class."""
        return None

    def decision_function(self, X: Any) -> Any:
        """Scores: above 0 speaks for the second class; of more classes a column a class."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 and not self.multilabel_ else scores

    def predict(self, X: Any) -> Any:
        """The class of each row; of rows with any number of classes 1 for each that it has."""
        scores = self._scores(X)
        if self.multilabel_:
            return (scores > 0).astype(np.int64)
        return self.classes_[(scores[:, 0] > 0).astype(np.intp) if scores.shape[1] == 1 else scores.argmax(axis=1)]

    @available_if(has_probabilities)
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes; of more than two by softmax, or those of each against the rest, brought to the sum 1.

        Of rows with any number of classes that of each, by itself.
        """
        scores = self._scores(X).astype(np.float64)
        if scores.shape[1] > 1 and getattr(self, "multi_class", "ovr") == "softmax":
            likely = np.exp(scores - scores.max(axis=1, keepdims=True))
            return likely / likely.sum(axis=1, keepdims=True)
        likely = np.exp(-np.logaddexp(0, -scores))
        if self.multilabel_:
            return likely
        if scores.shape[1] == 1:
            return np.column_stack([np.exp(-np.logaddexp(0, scores[:, 0])), likely[:, 0]])
        total = likely.sum(axis=1, keepdims=True)
        return np.where(total > 0, likely / np.where(total > 0, total, 1), 1 / scores.shape[1])

    @available_if(has_probabilities)
    def predict_log_proba(self, X: Any) -> Any:
        """Their logarithms."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


def classes_of(y: Any) -> tuple[Any, Any]:
    """The classes in their order, and the place of each label's among them."""
    if y.dtype.kind in "iufb" and len(y):
        # Two numbers are found without sorting, which takes as long as an epoch of a linear model. Fractions are no classes.
        low, high = y.min(), y.max()
        is_high = y == high
        if low != high and float(low).is_integer() and float(high).is_integer() and np.count_nonzero(is_high) + np.count_nonzero(y == low) == len(y):
            return np.array([low, high], dtype=y.dtype), is_high.astype(np.intp)
    check_classification_targets(y)
    return np.unique(y, return_inverse=True)


def _counting(X: Any, y: Any, weights: Any) -> tuple[Any, Any, Any]:
    """The rows that count for anything, by weights of 32 bits."""
    if weights is None or weights.all():
        return X, y, weights
    kept = np.flatnonzero(weights)
    if len(kept) == 0:
        raise ValueError("sample_weight, class_weight: all rows weigh zero; give some a weight above 0")
    return X[kept], y[kept], weights[kept]


def dense(y: Any) -> Any:
    return y.toarray() if is_sparse(y) else y


def check_sets(y: Any, what: str) -> None:
    """Nothing but 1 and 0 says whether a row has a class."""
    wrong = y[(y != 0) & (y != 1)]
    if len(wrong):
        raise ValueError(f"{what}: has the value {wrong[0]!s}; give 0 and 1")


def _with_sets(rows: Any, y: Any) -> Any:
    """Rows that have the classes of the columns in which y is 1."""
    of_row, classes = np.nonzero(y)
    starts = np.searchsorted(of_row, np.arange(len(y) + 1)).astype(np.uint64)
    return rows.with_class_sets(starts, classes.astype(np.uint32), [str(label) for label in range(y.shape[1])])


def against(indices: Any, label: int) -> Any:
    """+1 for a class, -1 for the rest."""
    return np.where(indices == label, np.float32(1), np.float32(-1))


def indices_of(classes: Any, y: Any, what: str = "eval_set") -> Any:
    """The number of each label's class."""
    found = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    wrong = classes[found] != y
    if np.any(wrong):
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"{what}: row {row} has the class {y[row : row + 1].tolist()[0]!r}, which is none of {classes.tolist()}")
    return found


class Regressor(RegressorMixin, RowEstimator):
    """Numbers by scores."""

    def _fit_numbers(self, X: Any, y: Any, sample_weight: Any, eval_set: Any) -> Any:
        before = self._forget()
        X, y = self._validated(X, y, y_numeric=True)
        eval_set = held_out(eval_set)
        if predicts(self.loss) != "number":
            raise ValueError(f"loss {self.loss}: is a loss of classes; use a loss of numbers such as squared, or a classifier")
        settings = self._begin(X.shape[0])
        X, y, weights = _counting(X, y, self._weights(sample_weight, X))
        self._told(X, y, weights, 1)
        [start] = self._starts(before, None, X.shape[1], 1)
        rows = self._rows(X, y, weights)
        return self._run(rows, self._eval_rows(eval_set, lambda y: y), {**settings, **self._rate_of(before)}, None, start)

    def predict(self, X: Any) -> Any:
        """The number of each row: by poisson and tweedie the mean, whose logarithm is the score."""
        scores = self._scores(X)[:, 0].astype(np.float64)
        return np.exp(scores) if _hogwild.losses(self.loss)[self.loss.split(":")[0]]["link"] == "log" else scores
