"""Implicit feedback: items that a user's group takes stand above those that it does not."""

import pickle

import hogwild
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

LOSSES = ["sampled-softmax", "bpr", "warp", "logistic-mf"]


def interactions(users=120, items=60, each=12, groups=3):
    """Each user takes items of one group; some are held out."""
    random = np.random.default_rng(5)
    pairs = []
    for user in range(users):
        of_group = np.arange(user % groups, items, groups)
        pairs += [(f"u{user}", f"i{item}") for item in random.choice(of_group, each, replace=False)]
    order = random.permutation(len(pairs))
    pairs = np.array(pairs)
    return pairs[order[200:]], pairs[order[:200]]


@pytest.fixture(scope="module")
def data():
    return interactions()


def fitted(pairs, **parameters):
    return hogwild.ImplicitRecommender(rank=8, random_state=1, n_jobs=1, epochs=30, **parameters).fit(pairs)


@pytest.mark.parametrize("loss", LOSSES)
def test_held_out_items_are_found(data, loss):
    training, held = data
    model = fitted(training, loss=loss)
    seen = {tuple(pair) for pair in training}
    ids, _ = model.recommend(np.unique(training[:, 0]), n=8)
    of_group = [int(item[1:]) % 3 == int(user[1:]) % 3 for user, row in zip(np.unique(training[:, 0]), ids) for item in row]
    assert np.mean(of_group) > 0.8
    assert not any((user, item) in seen for user, row in zip(np.unique(training[:, 0]), ids) for item in row)
    assert model.score(held) > 0.35
    top, scores = model.recommend("u0", n=3)
    assert np.allclose(model.predict([("u0", item) for item in top]), scores, atol=1e-5)


def test_the_score_is_ndcg_by_hand(data):
    training, held = data
    model = fitted(training)
    held = np.concatenate([held, held[:5], training[:3], [["u0", "new"], ["nobody", "i1"]]])
    gains = []
    seen = {tuple(pair) for pair in training}
    for user in np.unique(held[:, 0]):
        asked = {item for one, item in held if one == user and (one, item) not in seen}
        if asked:
            ids, _ = model.recommend(user, n=20)
            dcg = sum(1 / np.log2(place + 2) for place, item in enumerate(ids) if item in asked)
            gains.append(dcg / sum(1 / np.log2(place + 2) for place in range(min(20, len(asked)))))
    assert model.score(held) == pytest.approx(np.mean(gains), abs=1e-9)


def test_matrices_and_counts_are_taken(data):
    training, _ = data
    users, items = np.unique(training[:, 0], return_inverse=True)[1], np.unique(training[:, 1], return_inverse=True)[1]
    matrix = sp.csr_matrix((np.ones(len(users)), (users, items)))
    numbers = fitted(np.stack([users, items], axis=1))
    stored_zero = matrix.copy()
    stored_zero.data[0] = 0
    both = [fitted(matrix), fitted(sp.coo_matrix(matrix))]
    assert np.array_equal(both[0].item_factors_, both[1].item_factors_)
    assert set(both[0].items_) == set(numbers.items_)
    assert fitted(stored_zero)._seen.size == len(users) - 1
    assert np.isfinite(pickle.loads(pickle.dumps(numbers)).recommend(0, n=3)[1]).all()
    with pytest.raises(hogwild.BadDataError, match="0"):
        hogwild.ImplicitRecommender(epochs=1).fit(training, np.zeros(len(training)))


def test_parameters_are_checked_and_searched(data):
    training, _ = data
    with pytest.raises(ValueError, match="sampled-softmax, bpr, warp, logistic-mf"):
        hogwild.ImplicitRecommender(loss="hinge").fit(training)
    with pytest.raises(hogwild.BadSettingError, match="negatives"):
        hogwild.ImplicitRecommender(negatives=0).fit(training)
    search = GridSearchCV(clone(hogwild.ImplicitRecommender(epochs=3, rank=4, random_state=0)), {"rank": [2, 4]}, cv=2)
    assert search.fit(training).best_score_ > 0
    stopped = hogwild.ImplicitRecommender(rank=4, random_state=0, early_stopping=True, metric="ndcg@20", epochs=60, n_iter_no_change=2)
    assert "ndcg@20" in str(stopped.fit(training).history_[-1]["valid"])
