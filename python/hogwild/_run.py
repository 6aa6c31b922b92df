"""One run of training, by the settings of the command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _hogwild
from ._data import Ratings, Rows
from ._model import Model
from .callbacks import Callback, Event

if TYPE_CHECKING:
    from ._tasks import Tasks

__all__ = ["Run", "settings", "train"]


@dataclass
class Run:
    """What a run gave."""

    #: The model; None where the first epoch already diverged.
    model: Model | None
    #: A dict an epoch: epoch, loss, seconds, examples, and valid: the held-out metrics.
    epochs: list[dict[str, Any]]
    #: finished, stopped early, stopped, interrupted, diverged or data lost.
    ended: str
    #: What was wrong, if anything was.
    problem: str | None
    #: With early stopping the epoch whose model it is, from 1.
    best_epoch: int | None
    #: The settings as used, every default filled in.
    settings: dict[str, Any]
    #: Held-out metrics of the model.
    metrics: dict[str, float] | None
    #: What the search for a learning rate found: chosen, seconds, tried.
    rate_search: dict[str, Any] | None = field(default=None)

    def plot(self, ax: Any = None) -> Any:
        """Draws the losses by epoch with matplotlib; gives the axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots()[1]
        numbers = [epoch["epoch"] for epoch in self.epochs]
        ax.plot(numbers, [epoch["loss"] for epoch in self.epochs], label="training")
        held_out = [(epoch["epoch"], epoch["valid"]["loss"]) for epoch in self.epochs if "valid" in epoch]
        if held_out:
            ax.plot(*zip(*held_out), label="held out")
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.legend()
        return ax


def train(
    data: Rows | Ratings,
    valid: Rows | Ratings | None = None,
    *,
    model: str | None = None,
    callbacks: Iterable[Callback | Callable[[dict[str, Any]], bool | None]] = (),
    **settings: Any,
) -> Run:
    """Trains a model: ``model`` is linear, fm, ovr, mf and so on, or follows from the data.

    Every setting of the command is a keyword, by the name of its flag with ``_`` for ``-``: see :func:`settings`.
    A callback is told of each epoch and ends the run by True.

    >>> import hogwild, scipy.sparse
    >>> X = scipy.sparse.csr_matrix([[0, 2.0, 0], [1.0, 0, 3.0]])
    >>> run = hogwild.train(hogwild.Rows.from_matrix(X, [1, -1]), rule="adam", lr=0.1, epochs=3)
    >>> run.ended, len(run.epochs)
    ('finished', 3)
    """
    run, error = follow(data._inner, None if valid is None else valid._inner, model, callbacks, settings)
    if error is not None:
        raise error
    return run


def follow(
    data: Any,
    valid: Any,
    model: str | None,
    callbacks: Iterable[Any],
    settings: dict[str, Any],
    start: Any = None,
    tasks: Tasks | None = None,
) -> tuple[Run, BaseException | None]:
    """The same from a model on, with what a callback or a signal raised beside what was learnt until then."""
    followers = list(callbacks or ())
    found: list[dict[str, Any]] = []
    epochs = int(settings.get("epochs") or 0)

    def told(event: Event, report: dict[str, Any]) -> bool:
        if event == "rate_search":
            found.append(report)
        stop, model = False, report.pop("model", None)
        if tasks is not None and event == "epoch":
            tasks.begin()  # where it is not told of yet
            stop = tasks.end(None if model is None else Model(model))
        for follower in followers:
            if isinstance(follower, Callback):
                stop |= bool(follower.on_epoch_end(report) if event == "epoch" else follower.on_rate_search(report))
            elif event == "epoch":
                stop |= bool(follower(report))
        if tasks is not None and not stop and event == "epoch" and report["epoch"] < epochs and "patience" not in settings:
            tasks.begin()
        return stop

    for follower in followers:
        if isinstance(follower, Callback):
            follower.on_train_begin(settings)
    if tasks is not None:
        tasks.begin()
    raw, error = _hogwild.train(data, valid, model if start is None else start, plain(settings), told, tasks is not None)
    run = Run(
        model=None if raw.model is None else Model(raw.model),
        epochs=raw.epochs,
        ended=raw.ended,
        problem=raw.problem,
        best_epoch=raw.best_epoch,
        settings=raw.settings,
        metrics=raw.metrics,
        rate_search=found[-1] if found else None,
    )
    for follower in followers:
        if isinstance(follower, Callback):
            try:
                follower.on_train_end(run)
            except BaseException as failed:
                error = error or failed
    return run, error


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings without types of NumPy's, whose truth values are not Python's."""
    return {name: value.item() if isinstance(value, (np.bool_, np.integer)) else value for name, value in settings.items()}


def settings() -> list[dict[str, Any]]:
    """Every setting of :func:`train`: name, group, help, range, choices and defaults.

    >>> import hogwild
    >>> [setting["default"] for setting in hogwild.settings() if setting["name"] == "epochs"]
    ['5']
    """
    return _hogwild.settings()
