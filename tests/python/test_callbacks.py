"""Who follows a run: told of each epoch, heard when it says stop, and its exceptions come out."""

import ctypes
import json

import hogwild
import numpy as np
import pytest
from conftest import rows
from hogwild import _hogwild
from sklearn.exceptions import NotFittedError


def test_a_function_is_told_and_stops_the_run(data):
    X, y, _ = data
    seen = []

    def until(report):
        seen.append(report["epoch"])
        return report["epoch"] == 3

    run = hogwild.train(hogwild.Rows.from_matrix(X, y), lr=0.5, epochs=10, callbacks=[until])
    assert seen == [1, 2, 3] and run.ended == "stopped" and len(run.epochs) == 3 and run.model is not None


def test_what_a_callback_raises_comes_out_and_the_model_stays(data):
    X, y, _ = data

    class Failure(Exception):
        pass

    def fails(report):
        if report["epoch"] == 2:
            raise Failure("mine")

    model = hogwild.LinearClassifier(learning_rate=0.5, epochs=10, callbacks=[fails], random_state=0)
    with pytest.raises(Failure, match="mine"):
        model.fit(X, y)
    assert model.n_iter_ == 2 and model.score(X, y) > 0.7


@pytest.mark.parametrize("settings", [{}, {"multi_class": "softmax"}, {"l1": 1e-6}])
def test_of_several_classes_all_stay_or_none(settings):
    X, _, scores = rows()
    y = np.digitize(scores, [-1, 1])

    def fails(report):
        if report["epoch"] == 2:
            raise KeyboardInterrupt

    model = hogwild.LinearClassifier(learning_rate=0.5, epochs=5, random_state=0, **settings).fit(X, y > 0)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callbacks=[fails]).fit(X, y)
    if "l1" in settings:
        with pytest.raises(NotFittedError):
            model.predict(X)
    else:
        assert model.coef_.shape == (3, 400) and model.score(X, y) > 0.6


def test_a_late_interrupt_keeps_the_model(data):
    X, y, _ = data
    # As a signal between the last epoch and the end of the run: no code of Python runs between.
    late = ctypes.pythonapi.PyErr_SetInterrupt
    late.argtypes, late.restype = [ctypes.py_object, ctypes.py_object], None
    run, error = _hogwild.train(hogwild.Rows.from_matrix(X, y)._inner, None, None, {"lr": 0.5, "epochs": 1}, late)
    assert isinstance(error, KeyboardInterrupt) and run.model is not None

    class Ends(hogwild.Callback):
        def on_train_end(self, run):
            raise KeyboardInterrupt

    model = hogwild.LinearClassifier(learning_rate=0.5, callbacks=[Ends()])
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert model.n_iter_ == 5 and model.score(X, y) > 0.7


def test_callbacks_of_the_package(data, tmp_path, capfd):
    X, y, _ = data
    log = tmp_path / "log.jsonl"
    stopping = hogwild.EarlyStopping(patience=2, min_delta=10.0)
    callbacks = [stopping, hogwild.JsonLog(log), hogwild.ProgressBar()]
    run = hogwild.train(hogwild.Rows.from_matrix(X, y), epochs=10, callbacks=callbacks, holdout=0.2)
    told = [json.loads(line) for line in log.read_text().splitlines()]
    assert [report["epoch"] for report in told] == [1, 2, 3] and run.ended == "stopped"
    assert "epoch 3  loss" in capfd.readouterr().err
    assert run.rate_search is not None and run.rate_search["chosen"] == run.settings["lr"]


def test_all_methods_are_called(data):
    X, y, _ = data
    calls = []

    class Mine(hogwild.Callback):
        def on_train_begin(self, settings):
            calls.append(("begin", settings["lr"]))

        def on_train_end(self, run):
            calls.append(("end", run.ended))

    hogwild.LinearClassifier(learning_rate=0.5, callbacks=[Mine()]).fit(X, y)
    assert calls == [("begin", 0.5), ("end", "finished")]


def test_a_run_is_drawn(data):
    pytest.importorskip("matplotlib").use("Agg")
    X, y, _ = data
    axes = hogwild.train(hogwild.Rows.from_matrix(X, y), lr=0.5, holdout=0.2).plot()
    assert [line.get_label() for line in axes.lines] == ["training", "held out"]


def test_settings_are_those_of_the_library():
    settings = {setting["name"]: setting for setting in hogwild.settings()}
    assert settings["epochs"]["default"] == "5" and "adagrad" in settings["rule"]["choices"]
    with pytest.raises(TypeError):
        hogwild.train()


def test_callbacks_of_scikit_learn(data):
    callback = pytest.importorskip("sklearn.callback")
    X, y, scores = data
    calls = []

    class Mine:
        def setup(self, estimator, context):
            calls.append("setup")

        def teardown(self, estimator, context):
            calls.append("teardown")

        def on_fit_task_begin(self, estimator, context):
            calls.append(f"{context.task_name} {context.task_id} begins")

        def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
            calls.append(f"{context.task_name} {context.task_id} ends, {fitted_estimator.score(X, y) > 0.6}")
            return context.task_name == "epoch" and context.task_id == 1

    model = hogwild.LinearClassifier(learning_rate=0.5, epochs=5, random_state=0).set_callbacks(Mine()).fit(X, y)
    epochs = [f"epoch {i} {what}" for i in (0, 1) for what in ("begins", "ends, True")]
    assert calls == ["setup", "fit 0 begins", *epochs, "fit 0 ends, True", "teardown"] and model.n_iter_ == 2
    for kind, target in [(hogwild.LinearRegressor, scores), (hogwild.FactorizationMachineClassifier, y), (hogwild.LinearClassifier, np.digitize(scores, [-1, 1]))]:
        monitor = callback.ScoringMonitor(scoring="r2" if target is scores else "accuracy")
        kind(epochs=3, random_state=0).set_callbacks(monitor).fit(X, target)
        assert len(monitor.get_logs().data) >= 3

    class Fails(Mine):
        def on_fit_task_end(self, estimator, context):
            raise KeyError("mine")

    model.set_callbacks(Fails())
    with pytest.raises(KeyError, match="mine"):
        model.fit(X, y)
    assert calls[-1] == "teardown" and model.score(X, y) > 0.6 and "_tasks" not in model.__dict__
