"""What a measured system is: a name, what it needs, the settings to choose from, and a few functions that a worker calls.

The files of this folder are read by the driver too, which has no packages: they import theirs within functions.
"""
from dataclasses import dataclass
from typing import Callable, Optional


@dataclass(frozen=True, eq=False)
class System:
    name: str
    task: str  # one of tasks.TASKS
    settings: list  # dictionaries; the one of the best held-out loss is measured
    train: Callable  # (data, setting, threads, epochs, curve): adds points to the curve, the data are in memory before its clock runs
    package: Optional[str] = None  # as in requirements.txt; hogwild has none
    module: Optional[str] = None  # what shows that the package works
    environment: str = "main"  # packages whose modules have the same name need environments of their own
    threaded: bool = False  # measured on each number of threads, not just on one
    prepare: Optional[Callable] = None  # (data): writes the system's own format once, not counted
    load: Optional[Callable] = None  # (path, data, threads): reads text into what the system trains on; may give the seconds of it
    load_own_text: Optional[str] = None  # the file of the data folder that `load` reads in place of the given text
    slow_reader: bool = False  # its reader is given the text's first megabytes only
    note: str = ""  # where the work is not quite the same
    beside: str = "hogwild"  # the line of hogwild that a peer is compared with


def step_by_step(step, scores, epochs, curve, every=1):
    """Trains an epoch at a time; `scores` gives those of the held-out examples after each, or after `every` so many and the last."""
    for epoch in range(1, epochs + 1):
        with curve.clock():
            step()
        if epoch % every == 0 or epoch == epochs:
            curve.add(epoch, scores())


def restarts(fit, scores, counts, curve):
    """For solvers that cannot be continued: trains anew for each count of epochs (or iterations), once more beforehand to warm up."""
    fit(counts[0])
    curve.restarted = True
    for count in counts:
        curve.check_budget(count)
        curve.seconds = 0
        with curve.clock():
            model = fit(count)
        curve.add(count, scores(model) if scores else None)
