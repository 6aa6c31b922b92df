"""Types and documentation: stubs are those of what is there, every example says what it says."""

import doctest
import importlib
import os
import pathlib
import pkgutil
import subprocess
import sys

import hogwild
import numpy as np
import pytest

PACKAGE = pathlib.Path(hogwild.__file__).parent
PROJECT = pathlib.Path(__file__).parents[2] / "python" / "pyproject.toml"


def check(folder, *words):
    pytest.importorskip("mypy")
    # Of an installed package mypy knows where it is.
    env = dict(os.environ) if PACKAGE.parent.name == "site-packages" else {**os.environ, "MYPYPATH": str(PACKAGE.parent)}
    told = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, timeout=300, cwd=folder, env=env)
    assert told.returncode == 0, told.stdout + told.stderr


def test_mypy_strict(tmp_path):
    check(tmp_path, "mypy", "--config-file", str(PROJECT), "-p", "hogwild")


def test_stubs_are_those_of_the_library(tmp_path):
    allow = tmp_path / "allow"
    allow.write_text("hogwild.__main__\n")
    check(tmp_path, "mypy.stubtest", "hogwild._hogwild", "--mypy-config-file", str(PROJECT), "--allowlist", str(allow), "--ignore-unused-allowlist")


def modules():
    return ["hogwild"] + [f"hogwild.{found.name}" for found in pkgutil.iter_modules([str(PACKAGE)]) if found.name not in ("__main__", "_hogwild")]


@pytest.mark.parametrize("name", modules())
def test_examples_of_docstrings(name):
    with np.printoptions(legacy=False):
        assert doctest.testmod(importlib.import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_every_public_name_is_there_and_documented():
    for name in hogwild.__all__:
        value = getattr(hogwild, name)
        assert name == "__version__" or value.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        hogwild.Nonsense


@pytest.mark.parametrize("example", sorted((PROJECT.parents[1] / "examples" / "python").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(example):
    pytest.importorskip("pandas"), pytest.importorskip("polars")
    env = {**os.environ, "PYTHONWARNINGS": "error::SyntaxWarning"}
    told = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, timeout=300, env=env)
    assert told.returncode == 0 and told.stdout, told.stderr
