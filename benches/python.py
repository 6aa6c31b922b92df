"""The Python package beside scikit-learn and SciPy, in turn: python benches/python.py TRAIN.svm TEST.svm...

Prints medians and ratios; of a machine that others use, only the ratios mean anything. The package is the installed one.
"""

import statistics
import sys
import time

import hogwild
import numpy as np
from hogwild import _hogwild, _inputs
from sklearn.datasets import load_svmlight_files
from sklearn.linear_model import SGDClassifier

RATE = 0.3


def in_turn(repeats, **calls):
    """The median seconds of each call, made one after the other."""
    seconds = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(all_of_one) for name, all_of_one in seconds.items()}


def told(what, seconds, unit=1.0, name_of_unit="ms"):
    of_unit = 1e3 if name_of_unit == "ms" else 1e6 if name_of_unit == "us" else 1e9
    values = "  ".join(f"{name} {value / unit * of_unit:.2f}" for name, value in seconds.items())
    ours, theirs = list(seconds.values())[0], list(seconds.values())[-1]
    print(f"  {what}: {values} {name_of_unit}; {theirs / ours:.2f} times")


def matrices(train, test):
    X, y, X_test, _ = load_svmlight_files([train, test], zero_based=True)
    y = np.where(y > 0, 1, -1)
    for matrix in (X, X_test):
        # As other tools give them: scikit-learn's SGD takes no others.
        matrix.indices, matrix.indptr = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    print(f"{train}: {X.shape[0]:,} rows, {X.shape[1]:,} columns, {X.nnz:,} nonzeros")
    labels, csr = y.astype(np.float32), _inputs.arrays(X)
    converted = in_turn(9, two=lambda: _hogwild.Rows.from_csr(csr, labels, None, 2), one=lambda: _hogwild.Rows.from_csr(csr, labels, None, 1))
    told("conversion on two threads, on one", converted, X.nnz, "ns a nonzero")
    ours = hogwild.LinearClassifier(learning_rate=RATE, random_state=1)
    alone = hogwild.LinearClassifier(learning_rate=RATE, random_state=1, n_jobs=1)
    sgd = SGDClassifier(loss="log_loss", max_iter=5, tol=None, alpha=1e-6)
    fits = in_turn(7, all_cores=lambda: ours.fit(X, y), one=lambda: alone.fit(X, y), SGDClassifier=lambda: sgd.fit(X, y))
    told("five epochs", fits)
    w = sgd.coef_[0]
    scored = in_turn(15, ours=lambda: alone.decision_function(X_test), scikit_learn=lambda: sgd.decision_function(X_test), SciPy=lambda: X_test @ w)
    told("scores", scored, X_test.nnz, "ns a nonzero")
    row, model = X_test[5], alone.to_model()
    one = in_turn(500, estimator=lambda: alone.predict(row), model=lambda: model.predict(row), scikit_learn=lambda: sgd.predict(row))
    told("one row", one, 1, "us")
    batch, of_batch = X[:100], y[:100]
    ours.partial_fit(batch, of_batch)
    parts = in_turn(100, ours=lambda: ours.partial_fit(batch, of_batch), SGDClassifier=lambda: sgd.partial_fit(batch, of_batch))
    told("partial_fit of 100 rows", parts, 1, "us")


def recommendations():
    random = np.random.RandomState(1)
    items, users, rank = 10_677, 4_000, 32
    factors, queries = random.randn(items, rank).astype("f4"), random.randn(users, rank).astype("f4")
    top = _hogwild.Top(factors, random.randn(items).astype("f4"))

    def by_numpy():
        scores = queries[:400] @ factors.T
        best = np.argpartition(scores, -10, axis=1)[:, -10:]
        return np.take_along_axis(best, np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1), axis=1)

    seconds = in_turn(7, two=lambda: top.top(queries, 10, None, None, 2), one=lambda: top.top(queries, 10, None, None, 1), NumPy=by_numpy)
    seconds["NumPy"] *= users / 400
    print(f"the best 10 of {items:,} items of rank {rank}")
    told("a user, on two threads, on one", seconds, users, "us")


def texts():
    pyarrow = __import__("pyarrow")
    random = np.random.RandomState(0)
    cells = {f"c{i}": np.char.add("v", (random.zipf(1.3, 200_000) % 100_000).astype(str)) for i in range(10)}
    table, encoder = pyarrow.table(cells), hogwild.TableEncoder()
    print("2,000,000 texts in 10 columns")
    told("fit_transform, transform", in_turn(5, fit=lambda: encoder.fit_transform(table), transform=lambda: encoder.transform(table)), 2e6, "ns a text")


if __name__ == "__main__":
    for train, test in zip(sys.argv[1::2], sys.argv[2::2]):
        matrices(train, test)
    recommendations()
    texts()
