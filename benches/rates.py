#!/usr/bin/env python3
"""What hand-tuning would find, beside what the learning-rate search chooses.

python3 benches/rates.py TRAIN VALID [options of hogwild train]
trains at a ladder of rates, prints each one's held-out loss at its best epoch and at the last, then the same of `--lr auto`.
Give --epochs 10 (rows) to look for the best epoch of ten; `--holdout SHARE` among the options goes with VALID `-`.
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

HOGWILD = pathlib.Path(__file__).resolve().parent.parent / "target" / "release" / "hogwild"


def losses(rate, train, valid, options):
    """The rate used, the seconds of the search, and the held-out loss of every epoch (RMSE of ratings)."""
    held_out = [] if valid == "-" else ["--valid", valid]
    with tempfile.NamedTemporaryFile(suffix=".jsonl") as log:
        command = [HOGWILD, "train", train, *held_out, "--lr", rate, "--log", log.name, "--quiet", *options]
        subprocess.run(command, stderr=subprocess.DEVNULL, check=False)
        lines = [json.loads(line) for line in open(log.name)]
    epochs = [line for line in lines if line["event"] == "epoch"]
    seconds = sum(line["seconds"] for line in lines if line["event"] == "rate_search")
    share = seconds / (sum(epoch["seconds"] for epoch in epochs) / len(epochs)) if epochs else math.nan
    found = [next(epoch["valid"][name] for name in ("logloss", "rmse", "loss") if name in epoch["valid"]) for epoch in epochs]
    return lines[-1]["settings"]["lr"], share, found


def show(rate, found, more=""):
    best = min(found)
    print(f"{rate:10.4g}  best {best:.5f} in epoch {found.index(best) + 1:2}  last {found[-1]:.5f}{more}", flush=True)
    return best


train, valid, options = sys.argv[1], sys.argv[2], sys.argv[3:]
tuned = math.inf
for rung in range(-12, 5):
    rate, _, found = losses(f"{10 ** (rung / 4):.4g}", train, valid, options)
    if found:
        tuned = min(tuned, show(rate, found))
rate, share, found = losses("auto", train, valid, options)
best = show(rate, found, f"  (auto; the search took {share:.2f} of an epoch)")
print(f"auto over hand-tuned: {best / tuned:.4f} at its best epoch, {found[-1] / tuned:.4f} at the last")
