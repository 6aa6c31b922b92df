"""Ids of users and items: those that come out are those that went in, and held-out ones are looked up by them."""

import hogwild
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError


def fitted(pairs, ratings, **more):
    return hogwild.MatrixFactorization(**{"rank": 4, "random_state": 1, "n_jobs": 1, "epochs": 10, **more}).fit(pairs, ratings)


def test_ids_of_several_types_stay_apart():
    users = [1, "1", "b", 2.5] * 5
    pairs = list(zip(users, [f"i{i}" for i in range(20)]))
    model = fitted(pairs, np.arange(20.0))
    assert sorted(map(repr, model.users_.tolist())) == sorted(map(repr, [1, "1", "b", 2.5]))
    assert model.recommend(["1"])[0].tolist() != model.recommend([1])[0].tolist()


def test_large_numbers_and_floats_come_out_as_they_went_in():
    large = [2**63 + 1, 2**53 + 1, 2**53, 7] * 5
    model = fitted(list(zip(large, range(20))), np.arange(20.0))
    assert sorted(map(int, model.users_)) == sorted(set(large))
    assert (model._user_ids.rows([2**53 + 1, 2**53 + 2, -1, 5]) >= 0).tolist() == [True, False, False, False]
    floats = fitted(np.array([[1.0, 2.5], [2.0, 2.5], [1.0, 4.0]] * 5), np.arange(15.0))
    assert floats.users_.dtype == np.float64 and set(floats.items_) == {2.5, 4.0}
    assert floats.recommend(1, filter_seen=False)[0].tolist() == floats.recommend(1.0, filter_seen=False)[0].tolist()
    mixed = fitted([(-1, 0), (2**53 + 1, 0), (0.5, 1), (3, 1)] * 5, np.arange(20.0))
    assert set(mixed.users_) == {-1, 2**53 + 1, 0.5, 3}
    with pytest.raises(ValueError, match=r"row 1 \(from 0\) is nan"):
        fitted([(1.0, 1), (float("nan"), 2)], [1.0, 2.0])


def test_a_tuple_may_be_an_id():
    users = [("a", 1), ("b", 2), ("c", 3), ("d", 4)] * 5
    model = fitted(list(zip(users, [f"i{i % 7}" for i in range(20)])), np.arange(20.0))
    ids, scores = model.recommend(("a", 1), n=2)
    assert ids.shape == scores.shape == (2,)
    assert model.recommend([("a", 1), ("b", 2)], n=2)[0].shape == (2, 2)
    assert model.similar_users(("a", 1), n=2)[0].shape == (2,)


@pytest.mark.parametrize("kind", ["numbers", "texts", "signed", "objects"])
def test_held_out_ids_are_looked_up_whatever_their_type(kind, triples):
    pairs, ratings = triples
    make = {"numbers": int, "texts": str, "signed": lambda i: i - 40, "objects": lambda i: ("u", i)}[kind]
    named = [(make(user), make(item)) for user, item in pairs.tolist()]
    train, held = named[:1600], named[1600:]
    settings = dict(rank=8, epochs=5, learning_rate=0.1)
    plain = fitted(train, ratings[:1600], **settings, callbacks=[]).fit(train, ratings[:1600], eval_set=(held, ratings[1600:]))
    if kind == "numbers":
        column = np.empty((len(held), 2), dtype=object)
        column[:] = held
        again = fitted(train, ratings[:1600], **settings).fit(train, ratings[:1600], eval_set=[(column, ratings[1600:])])
        assert again.history_[-1]["valid"]["rmse"] == plain.history_[-1]["valid"]["rmse"]
    assert -plain.score(held, ratings[1600:]) == pytest.approx(plain.history_[-1]["valid"]["rmse"], rel=1e-3)


def test_held_out_ids_that_are_unknown_are_nobodys(triples):
    pairs, ratings = triples
    strangers = [(f"no {user}", f"no {item}") for user, item in pairs[:300].tolist()]
    model = fitted(pairs, ratings).fit(pairs, ratings, eval_set=(strangers, ratings[:300]))
    assert model.history_[-1]["valid"]["rmse"] == pytest.approx(float(np.sqrt(np.mean((ratings[:300] - model.mean_) ** 2))), rel=1e-3)


@pytest.mark.parametrize("n", [0, -1, 2.5])
def test_wrong_counts_are_named(n, triples):
    model = fitted(*triples)
    for ask in (model.recommend, model.similar_items, model.similar_users):
        with pytest.raises(ValueError, match=f"n {n}: must be a whole number from 1 up"):
            ask(model.users_[0], n=n)


@pytest.mark.parametrize("make, none", [(int, -1), (str, ""), (lambda i: (i, 0), None), (float, np.nan)])
def test_where_fewer_items_are_left_there_is_no_id(make, none):
    pairs = [(make(user), make(item)) for user in range(3) for item in range(5) if item <= user + 2]
    model = fitted(pairs, np.arange(float(len(pairs))))
    one, scores = model.recommend([make(2)], n=4)
    assert one.shape == scores.shape == (1, 0)
    both, scores = model.recommend([make(0), make(1)], n=4)
    assert both.shape == (2, 2) and np.isinf(scores).tolist() == [[False, False], [False, True]]
    assert both[1, 1] == none or (both[1, 1] != both[1, 1] and none != none)
    assert [set(row) <= set(model.items_.tolist()) for row in both[:, :1].tolist()] == [True, True]


def test_labels_of_the_logistic_loss_are_scored_as_probabilities(triples):
    pairs, ratings = triples
    labels = np.where(ratings > 3, 1.0, -1.0)
    model = fitted(pairs, labels, loss="logistic", epochs=30)
    expected = np.sqrt(np.mean((model.predict(pairs) - (labels > 0)) ** 2))
    assert model.score(pairs, labels) == pytest.approx(-expected) and model.score(pairs, labels) > -0.5


def test_settings_that_are_parameters_are_refused(triples):
    for name, parameter in [("lr", "learning_rate"), ("rank", "rank"), ("threads", "n_jobs")]:
        with pytest.raises(ValueError, match=f"settings: {name} is a parameter of its own; give {parameter}"):
            fitted(*triples, settings={name: 2})


def test_a_fit_that_fails_is_none(triples):
    model = fitted(*triples)
    with pytest.raises(hogwild.DivergedError):
        model.set_params(learning_rate=1e30, rule="sgd").fit(*triples)
    with pytest.raises(NotFittedError):
        model.recommend(0)
