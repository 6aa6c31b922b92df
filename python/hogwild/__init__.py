"""Fast training of sparse models on all cores: linear models, factorization machines, recommenders.

What is imported here is loaded at its first use, so that ``import hogwild`` takes some milliseconds.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._data import Ratings as Ratings, Rows as Rows
    from ._factorization_machine import (
        FactorizationMachineClassifier as FactorizationMachineClassifier,
        FactorizationMachineRegressor as FactorizationMachineRegressor,
    )
    from ._field_aware import FieldAwareClassifier as FieldAwareClassifier
    from ._hogwild import __version__ as __version__
    from ._implicit_recommender import ImplicitRecommender as ImplicitRecommender
    from ._linear import LinearClassifier as LinearClassifier, LinearRegressor as LinearRegressor
    from ._matrix_factorization import MatrixFactorization as MatrixFactorization
    from ._model import Model as Model, load as load
    from ._run import Run as Run, settings as settings, train as train
    from ._table_encoder import TableEncoder as TableEncoder
    from .callbacks import Callback as Callback, EarlyStopping as EarlyStopping, JsonLog as JsonLog, ProgressBar as ProgressBar
    from .errors import BadDataError as BadDataError, BadSettingError as BadSettingError, DivergedError as DivergedError

_PLACES = {
    "_data": ("Ratings", "Rows"),
    "_factorization_machine": ("FactorizationMachineClassifier", "FactorizationMachineRegressor"),
    "_field_aware": ("FieldAwareClassifier",),
    "_hogwild": ("__version__",),
    "_implicit_recommender": ("ImplicitRecommender",),
    "_linear": ("LinearClassifier", "LinearRegressor"),
    "_matrix_factorization": ("MatrixFactorization",),
    "_model": ("Model", "load"),
    "_run": ("Run", "settings", "train"),
    "_table_encoder": ("TableEncoder",),
    "callbacks": ("Callback", "EarlyStopping", "JsonLog", "ProgressBar"),
    "errors": ("BadDataError", "BadSettingError", "DivergedError"),
}
_PLACE = {name: module for module, names in _PLACES.items() for name in names}

__all__ = [
    "BadDataError",
    "BadSettingError",
    "Callback",
    "DivergedError",
    "EarlyStopping",
    "FactorizationMachineClassifier",
    "FactorizationMachineRegressor",
    "FieldAwareClassifier",
    "ImplicitRecommender",
    "JsonLog",
    "LinearClassifier",
    "LinearRegressor",
    "MatrixFactorization",
    "Model",
    "ProgressBar",
    "Ratings",
    "Rows",
    "Run",
    "TableEncoder",
    "__version__",
    "load",
    "settings",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_PLACE[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
