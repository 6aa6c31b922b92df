"""How the package behaves in a process that it shares: imports, forks, threads, signals, memory."""

import faulthandler
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import hogwild
import numpy as np
import pytest
from conftest import rows


def python(text, **more):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=120, **more)


def test_import_loads_nothing_else():
    told = python(
        """
        import sys, hogwild
        loaded = {"numpy", "scipy", "sklearn", "pandas", "hogwild._hogwild"} & set(sys.modules)
        assert not loaded, loaded
        assert "LinearClassifier" in dir(hogwild)
        hogwild.train
        assert "sklearn" not in sys.modules and "numpy" in sys.modules
        """
    )
    assert told.returncode == 0, told.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore")
def test_a_forked_process_trains_too(data):
    X, y, _ = data
    hogwild.LinearClassifier(random_state=0, n_jobs=2, early_stopping=True).fit(X, y)
    child = os.fork()
    if child == 0:
        other = hogwild.LinearClassifier(random_state=0, n_jobs=2, early_stopping=True).fit(X, y)
        os._exit(0 if other.score(X, y) > 0.7 else 1)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the forked process hangs")


def test_other_threads_run_while_it_trains():
    X, y, _ = rows(20000, 1000)
    ticks, over = [], threading.Event()

    def tick():
        while not over.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    ticker = threading.Thread(target=tick)
    ticker.start()
    start = time.monotonic()
    hogwild.train(hogwild.Rows.from_matrix(X, y), lr=0.1, epochs=200, threads=1)
    end = time.monotonic()
    over.set()
    ticker.join()
    # A thread that had to wait for the interpreter would have ticked before and behind, with one long gap between.
    inside = [start, *(when for when in ticks if start < when < end), end]
    assert len(inside) > 12 and max(np.diff(inside)) < (end - start) / 2


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("epochs_are", ["short", "long"])
@pytest.mark.parametrize("classes", [2, 3])
def test_ctrl_c_ends_the_run_and_keeps_what_was_learnt(epochs_are, classes):
    X, y, scores = rows(200, 50) if epochs_are == "short" else rows(200000, 2000)
    y = y if classes == 2 else np.digitize(scores, [-1, 1])
    sent = []

    class Begins(hogwild.Callback):
        def on_train_begin(self, settings):
            threading.Timer(0.5, send).start()  # the matrix is converted: how long that takes is up to the machine

    model = hogwild.LinearClassifier(learning_rate=1e-3, epochs=1_000_000, n_jobs=2, random_state=0, callbacks=[Begins()])

    def send():
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    faulthandler.dump_traceback_later(120, exit=True)  # who does not hear the signal would train for days
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, y)
    finally:
        faulthandler.cancel_dump_traceback_later()
    assert time.monotonic() - sent[0] < 30
    assert model.n_iter_ >= 1 and model.predict(X[:5]).shape == (5,)
    assert model.coef_.shape[0] == (1 if classes == 2 else 3)


def test_n_jobs_is_how_many_threads_there_are(monkeypatch):
    from hogwild._inputs import threads

    cores = threads(-1)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert threads(None) == cores and threads(3) == 3 and threads(-cores - 5) == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert threads(None) == 1 and threads(2) == 2


@pytest.mark.skipif(not os.path.exists("/proc/self/task") or os.cpu_count() == 1, reason="there is nothing to see")
@pytest.mark.parametrize("pin", [False, True])
def test_threads_are_pinned_only_when_asked(pin, data):
    X, y, _ = data
    before, seen = os.sched_getaffinity(0), []

    def look(report):
        seen.extend(os.sched_getaffinity(int(thread)) for thread in os.listdir("/proc/self/task"))

    hogwild.LinearClassifier(n_jobs=2, learning_rate=0.5, callbacks=[look], settings={"pin": pin}).fit(X, y)
    assert len(seen) > len(os.listdir("/proc/self/task")) and any(cores != before for cores in seen) == pin
    assert os.sched_getaffinity(0) == before


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="there is no /proc")
def test_memory_is_given_back():
    told = python(
        """
        import os, numpy as np, scipy.sparse as sp, hogwild
        def resident():
            return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        n = 8_000_000
        X = sp.csr_matrix((np.ones(n) * 1.5, np.arange(n, dtype=np.int32) % 997, np.arange(0, n + 1, 40, dtype=np.int32)), (n // 40, 997))
        y = np.where(np.arange(n // 40) % 3, 1, -1)
        before = resident()
        rows = hogwild.Rows.from_matrix(X, y)
        held = resident() - before
        assert held < 10 * n, held / n
        del rows
        assert resident() - before < 3 * n, (resident() - before) / n
        """
    )
    assert told.returncode == 0, told.stderr


def test_models_are_shared_by_threads(data):
    X, y, _ = data
    model = hogwild.train(hogwild.Rows.from_matrix(X, y), lr=0.5).model
    expected, wrong = model.predict(X), []
    workers = [threading.Thread(target=lambda: wrong.extend([1] * (not np.array_equal(model.predict(X), expected)))) for _ in range(8)]
    [worker.start() for worker in workers]
    [worker.join() for worker in workers]
    assert not wrong
