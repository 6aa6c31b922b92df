"""Tables of every kind become the same matrix: numbers as values, texts as features."""

import pickle

import hogwild
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

pyarrow = pytest.importorskip("pyarrow")
pandas = pytest.importorskip("pandas")

COLUMNS = {"site": ["a", "b", None, "a", ""], "age": [3.0, None, 0.5, 0.0, 2.0], "is_new": [True, False, True, None, True], "n": [1, 2, 3, 4, 0]}
NAMES = ["site=a", "site=b", "site=", "age", "is_new=true", "is_new=false", "n"]
EXPECTED = [[1, 0, 0, 3, 1, 0, 1], [0, 1, 0, 0, 0, 1, 2], [0, 0, 0, 0.5, 1, 0, 3], [1, 0, 0, 0, 0, 0, 4], [0, 0, 1, 2, 1, 0, 0]]


def tables():
    yield pyarrow.table(COLUMNS)
    yield pandas.DataFrame(COLUMNS)
    yield pandas.DataFrame(COLUMNS).astype({"site": "category"})[["site", "age", "is_new", "n"]]
    yield COLUMNS
    polars = pytest.importorskip("polars")
    yield polars.DataFrame(COLUMNS)
    yield pyarrow.concat_tables([pyarrow.table(COLUMNS).slice(0, 2), pyarrow.table(COLUMNS).slice(2)])
    yield pyarrow.table({**COLUMNS, "site": pyarrow.array(COLUMNS["site"]).dictionary_encode()})


@pytest.mark.parametrize("number", range(7))
def test_tables_are_alike(number):
    table = list(tables())[number]
    encoder = hogwild.TableEncoder()
    matrix = encoder.fit_transform(table)
    names = encoder.get_feature_names_out().tolist()
    # Categories of pandas are ordered by text; what a feature is its name says.
    assert sorted(names) == sorted(NAMES) and matrix.has_sorted_indices
    assert matrix.toarray()[:, [names.index(name) for name in NAMES]].tolist() == EXPECTED
    assert (encoder.transform(table) != matrix).nnz == 0 and encoder.unknown_ == 0


def test_unknown_texts_are_no_features_and_are_counted():
    encoder = hogwild.TableEncoder(ignore="n").fit(pandas.DataFrame(COLUMNS))
    other = pandas.DataFrame({"age": [1.0, 2.0], "site": ["zzz", "b"], "is_new": [True, None], "more": ["x", "y"]})
    matrix = encoder.transform(other)
    assert matrix.toarray().tolist() == [[0, 0, 0, 1, 1, 0], [0, 1, 0, 2, 0, 0]] and encoder.unknown_ == 1


def test_wrong_tables_are_named():
    encoder = hogwild.TableEncoder().fit(pandas.DataFrame(COLUMNS))
    with pytest.raises(ValueError, match="the column 'age' is missing"):
        encoder.transform(pandas.DataFrame({"site": ["a"]}))
    with pytest.raises(ValueError, match="'age' had numbers in fit and has text here"):
        encoder.transform(pandas.DataFrame({**COLUMNS, "age": ["x"] * 5}))
    with pytest.raises(TypeError, match="'when' is of the type list"):
        hogwild.TableEncoder().fit(pyarrow.table({"when": [[1, 2], [3]]}))
    with pytest.raises(TypeError, match="give a table"):
        hogwild.TableEncoder().fit([1, 2])


def test_in_a_pipeline_with_names_in_the_model(tmp_path):
    random = np.random.RandomState(0)
    table = pandas.DataFrame({"ad": random.choice(["x", "y", "z"], 3000), "hour": random.randint(1, 24, 3000).astype(float)})
    clicked = np.where(random.rand(3000) < np.where(table["ad"] == "y", 0.8, 0.2), 1, 0)
    model = make_pipeline(hogwild.TableEncoder(), hogwild.LinearClassifier(random_state=1, n_jobs=1)).fit(table, clicked)
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.predict_proba(table), model.predict_proba(table))
    assert model.score(table, clicked) > 0.7
    names = model[0].get_feature_names_out()
    assert names[model[1].weights(1)[0][0]] == "ad=y" or model[1].coef_[0][list(names).index("ad=y")] > 0
    assert clone(model).fit(table, clicked).score(table, clicked) == model.score(table, clicked)


def test_parquet_is_a_table(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(COLUMNS), tmp_path / "t.parquet")
    assert hogwild.TableEncoder().fit_transform(parquet.read_table(tmp_path / "t.parquet")).toarray().tolist() == EXPECTED


def test_the_index_of_a_frame_is_no_feature():
    frame = pandas.DataFrame(COLUMNS)
    some = hogwild.TableEncoder().fit(frame.iloc[[0, 2, 3]])
    assert some.feature_names_in_.tolist() == list(COLUMNS) and some.transform(frame.iloc[[4, 1]]).shape[0] == 2
    assert not any("index" in name for name in some.get_feature_names_out())
