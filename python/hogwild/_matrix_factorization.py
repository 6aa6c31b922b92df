"""Matrix factorization of ratings: what users would say of items, and what to recommend them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from . import _hogwild
from ._inputs import is_sparse
from ._kinds import predicts
from ._recommender import Recommender, weights_of

__all__ = ["MatrixFactorization"]


class MatrixFactorization(Recommender):
    """Ratings by biases and factors of users and items (Koren, Bell & Volinsky 2009), on all cores.

    Parameters
    ----------
    rank : factors of a user, and of an item
    loss : squared, huber, logistic (ratings 1 and -1) or another
    rule, learning_rate, schedule, l2, epochs, early_stopping, validation_fraction, n_iter_no_change, tol, metric, n_jobs,
    random_state, callbacks, verbose, settings : as of :class:`hogwild.LinearClassifier`
    user, item, rating : the columns of a table

    Examples
    --------
    >>> import hogwild
    >>> users, items = ["ann", "ann", "bob", "bob", "cid"], ["Alien", "Brazil", "Alien", "Casablanca", "Brazil"]
    >>> model = hogwild.MatrixFactorization(rank=2, random_state=1).fit(list(zip(users, items)), [5.0, 2.0, 4.0, 5.0, 1.0])
    >>> ids, scores = model.recommend("ann", n=1)
    >>> ids
    array(['Casablanca'], dtype='<U10')
    """

    _named = ("rank", "loss", "rule", "schedule", "l2", "epochs")
    _values = "ratings"

    def __init__(
        self,
        *,
        rank: int = 32,
        loss: str = "squared",
        rule: str = "adagrad-rowwise",
        learning_rate: float | str = "auto",
        schedule: str | None = None,
        l2: float = 0.02,
        epochs: int = 6,
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
        user: str = "user",
        item: str = "item",
        rating: str = "rating",
    ) -> None:
        self.rank = rank
        self.loss = loss
        self.rule = rule
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l2 = l2
        self.epochs = epochs
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
        self.user = user
        self.item = item
        self.rating = rating

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, eval_set: Any = None) -> MatrixFactorization:
        """Trains on ``(user, item)`` pairs with a rating each, ``y``; or on a sparse matrix of users by items; or on a table.

        ``sample_weight``: how much each rating counts; those of weight 0 are left out. Of a matrix there is one for each number
        that it stores, in its rows' order. ``eval_set``: held-out ``(X, y)``.
        """
        return self._fit(X, y, sample_weight, eval_set)

    def _family(self) -> str:
        return "mf"

    def _when_missing(self, count: int) -> Any:
        raise ValueError("y: pairs of users and items are to have ratings, one each")

    def predict(self, X: Any) -> Any:
        """The rating of each pair. Of an unknown user or item the mean and what is known of the other."""
        check_is_fitted(self)
        users, items = self._known(X)
        scores = np.full(len(users), self.mean_, dtype=np.float64)
        for rows, bias in ((users, self.user_bias_), (items, self.item_bias_)):
            scores += np.where(rows >= 0, bias[rows], 0)
        for start in range(0, len(users), 1 << 16):
            part = slice(start, start + (1 << 16))
            both = (users[part] >= 0) & (items[part] >= 0)
            dots = np.einsum("ij,ij->i", self.user_factors_[users[part]], self.item_factors_[items[part]])
            scores[part] += np.where(both, dots, 0)
        link = _hogwild.losses(self.loss)[self.loss.split(":")[0]]["link"]
        if link == "identity":
            return scores
        return np.exp(scores) if link == "log" else np.exp(-np.logaddexp(0, -scores))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The root of the mean squared error, negated: the larger the better. Of losses of classes, labels count as 1 and 0."""
        if y is None or is_sparse(X):
            users, items, y = self._triples(X, y)
            X = list(zip(np.asarray(users).tolist(), np.asarray(items).tolist()))
        predicted, ratings = self.predict(X), np.asarray(y, dtype=np.float64)
        kind = predicts(self.loss)
        if kind != "number":
            # Ratings 1 and -1: as probabilities 1 and 0; by other losses of classes the class that is predicted.
            predicted, ratings = predicted if kind == "probability" else predicted > 0, (ratings > 0).astype(np.float64)
        weights = None if sample_weight is None else weights_of(sample_weight, len(ratings))
        return -float(np.sqrt(np.average((predicted - ratings) ** 2, weights=weights)))
