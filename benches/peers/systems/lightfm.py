"""LightFM: WARP and BPR of interactions. On ratings its logistic loss is of likes (above the mean) and dislikes, so only its time is
compared there.
"""
from .base import System, step_by_step


def of_ratings(data, setting, threads, epochs, curve):
    import numpy
    import scipy.sparse
    from lightfm import LightFM

    ratings = data.ratings("train")
    likes = numpy.where(ratings.rating > ratings.rating.mean(), 1, -1).astype("float32")
    matrix = scipy.sparse.coo_matrix((likes, (ratings.user, ratings.item)), (data.users, data.items))
    model = LightFM(no_components=data.rank, loss="logistic", random_state=0, **setting)
    step_by_step(lambda: model.fit_partial(matrix, epochs=1, num_threads=threads), lambda: None, min(epochs, 3), curve)


def of_interactions(loss):
    def train(data, setting, threads, epochs, curve):
        from lightfm import LightFM

        matrix = data.by_user("train").tocoo()
        model = LightFM(no_components=data.rank, loss=loss, random_state=0, **setting)
        factors = lambda: (model.user_embeddings, model.item_embeddings, model.item_biases)  # a user's bias ranks nothing
        step_by_step(lambda: model.fit_partial(matrix, epochs=1, num_threads=threads), factors, min(epochs, 30), curve, every=5)

    return train


RATES = [{"learning_rate": rate, "item_alpha": l2, "user_alpha": l2} for rate in (0.03, 0.05) for l2 in (0, 1e-6)]
SYSTEMS = [System("LightFM", "ratings", [{}], of_ratings, "lightfm-next", "lightfm", threaded=True, note="logistic loss of likes")]
SYSTEMS += [
    System(
        f"LightFM {loss.upper()}", "interactions", RATES, of_interactions(loss), "lightfm-next", "lightfm", threaded=True,
        beside=f"hogwild {loss}",
    )
    for loss in ("warp", "bpr")
]
