"""What is compared: a kind of data and a model of it, with the names of what is measured.

The first task of a kind of data is taken where none is asked for.
"""
from dataclasses import dataclass
from typing import Optional


@dataclass(frozen=True)
class Task:
    about: str
    unit: str  # what times are divided by
    loss: str  # what is least at the best epoch
    second: Optional[str]  # another metric at that epoch
    epochs: int
    rank: int = 0  # factors, where the model has some
    ratings: bool = False  # users and items, not rows of features
    pack: tuple = ()  # options of `hogwild pack`


TASKS = {
    "rows": Task("logistic regression", "nonzero", "log-loss", "AUC", 10),
    "fm": Task("factorization machines", "nonzero", "log-loss", "AUC", 10, rank=8),
    "ffm": Task("field-aware factorization machines", "nonzero", "log-loss", "AUC", 10, rank=4, pack=("--fields",)),
    "classes": Task("several classes", "nonzero", "log-loss", "accuracy", 10),
    "ratings": Task("matrix factorization", "rating", "RMSE", None, 20, rank=32, ratings=True),
    "interactions": Task(
        "implicit feedback", "pair", "1 - NDCG@20", "recall@20", 100, rank=64, ratings=True, pack=("--format", "interactions")
    ),
}


def of_data(ratings):
    """The task of data that none was asked for."""
    return next(name for name, task in TASKS.items() if task.ratings == ratings)
