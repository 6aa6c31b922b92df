"""scikit-learn's own checks of estimators, and its tools around ours."""

import pickle

import hogwild
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import rows
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

LINEAR = (hogwild.LinearClassifier, hogwild.LinearRegressor)
MACHINES = (hogwild.FactorizationMachineClassifier, hogwild.FactorizationMachineRegressor, hogwild.FieldAwareClassifier)
#: Those that scikit-learn exempts its own SGDClassifier and SGDRegressor from: steps by example are not steps by weight.
EXEMPT = {f"check_sample_weight_equivalence_on_{kind}_data": "steps in random order" for kind in ("dense", "sparse")}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("rule", ["adagrad", "sgd", "adam", "ftrl", "rmsprop"])
@pytest.mark.parametrize("kind", LINEAR)
def test_linear_models_pass_the_checks_of_estimators(kind, rule, n_jobs):
    exempt = dict(EXEMPT)
    if rule == "ftrl":
        exempt["check_fit_score_takes_y"] = "it begins at weights, which ftrl can't"
    check_estimator(kind(rule=rule, n_jobs=n_jobs), expected_failed_checks=exempt, on_skip=None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("kind", MACHINES)
def test_factorization_machines_pass_the_checks_of_estimators(kind, n_jobs):
    check_estimator(kind(n_jobs=n_jobs), expected_failed_checks=EXEMPT, on_skip=None)


def test_in_a_pipeline_and_a_grid():
    texts = ["good fine great", "bad awful poor", "great good", "poor bad"] * 40
    classes = ["+", "-", "+", "-"] * 40
    pipeline = make_pipeline(TfidfVectorizer(), hogwild.LinearClassifier(random_state=0))
    grid = GridSearchCV(pipeline, {"linearclassifier__l2": [0.0, 1e-4]}, cv=2, n_jobs=2).fit(texts, classes)
    assert grid.best_score_ == 1.0
    assert list(grid.predict(["fine", "awful"])) == ["+", "-"]


def test_calibration_cross_validation_and_one_against_the_rest(data):
    X, y, _ = data
    model = hogwild.LinearClassifier(loss="hinge", random_state=0, learning_rate=0.5)
    assert not hasattr(model, "predict_proba")
    assert CalibratedClassifierCV(model, cv=2).fit(X, y).predict_proba(X).shape == (3000, 2)
    assert cross_val_score(clone(model), X, y, cv=3).min() > 0.7
    assert OneVsRestClassifier(model).fit(X, y).score(X, y) > 0.8


@pytest.mark.parametrize("settings", [{}, {"multi_class": "softmax"}, {"l1": 1e-6}, {"loss": "hinge"}])
def test_several_classes(settings, tmp_path):
    X, _, scores = rows()
    y = np.array(["low", "middle", "high"])[np.digitize(scores, [-1, 1])]
    model = hogwild.LinearClassifier(random_state=0, learning_rate=0.5, n_jobs=1, epochs=10, **settings).fit(X, y)
    assert model.coef_.shape == (3, 400) and model.decision_function(X).shape == (3000, 3)
    assert model.score(X, y) > 0.7 and list(model.classes_) == ["high", "low", "middle"]
    if "loss" not in settings:
        assert np.allclose(model.predict_proba(X).sum(axis=1), 1)
    held_out = hogwild.LinearClassifier(random_state=0, epochs=5, **settings).fit(X[:2000], y[:2000], eval_set=(X[2000:], y[2000:]))
    assert "valid" in np.ravel(held_out.history_)[0]
    model.save(tmp_path / "m.safetensors")
    loaded = hogwild.load(tmp_path / "m.safetensors")
    assert loaded.ids("class") == ["high", "low", "middle"]
    assert np.allclose(loaded.scores(X), model.decision_function(X), atol=1e-5)
    if settings == {"multi_class": "softmax"}:
        assert np.allclose(loaded.predict(X), model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(
    "classes, names",
    [
        ([1000001, 1000002, 1000003], ["1000001", "1000002", "1000003"]),
        (np.array([0.0, 1.0, 1e7]), ["0", "1", "10000000"]),
        (np.array([0.0, 1.0, 2.0], dtype=np.float32), ["0", "1", "2"]),
    ],
)
def test_numbers_of_several_classes_are_texts_in_the_file(classes, names):
    X, _, scores = rows()
    y = np.asarray(classes)[np.digitize(scores, [-1, 1])]
    model = hogwild.LinearClassifier(random_state=0, learning_rate=0.5, n_jobs=1).fit(X, y)
    assert model.classes_.tolist() == list(classes) and hogwild.load(model.to_model().to_bytes()).classes == names


@pytest.mark.parametrize("labels", [(-1.0, 1.0), (False, True), (1, 2), (0.5, 1.5)])
def test_two_numbers_are_classes_where_they_are_whole(labels):
    from hogwild._kinds import classes_of

    y = np.array(labels)[[1, 0, 0, 1, 1]]
    if 0.5 in labels:
        with pytest.raises(ValueError, match="continuous"):
            classes_of(y)
        return
    classes, indices = classes_of(y)
    assert classes.dtype == y.dtype and classes.tolist() == list(labels) and indices.tolist() == [1, 0, 0, 1, 1]


def test_rows_with_any_number_of_classes(tmp_path):
    X, _, scores = rows()
    y = np.column_stack([scores > 0, scores > 1, scores < -1, np.zeros(3000, bool)]).astype(int)
    settings = dict(random_state=0, learning_rate=0.5, n_jobs=1, epochs=10)
    model = hogwild.LinearClassifier(**settings).fit(X, y, eval_set=(X[:500], y[:500]))
    assert model.predict(X).shape == y.shape and (model.predict(X) == y).mean() > 0.9 and model.score(X, y) > 0.6
    assert model.predict_proba(X).shape == y.shape and model.predict_proba(X)[:, 3].max() < 1e-3  # of 3000 rows none has it
    assert list(model.classes_) == [0, 1, 2, 3] and "valid" in model.history_[0]
    one = hogwild.LinearClassifier(**settings).fit(X, y[:, 1])
    agree = (one.predict(X) == model.predict(X)[:, 1]).mean()
    assert agree > 0.97
    model.save(tmp_path / "m.safetensors")
    assert np.allclose(hogwild.load(tmp_path / "m.safetensors").scores(X), model.decision_function(X), atol=1e-5)
    assert pickle.loads(pickle.dumps(model)).predict(X[:5]).tolist() == model.predict(X[:5]).tolist()
    sparse = hogwild.LinearClassifier(**settings).fit(X, sp.csr_matrix(y), eval_set=(X[:500], sp.csr_matrix(y[:500])))
    assert np.array_equal(sparse.coef_, model.coef_)
    assert model.fit(X, scores > 0).predict(X[:3]).shape == (3,)
    for wrong, problem in [({"multi_class": "softmax"}, "multi_class ovr"), ({"l1": 1e-6}, "without l1"), ({"class_weight": "balanced"}, "class_weight")]:
        with pytest.raises(ValueError, match=problem):
            hogwild.LinearClassifier(**wrong).fit(X, y)
    with pytest.raises(ValueError, match="are not the columns of y"):
        hogwild.LinearClassifier().partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="eval_set: y has the shape"):
        hogwild.LinearClassifier().fit(X, y, eval_set=(X, y[:, :2]))
    for low, high in [(-1, 1), (1, 2), (0, 2)]:
        wrong = np.where(y > 0, high, low)
        value = next(each for each in (low, high) if each not in (0, 1))
        with pytest.raises(ValueError, match=f"^y: has the value {value}; give 0 and 1"):
            hogwild.LinearClassifier().fit(X, wrong)
        with pytest.raises(ValueError, match=f"eval_set: y: has the value {value}; give 0 and 1"):
            hogwild.LinearClassifier(**settings).fit(X, y, eval_set=(X, wrong))
    with pytest.raises(ValueError, match="NaN"):
        hogwild.LinearClassifier().fit(X, np.where(y > 0, np.nan, 1.0))
    with pytest.raises(ValueError, match="eval_set: y: has the value nan"):
        hogwild.LinearClassifier(**settings).fit(X, y, eval_set=(X, np.where(y > 0, np.nan, 1.0)))


@pytest.mark.parametrize("loss", ["logistic", "hinge", "squared-hinge", "modified-huber", "focal"])
def test_classes_that_no_row_or_each_has(loss):
    X, _, scores = rows(1000)
    settings = dict(random_state=0, learning_rate=0.1, n_jobs=1, loss=loss)
    for has in ([True, False], [False, False], [True, True]):
        y = np.tile(np.array(has, dtype=int), (1000, 1))
        if not any(has):
            y[0, 0] = 0
        model = hogwild.LinearClassifier(**settings).fit(X, y)
        assert np.isfinite(model.decision_function(X)).all() and np.array_equal(model.predict(X), y), (has, loss)
    y = np.column_stack([scores > 0, np.zeros(1000, bool), scores < 0]).astype(int)
    warm = hogwild.LinearClassifier(**settings, warm_start=True).fit(X, y)
    assert warm.fit(X, y).coef_.shape == (3, 400) and not warm.predict(X)[:, 1].any()


@pytest.mark.filterwarnings("ignore:.*loses more than a constant")
@pytest.mark.parametrize("normalize", ["none", "max-abs", "row"])
@pytest.mark.parametrize("rule", ["adagrad", "sgd", "adam", "ftrl", "rmsprop", "momentum"])
def test_without_intercept(rule, normalize):
    X, y, scores = rows(1000)
    settings = dict(fit_intercept=False, rule=rule, learning_rate=0.02, n_jobs=1, random_state=0, normalize=normalize)
    three = np.digitize(scores, [-1, 1])
    for kind, target, more in [
        (hogwild.LinearClassifier, y, {}),
        (hogwild.LinearClassifier, three, {}),
        (hogwild.LinearClassifier, three, {"multi_class": "softmax"}),
        (hogwild.LinearRegressor, scores + 100, {}),
    ]:
        if more and rule not in ("adagrad", "sgd", "adam"):
            continue
        model = kind(**settings, **more).fit(X, target)
        assert not np.any(model.intercept_) and np.any(model.coef_)
        assert not np.any(np.ravel(model._scores(X[:1] * 0)))
    batch = hogwild.LinearClassifier(**{**settings, "batch_size": 64}).fit(X, y)
    assert not np.any(batch.intercept_) and batch.score(X, y) > 0.6
    if normalize != "max-abs":
        parts = hogwild.LinearClassifier(**settings).partial_fit(X, y, classes=[-1, 1])
        assert not np.any(parts.intercept_) and np.any(parts.coef_)
    with pytest.raises(hogwild.BadSettingError, match="`bias` false"):
        hogwild.FactorizationMachineClassifier(settings={"bias": False}).fit(X, y)


def test_without_intercept_the_optimum_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    X, y, _ = rows(500, 20)
    settings = dict(batch_size="full", epochs=3000, learning_rate=1.0, n_jobs=1, random_state=0, normalize="none")
    model = hogwild.LinearClassifier(fit_intercept=False, l2=0.01, **settings).fit(X, y)
    theirs = LogisticRegression(C=1 / (0.01 * 500), fit_intercept=False, tol=1e-8).fit(X, y)
    assert np.abs(model.coef_ - theirs.coef_).max() < 5e-3


def test_a_warm_start_goes_on():
    X, y, scores = rows()
    three = np.digitize(scores, [-1, 1])
    settings = dict(random_state=0, n_jobs=1, rule="sgd", shuffle=False)
    for kind, target, more in [
        (hogwild.LinearClassifier, y, {}),
        (hogwild.LinearClassifier, y, {"normalize": "max-abs"}),
        (hogwild.LinearClassifier, three, {}),
        (hogwild.LinearClassifier, three, {"multi_class": "softmax"}),
        (hogwild.LinearClassifier, three, {"l1": 1e-9}),
        (hogwild.LinearRegressor, 50 + 10 * scores, {}),
    ]:
        whole = kind(**settings, **more, epochs=6, learning_rate=0.05, schedule="constant").fit(X, target)
        parts = kind(**settings, **more, epochs=3, learning_rate=0.05, schedule="constant", warm_start=True).fit(X, target).fit(X, target)
        scale = np.abs(whole.coef_).max()
        assert np.allclose(whole.coef_, parts.coef_, atol=1e-4 * scale), (kind, more)
        assert np.allclose(whole.intercept_, parts.intercept_, atol=1e-3 * scale), (kind, more)
    model = hogwild.LinearClassifier(warm_start=True, random_state=0).fit(X, y)
    rate, cold = model.learning_rate_, model.history_[0]["loss"]
    assert model.fit(X, y).learning_rate_ == rate and model.history_[0]["loss"] < 0.7 * cold
    with pytest.raises(ValueError, match="warm_start: the classes were"):
        model.fit(X, three)
    # Where other columns have values than before, those before stay.
    halves = hogwild.LinearClassifier(warm_start=True, random_state=0, n_jobs=1)
    parts = [sp.csr_matrix(X.multiply((np.arange(400) < 200) == first)) for first in (True, False)]
    first = halves.fit(parts[0], y).coef_.copy()
    assert np.allclose(halves.fit(parts[1], y).coef_[0, :200], first[0, :200])
    with pytest.raises(hogwild.BadSettingError, match="`rule` ftrl"):
        hogwild.LinearClassifier(warm_start=True, rule="ftrl", learning_rate=0.1).fit(X, y).fit(X, y)


def test_a_warm_start_is_of_the_same_kind():
    X, y, scores = rows()
    three = np.digitize(scores, [-1, 1])
    settings = dict(warm_start=True, random_state=0, n_jobs=1)
    for change in ({"rule": "sgd"}, {"batch_size": 64}, {"normalize": "max-abs"}):
        model = hogwild.LinearClassifier(**settings).fit(X, y)
        model.learning_rate_ = 1e-7
        assert model.fit(X, y).learning_rate_ == pytest.approx(1e-7)
        assert model.set_params(**change).fit(X, y).learning_rate_ > 1e-6, change
    with pytest.raises(ValueError, match="warm_start: loss was logistic before, and is hinge now"):
        hogwild.LinearClassifier(**settings).fit(X, y).set_params(loss="hinge").fit(X, y)
    with pytest.raises(ValueError, match="warm_start: multi_class was ovr before, and is softmax now"):
        hogwild.LinearClassifier(**settings).fit(X, three).set_params(multi_class="softmax").fit(X, three)
    with pytest.raises(hogwild.BadDataError, match="takes rows as they are, and this run takes them of length 1"):
        hogwild.LinearClassifier(**settings, normalize="none").fit(X, y).set_params(normalize="row").fit(X, y)
    sets = np.eye(3, dtype=int)[three]
    with pytest.raises(ValueError, match="rows had one class before, and have any number now"):
        hogwild.LinearClassifier(**settings).fit(X, three).fit(X, sets)
    with pytest.raises(ValueError, match="rows had any number of classes before, and have one now"):
        hogwild.LinearClassifier(**settings).fit(X, sets).fit(X, three)


def test_softmax_is_that_of_the_textbook():
    X, _, scores = rows(300, 20)
    y = np.digitize(scores, [-1, 1])
    settings = dict(batch_size="full", epochs=400, learning_rate=0.5, n_jobs=1, random_state=0, l2=0.05)
    model = hogwild.LinearClassifier(multi_class="softmax", **settings).fit(X, y)
    error = model.predict_proba(X) - np.eye(3)[y]
    assert np.abs((X.T @ error).T / 300 + 0.05 * model.coef_).max() < 2e-3  # the gradient at the optimum
    with pytest.raises(ValueError, match="each class against the rest"):
        model.partial_fit(X, y)


def test_metadata_is_routed(data):
    import sklearn

    X, y, _ = data
    with sklearn.config_context(enable_metadata_routing=True):
        model = hogwild.LinearClassifier(random_state=0, learning_rate=0.5).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        scores = cross_val_score(model, X, y, params={"sample_weight": np.ones(len(y))}, cv=2)
    assert scores.min() > 0.7


def test_early_stopping_keeps_the_best_epoch(data):
    X, y, _ = data
    model = hogwild.LinearClassifier(learning_rate=20.0, epochs=50, early_stopping=True, n_iter_no_change=2, n_jobs=1, random_state=0)
    model.fit(X, y)
    losses = [epoch["valid"]["loss"] for epoch in model.history_]
    assert model.ended_ == "stopped early" and model.n_iter_ == len(losses) < 50
    assert model.best_epoch_ == 1 + int(np.argmin(losses)) == model.n_iter_ - 2
    with_set = hogwild.LinearClassifier(learning_rate=20.0, epochs=50, early_stopping=True, n_jobs=1, random_state=0)
    with_set.fit(X[:2500], y[:2500], eval_set=(X[2500:], y[2500:]))
    assert with_set.ended_ == "stopped early" and "auc" in with_set.history_[0]["valid"]


def test_errors_name_parameters(data):
    X, y, _ = data
    with pytest.raises(hogwild.BadSettingError, match="`learning_rate` -1: must be a number above 0") as error:
        hogwild.LinearClassifier(learning_rate=-1.0).fit(X, y)
    assert error.value.setting == "learning_rate"
    with pytest.raises(hogwild.BadSettingError, match="no such setting"):
        hogwild.LinearClassifier(settings={"nonsense": 1}).fit(X, y)
    with pytest.raises(ValueError, match="settings: lr is a parameter of its own; give learning_rate"):
        hogwild.LinearClassifier(settings={"lr": 1}).fit(X, y)
    with pytest.raises(ValueError, match="is a loss of numbers"):
        hogwild.LinearClassifier(loss="squared").fit(X, y)
    with pytest.raises(hogwild.DivergedError, match="try `learning_rate`"):
        hogwild.LinearRegressor(learning_rate=1e30, rule="sgd").fit(X, y)
    with pytest.warns(ConvergenceWarning, match="loses more than a constant") as warned:
        far = dict(fit_intercept=False, rule="momentum", learning_rate=0.02, n_jobs=1, random_state=0, normalize="none")
        hogwild.LinearRegressor(**far).fit(X[:1000], data[2][:1000] + 100)
    assert warned[0].filename == __file__
    with pytest.raises(ValueError, match="eval_set: row 0 has the class 7"):
        hogwild.LinearClassifier().fit(X, y, eval_set=(X[:3], [7, 1, 1]))
    with pytest.raises(ValueError, match="settings: rank is a parameter of its own; give rank"):
        hogwild.FactorizationMachineClassifier(settings={"rank": 4}).fit(X, y)
    for wrong in ([(X, y), (X, y)], [], "nonsense", X):
        with pytest.raises(ValueError, match="eval_set: is to be one held-out set"):
            hogwild.LinearClassifier().fit(X, y, eval_set=wrong)


def test_held_out_rows_may_be_in_a_list(data):
    X, y, scores = data
    for kind, target in [(hogwild.LinearClassifier, y), (hogwild.LinearRegressor, scores)]:
        settings = dict(learning_rate=0.1, random_state=0, n_jobs=1, epochs=2)
        pair, listed = (kind(**settings).fit(X, target, eval_set=given) for given in ((X, target), [(X, target)]))
        assert pair.history_[-1]["valid"]["loss"] == listed.history_[-1]["valid"]["loss"]


def test_truth_values_may_be_of_numpy(data):
    X, y, _ = data
    settings = dict(learning_rate=0.1, random_state=0, n_jobs=1, epochs=2)
    given = hogwild.LinearClassifier(average=True, shuffle=False, settings={"standardize": False}, **settings).fit(X, y)
    same = hogwild.LinearClassifier(average=np.True_, shuffle=np.False_, settings={"standardize": np.False_}, **settings).fit(X, y)
    assert np.array_equal(given.coef_, same.coef_)
    assert not np.array_equal(given.coef_, hogwild.LinearClassifier(average=np.False_, **settings).fit(X, y).coef_)


@pytest.mark.parametrize("kind", LINEAR + MACHINES)
def test_a_fit_that_fails_is_none(kind, data):
    X, y, scores = data
    model = kind(random_state=0, learning_rate=0.1).fit(X, y if "Classifier" in kind.__name__ else scores)
    with pytest.raises(hogwild.BadSettingError):
        model.set_params(learning_rate=-1.0).fit(X[:, :50], y)
    with pytest.raises(NotFittedError):
        model.predict(X)
