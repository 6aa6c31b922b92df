"""Learning that goes on: what is kept from call to call, and what a call costs."""

import pickle
import sys
import threading

import hogwild
import numpy as np
import pytest
import scipy.sparse as sp
from conftest import rows


@pytest.mark.parametrize("rule, rate", [("adagrad", 0.5), ("adam", 0.02), ("ftrl", 0.5), ("sgd", 0.3), ("rmsprop", 0.01), ("momentum", 0.05)])
def test_batches_are_learnt_as_a_whole_is(rule, rate, data):
    X, y, _ = data
    settings = dict(rule=rule, learning_rate=rate, shuffle=False, random_state=1)
    whole = hogwild.LinearClassifier(**settings).partial_fit(X, y, classes=[-1, 1])
    parts = hogwild.LinearClassifier(**settings)
    for start in range(0, 3000, 500):
        parts.partial_fit(X[start : start + 500], y[start : start + 500], classes=[-1, 1])
        parts = pickle.loads(pickle.dumps(parts))
    assert np.array_equal(whole.coef_, parts.coef_) and np.array_equal(whole.intercept_, parts.intercept_)
    epoch = hogwild.LinearClassifier(**settings, epochs=1, n_jobs=1, normalize="none", settings={"standardize": False}).fit(X, y)
    assert np.allclose(whole.coef_, epoch.coef_, atol=1e-4)


def test_a_step_is_that_of_the_textbook(data):
    X, y, _ = data
    model = hogwild.LinearClassifier(rule="sgd", learning_rate=0.5, shuffle=False).partial_fit(X, y, classes=[-1, 1])
    w, bias = np.zeros(400), 0.0
    for row in range(3000):
        cells = slice(X.indptr[row], X.indptr[row + 1])
        columns, values = X.indices[cells], X.data[cells]
        slope = -y[row] / (1 + np.exp(y[row] * (bias + w[columns] @ values)))
        w[columns] -= 0.5 * slope * values
        bias -= 0.5 * slope
    assert np.allclose(model.coef_[0], w, atol=1e-4) and abs(model.intercept_[0] - bias) < 1e-4


def test_factors_go_on():
    random = np.random.RandomState(0)
    X = random.randint(2, size=(4000, 2)).astype(float)
    y = (X[:, 0] != X[:, 1]).astype(int)
    settings = dict(rank=4, learning_rate=0.3, random_state=1, shuffle=False)
    whole = hogwild.FactorizationMachineClassifier(**settings).partial_fit(X[:400], y[:400], classes=[0, 1])
    parts = hogwild.FactorizationMachineClassifier(**settings)
    for start in range(0, 400, 100):
        # The factors start by the rows of the first call.
        parts.partial_fit(X[start : start + 100], y[start : start + 100], classes=[0, 1])
        parts = pickle.loads(pickle.dumps(parts))
    assert parts.n_iter_ == 4 and np.allclose(whole.decision_function(X), parts.decision_function(X), atol=0.05)
    for _ in range(20):
        whole.partial_fit(X, y)
    assert whole.score(X, y) == 1.0
    fitted = hogwild.FactorizationMachineClassifier(**settings, n_jobs=1, epochs=30).fit(X, y)
    before = fitted.decision_function(X)
    assert np.allclose(fitted.partial_fit(X[:1], y[:1]).decision_function(X), before, atol=0.2) and fitted.score(X, y) == 1.0
    numbers = hogwild.FactorizationMachineRegressor(**settings)
    for _ in range(20):
        numbers.partial_fit(X, 100 + 10.0 * y)
    assert numbers.score(X, 100 + 10.0 * y) > 0.95
    three = np.array(["a", "b", "c"])[(X[:, 0] + 2 * X[:, 1]).astype(int) % 3]
    several = hogwild.FactorizationMachineClassifier(**settings)
    for _ in range(10):
        several.partial_fit(X, three, classes=["a", "b", "c"])
    assert several.score(X, three) > 0.95 and len(several.models_) == 3
    with pytest.raises(ValueError, match="rank: what was learnt before has 4 factors"):
        hogwild.FactorizationMachineClassifier(**settings, epochs=1).fit(X, y).set_params(rank=8).partial_fit(X, y)
    for rank in (3, 8):
        with pytest.raises(ValueError, match="rank: what was learnt before has 4 factors"):
            pickle.loads(pickle.dumps(fitted)).set_params(rank=rank).partial_fit(X, y)


def test_numbers_are_learnt_in_their_unit(data):
    X, _, scores = data
    y = 1000 + 50 * scores
    model = hogwild.LinearRegressor(learning_rate=0.5, random_state=1)
    for _ in range(10):
        for start in range(0, 3000, 500):
            model.partial_fit(X[start : start + 500], y[start : start + 500])
    assert model.coef_.shape == (400,) and model.score(X, y) > 0.95


def test_it_goes_on_from_a_fit(data):
    X, y, _ = data
    model = hogwild.LinearClassifier(learning_rate=0.5, random_state=1, n_jobs=1).fit(X, y)
    before = model.coef_.copy()
    model.partial_fit(X[:1], y[:1])
    moved = np.flatnonzero(model.coef_[0] != before[0])
    assert set(moved) <= set(X[0].indices) and len(moved)
    with pytest.raises(hogwild.BadSettingError, match="`rule` ftrl"):
        hogwild.LinearClassifier(rule="ftrl", learning_rate=0.5).fit(X, y).partial_fit(X, y)


def test_weights_are_those_of_repeated_rows_and_none_is_no_row(data):
    X, y, _ = data
    weights = np.ones(3000)
    weights[5:20] = 0
    settings = dict(rule="sgd", learning_rate=0.1, shuffle=False, random_state=1)
    weighted = hogwild.LinearClassifier(**settings).partial_fit(X, y, classes=[-1, 1], sample_weight=weights)
    kept = weights > 0
    without = hogwild.LinearClassifier(**settings).partial_fit(X[kept], y[kept], classes=[-1, 1])
    assert np.array_equal(weighted.coef_, without.coef_)
    # A weight is what multiplies the gradient, whatever other rows weigh: a step of weight 2 is one at twice the rate.
    twice = hogwild.LinearClassifier(**settings).partial_fit(X[:1], y[:1], classes=[-1, 1], sample_weight=[2.0])
    faster = hogwild.LinearClassifier(**{**settings, "learning_rate": 0.2}).partial_fit(X[:1], y[:1], classes=[-1, 1])
    assert np.allclose(twice.coef_, faster.coef_, atol=1e-7)


def test_classes_are_named_first_and_kept():
    X, _, scores = rows()
    y = np.digitize(scores, [-1, 1])
    with pytest.raises(ValueError, match="the first call"):
        hogwild.LinearClassifier().partial_fit(X, y)
    model = hogwild.LinearClassifier(learning_rate=0.5, random_state=1)
    for start in range(0, 3000, 300):
        model.partial_fit(X[start : start + 300], y[start : start + 300], classes=[0, 1, 2])
    assert model.coef_.shape == (3, 400) and model.score(X, y) > 0.6
    with pytest.raises(ValueError, match="not those of the first call"):
        model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match="row 0 has the class 9"):
        model.partial_fit(X[:1], [9])


@pytest.mark.parametrize("setting, value", [("average", True), ("schedule", "linear"), ("normalize", "std"), ("rule", "yellowfin")])
def test_what_goes_by_a_whole_run_is_refused(setting, value, data):
    X, y, _ = data
    with pytest.raises(hogwild.BadSettingError, match=f"`{setting}`"):
        hogwild.LinearClassifier(**{setting: value}).partial_fit(X, y, classes=[-1, 1])


def test_what_is_assigned_is_gone_on_from(data):
    X, y, _ = data
    model = hogwild.LinearClassifier(rule="sgd", learning_rate=0.1, random_state=1).partial_fit(X, y, classes=[-1, 1])
    intercept, coef = model.intercept_.copy(), model.coef_ * 2
    other = pickle.loads(pickle.dumps(model))
    other.coef_ = coef
    assert np.array_equal(other.intercept_, intercept)
    other.partial_fit(X[:1], y[:1])
    moved = np.flatnonzero(other.coef_[0] != coef[0])
    assert len(moved) and set(moved) <= set(X[0].indices)
    for one in (model, pickle.loads(pickle.dumps(model))):
        with pytest.raises(ValueError, match="read-only"):
            one.coef_[0, 0] = 1.0
    other = hogwild.LinearClassifier(random_state=1, learning_rate=0.5).fit(X, y)
    other.coef_[:] = 0
    assert np.array_equal(other.decision_function(X), np.full(3000, other.intercept_[0]))


def test_parameters_that_are_set_between_calls_count(data):
    X, y, _ = data
    model = hogwild.LinearClassifier(rule="sgd", learning_rate=0.1, random_state=1).partial_fit(X, y, classes=[-1, 1])
    still = pickle.loads(pickle.dumps(model)).set_params(learning_rate=1e-12).partial_fit(X, y)
    assert np.allclose(still.coef_, model.coef_, atol=1e-6) and still.learning_rate_ == pytest.approx(1e-12)
    adam = hogwild.LinearClassifier(rule="adam", learning_rate=0.1, random_state=1).partial_fit(X, y, classes=[-1, 1])
    slower, twin = (pickle.loads(pickle.dumps(adam)) for _ in range(2))
    slower.set_params(learning_rate=0.05).partial_fit(X, y).set_params(learning_rate=0.1)
    assert not np.allclose(slower.coef_, twin.partial_fit(X, y).coef_, atol=1e-4)
    before = model.coef_.copy()
    model.set_params(rule="adagrad").partial_fit(X[:1], y[:1])
    moved = np.flatnonzero(model.coef_[0] != before[0])
    assert len(moved) and set(moved) <= set(X[0].indices)
    with pytest.raises(hogwild.BadSettingError, match="`learning_rate` -1"):
        model.set_params(learning_rate=-1).partial_fit(X, y)


def test_other_threads_predict_while_it_learns(data):
    X, y, _ = data
    model = hogwild.LinearClassifier(learning_rate=0.1, random_state=1).partial_fit(X, y, classes=[-1, 1])
    wrong, over = [], threading.Event()

    def predict():
        while not over.is_set():
            try:
                if model.predict(X[:5]).shape != (5,) or model.coef_.shape != (1, 400) or model.intercept_.shape != (1,):
                    wrong.append("shape")
            except Exception as error:
                wrong.append(error)

    readers = [threading.Thread(target=predict) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns within a statement
    try:
        [reader.start() for reader in readers]
        for _ in range(500):
            model.partial_fit(X[:20], y[:20])
    finally:
        over.set()
        [reader.join() for reader in readers]
        sys.setswitchinterval(interval)
    assert not wrong, wrong[:3]


def test_rows_that_all_weigh_nothing_change_nothing(data):
    X, y, _ = data
    model = hogwild.LinearClassifier(learning_rate=0.1, random_state=1).partial_fit(X, y, classes=[-1, 1])
    before = model.coef_.copy()
    model.partial_fit(X, y, sample_weight=np.zeros(3000))
    assert np.array_equal(model.coef_, before) and model.n_iter_ == 1
    positive = model.set_params(class_weight={-1: 0.0}).partial_fit(X[y < 0], y[y < 0])
    assert np.array_equal(positive.coef_, before)
    first = hogwild.LinearClassifier(learning_rate=0.1, random_state=1).partial_fit(X, y, classes=[-1, 1], sample_weight=np.zeros(3000))
    assert first.partial_fit(X, y, classes=[-1, 1]).n_iter_ == 1
    numbers = hogwild.LinearRegressor(learning_rate=0.1).partial_fit(X, y)
    kept = numbers.coef_.copy()
    assert np.array_equal(numbers.partial_fit(X, y, sample_weight=np.zeros(3000)).coef_, kept)


def test_errors_of_the_first_call_name_parameters(data):
    X, y, _ = data
    with pytest.raises(hogwild.BadSettingError, match="`learning_rate` -1") as error:
        hogwild.LinearClassifier(learning_rate=-1.0).partial_fit(X, y, classes=[-1, 1])
    assert error.value.setting == "learning_rate"


def test_factors_stay_by_their_rate(data):
    X, y, _ = data
    settings = dict(rank=4, learning_rate=0.1, random_state=1)
    model = hogwild.FactorizationMachineClassifier(**settings, settings={"factor_rate": 0.5}).partial_fit(X, y, classes=[-1, 1])
    before = model.decision_function(X)
    for other in ({"factor_rate": 0.25}, None):
        with pytest.raises(hogwild.BadSettingError, match="`factor_rate` .* learnt at 0.5"):
            pickle.loads(pickle.dumps(model)).set_params(settings=other).partial_fit(X[:1], y[:1])
    # With another loss the rule's state is a new one, and the factors are put as that rate has them.
    model.set_params(settings={"factor_rate": 0.25}, loss="squared-hinge", learning_rate=1e-9).partial_fit(X[:1], y[:1])
    assert np.allclose(model.decision_function(X), before, atol=1e-5)


def test_rows_of_any_number_of_classes_are_learnt_column_by_column(data):
    X, y, scores = data
    Y = np.column_stack([y > 0, scores > 1, scores < -1]).astype(int)
    settings = dict(learning_rate=0.5, random_state=1)
    model = hogwild.LinearClassifier(**settings)
    for start in range(0, 3000, 1000):
        part = slice(start, start + 1000)
        assert model.partial_fit(X[part], sp.csr_matrix(Y[part]) if start else Y[part], sample_weight=np.ones(1000)) is model
    assert model.multilabel_ and model.classes_.tolist() == [0, 1, 2] and model.predict(X).shape == Y.shape
    for label in range(3):
        alone = hogwild.LinearClassifier(**settings)
        for start in range(0, 3000, 1000):
            alone.partial_fit(X[start : start + 1000], Y[start : start + 1000, label], classes=[0, 1])
        assert np.array_equal(model.coef_[label], alone.coef_[0])
    assert (model.predict(X) == Y).mean() > 0.9 and np.allclose(hogwild.load(model.to_model().to_bytes()).scores(X), model.decision_function(X))
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again.partial_fit(X[:9], Y[:9]).coef_, model.partial_fit(X[:9], Y[:9]).coef_)
    # From a fit, too, which learns all in one pass.
    fitted = hogwild.LinearClassifier(**settings, n_jobs=1).fit(X, Y)
    before = fitted.coef_.copy()
    assert set(np.flatnonzero((fitted.partial_fit(X[:1], Y[:1]).coef_ != before).any(axis=0))) <= set(X[0].indices)


def test_rows_of_any_number_of_classes_are_not_those_of_one(data):
    X, y, _ = data
    Y = np.column_stack([y > 0, y < 0]).astype(int)
    sets = hogwild.LinearClassifier(learning_rate=0.1).partial_fit(X, Y)
    for wrong in ((y > 0).astype(int), Y[:, :1], Y[:5]):
        with pytest.raises(ValueError, match="y: has the shape|inconsistent numbers of samples"):
            sets.partial_fit(X, wrong)
    with pytest.raises(ValueError, match="y: has the value 2; give 0 and 1"):
        sets.partial_fit(X, 2 * Y)
    with pytest.raises(ValueError, match="classes: .* are not the columns of y, 0 to 1"):
        sets.partial_fit(X, Y, classes=["a", "b"])
    with pytest.raises(ValueError, match="what was learnt before one"):
        hogwild.LinearClassifier(learning_rate=0.1).partial_fit(X, y, classes=[-1, 1]).partial_fit(X, Y)
    with pytest.raises(ValueError, match="class_weight: is of rows with one class each"):
        hogwild.LinearClassifier(class_weight={0: 2.0}).partial_fit(X, Y)
    assert not hasattr(hogwild.FieldAwareClassifier(), "partial_fit")


def test_a_first_call_that_fails_leaves_nothing(data):
    X, y, _ = data
    Y = np.column_stack([y > 0, y < 0]).astype(int)
    model = hogwild.LinearClassifier(learning_rate=-1.0, random_state=1)
    with pytest.raises(hogwild.BadSettingError, match="`learning_rate` -1"):
        model.partial_fit(X, Y)
    model.set_params(learning_rate=0.1).partial_fit(X, y, classes=[-1, 1])
    assert not model.multilabel_ and model.classes_.tolist() == [-1, 1] and model.predict(X).shape == y.shape
    model = hogwild.LinearClassifier(learning_rate=-1.0, random_state=1)
    with pytest.raises(hogwild.BadSettingError, match="`learning_rate` -1"):
        model.partial_fit(X, y, classes=[-1, 1])
    model.set_params(learning_rate=0.1).partial_fit(X, Y)
    assert model.multilabel_ and model.classes_.tolist() == [0, 1] and model.predict(X).shape == Y.shape
