"""scikit-surprise's SVD: factors with biases by plain SGD.

Its `fit` begins anew, so it is watched from within: it asks for all ratings once an epoch, and the arrays that it trains are those
that it gets from its random numbers and from numpy.zeros.
"""
import itertools
from unittest import mock

from .base import System


def train(data, setting, threads, epochs, curve):
    import time

    import numpy
    import surprise

    ratings = data.ratings("train")
    by_user, by_item = {}, {}
    for user, item, rating in zip(ratings.user.tolist(), ratings.item.tolist(), ratings.rating.tolist()):
        by_user.setdefault(user, []).append((item, rating))
        by_item.setdefault(item, []).append((user, rating))
    known = surprise.Trainset(by_user, by_item, data.users, data.items, len(ratings.rating), (0.5, 5), {}, {})
    arrays, zeros = [], numpy.zeros

    class Random(numpy.random.RandomState):
        def normal(self, *arguments, **named):
            arrays.append(super().normal(*arguments, **named))
            return arrays[-1]

    def watched_zeros(*arguments, **named):
        arrays.append(zeros(*arguments, **named))
        return arrays[-1]

    known.global_mean  # computed once from all ratings, before they are watched
    epoch, started, all_ratings = itertools.count(), 0.0, known.all_ratings

    def watched_ratings():
        nonlocal started
        done = next(epoch)
        if done:
            curve.seconds += time.perf_counter() - started
            user_bias, item_bias, user_factors, item_factors = arrays[:4]
            curve.add(done, data.factor_scores(user_factors, item_factors, user_bias, item_bias, known.global_mean))
        started = time.perf_counter()
        return all_ratings()

    known.all_ratings = watched_ratings
    model = surprise.SVD(n_factors=data.rank, n_epochs=epochs, random_state=Random(0), **setting)
    with mock.patch("numpy.zeros", watched_zeros):
        surprise.prediction_algorithms.algo_base.AlgoBase.fit(model, known)
        model.sgd(known)
    watched_ratings()


def load(path, data, threads):
    import surprise

    reader = surprise.Reader(line_format="user item rating", sep=data.separator())
    surprise.Dataset.load_from_file(path, reader).build_full_trainset()


SETTINGS = [{"lr_all": rate, "reg_all": l2, "init_std_dev": 0.1} for rate, l2 in ((0.005, 0.02), (0.01, 0.02), (0.01, 0.05), (0.02, 0.05))]
SYSTEMS = [System("surprise SVD", "ratings", SETTINGS, train, "scikit-surprise", "surprise", load=load, slow_reader=True)]
