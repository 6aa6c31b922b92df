"""Field-aware factorization machines as a scikit-learn estimator: factors of a feature for each field (Juan et al. 2016)."""

from __future__ import annotations

import warnings
from os import PathLike, fspath
from typing import Any

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from ._estimator import feature_names
from ._factorization_machine import Machine
from ._inputs import is_sparse
from ._kinds import Classifier, is_binary
from ._model import Model
from ._tasks import FRAMES, managed

__all__ = ["FieldAwareClassifier"]

#: The most fields that features may have.
MOST_FIELDS = 65_535


class FieldAwareClassifier(Classifier, Machine):
    """A factorization machine whose features have factors for each field: of more than two classes a model a class, that against the rest.

    A field is what several features say something of: a column of the table that they were made of.

    Parameters
    ----------
    fields : the field of each column of X, as numbers or texts. None: as ``TableEncoder`` says, which made X; else by the names of
        features, the part before ``=``; else each column is a field of its own, with a warning. Slices and copies of the matrix of
        ``TableEncoder`` do not say it: have it in a pipeline, or give ``fields``
    rank : factors of a feature for each field

    The other parameters are those of :class:`hogwild.LinearClassifier`.

    Examples
    --------
    >>> import hogwild
    >>> X, y = [[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1]] * 50, [0, 1, 1, 0] * 50  # exclusive or
    >>> model = hogwild.FieldAwareClassifier(fields=["a", "a", "b", "b"], epochs=100, learning_rate=0.3, random_state=1).fit(X, y)
    >>> model.predict(X[:4])
    array([0, 1, 1, 0])
    """

    _family = "ffm"

    def __init__(
        self,
        *,
        fields: Any = None,
        loss: str = "logistic",
        rank: int = 4,
        rule: str = "adagrad-rowwise",
        learning_rate: float | str = "auto",
        schedule: str | None = None,
        l2: float = 0.0,
        epochs: int = 8,
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
        self.fields = fields
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
    def fit(self, X: Any, y: Any, sample_weight: Any = None, eval_set: Any = None) -> FieldAwareClassifier:
        """Trains on rows of any container, with a class a row. ``eval_set``: held-out ``(X, y)``."""
        self._encoded = getattr(X, "fields", None) if self.fields is None and is_sparse(X) else None
        try:
            self._take_models(self._fit_classes(X, y, sample_weight, eval_set))
        finally:
            del self._encoded
        self._finish()
        return self

    def _fields(self, X: Any) -> Any:
        """The field of each column as its place among names, and these; ``fields_`` is the name of each column's."""
        given = self._encoded if self.fields is None else self.fields
        names = feature_names(self)
        if given is None:
            if not any("=" in name for name in names or ()):
                problem = "nothing says which columns are of one field, so each is its own; give fields"
                remark = "slices and copies of the matrix of TableEncoder do not say it"
                warnings.warn(f"{type(self).__name__}: {problem} ({remark})", UserWarning, stacklevel=5 + FRAMES)
            given = [name.split("=", 1)[0] for name in names] if names else range(X.shape[1])
        of_column = np.asarray(given)
        if of_column.ndim != 1:
            raise ValueError(f"fields: have {of_column.ndim} dimensions; give a list, the field of each column")
        if len(of_column) != X.shape[1]:
            raise ValueError(f"fields: there are {of_column.size}, and X has {X.shape[1]} columns; give the field of each column")
        known, places = np.unique(of_column.astype(str) if of_column.dtype.kind == "O" else of_column, return_inverse=True)
        if len(known) > MOST_FIELDS:
            problem = f"there are {len(known)}, and {MOST_FIELDS} are the most"
            raise ValueError(f"fields: {problem}; give columns that say something of the same thing the same field")
        self.fields_ = known[places]
        return places.astype(np.uint16), [str(name) for name in known.tolist()]

    @available_if(is_binary)
    def to_model(self) -> Model:
        """The model, as :func:`hogwild.load` gives it; of two classes."""
        check_is_fitted(self)
        return self._binary_model(self.classes_)

    @available_if(is_binary)
    def save(self, path: str | PathLike[str]) -> None:
        """Writes a model file, which ``hogwild predict`` reads; of two classes."""
        self.to_model().save(fspath(path))
