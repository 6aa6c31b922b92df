"""Data that several files use; the package is the installed one (see .ci/python)."""

import signal

import numpy as np
import pytest
import scipy.sparse as sp

# A shell that runs the tests in the background has them ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)


def rows(count=3000, columns=400, seed=0, ones=False):
    """Sparse rows with labels that follow from a plane."""
    random = np.random.RandomState(seed)
    cells = max(1, 3 * columns // 100)
    indices = random.randint(columns, size=count * cells).astype(np.int32)
    X = sp.csr_matrix((random.uniform(0.5, 1.5, count * cells), indices, np.arange(0, count * cells + 1, cells, dtype=np.int32)), (count, columns))
    X.sum_duplicates()
    if ones:
        X.data[:] = 1
    w = np.random.RandomState(99).randn(columns)
    scores = X @ w
    return X, np.where(scores + 0.3 * random.randn(count) > 0, 1, -1), scores


@pytest.fixture
def data():
    return rows()


@pytest.fixture(scope="session")
def triples():
    """Ratings of users and items by planted factors."""
    random = np.random.RandomState(5)
    P, Q = random.randn(80, 3) * 0.7, random.randn(60, 3) * 0.7
    users, items = random.randint(0, 80, 2500), random.randint(0, 60, 2500)
    pairs = np.unique(np.column_stack([users, items]), axis=0)
    ratings = 3 + (P[pairs[:, 0]] * Q[pairs[:, 1]]).sum(axis=1) + 0.1 * random.randn(len(pairs))
    order = random.permutation(len(pairs))
    return pairs[order], ratings[order]
