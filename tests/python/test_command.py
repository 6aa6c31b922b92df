"""The command in the package: the same as the binary, by the module and by the script."""

import os
import signal
import subprocess
import sys
import time

import hogwild
import pytest


def run(*words, **more):
    return subprocess.run([sys.executable, "-m", "hogwild", *map(str, words)], capture_output=True, text=True, timeout=120, **more)


def test_help_version_and_exit_codes(tmp_path):
    assert "Usage: hogwild" in run("--help").stdout
    assert run("--version").stdout.split() == ["hogwild", hogwild.__version__]
    wrong = run("train", tmp_path / "nowhere.svm")
    assert wrong.returncode == 2 and "nowhere.svm" in wrong.stderr
    assert run("nonsense").returncode == 2


def test_a_bad_row_is_named():
    told = run("train", "-", input="1 3:0.5 8:1\n-1 7:abc\n")
    assert told.returncode == 2 and "-:2:4: the value is no number: `7:abc`" in told.stderr


def test_train_and_predict(tmp_path):
    text = tmp_path / "rows.svm"
    text.write_text("1 1:1\n-1 2:1\n" * 200)
    model = tmp_path / "m.safetensors"
    env = {**os.environ, "HOGWILD_CACHE": str(tmp_path / "cache")}
    assert run("train", text, "--lr", "0.5", "--out", model, env=env).returncode == 0
    assert hogwild.load(model).family == "linear"
    assert len(run("predict", model, text, env=env).stdout.splitlines()) >= 400


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_has_the_exit_code_of_the_binary(tmp_path):
    text = tmp_path / "rows.svm"
    text.write_text("1 1:1\n-1 2:1\n" * 20000)
    words = [sys.executable, "-m", "hogwild", "train", str(text), "--lr", "0.001", "--epochs", "1000000", "--quiet"]
    child = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env={**os.environ, "HOGWILD_CACHE": str(tmp_path / "cache")})
    time.sleep(2)
    child.send_signal(signal.SIGINT)
    told = child.communicate(timeout=60)[1]
    assert child.returncode == 130 and "interrupted" in told
