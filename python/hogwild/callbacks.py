"""Who follows a run, and may end it."""

from __future__ import annotations

import json
import sys
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ._run import Run

__all__ = ["Callback", "EarlyStopping", "JsonLog", "ProgressBar"]

Event = Literal["epoch", "rate_search"]


class Callback:
    """Follows a run: write the methods that you need. A plain function of an epoch's report will do too."""

    def on_train_begin(self, settings: dict[str, Any]) -> None:
        """Before all work."""

    def on_rate_search(self, report: dict[str, Any]) -> bool | None:
        """After the search for a learning rate."""
        return None

    def on_epoch_end(self, report: dict[str, Any]) -> bool | None:
        """After each epoch; True ends the run there."""
        return None

    def on_train_end(self, run: Run) -> None:
        """After the run, however it ended."""


class EarlyStopping(Callback):
    """Ends the run after so many epochs without a better metric of held-out data (else of the training loss).

    The model is that of the last epoch. To keep that of the best, give ``patience`` to :func:`hogwild.train`,
    or ``early_stopping=True`` to an estimator.
    """

    def __init__(self, patience: int = 3, metric: str = "loss", min_delta: float = 0.0, rises: bool = False) -> None:
        self.patience, self.metric, self.min_delta, self.rises = patience, metric, min_delta, rises
        self.best: float | None = None
        self.waited = 0

    def on_train_begin(self, settings: dict[str, Any]) -> None:
        self.best, self.waited = None, 0

    def on_epoch_end(self, report: dict[str, Any]) -> bool:
        value = float(report.get("valid", report)[self.metric])
        value = -value if self.rises else value
        if self.best is None or value < self.best - self.min_delta:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return self.waited >= self.patience


class ProgressBar(Callback):
    """A line an epoch on standard error."""

    def on_rate_search(self, report: dict[str, Any]) -> None:
        print(f"learning rate {report['chosen']:.3g} by a search of {len(report['tried'])} in {report['seconds']:.2f} s", file=sys.stderr)

    def on_epoch_end(self, report: dict[str, Any]) -> None:
        held_out = "".join(f"  {name} {value:.5f}" for name, value in report.get("valid", {}).items())
        print(f"epoch {report['epoch']}  loss {report['loss']:.5f}  {report['seconds']:.2f} s{'  held-out' if held_out else ''}{held_out}", file=sys.stderr)


class JsonLog(Callback):
    """Writes one JSON object an epoch, one a line."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = path

    def on_train_begin(self, settings: dict[str, Any]) -> None:
        with open(self.path, "w", encoding="utf-8"):
            pass

    def on_epoch_end(self, report: dict[str, Any]) -> None:
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(report) + "\n")
