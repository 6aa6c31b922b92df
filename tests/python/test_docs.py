"""The page "From Python": each call that it names for those who come from other packages is run, and examples print what it says."""

import pathlib
import re
import subprocess
import sys

import hogwild
import numpy as np
import pytest
from conftest import rows
from sklearn.model_selection import cross_val_score

DOCS = pathlib.Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "python.md").read_text(encoding="utf-8")


def calls():
    table = PAGE[PAGE.index("## Your call, ours") : PAGE.index("## The command")]
    found = [code for line in table.splitlines() if line.startswith("|") for code in re.findall("`([^`]+)`", line.split("|")[3])]
    return [code for code in found if "(" in code]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", calls())
def test_calls_of_the_table_run(code, triples, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pairs, r = triples
    X, y, t = rows(500, 40)
    pairs_of_names = [(f"user {user}", f"item {item}") for user, item in pairs]
    names = dict(X=X, y=(y > 0).astype(int), t=t, Y=np.column_stack([t > 0, t > 1]).astype(int), X2=X, y2=(y > 0).astype(int), pairs=pairs_of_names, r=r)
    names |= dict(user="user 3", item="item 7", items=["item 7", "item 8"], fields=np.arange(40) % 4, user_items=X, cross_val_score=cross_val_score)
    names["model"] = hogwild.MatrixFactorization(rank=4, epochs=2, random_state=0).fit(pairs_of_names, r)
    made = eval(code, {name: getattr(hogwild, name) for name in hogwild.__all__}, names)
    if hasattr(made, "fit") and "fit" not in code:
        made.fit(X, t if isinstance(made, hogwild.LinearRegressor) else names["y"])


def test_there_are_such_calls_of_each_package():
    assert len(calls()) > 25
    for package in ("scikit-learn", "Vowpal Wabbit", "LightFM", "implicit", "Surprise", "XGBoost"):
        assert f"| {package} |" in PAGE


@pytest.mark.parametrize("example", sorted((DOCS.parent / "examples" / "python").glob("*.py")), ids=lambda path: path.name)
def test_examples_print_what_the_page_says(example):
    pytest.importorskip("pandas"), pytest.importorskip("polars")
    page = (DOCS / "python-examples.md").read_text(encoding="utf-8")
    told = subprocess.run([sys.executable, str(example)], capture_output=True, text=True, timeout=300, check=True).stdout
    said = page[page.index(f"`examples/python/{example.name}`") :].split("```text\n")[1].split("```")[0]
    # Digits go with versions and cores; all else does not.
    assert re.sub(r"[-+.\d]+", "#", told) == re.sub(r"[-+.\d]+", "#", said)
