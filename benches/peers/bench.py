"""The measurement of one data set: its files, the choice of settings, then rounds in which all systems run in turn."""
import bz2
import gzip
import json
import lzma
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

import data as datas
import measures
from tasks import TASKS, of_data

OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
HEAD = 8 << 20  # bytes of text for readers that would take minutes for all of it
HELD_OUT_USERS = 8192  # ranking all items for more of them would take longer than training


def tell(text):
    print(text, file=sys.stderr, flush=True)


def refuse(problem):
    tell(problem)
    sys.exit(2)


def of_users(lines, count):
    """The lines of so many users, drawn at random; a user is what a line begins with."""
    user = lambda line: re.split(rb"::|[\s,;|]", line, maxsplit=1)[0]
    every = sorted({user(line) for line in lines})
    some = set(random.Random(0).sample(every, min(count, len(every))))
    return [line for line in lines if user(line) in some]


class Dataset:
    """The folder of a data set: its texts, hogwild's packed form of them (which workers read), what systems wrote for themselves."""

    def __init__(self, name, train, test, folder, hogwild, task=None):
        self.name, self.folder, self.flags = name, folder / name, TASKS[task].pack if task else ()
        state = {str(path): [path.stat().st_size, path.stat().st_mtime] for path in (train, test)}
        self.state_file = self.folder / "state.json"
        known = json.loads(self.state_file.read_text()) if self.state_file.exists() else {}
        if known.get("sources") != state:
            known = {"sources": state, "prepared": []}
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self._keep("train", train)
            self._keep("test", test, HELD_OUT_USERS if task == "interactions" else None)
            with open(self.folder / "train.txt", "rb") as text, open(self.folder / "head.txt", "wb") as head:
                head.writelines(text.readlines(HEAD))
        self.state = known
        self.shape, _ = (self._pack(part, source, hogwild) for part, source in (("train", train), ("test", test)))
        self.task = task or of_data(bool(self.shape["users"]))
        if TASKS[self.task].ratings != bool(self.shape["users"]):
            refuse(f"{train}: --task {task} takes {'users and items' if TASKS[task].ratings else 'rows of features'}, which these are not")
        self._save()

    def _keep(self, part, source, users=None):
        """The text as a plain file, of no more than so many users."""
        text = self.folder / f"{part}.txt"
        if source.suffix not in OPENERS and users is None:
            text.symlink_to(source.resolve())
            return
        with OPENERS.get(source.suffix, open)(source, "rb") as given, open(text, "wb") as out:
            if users is None:
                shutil.copyfileobj(given, out)
            else:
                out.writelines(of_users(given.readlines(), users))

    def _pack(self, part, source, hogwild):
        packed = self.folder / f"{part}.safetensors"
        command = [hogwild, "pack", self.folder / f"{part}.txt", "-o", packed, "--json", *self.flags]
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode:
            refuse(ended.stderr.strip())
        if {"user_name", "item_name"} & set(datas.contents(packed)[0]):
            refuse(f"{source}: its users or items are names, but most peers take numbers: give each name a number, the same in both files")
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
        of = TASKS[self.task].unit + "s of {items} items by {users} users"
        of = of if self.shape["users"] else "rows, {nonzeros} nonzeros of {columns} features"
        return ("{rows} " + of).format(**self.shape)


class Measurement:
    """All systems on one data set. `installed` is {system: version}, `missing` {system: reason}."""

    def __init__(self, dataset, installed, missing, environments, options):
        self.dataset, self.environments, self.options = dataset, environments, options
        self.epochs = options.epochs or TASKS[dataset.task].epochs
        self.taking_part = [system for system in installed if system.task == dataset.task]
        about = lambda system: {"version": installed[system], "note": system.note, "beside": system.beside}
        self.about = {system.name: about(system) for system in self.taking_part}
        self.missing = {system.name: reason for system, reason in missing.items() if system.task == dataset.task}  # not in the tables
        self.remarks = []  # on systems that are
        self.runs = {}  # those of all rounds, by system and number of threads

    def _call(self, system, action, threads, **more):
        dataset, options = self.dataset, self.options
        rank = options.rank or TASKS[dataset.task].rank
        data = {"folder": str(dataset.folder), "task": dataset.task, "rank": rank, "hogwild": str(options.hogwild)}
        task = {"action": action, "data": data, "epochs": self.epochs, "budget": options.budget, **more}
        return self.environments.call(system, task, threads)

    def _most_threads(self, system):
        return self.options.threads[-1] if system.threaded else 1

    def _attempt(self, what, work, system, *more):
        """Why it failed, or None where it worked."""
        start = time.perf_counter()
        problem = None
        try:
            work(system, *more)
        except RuntimeError as failure:
            problem = f"{what}: {failure}"
        tell(f"{self.dataset.name}: {system.name}: {problem or what} ({time.perf_counter() - start:.1f} s)")
        return problem

    def _prepare(self, system):
        if system.prepare:
            self.dataset.once(system.prepare.__module__, lambda: self._call(system, "prepare", 1))

    def _tune(self, system):
        if len(system.settings) == 1:
            self.about[system.name]["setting"] = system.settings[0]
            return
        runs = self._call(system, "tune", self._most_threads(system))["runs"]
        best = measures.chosen(runs)
        if best is None:
            raise RuntimeError(next((run["problem"] for run in runs if "problem" in run), "no run came to an end"))
        self.about[system.name] |= {"setting": best["setting"], "choice": runs}

    def _load(self, system):
        path = self.dataset.folder / (system.load_own_text or ("head.txt" if system.slow_reader else "train.txt"))
        found = self._call(system, "load", self._most_threads(system), text=str(path))
        self.about[system.name]["load_mb_s"] = found["bytes"] / found["seconds"] / 1e6

    def _train(self, system, threads):
        run = self._call(system, "train", threads, setting=self.about[system.name]["setting"])
        if not run["points"]:
            raise RuntimeError("no epoch came to an end")
        self.runs[system, threads].append(run)

    def _choose(self):
        """A system without its own format or a setting is out."""
        for what, work in (("own format", self._prepare), ("choice of settings", self._tune)):
            for system in list(self.taking_part):
                if problem := self._attempt(what, work, system):
                    self.missing[system.name] = problem
                    self.taking_part.remove(system)

    def _read(self):
        for system in self.taking_part:
            if system.load and (problem := self._attempt("reading of text", self._load, system)):
                self.remarks.append(f"{system.name}: {problem}")

    def _rounds(self):
        """A number of threads on which a system fails is out; the system is when none is left."""
        self.runs = {(system, count): [] for system in self.taking_part for count in (self.options.threads if system.threaded else [1])}
        failures = []
        for turn in range(1, self.options.rounds + 1):
            for system, count in list(self.runs):
                if problem := self._attempt(f"round {turn} of {self.options.rounds}, threads {count}", self._train, system, count):
                    del self.runs[system, count]
                    failures.append((system, problem))
        left = {system for system, _ in self.runs}
        for system, problem in failures:
            if system in left:
                self.remarks.append(f"{system.name}: {problem}")
            else:
                self.missing.setdefault(system.name, problem)

    def result(self):
        """What report.py shows and the JSON file holds."""
        self._choose()
        self._read()
        self._rounds()
        shape, options = self.dataset.shape, self.options
        return {
            "name": self.dataset.name, "shape": self.dataset.describe(), "task": self.dataset.task, "threads": options.threads,
            "counted": shape["rows" if TASKS[self.dataset.task].ratings else "nonzeros"], "rounds": options.rounds,
            "budget": options.budget, "target": options.target, "systems": self.about, "missing": self.missing, "remarks": self.remarks,
            "entries": [
                {"system": system.name, "threads": count, **measures.summary(found, options.target)}
                for (system, count), found in self.runs.items()
            ],
            "runs": {f"{system.name}, {count}": found for (system, count), found in self.runs.items()},
        }
