#!/usr/bin/env python3
"""Training time as a ratio to the bare kernels of the yardstick, and held-out quality, all in one run: machines are noisy.

    python3 benches/figures.py DATA_FOLDER YARDSTICK_BINARY [ROUNDS]

DATA_FOLDER holds imdb_1gram, imdb_2gram, criteo, kdd99 as NAME.train.svm and NAME.test.svm, ml10m.train.txt and ml10m.test.txt, all
uncompressed. Each round runs the yardstick, then hogwild on one and on two threads; a run counts by its best epoch, the table by
the median over the rounds. Quality is the best epoch of a run with validation.
"""
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent.parent
HOGWILD = HERE / "target" / "release" / "hogwild"
SETS = [  # name of the file, its ending, yardstick's arguments, options of hogwild
    ("imdb_1gram", "svm", ["linear", "0.5", "4"], ["--lr", "0.5", "--epochs", "10"]),
    ("imdb_2gram", "svm", ["linear", "2.5", "4"], ["--lr", "2.5", "--epochs", "10"]),
    ("criteo", "svm", ["linear", "0.02", "4"], ["--lr", "0.02", "--epochs", "10"]),
    ("kdd99", "svm", ["linear", "0.001", "4"], ["--lr", "0.001", "--epochs", "10"]),
    ("ml10m", "txt", ["factors", "32", "3"], ["--lr", "0.14"]),
    ("ml10m", "txt", ["factors", "128", "3"], ["--lr", "0.14", "--rank", "128"]),
]


def epochs(arguments):
    """The epoch objects of a run's log."""
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as log:
        subprocess.run([HOGWILD, "train", *arguments, "--quiet", "--log", log.name], check=True, stdout=subprocess.DEVNULL)
        return [e for e in map(json.loads, open(log.name)) if e["event"] == "epoch"]


def nanoseconds(arguments):
    """A nonzero's share of the best epoch."""
    return min(1e9 * e["seconds"] / e["nonzeros"] for e in epochs(arguments))


def yardstick(binary, data, arguments):
    """The yardstick's best nanoseconds on one and on two threads."""
    kind, *rest = arguments
    text = subprocess.run([binary, kind, data, *rest], check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if "random" not in line]
    found = [(re.search(r"threads (\d)", line)[1], float(re.search(r"ns (\S+)", line)[1])) for line in lines if " ns " in line]
    return [min(ns for threads, ns in found if threads == wanted) for wanted in "12"]


def rank_of(options):
    return f", rank {options[options.index('--rank') + 1]}" if "--rank" in options else ""


def main():
    folder, binary = pathlib.Path(sys.argv[1]), sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 3
    subprocess.run(["cargo", "build", "--release"], cwd=HERE, check=True)
    print("| data | ns a nonzero, 1 / 2 threads | yardstick | ratio | speed-up | best held-out, 1 / 2 threads |")
    print("|---|---|---|---|---|---|")
    for name, ending, bare, options in SETS:
        train, test = (folder / f"{name}.{part}.{ending}" for part in ("train", "test"))
        timed = [train, *[o if o != "10" else "4" for o in options]]
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(yardstick(binary, train, bare))
            ours.append([nanoseconds([*timed, "--threads", t]) for t in "12"])
        median = lambda runs: [statistics.median(run[i] for run in runs) for i in (0, 1)]
        (a, b), (x, y) = median(ours), median(theirs)
        best = []
        for t in "12":
            valid = [e["valid"] for e in epochs([train, "--valid", test, *options, "--threads", t])]
            key = "rmse" if "rmse" in valid[0] else "logloss"
            at = min(valid, key=lambda v: v[key])
            accuracy = f" accuracy {at['accuracy']:.4f}" if "accuracy" in at else ""
            best.append(f"{key} {at[key]:.4f}{accuracy} (last {valid[-1][key]:.4f})")
        columns = [
            name + rank_of(options), f"{a:.2f} / {b:.2f}", f"{x:.2f} / {y:.2f}", f"{a / x:.2f} / {b / y:.2f}", f"{a / b:.2f}",
            ", ".join(best),
        ]
        print(f"| {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
