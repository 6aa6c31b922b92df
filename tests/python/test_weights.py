"""Weights of examples and of classes: a row of weight 2 is the row twice, a row of weight 0 is none."""

import hogwild
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import rows


def full(**more):
    """Full batches with L2: the optimum does not depend on the way."""
    return hogwild.LinearClassifier(batch_size="full", l2=0.05, epochs=600, learning_rate=0.5, n_jobs=1, random_state=0, **more)


def test_weight_two_is_the_row_twice_at_the_optimum():
    X, y, _ = rows(300, 20)
    weights = np.random.RandomState(1).randint(1, 4, 300)
    weighted = full().fit(X, y, sample_weight=weights)
    repeated = np.repeat(np.arange(300), weights)
    assert np.allclose(weighted.coef_, full().fit(X[repeated], y[repeated]).coef_, atol=2e-3)
    assert not np.allclose(weighted.coef_, full().fit(X, y).coef_, atol=2e-3)


def test_rows_of_weight_zero_are_none(data):
    X, y, _ = data
    weights = (np.arange(3000) % 3 > 0).astype(float)
    settings = dict(n_jobs=1, random_state=0, learning_rate=0.5)
    weighted = hogwild.LinearClassifier(**settings).fit(X, y, sample_weight=weights)
    kept = weights > 0
    assert np.array_equal(weighted.coef_, hogwild.LinearClassifier(**settings).fit(X[kept], y[kept]).coef_)
    scaled = hogwild.LinearClassifier(**settings).fit(X, y, sample_weight=7 * weights)
    assert np.array_equal(weighted.coef_, scaled.coef_) or np.allclose(weighted.coef_, scaled.coef_, atol=1e-5)


def test_classes_are_weighted():
    X, _, scores = rows()
    y = np.where(scores > 4, "rare", "common")
    plain = hogwild.LinearClassifier(n_jobs=1, random_state=0, learning_rate=0.5).fit(X, y)
    balanced = hogwild.LinearClassifier(n_jobs=1, random_state=0, learning_rate=0.5, class_weight="balanced").fit(X, y)
    assert (balanced.predict(X) == "rare").sum() > (plain.predict(X) == "rare").sum()
    counts = {label: (y == label).sum() for label in ("rare", "common")}
    given = {label: len(y) / (2 * count) for label, count in counts.items()}
    same = hogwild.LinearClassifier(n_jobs=1, random_state=0, learning_rate=0.5, class_weight=given).fit(X, y)
    assert np.allclose(balanced.coef_, same.coef_, atol=1e-6)
    three = np.where(scores < -4, "low", y)
    without = hogwild.LinearClassifier(n_jobs=1, random_state=0, learning_rate=0.5, class_weight={"low": 0.0}).fit(X, three)
    kept = three != "low"
    assert np.array_equal(without.coef_, hogwild.LinearClassifier(n_jobs=1, random_state=0, learning_rate=0.5).fit(X[kept], three[kept]).coef_)


def test_weights_that_make_no_sense_are_refused(data):
    X, y, _ = data
    with pytest.raises(ValueError, match="zero"):
        hogwild.LinearClassifier().fit(X, y, sample_weight=np.zeros(3000))
    with pytest.raises(ValueError, match="[Nn]egative"):
        hogwild.LinearClassifier().fit(X, y, sample_weight=-np.ones(3000))
    with pytest.raises(ValueError, match="only one class"):
        hogwild.LinearClassifier().fit(X, y, sample_weight=(y > 0).astype(float))


def test_numbers_are_weighted():
    X = sp.csr_matrix(np.ones((4, 1)))
    model = hogwild.LinearRegressor(batch_size="full", epochs=500, learning_rate=0.3, random_state=0, n_jobs=1)
    model.fit(X, [0.0, 0.0, 0.0, 10.0], sample_weight=[1, 1, 1, 3])
    assert model.predict(X)[0] == pytest.approx(5.0, abs=0.1)


@pytest.mark.parametrize("settings", [{}, {"multi_class": "softmax"}, {"l1": 1e-7}])
def test_rows_of_several_classes_that_weigh_nothing_are_none(settings):
    X, _, scores = rows()
    y = np.digitize(scores, [-4, 0, 4])
    settings = dict(n_jobs=1, random_state=0, learning_rate=0.5, **settings)
    kept = y != 3
    expected = hogwild.LinearClassifier(**settings).fit(X[kept], y[kept])
    for nothing in (0.0, 1e-50):  # 32 bits have no such number
        model = hogwild.LinearClassifier(class_weight={3: nothing}, **settings).fit(X, y)
        assert model.classes_.tolist() == [0, 1, 2] and np.array_equal(model.coef_, expected.coef_)
    weights = np.where(np.arange(3000) % 2, 1.0, 1e-30)
    both = hogwild.LinearClassifier(class_weight={0: 1e-30}, **settings).fit(X, y, sample_weight=weights)
    assert both.coef_.shape == (4, 400) and np.isfinite(both.coef_).all()
    with pytest.raises(ValueError, match="all rows weigh zero"):
        hogwild.LinearClassifier(class_weight=dict.fromkeys(range(4), 0.0), **settings).fit(X, y)
