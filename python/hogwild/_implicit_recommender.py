"""Recommendations by implicit feedback: what users took, without ratings."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._ids import codes_of
from ._inputs import is_sparse
from ._recommender import Recommender

__all__ = ["ImplicitRecommender"]

#: How long the lists are that ``score`` looks at.
_LENGTH = 20


class ImplicitRecommender(Recommender):
    """Ranks items for users by what these took, on all cores: clicks, plays, visits.

    Parameters
    ----------
    loss : sampled-softmax (ranks best), bpr (cheapest), warp or logistic-mf
    rank : factors of a user, and of an item
    negatives : items drawn for each interaction; None: as the loss has it
    negative_power : items are drawn by the number of their interactions to this power; 0 draws all alike
    rule, learning_rate, schedule, l2, epochs : None: as the loss has it; else as of :class:`hogwild.LinearClassifier`
    early_stopping, validation_fraction, n_iter_no_change, tol, metric, n_jobs, random_state, callbacks, verbose, settings :
        as of :class:`hogwild.LinearClassifier`; the metric is ndcg@20, recall@20 or another of the held-out lists
    user, item, rating : the columns of a table; that of counts need not be there

    Examples
    --------
    >>> import hogwild
    >>> users, items = ["ann", "ann", "bob", "bob", "cid"], ["Alien", "Brazil", "Alien", "Casablanca", "Brazil"]
    >>> model = hogwild.ImplicitRecommender(rank=2, random_state=1, n_jobs=1).fit(list(zip(users, items)))
    >>> ids, scores = model.recommend("ann", n=1)
    >>> ids
    array(['Casablanca'], dtype='<U10')
    """

    _named = ("rank", "rule", "schedule", "l2", "epochs", "negatives", "negative_power")
    _values = "counts"

    def __init__(
        self,
        *,
        loss: str = "sampled-softmax",
        rank: int = 64,
        negatives: int | None = None,
        negative_power: float = 0.0,
        rule: str | None = None,
        learning_rate: float | None = None,
        schedule: str | None = None,
        l2: float | None = None,
        epochs: int | None = None,
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
        self.loss = loss
        self.rank = rank
        self.negatives = negatives
        self.negative_power = negative_power
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

    def fit(self, X: Any, y: Any = None, eval_set: Any = None) -> ImplicitRecommender:
        """Trains on ``(user, item)`` pairs with a value each, ``y``; or on a sparse matrix of users by items; or on a table.

        ``eval_set``: held-out ``(X, y)``.
        """
        return self._fit(X, y, None, eval_set)

    def _family(self) -> str:
        families = ("sampled-softmax", "bpr", "warp", "logistic-mf")
        if self.loss not in families:
            raise ValueError(f"loss {self.loss!r}: must be one of {', '.join(families)}")
        return self.loss

    def _when_missing(self, count: int) -> Any:
        return np.ones(count, np.float32)

    def _triples(self, X: Any, y: Any) -> tuple[Any, Any, Any]:
        if is_sparse(X):
            X = X.tocoo(copy=True)
            X.eliminate_zeros()  # which are no interactions
        return super()._triples(X, y)

    def predict(self, X: Any) -> Any:
        """The score of each pair, by which a user's items are ranked; 0 and an item's bias of unknown users."""
        check_is_fitted(self)
        users, items = self._known(X)
        scores = np.where(items >= 0, self.item_bias_[items], 0).astype(np.float64)
        both = np.flatnonzero((users >= 0) & (items >= 0))
        for start in range(0, len(both), 1 << 16):
            pairs = both[start : start + (1 << 16)]
            scores[pairs] += np.einsum("ij,ij->i", self.user_factors_[users[pairs]], self.item_factors_[items[pairs]])
        return scores

    def score(self, X: Any, y: Any = None) -> float:
        """NDCG@20 of held-out interactions: of each user's list among all items but those of training."""
        check_is_fitted(self)
        users, items, _ = self._triples(X, y)
        places = _numbers(users)
        first = np.unique(places, return_index=True)[1]
        rows, found_items = self._user_ids.rows(users)[first], self._item_ids.rows(items)
        best, _ = self._best(rows, _LENGTH, True, None)
        # Each held-out item once a user; those that are not known are asked for, and never found.
        unknown = _numbers(items) + len(self.items_)
        pairs = np.unique(np.stack([places, np.where(found_items >= 0, found_items, unknown)]), axis=1)
        pairs = pairs[:, ~self._is_seen(rows[pairs[0]], pairs[1])]
        held = np.bincount(pairs[0], minlength=len(rows))
        width = np.int64(len(self.items_) + len(users))
        listed = np.arange(len(rows), dtype=np.int64)[:, None] * width + best
        hits = np.isin(listed, pairs[0] * width + pairs[1]) & (best < len(self.items_))
        gains = 1 / np.log2(np.arange(best.shape[1]) + 2)
        ideal = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(_LENGTH) + 2))])[np.minimum(held, _LENGTH)]
        return float(np.mean((hits @ gains)[held > 0] / ideal[held > 0])) if (held > 0).any() else float("nan")

    def _is_seen(self, users: Any, items: Any) -> Any:
        """Which pairs of rows are among those of training."""
        width = np.int64(len(self.items_))
        of_training = np.repeat(np.arange(len(self.users_), dtype=np.int64), np.diff(self._seen_start)) * width + self._seen
        return (users >= 0) & (items < width) & np.isin(users * width + items, of_training)


def _numbers(ids: Any) -> Any:
    """A number from 0 up for each id, the same for the same."""
    return np.unique(codes_of(ids)[0], return_inverse=True)[1].astype(np.int64)
