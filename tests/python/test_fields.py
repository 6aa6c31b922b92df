"""Field-aware machines: fields given, read from names, or those of a table; the same model as the command's."""

import json
import pickle
import subprocess
import sys

import hogwild
import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.pipeline import make_pipeline

SETTINGS = dict(learning_rate=0.2, epochs=20, random_state=1, n_jobs=1)


def pairs_of_categories(count=4000):
    """Two columns of categories; what is clicked goes by pairs, which no linear model sees."""
    random = np.random.RandomState(3)
    site, ad = random.randint(10, size=count), random.randint(8, size=count)
    likes = np.where((site + ad) % 2, 1, -1)
    X = sp.csr_matrix((np.ones(2 * count), np.column_stack([site, 10 + ad]).ravel(), np.arange(0, 2 * count + 1, 2)), (count, 18))
    return X, likes, site, ad


FIELDS = ["site"] * 10 + ["ad"] * 8


def test_pairs_are_learnt_by_fields():
    X, y, _, _ = pairs_of_categories()
    model = hogwild.FieldAwareClassifier(fields=FIELDS, **SETTINGS).fit(X[:3000], y[:3000])
    assert model.score(X[3000:], y[3000:]) > 0.95 and hogwild.LinearClassifier(**SETTINGS).fit(X[:3000], y[:3000]).score(X[3000:], y[3000:]) < 0.7
    assert list(model.fields_) == FIELDS and model.models_[0].tensor("factor").shape == (18, 2, 4)
    assert np.allclose(model.decision_function(X), model.models_[0].scores(hogwild.Rows(model._rows(X, y, None))), atol=1e-5)
    assert np.array_equal(model.decision_function(X), model.set_params(n_jobs=2).decision_function(X))


def test_fields_are_those_of_a_table_and_of_names(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    X, y, site, ad = pairs_of_categories()
    table = pandas.DataFrame({"site": [f"s{i}" for i in site], "ad": [f"a{i}" for i in ad]})
    piped = make_pipeline(hogwild.TableEncoder(), hogwild.FieldAwareClassifier(**SETTINGS)).fit(table[:3000], y[:3000])
    assert piped.score(table[3000:], y[3000:]) > 0.95 and sorted(set(piped[1].fields_)) == ["ad", "site"]
    names = [f"site=s{i}" for i in range(10)] + [f"ad=a{i}" for i in range(8)]
    named = hogwild.FieldAwareClassifier(**SETTINGS).fit(pandas.DataFrame(X.toarray(), columns=names), y)
    assert list(named.fields_) == FIELDS
    given = hogwild.FieldAwareClassifier(fields=FIELDS, **SETTINGS).fit(X, y)
    assert np.array_equal(given.decision_function(X), named.decision_function(pandas.DataFrame(X.toarray(), columns=names)))
    named.save(tmp_path / "named.safetensors")
    assert np.allclose(hogwild.load(tmp_path / "named.safetensors").predict(X, names=names), given.predict_proba(X)[:, 1], atol=1e-6)


def test_the_command_learns_and_scores_the_same(tmp_path):
    X, y, site, ad = pairs_of_categories(1000)
    lines = (f"{label} 0:{s}:1 1:{10 + a}:1\n" for label, s, a in zip(y, site, ad))
    (tmp_path / "rows.ffm").write_text("".join(lines))
    words = "train rows.ffm --model ffm --lr 0.2 --epochs 20 --seed 1 --threads 1 --out command.safetensors --no-cache".split()
    told = subprocess.run([sys.executable, "-m", "hogwild", *words], cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    command = hogwild.load(tmp_path / "command.safetensors")
    model = hogwild.FieldAwareClassifier(fields=[0] * 10 + [1] * 8, **SETTINGS).fit(X, y)
    assert command.family == "ffm" and np.allclose(command.scores(X), model.decision_function(X), atol=1e-4)
    model.save(tmp_path / "mine.safetensors")
    told = subprocess.run([sys.executable, "-m", "hogwild", "predict", "mine.safetensors", "rows.ffm", "--no-cache"], cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert np.allclose([float(line.split()[0]) for line in told.stdout.splitlines()], model.predict_proba(X)[:, 1], atol=1e-4)


def test_names_of_classes_are_in_the_file(tmp_path):
    X, y, _, _ = pairs_of_categories(1000)
    words = np.where(y > 0, "yes", "no")
    path = tmp_path / "words.safetensors"
    for estimator in (hogwild.FieldAwareClassifier(fields=FIELDS, **SETTINGS), hogwild.FactorizationMachineClassifier(rank=4, **SETTINGS)):
        estimator.fit(X, words).save(path)
        model = hogwild.load(path)
        assert model.classes == estimator.classes_.tolist() == ["no", "yes"]
        assert pickle.loads(pickle.dumps(model)).classes == ["no", "yes"]
        assert np.array_equal(np.asarray(model.classes)[(model.scores(X) > 0).astype(int)], estimator.predict(X))
        told = subprocess.run([sys.executable, "-m", "hogwild", "inspect", str(path), "--json"], capture_output=True, text=True)
        assert json.loads(told.stdout)["class_names"] == ["no", "yes"], told.stderr
        assert hogwild.load(estimator.fit(X, 3 + y).to_model().to_bytes()).classes == [2, 4]
    linear = hogwild.LinearClassifier(**SETTINGS)
    assert linear.fit(X, words).to_model().classes == ["no", "yes"] and linear.fit(X, y).to_model().classes == [-1, 1]
    assert hogwild.LinearRegressor(**SETTINGS).fit(X, y).to_model().classes is None
    # So are those that the command read.
    lines = (f"{word},s{row.indices[0]},a{row.indices[1]}\n" for word, row in zip(words, X))
    (tmp_path / "rows.csv").write_text("label,site,ad\n" + "".join(lines))
    train = "train rows.csv --model fm --lr 0.2 --seed 1 --threads 1 --out command.safetensors --no-cache".split()
    told = subprocess.run([sys.executable, "-m", "hogwild", *train], cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    assert hogwild.load(tmp_path / "command.safetensors").classes == ["no", "yes"]


def test_wrong_fields_are_named():
    X, y, _, _ = pairs_of_categories(100)
    with pytest.raises(ValueError, match="fields: there are 2, and X has 18 columns; give the field of each column"):
        hogwild.FieldAwareClassifier(fields=["a", "b"]).fit(X, y)
    with pytest.raises(ValueError, match="fields: have 2 dimensions; give a list"):
        hogwild.FieldAwareClassifier(fields=np.zeros((18, 1))).fit(X, y)
    wide = sp.csr_matrix(([1.0, 1.0], ([0, 1], [0, 70_000])), (2, 70_001))
    with pytest.raises(ValueError, match="fields: there are 70001, and 65535 are the most"), pytest.warns(UserWarning, match="fields"):
        hogwild.FieldAwareClassifier().fit(wide, [0, 1])
    with pytest.raises(hogwild.BadSettingError, match="`rank` 0"):
        hogwild.FieldAwareClassifier(rank=0, fields=FIELDS).fit(X, y)


def test_without_any_fields_it_warns_and_goes_on():
    pandas = pytest.importorskip("pandas")
    X, y, _, _ = pairs_of_categories(200)
    with pytest.warns(UserWarning, match="nothing says which columns are of one field") as warned:
        model = hogwild.FieldAwareClassifier(**SETTINGS).fit(X, y)
    assert len(set(model.fields_)) == 18 and warned[0].filename == __file__
    # A column with that name is no list of fields.
    frame = pandas.DataFrame({"fields": X.toarray()[:, 0], "site=a": X.toarray()[:, 1]})
    assert list(hogwild.FieldAwareClassifier(**SETTINGS).fit(frame, y).fields_) == ["fields", "site"]
