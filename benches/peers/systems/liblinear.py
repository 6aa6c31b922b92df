"""LIBLINEAR: -s 7 (dual coordinate descent), and the multi-core edition's -s 0 (trust region Newton).

Of several classes: -s 7, each against the rest, and -s 4 (Crammer & Singer), which has no probabilities.

It has no limit of iterations: the curve is made of runs that stop at ever smaller tolerances; the iterations are read from what it prints.
"""
import re

from .base import System
from .printed import Printed

TOLERANCES = [1, 0.3, 0.1, 0.03, 0.01]


def solver(number, iterations):
    def train(data, setting, threads, epochs, curve):
        import numpy
        from liblinear import liblinearutil

        problem = liblinearutil.problem(data.rows("train").labels.astype("float64"), data.matrix("train").astype("float64"))
        width = problem.n
        flags = f"-s {number} -c {setting['c']} -B 1" + (f" -m {threads}" if number == 0 else "")
        with Printed():
            liblinearutil.train(problem, f"{flags} -e {TOLERANCES[0]}")  # warms up
        curve.restarted = True
        for tolerance in TOLERANCES:
            curve.check_budget(3 * curve.epoch)
            curve.seconds = 0
            with Printed() as printed, curve.clock():
                model = liblinearutil.train(problem, f"{flags} -e {tolerance}")
            weights = numpy.ctypeslib.as_array(model.w, (width + 1,)) * model.label[0]
            scores = data.matrix("test") @ weights[: data.width] + weights[width]
            curve.add(max(iterations(printed.text()), curve.epoch), scores)

    return train


def of_classes(number):
    def train(data, setting, threads, epochs, curve):
        import numpy
        from liblinear import liblinearutil

        problem = liblinearutil.problem(data.classes("train").astype("float64"), data.matrix("train").astype("float64"))
        width = problem.n
        curve.restarted = True
        for tolerance in TOLERANCES[1:]:
            curve.check_budget(3 * max(curve.epoch, 1))
            curve.seconds = 0
            with Printed() as printed, curve.clock():
                model = liblinearutil.train(problem, f"-s {number} -c {setting['c']} -B 1 -e {tolerance}")
            count = model.get_nr_class()
            own = numpy.argsort([model.label[k] for k in range(count)])
            weights = numpy.ctypeslib.as_array(model.w, ((width + 1) * count,)).reshape(width + 1, count)[:, own]
            scores = data.matrix("test") @ weights[: data.width] + weights[width]
            epoch = max(sum(map(int, re.findall(r"#iter = (\d+)", printed.text()))) // (count if number == 7 else 1), curve.epoch, 1)
            if number == 7:
                odds = 1 / (1 + numpy.exp(-scores))
                curve.add(epoch, odds / odds.sum(1, keepdims=True))
            else:
                curve.add_measured(epoch, None, (scores.argmax(1) == data.classes("test")).mean())

    return train


def load(path, data, threads):
    from liblinear import liblinearutil

    liblinearutil.svm_read_problem(path, return_scipy=True)


C = [{"c": c} for c in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)]
DUAL = solver(7, lambda text: int(re.findall(r"#iter = (\d+)", text)[-1]))
NEWTON = solver(0, lambda text: len(re.findall(r"^iter +\d+", text, re.MULTILINE)))
SYSTEMS = [
    System(
        "LIBLINEAR dual", "rows", C, DUAL, "liblinear-official", "liblinear.liblinearutil", load=load, slow_reader=True,
        note="an epoch is an iteration over the rows",
    ),
    System(
        "LIBLINEAR multicore", "rows", C, NEWTON, "liblinear-multicore", "liblinear.liblinearutil", environment="multicore", threaded=True,
        load=load, slow_reader=True, note="an epoch is a Newton step: several passes",
    ),
]
SYSTEMS += [
    System(name, "classes", C, of_classes(number), "liblinear-official", "liblinear.liblinearutil", note=note)
    for name, number, note in (
        ("LIBLINEAR dual", 7, "one-vs-rest; an epoch is an iteration over the rows of each class"),
        ("LIBLINEAR Crammer-Singer", 4, "no probabilities, so no log-loss; an epoch is an iteration over the rows that are left"),
    )
]
