"""implicit: ALS of confidences and BPR of pairs. On ratings their losses are others, so only their time is compared there."""
from .base import System, restarts


def method(name, data, threads, iterations, **setting):
    from implicit import als, bpr

    kind = {"als": als.AlternatingLeastSquares, "bpr": bpr.BayesianPersonalizedRanking}[name]
    return kind(factors=data.rank, iterations=iterations, num_threads=threads, use_gpu=False, random_state=0, **setting)


def of_ratings(name):
    def train(data, setting, threads, epochs, curve):
        import scipy.sparse

        ratings = data.ratings("train")
        matrix = scipy.sparse.csr_matrix((ratings.rating, (ratings.user, ratings.item)), (data.users, data.items))
        restarts(lambda count: method(name, data, threads, count).fit(matrix, show_progress=False), None, [1, 3], curve)

    return train


def of_interactions(name, counts):
    def train(data, setting, threads, epochs, curve):
        matrix = data.by_user("train")

        def fit(count):
            model = method(name, data, threads, count, **setting)
            model.fit(matrix, show_progress=False)
            return model.user_factors, model.item_factors, 0  # BPR has the items' biases as a factor

        restarts(fit, lambda model: model, [count for count in counts if count <= epochs], curve)

    return train


RATINGS = (("als", "alternating least squares of confidences"), ("bpr", "pairs of items"))
ALS = [{"alpha": alpha, "regularization": l2} for alpha, l2 in ((10, 0.1), (20, 10), (20, 30), (40, 50))]
BPR = [{"learning_rate": rate, "regularization": l2} for rate in (0.05, 0.1) for l2 in (0.003, 0.01)]
SYSTEMS = [
    System(f"implicit {name.upper()}", "ratings", [{}], of_ratings(name), "implicit", "implicit", threaded=True, note=f"{of}: another loss")
    for name, of in RATINGS
]
SYSTEMS += [
    System(
        "implicit ALS", "interactions", ALS, of_interactions("als", (5, 10, 15, 25)), "implicit", "implicit", threaded=True,
        note="an epoch is a sweep over users and items, of all pairs",
    ),
    System(
        "implicit BPR", "interactions", BPR, of_interactions("bpr", (20, 60, 100)), "implicit", "implicit", threaded=True,
        beside="hogwild bpr", note="negatives by popularity",
    ),
]
