"""hogwild itself, at fixed rates as its peers have them, and as it comes (`--lr auto`, the search of rates counted as training)."""
import json
import subprocess

from .base import System


def flags(data, setting, threads, epochs, log):
    """Of `hogwild train`; a setting may ask for fewer epochs than are asked for, not for more."""
    options = {"threads": threads, "log": log, **({"rank": data.rank} if data.rank else {}), **setting}
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
                curve.add_measured(event["epoch"], *measured(event["valid"]))


def measured(valid):
    """Loss and second metric, as `tasks.TASKS` names them."""
    if "ndcg@20" in valid:
        return 1 - valid["ndcg@20"], valid["recall@20"]
    return valid.get("rmse", valid.get("logloss")), valid.get("auc", valid.get("accuracy"))


def load(path, data, threads):
    with data.scratch() as folder:
        subprocess.run([data.hogwild, "pack", path, "-o", folder / "packed.safetensors"], check=True, capture_output=True)


RATES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5]
ROWS = [{"lr": rate, "l2": l2} for l2 in (0, 1e-5) for rate in RATES]
# The rate falls to nothing over the run: a shorter run is a setting too.
RATINGS = [{"lr": rate, "epochs": epochs, "l2": l2} for epochs, l2 in ((6, 0.02), (10, 0.03)) for rate in (0.07, 0.1, 0.14, 0.2)]
FM = [{"model": "fm", "lr": rate} for rate in (0.01, 0.02, 0.05, 0.1)]
FFM = [{"model": "ffm", "lr": rate} for rate in (0.1, 0.2, 0.4, 0.8)]
CLASSES = [{"model": "softmax", "lr": rate} for rate in (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)]
# The rate falls to nothing over the run, so each has its own number of epochs, its default.
RANKING = {"sampled-softmax": 40, "bpr": 100, "warp": 30}
SYSTEMS = [
    System("hogwild", "rows", ROWS, train, threaded=True, load=load),
    System("hogwild auto", "rows", [{"lr": "auto"}], train, threaded=True),
    System("hogwild", "ratings", RATINGS, train, threaded=True, load=load),
    System("hogwild auto", "ratings", [{"lr": "auto", "epochs": 6}], train, threaded=True),
    System("hogwild", "fm", FM, train, threaded=True, load=load),
    System("hogwild auto", "fm", [{"model": "fm"}], train, threaded=True),
    System("hogwild", "ffm", FFM, train, threaded=True),
    System("hogwild auto", "ffm", [{"model": "ffm"}], train, threaded=True),
    System("hogwild", "classes", CLASSES, train, threaded=True, load=load),
    System("hogwild auto", "classes", [{"model": "softmax"}], train, threaded=True),
]
SYSTEMS += [
    System(
        "hogwild" if model == "sampled-softmax" else f"hogwild {model}", "interactions", [{"model": model, "epochs": epochs}], train,
        threaded=True, note=model if model == "sampled-softmax" else "",
    )
    for model, epochs in RANKING.items()
]
