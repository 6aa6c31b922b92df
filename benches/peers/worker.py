"""One measurement in a process of its own: what to do comes as JSON on standard input, what came out goes as JSON to standard output.

Run by run.py in the environment of the system: a crash, a leak or a hang of one system ends there.
"""
import importlib
import importlib.metadata
import json
import os
import resource
import sys
import time

import curve as curves
import data as datas
import systems


def run(system, data, task, setting, budget, choosing=False):
    curve = curves.Curve(data, budget, choosing)
    cut = False
    try:
        system.train(data, {**setting}, task["threads"], task["epochs"], curve)
    except curves.BudgetSpent:
        cut = True
    return {"setting": setting, "points": curve.points, "restarted": curve.restarted, "cut": cut}


def version(system, data, task):
    """The package's version, once its module was imported and so works."""
    importlib.import_module(system.module)
    return {"version": importlib.metadata.version(system.package)}


def prepare(system, data, task):
    if system.prepare:
        system.prepare(data)
    return {}


def load(system, data, task):
    if system.module:
        importlib.import_module(system.module)
    start = time.perf_counter()
    told = system.load(task["text"], data, task["threads"])
    seconds = time.perf_counter() - start
    return {"seconds": told or seconds, "bytes": os.path.getsize(task["text"])}


def tune(system, data, task):
    """A run for each setting, with a third of the budget. One that fails (as some do where they diverge) is out of the choice."""
    runs = []
    for setting in system.settings:
        try:
            runs.append(run(system, data, task, setting, task["budget"] / 3, choosing=True))
        except Exception as problem:
            runs.append({"setting": setting, "points": [], "problem": f"{type(problem).__name__}: {problem}"})
    return {"runs": runs}


def train(system, data, task):
    result = run(system, data, task, task["setting"], task["budget"])
    who = resource.RUSAGE_SELF if system.package else resource.RUSAGE_CHILDREN  # hogwild is a child of this process
    return {**result, "memory_mb": resource.getrusage(who).ru_maxrss / 1024}


def main():
    task = json.load(sys.stdin)
    os.sched_setaffinity(0, task["cores"])
    answers = os.dup(1)
    os.dup2(2, 1)  # what the systems print is not the answer
    data = datas.Data(**task["data"]) if "data" in task else None
    actions = {"version": version, "prepare": prepare, "load": load, "tune": tune, "train": train}
    answer = actions[task["action"]](systems.named(task["system"], task["task"]), data, task)
    with os.fdopen(answers, "w") as out:
        json.dump(answer, out)


if __name__ == "__main__":
    main()
