"""Matrices of every container and type give the same model; what can't be used is named."""

import hogwild
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import rows


def fitted(X, y, **more):
    return hogwild.LinearClassifier(learning_rate=0.5, n_jobs=1, random_state=3, **more).fit(X, y)


@pytest.mark.parametrize("container", ["csr_matrix", "csr_array", "csc_matrix", "coo_matrix", "coo_array", "lil_matrix", "dense", "fortran"])
def test_containers_are_alike(container, data):
    X, y, _ = data
    expected = fitted(X, y).coef_
    other = {"dense": lambda X: X.toarray(), "fortran": lambda X: np.asfortranarray(X.toarray())}.get(container)
    other = (other or getattr(sp, container))(X)
    model = fitted(other, y)
    assert np.array_equal(model.coef_, expected)
    assert np.allclose(model.decision_function(other), fitted(X, y).decision_function(X), atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int32, np.int8, np.uint8, bool])
@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_types_are_alike(dtype, index):
    X, y, _ = rows(ones=True)
    other = X.astype(dtype)
    other.indices, other.indptr = other.indices.astype(index), other.indptr.astype(index)
    made = hogwild.Rows.from_matrix(other, y)
    assert made.shape == (3000, 400) and made.nonzeros == X.nnz
    run = hogwild.train(made, lr=0.5, threads=1, seed=3)
    expected = hogwild.train(hogwild.Rows.from_matrix(X, y), lr=0.5, threads=1, seed=3)
    assert run.model.to_bytes() == expected.model.to_bytes()
    assert np.array_equal(run.model.predict(other), expected.model.predict(X))


def test_read_only_memory_and_views(data, tmp_path):
    X, y, _ = data
    expected = fitted(X, y).coef_
    np.save(tmp_path / "data.npy", X.data)
    mapped = sp.csr_matrix((np.load(tmp_path / "data.npy", mmap_mode="r"), X.indices, X.indptr), X.shape)
    mapped.indices.flags.writeable = mapped.indptr.flags.writeable = False
    assert np.array_equal(fitted(mapped, y).coef_, expected)
    strided = sp.csr_matrix((np.repeat(X.data, 2)[::2], X.indices, X.indptr), X.shape)
    swapped = sp.csr_matrix((X.data.astype(">f8"), X.indices, X.indptr), X.shape)
    # SciPy's constructor may copy: these are what is meant.
    strided.data, swapped.data = np.repeat(X.data, 2)[::2], X.data.astype(">f8")
    assert not strided.data.flags.c_contiguous and not swapped.data.dtype.isnative
    for other in (strided, swapped):
        assert np.array_equal(fitted(other, y).coef_, expected)
        assert np.array_equal(fitted(X, y).decision_function(other), fitted(X, y).decision_function(X))


def test_columns_that_are_there_twice_are_summed(data):
    X, y, _ = data
    doubled = sp.csr_matrix((np.tile(X.data.reshape(-1, 1) / 2, 2).ravel(), np.repeat(X.indices, 2), X.indptr * 2), X.shape)
    assert not doubled.has_canonical_format
    kept = doubled.indices.copy()
    assert np.array_equal(fitted(doubled, y).coef_, fitted(X, y).coef_)
    assert np.array_equal(doubled.indices, kept)


def test_rows_without_cells_and_matrices_of_few(data):
    X = sp.csr_matrix((4, 3))
    X[1, 2] = 1.0
    model = fitted(X.tocsr(), [1, 0, 1, 1])
    assert model.coef_.shape == (1, 3) and model.predict(sp.csr_matrix((2, 3))).shape == (2,)
    wide = sp.csr_matrix(([1.0, 2.0], ([0, 1], [5, 2**31 - 2])), (2, 2**31 - 1))
    assert hogwild.Rows.from_matrix(wide, [1, -1]).nonzeros == 2


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_what_is_not_finite_is_named(value, data):
    X, y, _ = data
    X.data[X.indptr[7]] = value
    with pytest.raises(hogwild.BadDataError, match=rf"value of column {X.indices[X.indptr[7]]} in row 7 \(from 0\)"):
        hogwild.Rows.from_matrix(X, y)
    with pytest.raises(ValueError, match="infinity|NaN|row 7"):
        fitted(X, y)
    if value != 1e300:
        with pytest.raises(ValueError, match="infinity|NaN"):
            fitted(*rows()[:2]).predict(X)


def test_wrong_shapes_are_refused(data):
    X, y, _ = data
    with pytest.raises(ValueError, match="400|features"):
        fitted(X, y).predict(X[:, :50])
    with pytest.raises(hogwild.BadDataError, match="label"):
        hogwild.Rows.from_matrix(X, y[:10])
    with pytest.raises(ValueError, match="dimensions"):
        hogwild.Rows.from_matrix(np.zeros(3), [1, 2, 3])
    with pytest.raises(ValueError, match="n_jobs 0"):
        hogwild.Rows.from_matrix(X, y, n_jobs=0)


def test_prediction_of_many_threads_is_that_of_one():
    X, y, _ = rows(60000, 2000)
    model = fitted(X[:3000], y[:3000])
    assert X.nnz > 1 << 18
    one = model.set_params(n_jobs=1).decision_function(X)
    assert np.array_equal(one, model.set_params(n_jobs=2).decision_function(X))
    assert np.allclose(one, X @ model.coef_[0].astype(float) + model.intercept_, atol=1e-4)


def test_unit_rows_are_scored_as_they_were_learnt(data):
    X, y, _ = data
    model = fitted(X, y, normalize="row")
    length = np.sqrt(X.multiply(X).sum(axis=1)).A1
    unit = sp.diags(1 / np.where(length > 0, length, 1)) @ X
    expected = unit @ model.coef_[0].astype(float) + model.intercept_
    assert model.unit_rows_
    assert np.allclose(model.decision_function(X), expected, atol=1e-4)
    assert np.allclose(model.decision_function(X.toarray()), expected, atol=1e-4)


def twice(X):
    """Each cell in two halves."""
    return sp.csr_matrix((np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), X.indptr * 2), X.shape)


def test_columns_that_are_there_twice_are_summed_before_they_are_scored(data):
    X, y, _ = data
    halves = twice(X)
    unit = fitted(X, y, normalize="row")
    assert np.allclose(unit.decision_function(halves), unit.decision_function(X), atol=1e-5)
    assert np.allclose(unit.to_model().scores(halves), unit.decision_function(X), atol=1e-5)
    pairs = hogwild.FactorizationMachineClassifier(rank=4, random_state=1, learning_rate=0.3).fit(X, y)
    assert np.allclose(pairs.decision_function(halves), pairs.decision_function(X), atol=1e-4)
    assert np.allclose(pairs.to_model().scores(halves), pairs.decision_function(X), atol=1e-4)
    assert not halves.has_canonical_format and halves.nnz == 2 * X.nnz


@pytest.mark.parametrize("value", [1e30, 3e38])
def test_scores_that_are_not_finite_are_an_error(value, data):
    X, y, _ = data
    model = fitted(X, y)
    saved = model.to_model()
    model.coef_ = model.coef_ * np.float32(1e9)
    X[7, int(X[7].indices[0])] = value
    told = rf"value of column {X[7].indices[0]} in row 7 \(from 0\) is .*, and the score of the row is not finite"
    with pytest.raises(hogwild.BadDataError, match=told):
        model.predict(X)
    with pytest.raises(hogwild.BadDataError, match=told):
        model.to_model().predict(X)
    pairs = hogwild.FactorizationMachineClassifier(rank=4, random_state=1, learning_rate=0.3).fit(*rows()[:2])
    with pytest.raises(hogwild.BadDataError, match=told):
        pairs.predict(X)
    with pytest.raises(hogwild.BadDataError, match=r"score of row 7 \(from 0\) is not finite"):
        model.to_model().scores(hogwild.Rows.from_matrix(X, y))
    assert np.isfinite(saved.scores(X[:7])).all()
    unit = fitted(*rows()[:2], normalize="row")
    with pytest.raises(hogwild.BadDataError, match=rf"column {X[7].indices[0]} in row 0"):
        unit.predict(np.where(X[7:8].toarray() == value, 1e200, X[7:8].toarray()))


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, bool])
def test_whole_numbers_are_not_copied_to_be_checked(dtype, monkeypatch):
    X, y, _ = rows(ones=True)
    seen = []
    rows_of = hogwild._estimator.rows_of
    monkeypatch.setattr(hogwild._estimator, "rows_of", lambda X, *more: seen.append(X) or rows_of(X, *more))
    other = X.astype(dtype)
    model = fitted(other, y)
    assert np.shares_memory(seen[0].data, other.data)
    assert np.array_equal(model.coef_, fitted(X, y).coef_)
    assert np.array_equal(model.decision_function(other), model.decision_function(X))


def test_a_call_has_no_more_threads_than_work(data):
    from hogwild._inputs import workers

    X, y, _ = data
    assert workers(20000, X.nnz >> 16) == 1 and workers(20000, 3) == 3
    model = fitted(X, y)
    expected = model.decision_function(X)
    assert model.set_params(n_jobs=20000)._threads_for(X) == 1
    assert np.array_equal(model.decision_function(X), expected)
    assert hogwild.Rows.from_matrix(X, y, n_jobs=20000).nonzeros == X.nnz

    class Counting:
        """A model that keeps how many threads its calls have."""

        def __init__(self, inner):
            self.inner, self.counts = inner, []

        def __getattr__(self, name):
            return getattr(self.inner, name)

        def score_data(self, data, threads):
            self.counts.append(threads)
            return self.inner.score_data(data, threads)

    scorer = model.to_model()
    scorer._inner = counting = Counting(scorer._inner)
    assert np.allclose(scorer.scores(hogwild.Rows.from_matrix(X, y), n_jobs=20000), expected, atol=1e-5)
    assert counting.counts == [2]  # of 3,000 rows
    factors = hogwild.MatrixFactorization(n_jobs=20000)
    factors.items_ = np.zeros(1000)
    assert factors._threads_of(1) == 1 and factors._threads_of(4096) == 3


def test_a_model_of_far_numbers_scores_rows_and_no_matrix(tmp_path):
    (tmp_path / "far.svm").write_text(f"1 3:1 {2**62}:1\n-1 4:1\n" * 20)
    rows = hogwild.Rows.open(tmp_path / "far.svm")
    model = hogwild.train(rows, lr=0.1, epochs=1).model
    with pytest.raises(hogwild.BadDataError, match=f"features are numbered up to {2**62}"):
        model.predict(sp.csr_matrix(np.eye(3)))
    assert model.predict(rows).shape == (40,)
