"""Matrix factorization: ids come out as they went in, recommendations are those of all scores sorted."""

import pickle

import hogwild
import numpy as np
import pytest
import scipy.sparse as sp


@pytest.fixture(scope="module")
def model(triples):
    pairs, ratings = triples
    return hogwild.MatrixFactorization(rank=8, random_state=1, n_jobs=1, epochs=30).fit(pairs, ratings)


def all_scores(model, row):
    return model.mean_ + model.user_bias_[row] + model.item_bias_ + model.item_factors_ @ model.user_factors_[row]


def test_it_learns_and_scores_by_rmse(model, triples):
    pairs, ratings = triples
    assert model.score(pairs, ratings) > -0.5 * np.std(ratings)
    expected = all_scores(model, int(np.flatnonzero(model.users_ == pairs[0, 0])[0]))[model.items_ == pairs[0, 1]][0]
    assert model.predict(pairs[:1])[0] == pytest.approx(expected, abs=1e-5)


def test_recommendations_are_the_best_scores_without_what_was_seen(model, triples):
    pairs, _ = triples
    ids, scores = model.recommend(model.users_[:20], n=5)
    assert ids.shape == scores.shape == (20, 5) and ids.dtype == pairs.dtype
    for row in range(20):
        expected = all_scores(model, row)
        expected[np.isin(model.items_, pairs[pairs[:, 0] == model.users_[row], 1])] = -np.inf
        best = np.argsort(-expected, kind="stable")[:5]
        assert np.array_equal(ids[row], model.items_[best])
        assert np.allclose(scores[row], expected[best], atol=1e-4)
    all_ids, _ = model.recommend(model.users_[0], n=60, filter_seen=False)
    assert sorted(all_ids) == sorted(model.items_)


def test_items_may_be_named_or_excluded(model):
    allowed = model.items_[[3, 9, 11]]
    ids, scores = model.recommend(model.users_[0], n=5, items=allowed, exclude=allowed[:1], filter_seen=False)
    assert set(ids[np.isfinite(scores)]) == set(allowed[1:])


def test_an_unknown_user_gets_what_is_rated_best(model):
    ids, scores = model.recommend(10**9, n=4)
    assert np.array_equal(ids, model.items_[np.argsort(-model.item_bias_, kind="stable")[:4]])
    assert model.predict([(10**9, 10**9)])[0] == pytest.approx(model.mean_)


def test_neighbours_are_by_the_cosine_and_not_the_item_itself(model):
    unit = model.item_factors_ / np.linalg.norm(model.item_factors_, axis=1, keepdims=True)
    cosines = unit @ unit[4]
    cosines[4] = -np.inf
    ids, scores = model.similar_items(model.items_[4], n=3)
    assert np.array_equal(ids, model.items_[np.argsort(-cosines)[:3]]) and np.allclose(scores, np.sort(cosines)[::-1][:3], atol=1e-5)
    assert model.similar_users(model.users_[:2].tolist(), n=3)[0].shape == (2, 3)
    with pytest.raises(KeyError, match="was not in training"):
        model.similar_items("nobody's")


@pytest.mark.parametrize("make", [str, lambda i: f"i{i}", lambda i: -i, lambda i: (i, "x"), lambda i: float(i)])
def test_ids_of_every_kind(make, triples, model):
    pairs, ratings = triples
    named = [(make(user), make(item)) for user, item in pairs.tolist()]
    other = hogwild.MatrixFactorization(rank=8, random_state=1, n_jobs=1, epochs=30).fit(named, ratings)
    assert {value for value in other.users_.tolist()} == {make(user) for user in pairs[:, 0].tolist()}
    assert other.score(named, ratings) > -0.5 * np.std(ratings)
    ids, _ = other.recommend([make(pairs[0, 0])], n=3)
    assert all(value in {make(item) for item in pairs[:, 1].tolist()} for value in ids[0].tolist())


def test_a_sparse_matrix_and_a_table_are_pairs(triples, model):
    pairs, ratings = triples
    matrix = sp.csr_matrix((ratings, (pairs[:, 0], pairs[:, 1])))
    by_matrix = hogwild.MatrixFactorization(rank=8, random_state=1, n_jobs=1, epochs=30).fit(matrix)
    assert by_matrix.score(matrix) == pytest.approx(by_matrix.score(pairs, ratings))
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"user": pairs[:, 0], "film": pairs[:, 1], "rating": ratings})
    by_table = hogwild.MatrixFactorization(rank=8, random_state=1, n_jobs=1, epochs=30, item="film").fit(table)
    assert np.array_equal(by_table.item_factors_, model.item_factors_)
    assert by_table.score(table) == pytest.approx(model.score(pairs, ratings))


def test_held_out_ratings_and_early_stopping(triples):
    pairs, ratings = triples
    model = hogwild.MatrixFactorization(rank=8, random_state=1, n_jobs=1, epochs=200, schedule="constant", early_stopping=True)
    model.fit(pairs[:1600], ratings[:1600], eval_set=(pairs[1600:], ratings[1600:]))
    assert model.ended_ == "stopped early" and model.n_iter_ < 200 and "rmse" in model.history_[0]["valid"]
    assert model.score(pairs[1600:], ratings[1600:]) == pytest.approx(-min(epoch["valid"]["rmse"] for epoch in model.history_), rel=1e-3)


def test_it_is_cloned_searched_and_pickled(triples, model):
    from sklearn.model_selection import GridSearchCV

    pairs, ratings = triples
    grid = GridSearchCV(hogwild.MatrixFactorization(random_state=0, epochs=5), {"rank": [2, 4]}, cv=2, n_jobs=2).fit(pairs, ratings)
    assert grid.best_params_["rank"] in (2, 4)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.recommend(model.users_[:5])[0], model.recommend(model.users_[:5])[0])


def test_weights_of_ratings(triples):
    pairs, ratings = triples
    settings = dict(rank=4, random_state=1, n_jobs=1, epochs=60, learning_rate=0.05)
    plain = hogwild.MatrixFactorization(**settings).fit(pairs, ratings)
    ones = hogwild.MatrixFactorization(**settings).fit(pairs, ratings, sample_weight=np.full(len(ratings), 1.0))
    assert np.array_equal(ones.item_factors_, plain.item_factors_)
    # Of weight 0: as if they were not there, users and items of nothing else included.
    weights = np.where((pairs[:, 0] == 3) | (pairs[:, 1] == 7), 0, np.where(pairs[:, 1] < 20, 5.0, 1.0))
    kept = weights > 0
    weighted = hogwild.MatrixFactorization(**settings).fit(pairs, ratings, sample_weight=weights)
    without = hogwild.MatrixFactorization(**settings).fit(pairs[kept], ratings[kept], sample_weight=weights[kept])
    assert np.array_equal(weighted.item_factors_, without.item_factors_) and 3 not in weighted.users_ and 7 not in weighted.items_
    assert np.array_equal(weighted.recommend(weighted.users_[:9])[0], without.recommend(weighted.users_[:9])[0])
    # What weighs more is learnt better.
    heavy = kept & (weights == 5)
    assert weighted.score(pairs[heavy], ratings[heavy]) > plain.score(pairs[heavy], ratings[heavy])
    by_hand = -np.sqrt(np.average((plain.predict(pairs[kept]) - ratings[kept]) ** 2, weights=weights[kept]))
    assert plain.score(pairs, ratings, sample_weight=weights) == pytest.approx(by_hand)
    matrix = sp.csr_matrix((ratings, (pairs[:, 0], pairs[:, 1])))
    by_matrix = hogwild.MatrixFactorization(**settings).fit(matrix, sample_weight=np.where(matrix.tocoo().col < 20, 5.0, 1.0))
    by_pairs = hogwild.MatrixFactorization(**settings).fit(np.column_stack(matrix.nonzero()), matrix.data, np.where(matrix.tocoo().col < 20, 5.0, 1.0))
    assert np.array_equal(by_matrix.item_factors_, by_pairs.item_factors_)
    for wrong, problem in [(-weights, "pair .* is -"), (weights[1:], "give a weight each"), (0 * weights, "all pairs weigh zero")]:
        with pytest.raises(ValueError, match=f"sample_weight.*{problem}"):
            hogwild.MatrixFactorization().fit(pairs, ratings, sample_weight=wrong)
    rows = hogwild.Ratings.from_arrays(pairs[:, 0], pairs[:, 1], ratings, weights)
    assert len(rows) == kept.sum()


def test_threads_give_the_same_model(triples, model):
    pairs, ratings = triples
    two = hogwild.MatrixFactorization(rank=8, random_state=1, n_jobs=2, epochs=30).fit(pairs, ratings)
    assert np.array_equal(two.user_factors_, model.user_factors_)


def test_wrong_input_is_named(triples):
    pairs, ratings = triples
    with pytest.raises(ValueError, match="ratings, one each"):
        hogwild.MatrixFactorization().fit(pairs)
    with pytest.raises(ValueError, match="give a rating each"):
        hogwild.MatrixFactorization().fit(pairs, ratings[:5])
    with pytest.raises(hogwild.BadSettingError, match="`rank` 0"):
        hogwild.MatrixFactorization(rank=0).fit(pairs, ratings)
    with pytest.raises(hogwild.BadDataError, match="rating 3"):
        hogwild.MatrixFactorization().fit(pairs, np.where(np.arange(len(ratings)) == 3, np.nan, ratings))
