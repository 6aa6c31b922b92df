"""Linear models as scikit-learn estimators."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from ._coefficients import Coefficients
from ._estimator import feature_names
from ._kinds import Classifier, Regressor
from ._learning import learn_classes
from ._model import Model
from ._tasks import managed

__all__ = ["LinearClassifier", "LinearRegressor"]


class LinearClassifier(Classifier, Coefficients):
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
    fit_intercept : whether there is a bias; without, rows without features score 0 and labels are learnt as they are
    warm_start : whether ``fit`` goes on from the weights of the fit before, at its learning rate where that is auto
        and neither rule, normalize nor batch_size are others
    multi_class : how more than two classes are learnt, in one pass: ovr (each against the rest) or softmax
    class_weight : balanced, or how much the rows of each class count
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
        fit_intercept: bool = True,
        warm_start: bool = False,
        multi_class: str = "ovr",
        class_weight: Any = None,
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
        self.fit_intercept = fit_intercept
        self.warm_start = warm_start
        self.multi_class = multi_class
        self.class_weight = class_weight
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

    @managed
    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> LinearClassifier:
        """Trains on rows of any container, with a class a row. ``eval_set``: held-out ``(X, y)``.

        Where rows have any number of classes, ``y`` is a matrix with a column a class, 1 in those that a row has.
        """
        self._coefficients(self._fit_classes(X, y, sample_weight, eval_set))
        self._finish()
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.multi_class == "ovr" and not self.l1
        return tags

    def _takes_sets(self, y: Any) -> bool:
        if getattr(y, "ndim", 2) < 2 or type_of_target(y) != "multilabel-indicator":
            return False
        if self.l1 or self.multi_class != "ovr":
            raise ValueError("y: rows with any number of classes are learnt by multi_class ovr, without l1")
        return True

    def _family_of(self, classes: int) -> str | None:
        if self.multi_class not in ("ovr", "softmax"):
            raise ValueError(f"multi_class {self.multi_class!r}: must be ovr or softmax")
        if classes == 2:
            return None
        if self.l1 and self.multi_class == "softmax":
            raise ValueError("l1: is of single weights, and softmax has a row of them; use multi_class ovr, or l2")
        return None if self.l1 else self.multi_class

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> LinearClassifier:
        """Goes on learning: each row once, on one thread. The first call is to name all ``classes``.

        Weights, the rule's state and its clock are kept from one call to the next. ``learning_rate="auto"`` is the rule's
        default for the first rows.
        """
        if self.multi_class != "ovr":
            raise ValueError(f"multi_class {self.multi_class!r}: partial_fit learns each class against the rest; give ovr")
        learn_classes(self, X, y, classes, sample_weight)
        return self

    def to_model(self) -> Model:
        """The model, as :func:`hogwild.load` gives it."""
        check_is_fitted(self)
        if self.multilabel_:
            coef, intercept = (np.ascontiguousarray(half, dtype=np.float32) for half in self._both())
            names = [str(label) for label in self.classes_.tolist()]
            return Model(self._model(0, None)._inner.of_classes("ovr", coef, intercept, names, feature_names(self)))
        numbers = np.asarray(self.classes_)
        are_numbers = numbers.dtype.kind in "iufb" and np.array_equal(numbers.astype(np.float32), numbers)
        if len(numbers) == 2 and are_numbers:
            return self._model(0, (float(numbers[0]), float(numbers[1])))
        if numbers.dtype.kind == "f":
            names = [np.format_float_positional(value, trim="-") for value in numbers]  # 1 and 0.1, as the command writes them
        else:
            names = [str(value) for value in numbers.tolist()]
        coef, intercept = (np.ascontiguousarray(half, dtype=np.float32) for half in self._both())
        if len(numbers) == 2:
            # Files have names of classes where there is a score each: those of one class are the other's, negated.
            coef, intercept = np.concatenate([-coef, coef]), np.concatenate([-intercept, intercept])
            return Model(self._model(0, None)._inner.of_classes("ovr", coef, intercept, names, feature_names(self)))
        of_one = self._model(0, None)._inner
        return Model(of_one.of_classes(self.multi_class, coef, intercept, names, feature_names(self)))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a model file, which ``hogwild predict`` reads."""
        self.to_model().save(fspath(path))


class LinearRegressor(Regressor, Coefficients):
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
        fit_intercept: bool = True,
        warm_start: bool = False,
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
        self.fit_intercept = fit_intercept
        self.warm_start = warm_start
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

    @managed
    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> LinearRegressor:
        """Trains on rows of any container, with a number a row. ``eval_set``: held-out ``(X, y)``."""
        self._coefficients([self._fit_numbers(X, y, sample_weight, eval_set)])
        self._finish()
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegressor:
        """Goes on learning: each row once, on one thread. Labels are standardised as those of the first call are.

        Weights, the rule's state and its clock are kept from one call to the next. ``learning_rate="auto"`` is the rule's
        default for the first rows.
        """
        X, y, weights = self._partial(X, y, sample_weight, y_numeric=True)
        self._learn(X, [y], weights)
        return self

    def to_model(self) -> Model:
        """The model, as :func:`hogwild.load` gives it."""
        check_is_fitted(self)
        return self._model(0, None)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a model file, which ``hogwild predict`` reads."""
        self.to_model().save(fspath(path))
