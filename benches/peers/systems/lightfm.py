"""LightFM with logistic loss of likes (a rating above the mean) and dislikes. Its loss is not of ratings: only its time is compared."""
from .base import System, step_by_step


def train(data, setting, threads, epochs, curve):
    import numpy
    import scipy.sparse
    from lightfm import LightFM

    ratings = data.ratings("train")
    likes = numpy.where(ratings.rating > ratings.rating.mean(), 1, -1).astype("float32")
    matrix = scipy.sparse.coo_matrix((likes, (ratings.user, ratings.item)), (data.users, data.items))
    model = LightFM(no_components=data.rank, loss="logistic", random_state=0, **setting)
    step_by_step(lambda: model.fit_partial(matrix, epochs=1, num_threads=threads), lambda: None, min(epochs, 3), curve)


SYSTEMS = [System("LightFM", "ratings", [{}], train, "lightfm-next", "lightfm", threaded=True, note="logistic loss of likes")]
