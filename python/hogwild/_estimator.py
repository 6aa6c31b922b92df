"""What the scikit-learn estimators of rows share: parameters become settings, matrices rows, runs attributes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ._inputs import CELLS_A_WORKER, ROWS_A_WORKER, as_csr, check_scores, is_sparse, rows_of, threads, workers
from ._run import Run, follow
from ._tasks import FRAMES, CallbackSupport, Tasks
from .callbacks import ProgressBar
from .errors import BadSettingError, DivergedError

#: The parameters of estimators that settings have another name for.
PARAMETERS = {
    "batch": "batch_size",
    "bias": "fit_intercept",
    "holdout": "validation_fraction",
    "lr": "learning_rate",
    "min_delta": "tol",
    "patience": "n_iter_no_change",
    "seed": "random_state",
    "stop_metric": "metric",
    "threads": "n_jobs",
}
_FLOATS = [np.float64, np.float32]


class RowEstimator(CallbackSupport, BaseEstimator):
    """An estimator of sparse rows; ``_family`` is the model's, ``_model_of`` the attribute that has it after a fit."""

    _family: str
    _model_of: str
    _error: BaseException | None
    _tasks: Tasks | None = None

    rule: str
    loss: str
    learning_rate: float | str
    schedule: str | None
    l2: float
    epochs: int
    batch_size: int | str
    normalize: str | None
    average: bool | float
    shuffle: bool
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    tol: float
    metric: str | None
    n_jobs: int | None
    random_state: Any
    callbacks: Any
    verbose: int
    settings: dict[str, Any] | None

    def _settings(self, rows: int) -> dict[str, Any]:
        """The parameters, as the run's settings. What is None has the default."""
        given: dict[str, Any] = {
            "rule": self.rule,
            "loss": self.loss,
            "lr": self.learning_rate,
            "schedule": self.schedule,
            "l2": self.l2,
            "l1": getattr(self, "l1", None),
            "epochs": self.epochs,
            "batch": self.batch_size,
            "normalize": self.normalize,
            "average": {True: 0.5, False: None}[bool(self.average)] if isinstance(self.average, (bool, np.bool_)) else self.average,
            "order": "shuffle" if self.shuffle else "sequential",
            "seed": self.seed_,
        }
        if hasattr(self, "fit_intercept"):
            given["bias"] = bool(self.fit_intercept)
        if self.early_stopping:
            given.update(patience=self.n_iter_no_change, min_delta=self.tol, stop_metric=self.metric)
        most = max(1, rows // ROWS_A_WORKER)
        if self.n_jobs is not None:
            given["threads"] = min(threads(self.n_jobs), most)
        elif min(threads(None), most) == 1 or threads(None) < threads(-1):
            given["threads"] = min(threads(None), most)
        return with_settings(self, given)

    def _begin(self, rows: int) -> dict[str, Any]:
        """Chooses the seed, and gives the settings."""
        if self.random_state is None or not isinstance(self.random_state, (int, np.integer)):
            self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        else:
            self.seed_ = int(self.random_state)
        return self._settings(rows)

    def _validated(self, X: Any, y: Any, **more: Any) -> tuple[Any, Any]:
        """X as a CSR matrix and y, as scikit-learn checks them. Whether numbers are finite is seen when they are copied."""
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=_types(X), ensure_all_finite=not is_sparse(X), **more)
        return as_csr(X), y

    def _weights(self, sample_weight: Any, X: Any) -> Any:
        """How much each row counts; None where all count alike."""
        if sample_weight is None:
            return None
        return _check_sample_weight(sample_weight, X, ensure_non_negative=True).astype(np.float32)

    def _rows(self, X: Any, labels: Any, weights: Any) -> Any:
        try:
            return rows_of(X, labels, threads(self.n_jobs), weights, self._fields(X))
        except ValueError:
            validate_data(self, X, accept_sparse="csr", dtype=_FLOATS, reset=False)  # says so in scikit-learn's words
            raise

    def _fields(self, X: Any) -> Any:
        """The field of each column, of models that go by fields."""
        return None

    def _eval_rows(self, eval_set: Any, labels: Any) -> Any:
        """Rows of ``eval_set=(X, y)``; ``labels`` makes their labels."""
        if eval_set is None:
            return None
        X, y = eval_set
        X = as_csr(validate_data(self, X, accept_sparse="csr", dtype=_types(X), reset=False))
        return rows_of(X, labels(np.asarray(y)), threads(self.n_jobs))

    def _told(self, X: Any, y: Any, weights: Any, runs: int) -> None:
        """Begins to tell scikit-learn's callbacks of a fit that has so many runs, if there are any."""
        # A search for a rate may begin the epochs again; and of one class of several nothing can be said.
        epochs = self.epochs * runs if self.learning_rate != "auto" else None
        self._tasks = Tasks.of(self, X, y, weights, epochs, self._fitted if runs == 1 else None)

    def _fitted(self, model: Any) -> dict[str, Any]:
        """The attributes of an estimator that has this model."""
        raise NotImplementedError

    def _run(self, rows: Any, valid: Any, settings: dict[str, Any], family: str | None = None, start: Any = None) -> Run:
        """A run, from a model on if there is one; what it raised is raised when its model is kept."""
        if valid is None and self.early_stopping:
            settings = {**settings, "holdout": self.validation_fraction}
        followers = [*([ProgressBar()] if self.verbose else []), *(self.callbacks or ())]
        with parameters_named(self):
            run, error = follow(rows, valid, family or self._family, followers, settings, start, self._tasks)
        if run.model is None:
            if error is not None:
                raise error
            raise DivergedError(by_parameter(run.problem or f"the run left no model: it was {run.ended}", self))
        if run.problem is not None and error is None:
            warnings.warn(f"{type(self).__name__}: {by_parameter(run.problem, self)}", ConvergenceWarning, stacklevel=4 + FRAMES)
        self._error = error
        return run

    def __sklearn_is_fitted__(self) -> bool:
        return self._model_of in self.__dict__

    def _forget(self) -> Any:
        """Leaves nothing of an earlier fit, so that a fit that fails is none. Gives what a new one goes on from, if it does."""
        before = self._before()
        for name in (self._model_of, "classes_"):
            self.__dict__.pop(name, None)
        return before

    def _before(self) -> Any:
        """What a new fit goes on from; None: it starts anew."""
        return None

    def _starts(self, before: Any, family: str | None, columns: int, classes: int) -> list[Any]:
        """The models that runs start from: one, or one a class."""
        return [None] * (1 if family is not None else classes)

    def _rate_of(self, before: Any, run: int = 0) -> dict[str, Any]:
        """The learning rate where it is known from before."""
        return {}

    def _keep(self, runs: list[Run]) -> None:
        """The attributes of runs."""
        run = runs[0]
        self.n_iter_ = max(len(run.epochs) for run in runs)
        self.learning_rate_ = run.settings["lr"] if len(runs) == 1 else [run.settings["lr"] for run in runs]
        self.history_ = run.epochs if len(runs) == 1 else [run.epochs for run in runs]
        self.best_epoch_ = run.best_epoch if len(runs) == 1 else [run.best_epoch for run in runs]
        self.ended_ = run.ended if len(runs) == 1 else [run.ended for run in runs]

    def _finish(self) -> None:
        """Raises what ended the run, if anything did: what was learnt until then is kept."""
        error: BaseException | None = self.__dict__.pop("_error", None)
        tasks: Tasks | None = self.__dict__.pop("_tasks", None)
        if tasks is not None and error is None:
            tasks.close({})
        if error is not None:
            raise error

    def _matrix(self, X: Any) -> Any:
        """X to be scored, checked as far as need be: a CSR matrix, or a dense one."""
        check_is_fitted(self)
        if self._is_plain(X):
            return X
        return validate_data(self, X, accept_sparse="csr", reset=False, dtype=_types(X))

    def _is_plain(self, X: Any) -> bool:
        """Whether X needs no checks: a CSR matrix of the columns that were fitted. scikit-learn's take longer than to score a row."""
        if not type(X).__module__.startswith("scipy.sparse") or X.format != "csr" or X.ndim != 2 or X.dtype.kind != "f":
            return False
        return bool(X.shape[1] == self.n_features_in_ and X.shape[0] and not hasattr(self, "feature_names_in_"))

    def _check_finite(self, X: Any, scores: Any) -> None:
        """Scores that are not finite come from values that are not, which scikit-learn names; or from large ones."""
        if not np.isfinite(scores).all():
            validate_data(self, X, accept_sparse="csr", reset=False, dtype=_FLOATS)
            check_scores(X, scores)

    def _threads_for(self, X: Any) -> int:
        """Threads that scoring is worth."""
        return workers(self.n_jobs, X.nnz // CELLS_A_WORKER)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.non_deterministic = self.n_jobs != 1
        return tags


def _types(X: Any) -> Any:
    """What types of values X may have: whole numbers of sparse matrices are taken as they are."""
    return None if is_sparse(X) and X.dtype.kind in "biu" else _FLOATS


def held_out(eval_set: Any) -> Any:
    """The pair of ``eval_set=(X, y)``, which may be in a list, as others take it."""
    if eval_set is None:
        return None
    if isinstance(eval_set, (list, tuple)):
        if len(eval_set) == 1 and isinstance(eval_set[0], (list, tuple)):
            eval_set = eval_set[0]
        if len(eval_set) == 2 and not (isinstance(eval_set, list) and all(isinstance(one, tuple) for one in eval_set)):
            return eval_set
    raise ValueError("eval_set: is to be one held-out set, (X, y)")


def with_settings(estimator: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of parameters, and those of ``settings``; none by both."""
    parameters, settings = estimator.get_params(deep=False), estimator.settings or {}
    for name in settings:
        parameter = {**PARAMETERS, "order": "shuffle"}.get(name, name)
        if parameter in parameters or (name in PARAMETERS and name != "bias"):
            raise ValueError(f"settings: {name} is a parameter of its own; give {parameter}")
    return {**given, **settings}


@contextmanager
def parameters_named(estimator: Any) -> Iterator[None]:
    """Errors of settings are raised by the names of the estimator's parameters."""
    try:
        yield
    except BadSettingError as wrong:
        raise BadSettingError(by_parameter(str(wrong), estimator), _parameters_of(estimator).get(wrong.setting, wrong.setting)) from None


def _parameters_of(estimator: Any) -> dict[str, str]:
    """The names of settings that the estimator has another name for."""
    own = estimator.get_params(deep=False)
    return {name: parameter for name, parameter in PARAMETERS.items() if parameter in own}


def by_parameter(message: str, estimator: Any) -> str:
    """The message with settings by the names of the estimator's parameters."""
    for name, parameter in _parameters_of(estimator).items():
        message = message.replace(f"`{name}`", f"`{parameter}`")
    return message


def feature_names(estimator: Any) -> list[str] | None:
    """The names of features, where X had any."""
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]
