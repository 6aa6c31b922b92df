#!/usr/bin/env python3
"""Measures hogwild and the systems that do the same work, in turn, on the same data: README.md beside this file tells how.

    python3 benches/peers/run.py TRAIN TEST [TRAIN TEST ...]
    python3 benches/peers/run.py --synthetic text --rows 100000
"""
import argparse
import json
import math
import os
import pathlib
import subprocess

import bench
import environment
import picture
import report
import systems
from tasks import TASKS

ROOT = pathlib.Path(__file__).resolve().parents[2]


def settings():
    """What was asked for, checked before any work."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("data", nargs="*", type=pathlib.Path, metavar="TRAIN TEST", help="svmlight rows or ratings as text; .gz, .bz2, .xz or plain")
    add("--synthetic", metavar="KIND", action="append", default=[], help="a kind of `hogwild synth`, as text or ratings; may be repeated")
    tasks = "; ".join(f"{name}: {task.about}" for name, task in TASKS.items())
    add("--task", choices=TASKS, help=f"what is compared on all of the data. {tasks} [rows or ratings, by the data]")
    add("--rows", type=int, default=100_000, help="of synthetic data; a fifth more are held out [%(default)s]")
    add("--synth-options", default="", metavar="OPTIONS", help="more of `hogwild synth`, as --synth-options='--features 50000'")
    add("--hogwild", type=pathlib.Path, metavar="PATH", help="the binary [target/release/hogwild, built from these sources first]")
    add("--folder", type=pathlib.Path, default=ROOT / "target" / "peers", help="environments, data and results [target/peers]")
    add("--threads", default="1,2", help="numbers of threads [%(default)s]")
    add("--rounds", type=int, help="how often all systems run in turn [3; --quick 2]")
    add("--epochs", type=int, help="[10 for rows, 20 for ratings, of interactions each system's own]")
    ranks = ", ".join(f"{name} {task.rank}" for name, task in TASKS.items() if task.rank)
    add("--rank", type=int, help=f"factors [{ranks}]")
    add("--budget", type=float, help="seconds of training of a run; a third of it to try a setting [60; --quick 10]")
    add("--timeout", type=float, default=10, help="minutes for any one process [%(default)s]")
    add("--target", type=float, metavar="LOSS", help="a held-out loss: a column tells the seconds to it")
    add("--only", metavar="NAME,...", help="hogwild and these peers, by parts of their names")
    add("--without", metavar="NAME,...", default="", help="not these peers")
    add("--quick", action="store_true", help="fewer rounds, a smaller budget")
    options = parser.parse_args()
    options.rounds = options.rounds if options.rounds is not None else (2 if options.quick else 3)
    options.budget = options.budget if options.budget is not None else (10 if options.quick else 60)
    if len(options.data) % 2 or not (options.data or options.synthetic):
        parser.error("give TRAIN and TEST, in pairs, or --synthetic KIND")
    for path in options.data + [options.hogwild] * bool(options.hogwild):
        if not path.is_file():
            parser.error(f"{path}: no such file")
        if path.suffix == ".zst":
            parser.error(f"{path}: unpack it first; .gz, .bz2, .xz and plain text are read")
    names = [path.name.split(".")[0] for path in options.data[::2]]
    if len(set(names)) < len(names):
        parser.error("training files are told apart by their names up to the first dot: give each another")
    cores = len(os.sched_getaffinity(0))
    counts = options.threads.split(",")
    if not all(count.isdecimal() and 1 <= int(count) <= cores for count in counts):
        parser.error(f"--threads {options.threads}: give numbers from 1 to {cores}, the cores here, as in --threads 1,2")
    options.threads = sorted({int(count) for count in counts})
    for name in ("rounds", "budget", "timeout", "rank", "rows", "epochs"):
        value = getattr(options, name)
        if value is not None and not 0 < value < math.inf:
            parser.error(f"--{name} {value}: give a number above 0")
    options.folder = options.folder.resolve()
    return options


def wanted(system, options):
    has = lambda names: any(part.strip().lower() in system.name.lower() for part in names.split(",") if part.strip())
    return not system.package or ((not options.only or has(options.only)) and not has(options.without))


def hogwild_version(options):
    return subprocess.run([options.hogwild, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]


def synthetic(kind, options):
    """Training rows and held-out rows of one truth."""
    folder = options.folder / "synthetic"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for part, start, rows in (("train", 0, options.rows), ("test", options.rows, math.ceil(options.rows / 5))):
        paths.append(folder / f"{kind}.{part}.txt")
        numbers = ["--rows", str(rows), "--start-row", str(start), "-o", paths[-1]]
        subprocess.run([options.hogwild, "synth", kind, *numbers, *options.synth_options.split()], check=True)
    return paths


def install(options, tasks):
    """The environments, {system: version} of what works in them, and {system: reason} of what does not."""
    environments = environment.Environments(options.folder / "environments", 60 * options.timeout)
    installed, missing = {}, {}
    for system in systems.ALL:
        if system.task not in tasks or not wanted(system, options):
            continue
        if not system.package:
            installed[system] = hogwild_version(options)
            continue
        version, problem = environments.install(system.package)
        bench.tell(f"{system.name}: {system.package} {version or problem}")
        if version:
            installed[system] = version
        else:
            missing[system] = f"{system.package}: {problem}"
    return environments, installed, missing


def write(result, folder):
    """NAME.md, NAME.svg and NAME.json."""
    folder.mkdir(parents=True, exist_ok=True)
    text = report.markdown(result)
    (folder / f"{result['name']}.md").write_text(text)
    (folder / f"{result['name']}.json").write_text(json.dumps(result, indent=1, allow_nan=False))
    drawing = picture.drawing(result)
    if drawing:
        (folder / f"{result['name']}.svg").write_text(drawing)
    print(text, flush=True)
    bench.tell(f"written to {folder / result['name']}.md, .json and .svg")


def main():
    options = settings()
    if not options.hogwild:
        subprocess.run(["cargo", "build", "--release"], cwd=ROOT, check=True)  # one that is there may be of other sources
        options.hogwild = ROOT / "target" / "release" / "hogwild"
    options.hogwild = options.hogwild.resolve()
    of_task = f"-{options.task}" if options.task else ""
    pairs = [(train.name.split(".")[0] + of_task, train, test) for train, test in zip(options.data[::2], options.data[1::2])]
    pairs += [(f"synthetic-{kind}", *synthetic(kind, options)) for kind in options.synthetic]
    datasets = [bench.Dataset(*pair, options.folder / "data", options.hogwild, options.task) for pair in pairs]
    environments, installed, missing = install(options, {dataset.task for dataset in datasets})
    for dataset in datasets:
        write(bench.Measurement(dataset, installed, missing, environments, options).result(), options.folder / "results")


if __name__ == "__main__":
    main()
