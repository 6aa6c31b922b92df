"""hogwild itself, at fixed rates as its peers have them, and as it comes (`--lr auto`, the search of rates counted as training)."""
import json
import subprocess

from .base import System


def flags(data, setting, threads, epochs, log):
    """Of `hogwild train`; a setting may ask for fewer epochs than are asked for, not for more."""
    options = {"threads": threads, "log": log, **({"rank": data.rank} if data.task == "ratings" else {}), **setting}
    options["epochs"] = min(epochs, setting.get("epochs", epochs))
    return [str(part) for name, value in options.items() for part in (f"--{name}", value)]


def train(data, setting, threads, epochs, curve):
    with data.scratch() as folder:
        log = folder / "log.jsonl"
        command = [data.hogwild, "train", data.packed("train"), "--valid", data.packed("test"), "--quiet"]
        command += flags(data, setting, threads, epochs, log)
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode not in (0, 1):  # 1: a rate at which it diverges
            raise RuntimeError(ended.stderr.strip())
        for event in map(json.loads, log.read_text().splitlines()):
            if event["event"] == "rate_search":
                curve.seconds += event["seconds"]
            elif event["event"] == "epoch":
                curve.seconds += event["seconds"]
                valid = event["valid"]
                curve.add_measured(event["epoch"], valid.get("rmse", valid.get("logloss")), valid.get("auc"))


def load(path, data, threads):
    with data.scratch() as folder:
        subprocess.run([data.hogwild, "pack", path, "-o", folder / "packed.safetensors"], check=True, capture_output=True)


RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5]
ROWS = [{"lr": rate, "l2": l2} for l2 in (0, 1e-5) for rate in RATES]
# The rate falls to nothing over the run: a shorter run is a setting too.
RATINGS = [{"lr": rate, "epochs": epochs, "l2": l2} for epochs, l2 in ((6, 0.02), (10, 0.03)) for rate in (0.07, 0.1, 0.14, 0.2)]
SYSTEMS = [
    System("hogwild", "rows", ROWS, train, threaded=True, load=load),
    System("hogwild auto", "rows", [{"lr": "auto"}], train, threaded=True),
    System("hogwild", "ratings", RATINGS, train, threaded=True, load=load),
    System("hogwild auto", "ratings", [{"lr": "auto", "epochs": 6}], train, threaded=True),
]
