"""Linear models as scikit-learn estimators."""

from __future__ import annotations

import json
from os import PathLike, fspath
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from . import _hogwild
from ._estimator import RowEstimator, feature_names
from ._inputs import arrays, threads
from ._model import Model

__all__ = ["LinearClassifier", "LinearRegressor"]


class _Linear(RowEstimator):
    """What both have: coefficients, and scores by them."""

    _family = "linear"

    def _coefficients(self, runs: list[Any]) -> None:
        """Attributes of runs, a model each."""
        self._keep(runs)
        found = [run.model._inner.coefficients(self.n_features_in_) for run in runs]
        self.coef_ = np.stack([coef for coef, _ in found])
        self.intercept_ = np.array([intercept for _, intercept in found], dtype=np.float32)
        self.unit_rows_ = runs[0].model._inner.unit_rows

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


def _has_probabilities(estimator: Any) -> bool:
    """Whether the loss predicts probabilities."""
    if _predicts(estimator.loss) != "probability":
        raise AttributeError(f"probabilities are not to be had of the {estimator.loss} loss; use logistic")
    return True


def _is_binary(estimator: Any) -> bool:
    return len(getattr(estimator, "classes_", (0, 1))) == 2


def _predicts(loss: str) -> str:
    return str(_hogwild.losses(loss)[loss.split(":")[0]]["predicts"])


class Classifier(ClassifierMixin, RowEstimator):
    """Classes by scores: of two classes one model, of more a model a class, that class against the rest."""

    classes_: Any

    def _fit_classes(self, X: Any, y: Any, eval_set: Any) -> list[Any]:
        X, y = self._validated(X, y)
        check_classification_targets(y)
        if _predicts(self.loss) == "number":
            raise ValueError(f"loss {self.loss}: is a loss of numbers; use a loss of classes such as logistic, or a regressor")
        classes, indices = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(f"{type(self).__name__} needs at least 2 classes, but the data contains only one class: {classes[0]!r}")
        self.classes_ = classes
        settings = self._begin(X.shape[0])
        first = 1 if len(classes) == 2 else 0
        rows = self._rows(X, _against(indices, first), threads(self.n_jobs))
        valid, known = None, None
        if eval_set is not None:
            known = _indices(classes, np.asarray(eval_set[1]))
            valid = self._eval_rows(eval_set, lambda _: _against(known, first))
        runs = [self._run(rows, valid, settings)]
        for label in range(first + 1, len(classes)):
            if len(classes) == 2 or self._error is not None:
                break
            other = None if valid is None else valid.with_labels(_against(known, label))
            runs.append(self._run(rows.with_labels(_against(indices, label)), other, settings))
        return runs

    def decision_function(self, X: Any) -> Any:
        """Scores: above 0 speaks for the second class; of more classes a column a class."""
        scores = self._scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X: Any) -> Any:
        """The class of each row."""
        scores = self._scores(X)
        return self.classes_[(scores[:, 0] > 0).astype(np.intp) if scores.shape[1] == 1 else scores.argmax(axis=1)]

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes; of more than two, those of each against the rest, brought to the sum 1."""
        scores = self._scores(X).astype(np.float64)
        likely = np.exp(-np.logaddexp(0, -scores))
        if scores.shape[1] == 1:
            return np.column_stack([np.exp(-np.logaddexp(0, scores[:, 0])), likely[:, 0]])
        total = likely.sum(axis=1, keepdims=True)
        return np.where(total > 0, likely / np.where(total > 0, total, 1), 1 / scores.shape[1])

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> Any:
        """Their logarithms."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


def _against(indices: Any, label: int) -> Any:
    """+1 for a class, -1 for the rest."""
    return np.where(indices == label, np.float32(1), np.float32(-1))


def _indices(classes: Any, y: Any) -> Any:
    found = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    wrong = classes[found] != y
    if np.any(wrong):
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"eval_set: row {row} has the class {y[row]!r}, which is none of those of y")
    return found


class LinearClassifier(Classifier, _Linear):
    """Logistic regression and its kin, trained by all cores without locks (Hogwild!).

    Parameters
    ----------
    loss : logistic, hinge, squared-hinge, modified-huber or focal
    rule : the update rule, such as adagrad, adam, sgd or ftrl; ``adam:beta1=0.8`` sets what it has
    learning_rate : a number, or auto: a search on a sample, whose rate is ``learning_rate_``
    schedule : how the rate goes over the run: constant, linear, cosine...
    l2, l1 : what is added to the mean loss: ``l2 / 2 |w|^2`` and ``l1 |w|``
    epochs : passes over the data
    batch_size : 1 is a step an example; N or full steps by the mean gradient
    normalize : how features are scaled: auto, none, max-abs, std, row, online
    average : True, or the share of the run behind which weights are averaged
    shuffle : whether rows are visited in a new order each epoch
    early_stopping : ends the run when ``metric`` of the ``validation_fraction`` (or of ``eval_set``) got no better by
        ``tol`` for ``n_iter_no_change`` epochs, and keeps the best epoch
    n_jobs : threads of the run; None: all cores, but no more than the data are worth; 1: the same bits each time
    random_state : the seed; None: a new one each fit, kept in ``seed_``
    callbacks : see :mod:`hogwild.callbacks`
    verbose : 1: a line an epoch on standard error
    settings : any other setting of :func:`hogwild.train`, by name

    Examples
    --------
    >>> import hogwild
    >>> X, y = [[0.0, 2.0], [1.0, 0.0], [0.0, 1.0], [3.0, 0.0]], ["bad", "good", "bad", "good"]
    >>> model = hogwild.LinearClassifier(random_state=1).fit(X, y)
    >>> model.predict([[0.0, 3.0], [2.0, 0.0]])
    array(['bad', 'good'], dtype='<U4')
    """

    def __init__(
        self,
        *,
        loss: str = "logistic",
        rule: str = "adagrad",
        learning_rate: float | str = "auto",
        schedule: str | None = None,
        l2: float = 0.0,
        l1: float = 0.0,
        epochs: int = 5,
        batch_size: int | str = 1,
        normalize: str | None = None,
        average: bool | float = False,
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 3,
        tol: float = 0.0,
        metric: str | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        callbacks: Any = None,
        verbose: int = 0,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.loss = loss
        self.rule = rule
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l2 = l2
        self.l1 = l1
        self.epochs = epochs
        self.batch_size = batch_size
        self.normalize = normalize
        self.average = average
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.metric = metric
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose
        self.settings = settings

    def fit(self, X: Any, y: Any, eval_set: Any = None) -> LinearClassifier:
        """Trains on rows of any container, with a class a row. ``eval_set``: held-out ``(X, y)``."""
        self._coefficients(self._fit_classes(X, y, eval_set))
        return self._finish()

    @available_if(_is_binary)
    def to_model(self) -> Model:
        """The model, as :func:`hogwild.load` gives it; of two classes."""
        check_is_fitted(self)
        numbers = np.asarray(self.classes_)
        are_numbers = numbers.dtype.kind in "iufb" and np.array_equal(numbers.astype(np.float32), numbers)
        return self._model(0, (float(numbers[0]), float(numbers[1])) if are_numbers else None)

    @available_if(_is_binary)
    def save(self, path: str | PathLike[str]) -> None:
        """Writes a model file, which ``hogwild predict`` reads; of two classes."""
        self.to_model().save(fspath(path))


class LinearRegressor(RegressorMixin, _Linear):
    """Linear regression by any loss of numbers: squared, huber, quantile, poisson, tweedie...

    The parameters are those of :class:`LinearClassifier`. ``loss="quantile:tau=0.9"`` sets what a loss has.

    Examples
    --------
    >>> import hogwild
    >>> model = hogwild.LinearRegressor(random_state=1, epochs=50).fit([[1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 5.0, 7.0])
    >>> model.predict([[2.5]]).round()
    array([4.])
    """

    def __init__(
        self,
        *,
        loss: str = "squared",
        rule: str = "adagrad",
        learning_rate: float | str = "auto",
        schedule: str | None = None,
        l2: float = 0.0,
        l1: float = 0.0,
        epochs: int = 5,
        batch_size: int | str = 1,
        normalize: str | None = None,
        average: bool | float = False,
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 3,
        tol: float = 0.0,
        metric: str | None = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        callbacks: Any = None,
        verbose: int = 0,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.loss = loss
        self.rule = rule
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l2 = l2
        self.l1 = l1
        self.epochs = epochs
        self.batch_size = batch_size
        self.normalize = normalize
        self.average = average
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.metric = metric
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.callbacks = callbacks
        self.verbose = verbose
        self.settings = settings

    def fit(self, X: Any, y: Any, eval_set: Any = None) -> LinearRegressor:
        """Trains on rows of any container, with a number a row. ``eval_set``: held-out ``(X, y)``."""
        self._coefficients([self._fit_numbers(X, y, eval_set)])
        self.coef_ = self.coef_[0]
        return self._finish()

    def _fit_numbers(self, X: Any, y: Any, eval_set: Any) -> Any:
        X, y = self._validated(X, y, y_numeric=True)
        if _predicts(self.loss) != "number":
            raise ValueError(f"loss {self.loss}: is a loss of classes; use a loss of numbers such as squared, or a classifier")
        settings = self._begin(X.shape[0])
        rows = self._rows(X, y, threads(self.n_jobs))
        return self._run(rows, self._eval_rows(eval_set, lambda y: y), settings)

    def predict(self, X: Any) -> Any:
        """The number of each row: by poisson and tweedie the mean, whose logarithm is the score."""
        scores = self._scores(X)[:, 0].astype(np.float64)
        return np.exp(scores) if _hogwild.losses(self.loss)[self.loss.split(":")[0]]["link"] == "log" else scores

    def to_model(self) -> Model:
        """The model, as :func:`hogwild.load` gives it."""
        check_is_fitted(self)
        return self._model(0, None)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a model file, which ``hogwild predict`` reads."""
        self.to_model().save(fspath(path))
