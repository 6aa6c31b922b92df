"""Snap ML's dual coordinate descent, by iterations."""
from .base import System, restarts


def train(data, setting, threads, epochs, curve):
    from snapml import LogisticRegression

    matrix, labels = data.matrix("train"), data.rows("train").labels
    fixed = {"fit_intercept": True, "tol": 1e-9, "n_jobs": threads, "random_state": 0}
    fit = lambda count: LogisticRegression(max_iter=count, **fixed, **setting).fit(matrix, labels)
    scores = lambda model: data.matrix("test") @ model.coef_.ravel()[: data.width] + model.intercept_
    restarts(fit, scores, [n for n in (1, 2, 3, 5, 7, 10, 15, 20, 30) if n <= epochs], curve)


SETTINGS = [{"regularizer": l2} for l2 in (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)]
SYSTEMS = [System("Snap ML", "rows", SETTINGS, train, "snapml", "snapml", threaded=True)]
