"""What recommenders share: pairs of users and items come in, factors are learnt, the best items come out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from . import _hogwild
from ._estimator import by_parameter, held_out, parameters_named, with_settings
from ._ids import Ids, as_array, codes_of
from ._inputs import ROWS_A_WORKER, is_sparse, threads, workers
from ._run import follow
from .callbacks import ProgressBar
from .errors import DivergedError

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Recommender", "weights_of"]


class Recommender(BaseEstimator):
    """A model with factors of users and of items; ``_named`` are the parameters that are settings of the same name."""

    _named: tuple[str, ...]
    #: What each pair has.
    _values: str

    user: str
    item: str
    rating: str
    learning_rate: Any
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

    def _family(self) -> str:
        """The family of models."""
        raise NotImplementedError

    def _when_missing(self, count: int) -> Any:
        """The values of so many pairs that come without any."""
        raise NotImplementedError

    def _fit(self, X: Any, y: Any, sample_weight: Any, eval_set: Any) -> Self:
        """Trains on pairs with a value each; ``sample_weight``: how much each value counts."""
        self.__dict__.pop("user_factors_", None)  # a fit that fails is none
        users, items, ratings = self._triples(X, y)
        weights = None
        if sample_weight is not None:
            weights = weights_of(sample_weight, len(ratings))
            kept = np.flatnonzero(weights)  # of others nothing is known: no user, no item, nothing that was seen
            users, items, ratings, weights = as_array(users)[kept], as_array(items)[kept], ratings[kept], weights[kept]
        (user_codes, user_names), (item_codes, item_names) = codes_of(users), codes_of(items)
        eval_set = held_out(eval_set)
        data = _hogwild.Ratings.from_arrays(user_codes, item_codes, ratings, weights)
        valid = None if eval_set is None else self._valid(eval_set, user_codes, user_names, item_codes, item_names)
        followers = [*([ProgressBar()] if self.verbose else []), *(self.callbacks or ())]
        with parameters_named(self):
            run, error = follow(data, valid, self._family(), followers, self._settings(len(ratings), valid is not None))
        if run.model is None:
            raise error if error is not None else DivergedError(by_parameter(run.problem or f"the run left no model: {run.ended}", self))
        if run.problem is not None and error is None:
            warnings.warn(f"{type(self).__name__}: {by_parameter(run.problem, self)}", ConvergenceWarning, stacklevel=3)
        self._take(run, users, user_names, items, item_names)
        self._remember(user_codes, item_codes)
        if error is not None:
            raise error
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return "user_factors_" in self.__dict__

    def _settings(self, ratings: int, has_valid: bool) -> dict[str, Any]:
        if self.random_state is None or not isinstance(self.random_state, (int, np.integer)):
            self.seed_ = int(check_random_state(self.random_state).randint(2**31 - 1))
        else:
            self.seed_ = int(self.random_state)
        given: dict[str, Any] = {name: getattr(self, name) for name in self._named}
        given.update(lr=self.learning_rate, seed=self.seed_)
        if self.n_jobs is not None or threads(None) < threads(-1):
            given["threads"] = workers(self.n_jobs, ratings // ROWS_A_WORKER)
        if self.early_stopping:
            given.update(patience=self.n_iter_no_change, min_delta=self.tol, stop_metric=self.metric)
            if not has_valid:
                given["holdout"] = self.validation_fraction
        return with_settings(self, given)

    def _triples(self, X: Any, y: Any) -> tuple[Any, Any, Any]:
        """Users, items and ratings."""
        if is_sparse(X):
            if y is not None:
                raise ValueError(f"y: a matrix of users by items has its {self._values} itself; leave it out")
            X = X.tocoo()
            users, items, y = X.row, X.col, X.data
        elif hasattr(X, "columns") and self.user in list(X.columns) and self.item in list(X.columns):
            users, items = X[self.user], X[self.item]
            y = X[self.rating] if y is None and self.rating in list(X.columns) else y
        else:
            users, items = _pairs(X)
        y = self._when_missing(len(users)) if y is None else y
        ratings = np.ascontiguousarray(np.asarray(y), dtype=np.float32)
        if ratings.shape != (len(users),):
            raise ValueError(f"y has the shape {ratings.shape}, and there are {len(users)} pairs; give a {self._values[:-1]} each")
        return users, items, ratings

    def _valid(self, eval_set: Any, user_codes: Any, user_names: Any, item_codes: Any, item_names: Any) -> Any:
        """Held-out ratings by the codes of those that are trained on; each that is not known gets one of its own."""
        users, items, ratings = self._triples(*eval_set)

        def coded(ids: Any, codes: Any, names: Any) -> Any:
            known = np.unique(codes)
            rows = Ids(known if names is None else names).rows(ids)
            found = (rows if names is not None else known[rows]).astype(np.uint64)
            unknown = np.flatnonzero(rows < 0)
            if len(unknown):
                own, own_names = codes_of(as_array(ids)[unknown])
                places = np.unique(own, return_inverse=True)[1] if own_names is None else own.astype(np.intp)
                count = int(places.max()) + 1
                behind = int(known[-1]) + 1 if len(known) else 0
                free = np.arange(behind, behind + count, dtype=np.uint64) if behind + count < 2**64 else np.setdiff1d(
                    np.arange(len(known) + count, dtype=np.uint64), known)[:count]
                found[unknown] = free[places]
            return found

        return _hogwild.Ratings.from_arrays(coded(users, user_codes, user_names), coded(items, item_codes, item_names), ratings)

    def _take(self, run: Any, users: Any, user_names: Any, items: Any, item_names: Any) -> None:
        """The attributes of a run."""
        model = run.model._inner

        def named(axis: str, names: Any, given: Any) -> Any:
            codes = np.asarray(model.ids(axis))
            dtype = np.asarray(given).dtype
            return codes.astype(dtype if dtype.kind in "iu" else np.int64) if names is None else names[codes.astype(np.intp)]

        self.users_, self.items_ = named("user", user_names, users), named("item", item_names, items)
        self._user_codes, self._item_codes = np.asarray(model.ids("user")), np.asarray(model.ids("item"))
        self._user_ids, self._item_ids = Ids(self.users_), Ids(self.items_)
        for axis in ("user", "item"):
            factors, shape = model.tensor(f"{axis}_factor")
            setattr(self, f"{axis}_factors_", factors.reshape(shape))
            setattr(self, f"{axis}_bias_", model.tensor(f"{axis}_bias")[0])
        self.mean_ = float(model.tensor("mean")[0][0])
        self.n_iter_, self.history_, self.ended_ = len(run.epochs), run.epochs, run.ended
        self.learning_rate_, self.best_epoch_ = run.settings["lr"], run.best_epoch
        self._top: dict[str, Any] = {}

    def _remember(self, user_codes: Any, item_codes: Any) -> None:
        """What each user has rated, so that it is not recommended again."""
        users = Ids(self._user_codes).rows(user_codes)
        items = Ids(self._item_codes).rows(item_codes)
        order = np.lexsort((items, users))
        counts = np.bincount(users, minlength=len(self.users_))
        self._seen_start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        self._seen = items[order].astype(np.uint32)

    def _known(self, X: Any) -> tuple[Any, Any]:
        if hasattr(X, "columns") and self.user in list(X.columns) and self.item in list(X.columns):
            users, items = X[self.user], X[self.item]
        else:
            users, items = _pairs(X)
        return self._user_ids.rows(users), self._item_ids.rows(items)

    def recommend(self, users: Any, n: int = 10, *, filter_seen: bool = True, items: Any = None, exclude: Any = None) -> tuple[Any, Any]:
        """The best ``n`` items of each user, best first, with their scores; of one user, or of several.

        ``filter_seen`` leaves out what the user rated in training; ``items`` are all that may be recommended, ``exclude``
        may not. A user that is not known gets what is rated best. Where a user has fewer items left than others, their
        scores are -inf, and the ids -1, the empty text, NaN or None.
        """
        check_is_fitted(self)
        asked, several = self._user_ids.asked(users)
        rows = self._user_ids.rows(asked)
        found, scores = self._best(rows, _count(n), filter_seen, self._allowed(items, exclude))
        scores = scores + (self.mean_ + np.where(rows >= 0, self.user_bias_[rows], 0)).astype(np.float32)[:, None]
        return _named(self.items_, found, scores, several)

    def _best(self, rows: Any, n: int, filter_seen: bool, allowed: Any) -> tuple[Any, Any]:
        """The best items of users, by their rows (-1: unknown), without mean and biases of users."""
        known = rows >= 0
        queries = np.ascontiguousarray(np.where(known[:, None], self.user_factors_[rows], 0), dtype=np.float32)
        without = None
        if filter_seen:
            counts = np.where(known, self._seen_start[rows + 1] - self._seen_start[rows], 0)
            start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
            slices = [self._seen[self._seen_start[row] : self._seen_start[row + 1]] for row in rows[known]]
            without = (start, np.concatenate(slices) if slices else np.zeros(0, np.uint32))
        found, scores = self._ranked("recommend").top(queries, n, without, allowed, self._threads_of(len(rows)))
        width = min(n, len(self.items_))
        return found.reshape(-1, width), scores.reshape(-1, width)

    def similar_items(self, items: Any, n: int = 10) -> tuple[Any, Any]:
        """The ``n`` items whose factors are nearest to those of an item, or of each of several: by the cosine."""
        return self._similar("item", items, n)

    def similar_users(self, users: Any, n: int = 10) -> tuple[Any, Any]:
        """The ``n`` users whose factors are nearest to those of a user, or of each of several: by the cosine."""
        return self._similar("user", users, n)

    def _similar(self, axis: str, ids: Any, n: int) -> tuple[Any, Any]:
        check_is_fitted(self)
        n = _count(n)
        known, names = getattr(self, f"_{axis}_ids"), getattr(self, f"{axis}s_")
        asked, several = known.asked(ids)
        rows = known.rows(asked)
        if (rows < 0).any():
            raise KeyError(f"{axis} {list(asked)[int(np.flatnonzero(rows < 0)[0])]!r} was not in training")
        queries = _unit(getattr(self, f"{axis}_factors_")[rows])
        itself = (np.arange(len(rows) + 1, dtype=np.int64), rows.astype(np.uint32))
        found, scores = self._ranked(axis).top(queries, n, itself, None, self._threads_of(len(rows)))
        width = min(n, len(names))
        return _named(names, found.reshape(-1, width), scores.reshape(-1, width), several)

    def _threads_of(self, queries: int) -> int:
        return workers(self.n_jobs, min(queries, queries * len(self.items_) >> 20))

    def _allowed(self, items: Any, exclude: Any) -> Any:
        """Which items may be recommended; None: all."""
        if items is None and exclude is None:
            return None
        allowed = np.full(len(self.items_), items is None)
        for ids, value in ((items, True), (exclude, False)):
            if ids is not None:
                rows = self._item_ids.rows(ids)
                allowed[rows[rows >= 0]] = value
        return allowed

    def _ranked(self, what: str) -> Any:
        """Factors laid out to be scored for many: made once."""
        if what not in self._top:
            if what == "recommend":
                factors, bias = self.item_factors_, self.item_bias_
            else:
                factors, bias = _unit(getattr(self, f"{what}_factors_")), np.zeros(0, np.float32)
            self._top[what] = _hogwild.Top(np.ascontiguousarray(factors, dtype=np.float32), np.ascontiguousarray(bias, dtype=np.float32))
        return self._top[what]

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        if "_top" in state:
            state["_top"] = {}
        return state


def weights_of(sample_weight: Any, count: int) -> Any:
    """A weight for each of so many values, from 0 up."""
    weights = np.ascontiguousarray(sample_weight, dtype=np.float32)
    if weights.shape != (count,):
        raise ValueError(f"sample_weight has the shape {weights.shape}, and there are {count} pairs; give a weight each")
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise ValueError(f"sample_weight: that of pair {wrong[0]} (from 0) is {weights[wrong[0]]}; give weights from 0 up")
    if not weights.any():
        raise ValueError("sample_weight: all pairs weigh zero; give some a weight above 0")
    return weights


def _pairs(X: Any) -> tuple[Any, Any]:
    """The two columns of pairs."""
    if hasattr(X, "columns"):
        if len(list(X.columns)) != 2:
            raise ValueError(f"X has the columns {list(X.columns)}; give two, of users and of items, or name them: user=, item=")
        return X[X.columns[0]], X[X.columns[1]]
    if isinstance(X, np.ndarray):
        if X.ndim != 2 or X.shape[1] != 2:
            raise ValueError(f"X has the shape {X.shape}; give pairs of a user and an item")
        return X[:, 0], X[:, 1]
    pairs = list(X)
    if not all(len(pair) == 2 for pair in pairs):
        raise ValueError("X is to have pairs of a user and an item")
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def _count(n: Any) -> int:
    """How many are asked for."""
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"n {n!r}: must be a whole number from 1 up")
    return int(n)


def _named(names: Any, rows: Any, scores: Any, several: bool) -> tuple[Any, Any]:
    """Ids in place of rows, of as many as the one with most has; behind them what is no id, with the score -inf."""
    missing = rows >= len(names)
    width = int((~missing).sum(axis=1).max(initial=0))
    missing, rows, scores = missing[:, :width], rows[:, :width], scores[:, :width]
    ids = names[np.where(missing, 0, rows)]
    if missing.any():
        none = {"i": -1, "U": "", "f": np.nan}.get(ids.dtype.kind)
        ids = ids if none is not None else ids.astype(object)
        ids[missing] = none
        scores = np.where(missing, np.float32(-np.inf), scores)
    return (ids, scores) if several else (ids[0], scores[0])


def _unit(factors: Any) -> Any:
    """Rows of length 1; of those that are 0, 0."""
    length = np.sqrt(np.einsum("ij,ij->i", factors, factors))[:, None]
    return np.ascontiguousarray(factors / np.where(length > 0, length, 1), dtype=np.float32)
