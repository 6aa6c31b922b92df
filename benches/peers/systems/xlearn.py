"""xLearn's lock-free linear models and factorization machines. It evaluates within its own epochs, so a run without held-out data
gives the times (when its lines come) and another one the losses. Linear models take rows as they are, as all others here do;
factorization machines take them with and without normalization, and the better one counts.
"""
import os
import re

from .base import System
from .printed import Printed

KINDS = {"rows": "linear", "fm": "fm", "ffm": "ffm"}
EPOCH = re.compile(r"\[.*%.*\]\s+(\d+)\s+(.*)")


def fit(data, setting, threads, epochs, held_out):
    """The lines of a run: (time, epoch, the losses printed), the first one being the start of training."""
    import xlearn

    model = getattr(xlearn, f"create_{KINDS[data.task]}")()
    model.setTrain(str(data.folder / "train.xlearn"))
    if held_out:
        model.setValidate(str(data.folder / "test.xlearn"))
    model.disableEarlyStop()
    setting = {**setting}
    if not setting.pop("norm", False):
        model.disableNorm()
    parameters = {"task": "binary", "metric": "auc", "epoch": epochs, "nthread": threads, "lambda": 0.0, **setting}
    parameters |= {"k": data.rank} if data.rank else {}
    with data.scratch() as folder, Printed() as printed:
        model.fit({**parameters, "log": str(folder / "log")}, str(folder / "model"))
    lines = [(time, EPOCH.match(line)) for time, line in printed.lines]
    start = next(time for time, line in printed.lines if "Train log_loss" in line)
    return [(start, 0, [])] + [(time, int(found[1]), [float(x) for x in found[2].split()]) for time, found in lines if found]


def train(data, setting, threads, epochs, curve):
    evaluated = fit(data, setting, threads, epochs, held_out=True)
    timed = evaluated if curve.choosing else fit(data, setting, threads, epochs, held_out=False)
    for (time, epoch, _), (_, _, (_, loss, auc, _)) in zip(timed[1:], evaluated[1:]):
        curve.seconds = time - timed[0][0]
        curve.add_measured(epoch, loss, auc)


def prepare(data):
    """Its binary files, written beside the text at the first use."""
    for part in ("train", "test"):
        link = data.folder / f"{part}.xlearn"
        link.unlink(missing_ok=True)
        link.symlink_to(data.text(part))
    fit(data, {"opt": "sgd", "lr": 0.1}, 1, 1, held_out=True)


def load(path, data, threads):
    """Seconds of reading alone, as its lines come: it does not read without training."""
    import xlearn

    with data.scratch() as folder, Printed() as printed:
        os.symlink(path, folder / "text")
        model = getattr(xlearn, f"create_{KINDS[data.task]}")()
        model.setTrain(str(folder / "text"))
        parameters = {"task": "binary", "epoch": 1, "nthread": threads, "opt": "sgd", "lr": 0.1}
        model.fit({**parameters, "log": str(folder / "log")}, str(folder / "model"))
    when = lambda words: next(time for time, line in printed.lines if words in line)
    return when("for reading problem") - when("Read Problem")


PAIRS = [{"opt": "adagrad", "lr": rate, "lambda": 2e-5, "norm": norm} for rate in (0.05, 0.1, 0.2) for norm in (True, False)]
RATES = [0.002, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 2.5]
SYSTEMS = [
    System(
        f"xLearn {shown}", "rows", [{"opt": rule, "lr": rate} for rate in RATES], train, "xlearn", "xlearn", threaded=True, prepare=prepare,
        load=load,
    )
    for shown, rule in (("Adagrad", "adagrad"), ("SGD", "sgd"))
]
SYSTEMS += [
    System(f"xLearn {task.upper()}", task, PAIRS, train, "xlearn", "xlearn", threaded=True, prepare=prepare, load=load)
    for task in ("fm", "ffm")
]
