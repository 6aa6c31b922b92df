"""implicit: ALS on squares of confidences and BPR on pairs. Their losses are not of ratings: only their time is compared."""
from .base import System, restarts


def trainer(name):
    def train(data, setting, threads, epochs, curve):
        import scipy.sparse
        from implicit import als, bpr

        method = {"als": als.AlternatingLeastSquares, "bpr": bpr.BayesianPersonalizedRanking}[name]
        ratings = data.ratings("train")
        matrix = scipy.sparse.csr_matrix((ratings.rating, (ratings.user, ratings.item)), (data.users, data.items))
        model = lambda count: method(factors=data.rank, iterations=count, num_threads=threads, use_gpu=False, random_state=0)
        restarts(lambda count: model(count).fit(matrix, show_progress=False), None, [1, 3], curve)

    return train


SYSTEMS = [
    System(f"implicit {name.upper()}", "ratings", [{}], trainer(name), "implicit", "implicit", threaded=True, note=f"{what}: another loss")
    for name, what in (("als", "alternating least squares of confidences"), ("bpr", "pairs of items"))
]
