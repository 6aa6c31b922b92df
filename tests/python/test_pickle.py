"""What is pickled comes back as it was, and is plain: models as the bytes of their files, estimators as arrays."""

import copy
import pickle

import hogwild
import numpy as np
import pytest
from conftest import rows


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it)), lambda it: pickle.loads(pickle.dumps(it, 2))])
def test_estimators(copied, data):
    X, y, scores = data
    for model, target in [
        (hogwild.LinearClassifier(random_state=0), y),
        (hogwild.LinearRegressor(random_state=0), scores),
        (hogwild.FactorizationMachineClassifier(random_state=0, rank=2), y),
        (hogwild.FactorizationMachineRegressor(random_state=0, rank=2), scores),
    ]:
        assert np.array_equal(copied(model.fit(X, target)).predict(X), model.predict(X))
    partial = hogwild.LinearClassifier(random_state=0, rule="adam", learning_rate=0.1).partial_fit(X, y, classes=[-1, 1])
    other = copied(partial)
    assert np.array_equal(other.partial_fit(X, y).coef_, partial.partial_fit(X, y).coef_)


def test_models_and_errors(data):
    X, y, _ = data
    model = hogwild.train(hogwild.Rows.from_matrix(X, y), lr=0.5).model
    assert pickle.loads(pickle.dumps(model)).to_bytes() == model.to_bytes()
    error = pickle.loads(pickle.dumps(hogwild.BadSettingError("wrong", "lr")))
    assert (str(error), error.setting) == ("wrong", "lr")


def test_damaged_bytes_are_refused(data):
    X, y, _ = data
    whole = hogwild.train(hogwild.Rows.from_matrix(X, y), lr=0.5).model.to_bytes()
    for damaged in (b"", b"nonsense", whole[:-1], whole[:-9] + b"x" + whole[-8:]):
        with pytest.raises(hogwild.BadDataError, match="a model in memory"):
            hogwild.load(damaged)
    with pytest.raises(FileNotFoundError):
        hogwild.load("/nonexistent/model.safetensors")


def test_names_of_features_go_into_the_file(tmp_path):
    pandas = pytest.importorskip("pandas")
    X, y, _ = rows(500, 6)
    table = pandas.DataFrame(X.toarray(), columns=["a", "b", "c", "d", "e", "f"])
    for model in (hogwild.LinearClassifier(random_state=0), hogwild.FactorizationMachineClassifier(random_state=0, rank=2)):
        model.fit(table, y)
        model.save(tmp_path / "m.safetensors")
        assert set(hogwild.load(tmp_path / "m.safetensors").ids("feature")) == set("abcdef")
        with pytest.raises(ValueError, match="feature names"):
            model.predict(table[["b", "a", "c", "d", "e", "f"]])
        loaded = hogwild.load(tmp_path / "m.safetensors")
        expected = model.decision_function(table)
        assert np.allclose(loaded.scores(table), expected, atol=1e-5)
        assert np.allclose(loaded.scores(table[["f", "e", "a", "b", "c", "d"]].assign(other=1.0)), expected, atol=1e-5)
        assert np.allclose(loaded.scores(X, names=list("abcdef")), expected, atol=1e-5)
        with pytest.raises(hogwild.BadDataError, match="give a data frame, or names="):
            loaded.scores(X)
        with pytest.raises(hogwild.BadDataError, match="there are 2, and X has 6 columns"):
            loaded.predict(X, names=["a", "b"])
        with pytest.raises(hogwild.BadDataError, match="'a' is there twice"):
            loaded.predict(X, names=list("abcdea"))
    assert [name for name, _ in hogwild.LinearClassifier(random_state=0).fit(table, y).weights(2)][0] in "abcdef"


def test_names_of_two_classes_go_into_the_file(data, tmp_path):
    X, y, _ = data
    model = hogwild.LinearClassifier(random_state=0).fit(X, np.where(y > 0, "good", "bad"))
    model.save(tmp_path / "m.safetensors")
    loaded = hogwild.load(tmp_path / "m.safetensors")
    assert loaded.ids("class") == ["bad", "good"]
    assert np.allclose(loaded.scores(X)[:, 1], model.decision_function(X), atol=1e-5)
    assert np.allclose(loaded.predict(X), model.predict_proba(X), atol=1e-5)


def test_data_sets_say_that_they_are_not_pickled(data, triples):
    X, y, _ = data
    with pytest.raises(TypeError, match="pickle the matrix"):
        pickle.dumps(hogwild.Rows.from_matrix(X, y))
    with pytest.raises(TypeError, match="pickle the arrays"):
        pickle.dumps(hogwild.Ratings.from_arrays(triples[0][:, 0], triples[0][:, 1], triples[1]))
