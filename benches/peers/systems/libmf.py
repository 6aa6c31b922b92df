"""LIBMF by its Python binding: row-wise Adagrad without biases, block scheduled. It is timed by the lines that it prints for its
iterations (from 0) in a run without held-out data; another run prints the held-out losses.
"""
import re
import threading

from .base import System
from .printed import Printed

ITERATION = re.compile(r"^\s+(\d+)((?:\s+[0-9.e+-]+)+)\s*$")


def lines(work, epochs):
    """(time, epochs done, the figures printed), beginning with the heading.

    This version stands still at its very end where its workers finish the round after the last before it tells them to stop, as they
    do on small data: all lines are there by then, and its thread is left behind.
    """
    with Printed() as printed:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        while thread.is_alive() and not any(line.startswith(f"{epochs - 1:4} ") for _, line in printed.lines):
            thread.join(0.02)
        thread.join(2)
    start = next(time for time, line in printed.lines if "obj" in line)
    found = [(time, ITERATION.match(line)) for time, line in printed.lines]
    return [(start, 0, [])] + [(time, int(match[1]) + 1, [float(x) for x in match[2].split()]) for time, match in found if match]


def train(data, setting, threads, epochs, curve):
    import numpy

    with Printed():  # it tells which file it is
        from libmf import mf

    table = lambda part: numpy.column_stack([data.ratings(part).user, data.ratings(part).item, data.ratings(part).rating]).astype("float32")
    known, held_out = table("train"), table("test")
    l2 = {name: setting["l2"] for name in ("lambda_p2", "lambda_q2")}
    options = {"k": data.rank, "nr_threads": threads, "nr_iters": epochs, "eta": setting["eta"], "lambda_p1": 0.0, "lambda_q1": 0.0, **l2}
    evaluated = lines(lambda: mf.MF(**options).mf_train_test(known, held_out), epochs)
    timed = evaluated if curve.choosing else lines(lambda: mf.MF(**options).fit(known), epochs)
    for (time, epoch, _), (_, _, figures) in zip(timed[1:], evaluated[1:]):
        curve.seconds = time - timed[0][0]
        curve.add_measured(epoch, figures[1], None)


SETTINGS = [{"eta": rate, "l2": l2} for rate, l2 in ((0.05, 0.03), (0.08, 0.05), (0.1, 0.05), (0.2, 0.05))]
SYSTEMS = [System("LIBMF", "ratings", SETTINGS, train, "libmf", "libmf", threaded=True)]
