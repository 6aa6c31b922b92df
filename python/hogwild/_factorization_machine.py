"""Factorization machines as scikit-learn estimators: linear models with a product of factors for each pair of features (Rendle 2010)."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._estimator import RowEstimator, feature_names
from ._inputs import arrays, as_csr, summed
from ._kinds import Classifier, Regressor, is_binary
from ._learning import Learner, learn_classes
from ._model import Model
from ._tasks import managed

__all__ = ["FactorizationMachineClassifier", "FactorizationMachineRegressor", "Machine"]


class Machine(RowEstimator):
    """What all have: models, which score."""

    _model_of = "_models_now"
    rank: int

    def _settings(self, rows: int) -> dict[str, Any]:
        return {**super()._settings(rows), "rank": self.rank}

    def _take_models(self, runs: list[Any]) -> None:
        self._keep(runs)
        self._models_now = _Models([run.model for run in runs])

    def _fitted(self, model: Any) -> dict[str, Any]:
        return {"_models_now": _Models([model])}

    @property
    def models_(self) -> list[Model]:
        """The models: one, or one a class."""
        known: _Models | None = self.__dict__.get("_models_now")
        if known is None:
            raise AttributeError(f"{type(self).__name__} has no models_ before it is fitted")
        return known.get()

    def _scores(self, X: Any) -> Any:
        """A row a row of X, a column a model."""
        X = summed(as_csr(self._matrix(X)))
        scores = np.column_stack([model._inner.score_csr(arrays(X), self._threads_for(X))[0] for model in self.models_])
        self._check_finite(X, scores)
        return scores

    def _binary_model(self, classes: Any) -> Model:
        """The model of two classes, with their labels: numbers as they are, others as texts."""
        labels = np.asarray(classes)
        if labels.dtype.kind in "iufb" and np.array_equal(labels.astype(np.float32), labels):
            return Model(self.models_[0]._inner.renamed(feature_names(self), (float(labels[0]), float(labels[1]))))
        return Model(self.models_[0]._inner.renamed(feature_names(self), None, [str(label) for label in labels.tolist()]))


class _Models:
    """Models; of learners, which have newer ones after each call, made when they are asked for."""

    def __init__(self, models: list[Model] | None = None, learners: Any = None, learnt_by: Any = None) -> None:
        self.models, self.learners, self.learnt_by = models, learners, learnt_by

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "models": self.models if self.learners is None else None}

    def get(self) -> list[Model]:
        models = self.models
        if models is None:
            models = self.models = [Model(learner.model()) for learner in self.learners]
        return models


class _Factors(Machine, Learner):
    """Factorization machines, which go on learning too."""

    _family, _factors = "fm", True

    def _state(self, learners: Any, learnt_by: Any) -> Any:
        return _Models(learners=learners, learnt_by=learnt_by)

    def _start(self, learners: list[Any]) -> None:
        columns = self.n_features_in_
        for learner, model in zip(learners, self.models_):
            coef, intercept = model._inner.coefficients(columns)
            factors = np.zeros((columns, self.rank), dtype=np.float32)
            of_features = model.tensor("factor")
            if of_features.shape[1] != self.rank:
                raise ValueError(f"rank: what was learnt before has {of_features.shape[1]} factors a feature; give that, or fit anew")
            factors[model.ids("feature").astype(np.int64)] = of_features
            learner.start_at(coef, intercept, factors.ravel())


class FactorizationMachineClassifier(Classifier, _Factors):
    """A factorization machine that predicts classes: of more than two a model a class, that class against the rest.

    ``rank`` is the number of factors of a feature; the other parameters are those of :class:`hogwild.LinearClassifier`.

    Examples
    --------
    >>> import hogwild
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]] * 50, [1, 1, 0, 0] * 50  # exclusive or
    >>> model = hogwild.FactorizationMachineClassifier(rank=4, epochs=100, learning_rate=0.3, random_state=1).fit(X, y)
    >>> model.predict(X[:4])
    array([1, 1, 0, 0])
    """

    def __init__(
        self,
        *,
        loss: str = "logistic",
        rank: int = 8,
        rule: str = "adagrad-rowwise",
        learning_rate: float | str = "auto",
        schedule: str | None = None,
        l2: float = 0.0,
        epochs: int = 5,
        batch_size: int | str = 1,
        normalize: str | None = None,
        average: bool | float = False,
        shuffle: bool = True,
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
        self.rank = rank
        self.rule = rule
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l2 = l2
        self.epochs = epochs
        self.batch_size = batch_size
        self.normalize = normalize
        self.average = average
        self.shuffle = shuffle
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
    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> FactorizationMachineClassifier:
        """Trains on rows of any container, with a class a row. ``eval_set``: held-out ``(X, y)``."""
        self._take_models(self._fit_classes(X, y, sample_weight, eval_set))
        self._finish()
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> FactorizationMachineClassifier:
        """Goes on learning: each row once, on one thread. The first call is to name all ``classes``, and has the factors start by its rows.

        Weights, factors, the rule's state and its clock are kept from one call to the next.
        """
        learn_classes(self, X, y, classes, sample_weight)
        return self

    @available_if(is_binary)
    def to_model(self) -> Model:
        """The model, as :func:`hogwild.load` gives it; of two classes."""
        check_is_fitted(self)
        return self._binary_model(self.classes_)

    @available_if(is_binary)
    def save(self, path: str | PathLike[str]) -> None:
        """Writes a model file, which ``hogwild predict`` reads; of two classes."""
        self.to_model().save(fspath(path))


class FactorizationMachineRegressor(Regressor, _Factors):
    """A factorization machine that predicts numbers.

    ``rank`` is the number of factors of a feature; the other parameters are those of :class:`hogwild.LinearRegressor`.

    Examples
    --------
    >>> import hogwild
    >>> X, y = [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]] * 50, [1.0, 1.0, -3.0, 0.0] * 50
    >>> model = hogwild.FactorizationMachineRegressor(rank=4, epochs=100, learning_rate=0.3, random_state=1).fit(X, y)
    >>> model.predict([[1.0, 1.0]]).round()
    array([-3.])
    """

    def __init__(
        self,
        *,
        loss: str = "squared",
        rank: int = 8,
        rule: str = "adagrad-rowwise",
        learning_rate: float | str = "auto",
        schedule: str | None = None,
        l2: float = 0.0,
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
        self.rank = rank
        self.rule = rule
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l2 = l2
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

    @managed
    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> FactorizationMachineRegressor:
        """Trains on rows of any container, with a number a row. ``eval_set``: held-out ``(X, y)``."""
        self._take_models([self._fit_numbers(X, y, sample_weight, eval_set)])
        self._finish()
        return self

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> FactorizationMachineRegressor:
        """Goes on learning: each row once, on one thread. Labels are standardised, and the factors start, by the rows of the first call.

        Weights, factors, the rule's state and its clock are kept from one call to the next.
        """
        X, y, weights = self._partial(X, y, sample_weight, y_numeric=True)
        self._learn(X, [y], weights)
        return self

    def to_model(self) -> Model:
        """The model, as :func:`hogwild.load` gives it."""
        check_is_fitted(self)
        return Model(self.models_[0]._inner.renamed(feature_names(self), None))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes a model file, which ``hogwild predict`` reads."""
        self.to_model().save(fspath(path))
