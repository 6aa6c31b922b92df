"""One thread and one seed: memory, packed file and text, Python and command, all give the same bits."""

import subprocess
import sys

import hogwild
import numpy as np
import pytest
from conftest import rows


def svmlight(path, X, y):
    with open(path, "w") as file:
        for row, label in enumerate(y):
            cells = slice(X.indptr[row], X.indptr[row + 1])
            pairs = " ".join(f"{column}:{np.float32(value)!s}" for column, value in zip(X.indices[cells], X.data[cells]))
            file.write(f"{label} {pairs}\n")
    return path


def command(*words):
    return subprocess.run([sys.executable, "-m", "hogwild", *map(str, words)], check=True, capture_output=True, text=True)


@pytest.mark.parametrize("rule", ["adagrad", "adam", "ftrl"])
@pytest.mark.parametrize("ones", [False, True])
def test_one_set_of_bits(rule, ones, tmp_path):
    X, y, _ = rows(ones=ones)
    X.data = X.data.astype(np.float32).astype(np.float64)
    text = svmlight(tmp_path / "rows.svm", X, y)
    command("pack", text, "-o", tmp_path / "rows.safetensors")
    settings = dict(rule=rule, lr=0.05, threads=1, seed=3, epochs=3)
    memory = hogwild.train(hogwild.Rows.from_matrix(X, y), **settings).model
    packed = hogwild.train(hogwild.Rows.open(tmp_path / "rows.safetensors"), **settings).model
    of_text = hogwild.train(hogwild.Rows.open(text), **settings).model
    assert of_text.to_bytes() == packed.to_bytes()
    flags = [f"--{name}={value}" for name, value in settings.items()]
    command("train", text, *flags, "--out", tmp_path / "model.safetensors", "--quiet")
    of_command = hogwild.load(tmp_path / "model.safetensors")
    for name in ("weight", "bias"):
        assert np.array_equal(memory.tensor(name), packed.tensor(name))
        assert np.array_equal(memory.tensor(name), of_command.tensor(name))
    estimator = hogwild.LinearClassifier(rule=rule, learning_rate=0.05, n_jobs=1, random_state=3, epochs=3).fit(X, y)
    assert np.array_equal(estimator.coef_[0][memory.ids("feature").astype(int)], memory.tensor("weight"))


def test_a_saved_estimator_predicts_by_the_command(data, tmp_path):
    X, y, _ = data
    X.data = X.data.astype(np.float32).astype(np.float64)
    model = hogwild.LinearClassifier(learning_rate=0.5, n_jobs=1, random_state=3).fit(X, np.where(y > 0, 5, 2))
    model.save(tmp_path / "m.safetensors")
    command("predict", tmp_path / "m.safetensors", svmlight(tmp_path / "x.svm", X, np.where(y > 0, 5, 2)), "--out", tmp_path / "p.txt")
    told = np.loadtxt(tmp_path / "p.txt")
    assert np.allclose(told if told.ndim == 1 else told[:, 0], model.predict_proba(X)[:, 1], atol=1e-5)
    loaded = hogwild.load(tmp_path / "m.safetensors")
    assert np.allclose(loaded.predict(X), model.predict_proba(X)[:, 1], atol=1e-6)
    assert hogwild.load(loaded.to_bytes()).to_bytes() == loaded.to_bytes()


def test_a_repeated_fit_gives_the_same_bits_on_one_thread(data):
    X, y, _ = data
    one, other = (hogwild.LinearClassifier(n_jobs=1, random_state=8).fit(X, y) for _ in range(2))
    assert np.array_equal(one.coef_, other.coef_) and one.learning_rate_ == other.learning_rate_
    free = hogwild.LinearClassifier(n_jobs=1).fit(X, y)
    again = hogwild.LinearClassifier(n_jobs=1, random_state=free.seed_).fit(X, y)
    assert np.array_equal(free.coef_, again.coef_)


def test_few_rows_are_learnt_alike_by_any_number_of_jobs():
    X, y, _ = rows(900)
    one, two = (hogwild.LinearClassifier(n_jobs=jobs, random_state=8, learning_rate=0.3).fit(X, y) for jobs in (1, 2))
    assert np.array_equal(one.coef_, two.coef_)


def test_text_is_read_and_bad_text_is_named(tmp_path):
    (tmp_path / "bad.svm").write_text("1 3:0.5 8:1\n-1 7:abc\n")
    with pytest.raises(hogwild.BadDataError, match=r"bad.svm:2:4: the value is no number: `7:abc`"):
        hogwild.Rows.open(tmp_path / "bad.svm")
    (tmp_path / "table.csv").write_text("label,site,age\n1,a,3\n0,b,4\n1,a,5\n")
    model = hogwild.train(hogwild.Rows.open(tmp_path / "table.csv"), lr=0.1).model
    assert set(model.ids("feature")) == {"site=a", "site=b", "age"}
    (tmp_path / "ratings.tsv").write_text("ann\tAlien\t5\nbob\tBrazil\t3\nann\tBrazil\t4\n")
    assert hogwild.Ratings.open(tmp_path / "ratings.tsv").shape == (2, 2)
    with pytest.raises(FileNotFoundError):
        hogwild.Rows.open(tmp_path / "nowhere.svm")
