"""cornac's MF: factors with biases by plain SGD, in the order of the file; and its BPR."""
from .base import System, step_by_step


def known_ratings(data):
    from collections import OrderedDict

    import cornac

    ratings = data.ratings("train")
    columns = (ratings.user.astype("int64"), ratings.item.astype("int64"), ratings.rating)
    names = [OrderedDict((i, i) for i in range(count)) for count in (data.users, data.items)]
    return cornac.data.Dataset(data.users, data.items, *names, columns, seed=0)


def train(data, setting, threads, epochs, curve):
    import cornac

    known = known_ratings(data)
    model = cornac.models.MF(k=data.rank, max_iter=1, num_threads=threads, **setting)
    # A further `fit` goes on from the factors it has.
    scores = lambda: data.factor_scores(model.u_factors, model.i_factors, model.u_biases, model.i_biases, model.global_mean)
    step_by_step(lambda: model.fit(known), scores, epochs, curve)


def rank(data, setting, threads, epochs, curve):
    import cornac

    known = known_ratings(data)
    model = cornac.models.BPR(k=data.rank, max_iter=1, num_threads=threads, seed=0, **setting)
    factors = lambda: (model.u_factors, model.i_factors, model.i_biases)
    step_by_step(lambda: model.fit(known), factors, min(epochs, 50), curve, every=10)


def load(path, data, threads):
    from cornac.data import Reader

    Reader().read(path, fmt="UIR", sep=data.separator())


SETTINGS = [{"learning_rate": rate, "lambda_reg": l2} for rate, l2 in ((0.005, 0.02), (0.01, 0.02), (0.02, 0.02), (0.02, 0.05))]
SYSTEMS = [System("cornac MF", "ratings", SETTINGS, train, "cornac", "cornac", threaded=True, load=load, slow_reader=True)]
BPR = [{"learning_rate": rate, "lambda_reg": l2} for rate in (0.02, 0.05, 0.1) for l2 in (0.001, 0.01)]
SYSTEMS += [System("cornac BPR", "interactions", BPR, rank, "cornac", "cornac", threaded=True, beside="hogwild bpr")]
