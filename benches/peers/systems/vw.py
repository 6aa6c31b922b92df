"""Vowpal Wabbit, run by its own parser over its binary cache, a pass at a time; on two threads it parses on one and learns on the other.

It takes examples in the order of the file: its text is written in an order shuffled once. The model goes through a file between
passes (`--save_resume`), outside of the clock.
"""
import math
import pathlib

from .base import System


def bits(data):
    """A weight for each id, so that none collide; but no more than 2^24."""
    return f"-b {min(24, max(18, math.ceil(math.log2(int(data.ids().max()) + 2))))}"


def run(arguments):
    """A workspace whose data have not been read yet."""
    import vowpalwabbit

    return vowpalwabbit.Workspace(f"--quiet {arguments}")


def read(workspace):
    import pylibvw

    pylibvw.vw.run_parser(workspace)


def make_cache(text, cache, data):
    cache.unlink(missing_ok=True)
    run(f"--noop {bits(data)} -d {text} --cache_file {cache}").finish()


def prepare(data):
    """Its text, and the cache of it."""
    import numpy

    for part, order in (("train", numpy.random.default_rng(0).permutation), ("test", numpy.arange)):
        rows, text = data.rows(part), data.folder / f"{part}.vw"
        ids = data.ids()[rows.column].tolist()
        words = list(map(str, ids)) if rows.all_ones else [f"{i}:{v:.6g}" for i, v in zip(ids, rows.value.tolist())]
        start = rows.row_start.tolist()
        with open(text, "w") as out:
            out.writelines(f"{rows.labels[row]:.0f} | {' '.join(words[start[row]:start[row + 1]])}\n" for row in order(len(rows.labels)))
        make_cache(text, text.with_suffix(".cache"), data)


def train(data, setting, threads, epochs, curve):
    import numpy

    with data.scratch() as folder:
        model, scores = folder / "model", folder / "scores"
        given = " ".join(f"--{name} {value}" for name, value in setting.items())
        options = f"--loss_function logistic --holdout_off --save_resume {given}"
        for epoch in range(1, epochs + 1):
            start = bits(data) if epoch == 1 else f"-i {model}"
            workspace = run(f"{start} {options} --cache_file {data.folder / 'train.cache'} -f {model}")
            with curve.clock():
                read(workspace)
            workspace.finish()
            test = run(f"-t -i {model} --cache_file {data.folder / 'test.cache'} -p {scores}")
            read(test)
            test.finish()
            curve.add(epoch, numpy.fromfile(scores, sep="\n"))


def load(path, data, threads):
    with data.scratch() as folder:
        make_cache(pathlib.Path(path), folder / "cache", data)


ADAPTIVE = [{"learning_rate": rate} for rate in (0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)]
SGD = [{"sgd": "", "power_t": power, "learning_rate": rate} for power in (0, 0.5) for rate in (0.03, 0.1, 0.3, 1.0, 3.0)]
SYSTEMS = [
    System(
        name, "rows", settings, train, "vowpalwabbit", "vowpalwabbit", threaded=True, prepare=prepare, load=load, load_own_text="train.vw"
    )
    for name, settings in (("Vowpal Wabbit", ADAPTIVE), ("Vowpal Wabbit SGD", SGD))
]
