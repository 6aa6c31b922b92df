"""The measurement of one data set: its files, the choice of settings, then rounds in which all systems run in turn."""
import bz2
import gzip
import json
import lzma
import pathlib
import shutil
import subprocess
import sys
import time

import measures
import systems

OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
HEAD = 8 << 20  # bytes of text for readers that would take minutes for all of it


def tell(text):
    print(text, file=sys.stderr, flush=True)


class Dataset:
    """The folder of a data set: its texts, hogwild's packed form of them (which workers read), what systems wrote for themselves."""

    def __init__(self, name, train, test, folder, hogwild):
        self.name, self.folder = name, folder / name
        state = {str(path): [path.stat().st_size, path.stat().st_mtime] for path in (train, test)}
        self.state_file = self.folder / "state.json"
        known = json.loads(self.state_file.read_text()) if self.state_file.exists() else {}
        if known.get("sources") != state:
            known = {"sources": state, "prepared": []}
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self._keep("train", train)
            self._keep("test", test)
            with open(self.folder / "train.txt", "rb") as text, open(self.folder / "head.txt", "wb") as head:
                head.writelines(text.readlines(HEAD))
        self.state = known
        self.shape, _ = (self._pack(part, hogwild) for part in ("train", "test"))
        self.task = "ratings" if self.shape["users"] else "rows"
        self._save()

    def _keep(self, part, source):
        text = self.folder / f"{part}.txt"
        if source.suffix in OPENERS:
            with OPENERS[source.suffix](source, "rb") as given, open(text, "wb") as out:
                shutil.copyfileobj(given, out)
        else:
            text.symlink_to(source.resolve())

    def _pack(self, part, hogwild):
        packed = self.folder / f"{part}.safetensors"
        ended = subprocess.run([hogwild, "pack", self.folder / f"{part}.txt", "-o", packed, "--json"], capture_output=True, text=True)
        if ended.returncode:
            sys.exit(ended.stderr.strip())
        return json.loads(ended.stdout)

    def _save(self):
        self.state_file.write_text(json.dumps(self.state))

    def once(self, what, work):
        """Does what is not done yet for these data."""
        if what not in self.state["prepared"]:
            work()
            self.state["prepared"].append(what)
            self._save()

    def describe(self):
        of = "ratings of {items} items by {users} users" if self.task == "ratings" else "rows, {nonzeros} nonzeros of {columns} features"
        return ("{rows} " + of).format(**self.shape)


def measure(dataset, installed, missing, environments, options):
    """`installed` is {system: version}. Gives what report.py shows and the JSON file holds."""
    epochs = options.epochs or (10 if dataset.task == "rows" else 20)
    threads = options.threads
    known = {"folder": str(dataset.folder), "task": dataset.task, "rank": options.rank, "hogwild": str(options.hogwild)}
    taking_part = [system for system in installed if system.task == dataset.task]
    missing = {system.name: reason for system, reason in missing.items() if system.task == dataset.task}
    about = {system.name: {"version": installed[system], "note": system.note} for system in taking_part}

    def call(system, action, count, **more):
        task = {"action": action, "data": known, "epochs": epochs, "budget": options.budget, **more}
        return environments.call(system, task, count)

    def attempt(system, what, work):
        """Whether it worked; a system that fails is named and takes no further part."""
        start = time.perf_counter()
        try:
            work()
            tell(f"{dataset.name}: {system.name}: {what} ({time.perf_counter() - start:.1f} s)")
            return True
        except RuntimeError as problem:
            tell(f"{dataset.name}: {system.name}: {what}: {problem}")
            missing[system.name] = f"{what}: {problem}"
            return False

    def prepare(system):
        if system.prepare:
            dataset.once(system.prepare.__module__, lambda: call(system, "prepare", 1))

    def tune(system):
        if len(system.settings) == 1:
            about[system.name]["setting"] = system.settings[0]
            return
        runs = call(system, "tune", threads[-1] if system.threaded else 1)["runs"]
        best = measures.chosen(runs)
        if best is None:
            raise RuntimeError(next((run["problem"] for run in runs if "problem" in run), "no run came to an end"))
        about[system.name] |= {"setting": best["setting"], "choice": runs}

    def load(system):
        path = dataset.folder / (system.load_own_text or ("head.txt" if system.slow_reader else "train.txt"))
        found = call(system, "load", threads[-1] if system.threaded else 1, text=str(path))
        about[system.name]["load_mb_s"] = found["bytes"] / found["seconds"] / 1e6

    for what, work in (("own format", prepare), ("choice of settings", tune)):
        taking_part = [system for system in taking_part if attempt(system, what, lambda: work(system))]
    for system in taking_part:
        if system.load:  # without a reader for this text a system is still measured
            attempt(system, "reading of text", lambda: load(system))

    def train(system, count, found):
        run = call(system, "train", count, setting=about[system.name]["setting"])
        if not run["points"]:
            raise RuntimeError("no epoch came to an end")
        found.append(run)

    runs = {(system, count): [] for system in taking_part for count in (threads if system.threaded else [1])}
    for turn in range(options.rounds):
        for (system, count), found in list(runs.items()):
            if not attempt(system, f"round {turn + 1} of {options.rounds}, threads {count}", lambda: train(system, count, found)):
                del runs[system, count]
    entries = [
        {"system": system.name, "threads": count, **measures.summary(found, options.target)} for (system, count), found in runs.items()
    ]
    return {
        "name": dataset.name, "shape": dataset.describe(), "task": dataset.task, "threads": threads, "target": options.target,
        "counted": dataset.shape["rows" if dataset.task == "ratings" else "nonzeros"], "rounds": options.rounds, "budget": options.budget,
        "systems": about, "missing": missing, "entries": entries,
        "runs": {f"{system.name}, {count}": found for (system, count), found in runs.items()},
    }
