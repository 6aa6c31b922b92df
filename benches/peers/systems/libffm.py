"""LIBFFM by its Python binding: it has no bias and no linear part. It starts anew for each number of epochs.

The binding is of NumPy 1: under NumPy 2 the arrays that it gives have a stride of 0, so that all elements look like the first.
"""
from .base import System, restarts


def mended(array):
    """The array with its true stride."""
    from numpy.lib.stride_tricks import as_strided

    return as_strided(array, array.shape, (array.itemsize,))


def train(data, setting, threads, epochs, curve):
    import numpy
    import pylibffm

    fields, labels = data.fields(), data.rows("train").labels
    with data.scratch() as folder:
        path, _ = pylibffm.make_bin(folder, data.matrix("train"), labels, fields)
        fit = lambda count: pylibffm.train_with_bin(path, {**setting, "k": data.rank, "nr_iters": count})

        def scores(model):
            model.W = mended(model.W)
            probability = mended(model.predict(data.matrix("test"), fields)).astype("float64")
            return numpy.log(probability / (1 - probability))

        restarts(fit, scores, [count for count in (2, 4, 6, 8, 10, 12, 15) if count <= max(2, epochs)], curve)


SETTINGS = [{"eta": rate, "lambda": l2} for rate in (0.05, 0.1, 0.2) for l2 in (2e-5, 1e-4)]
SYSTEMS = [System("LIBFFM", "ffm", SETTINGS, train, "pylibffm", "pylibffm", threaded=True, note="no linear part")]
