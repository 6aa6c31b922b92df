"""scikit-learn's own callbacks (``sklearn.callback``, from 1.9 on): an epoch of a fit is a task of theirs.

``model.set_callbacks(ProgressBar())`` is scikit-learn's; the parameter ``callbacks`` is ours. Before 1.9 there is the latter alone.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

__all__ = ["FRAMES", "CallbackSupport", "Tasks", "managed"]


class _NoSupport:
    """Stands in for scikit-learn's mixin where there is none."""


def _found() -> Any:
    try:
        return importlib.import_module("sklearn.callback")
    except ImportError:
        return None


_CALLBACK = _found()
#: scikit-learn's mixin, with ``set_callbacks``.
CallbackSupport: Any = _NoSupport if _CALLBACK is None else _CALLBACK.CallbackSupportMixin
#: The calls that :func:`managed` puts between who fits and the fit, for warnings to name the former's line.
FRAMES = 1 if _CALLBACK is None else 2


def managed(method: Any) -> Any:
    """A ``fit`` whose callbacks of scikit-learn are torn down, however it ends."""

    @functools.wraps(method)
    def fit(estimator: Any, *args: Any, **more: Any) -> Any:
        try:
            return method(estimator, *args, **more)
        finally:
            estimator.__dict__.pop("_tasks", None)

    return fit if _CALLBACK is None else _CALLBACK.with_callbacks(fit)


class Tasks:
    """The tasks of one fit: the fit, and in it an epoch after the other. ``fitted``: the attributes of an estimator with such a model."""

    def __init__(self, estimator: Any, X: Any, y: Any, weights: Any, epochs: int | None, fitted: Any) -> None:
        self.estimator, self.fitted = estimator, fitted
        metadata = None if weights is None else {"sample_weight": weights}
        self.told = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.fit = estimator._init_callback_context(max_subtasks=epochs)
        self.fit.call_on_fit_task_begin(**self.told)
        self.epoch: Any = None

    @staticmethod
    def of(estimator: Any, X: Any, y: Any, weights: Any, epochs: int | None, fitted: Any) -> Tasks | None:
        """None where nobody is to be told."""
        has_some = bool(getattr(estimator, "_skl_callbacks", None)) or hasattr(estimator, "_parent_callback_ctx")
        return Tasks(estimator, X, y, weights, epochs, fitted) if has_some and _CALLBACK is not None else None

    def begin(self) -> None:
        """An epoch begins."""
        if self.epoch is None:
            self.epoch = self.fit.subcontext(task_name="epoch").call_on_fit_task_begin(**self.told)

    def end(self, model: Any) -> bool:
        """It has ended with that model; whether the run is to end, too."""
        epoch, self.epoch = self.epoch, None
        attributes = None if model is None or self.fitted is None else lambda: self.fitted(model)
        return bool(epoch.call_on_fit_task_end(**self.told, reconstruction_attributes=attributes))

    def close(self, attributes: Any) -> None:
        """The fit has ended."""
        if self.epoch is not None:
            self.end(None)
        self.fit.call_on_fit_task_end(**self.told, reconstruction_attributes=attributes)
