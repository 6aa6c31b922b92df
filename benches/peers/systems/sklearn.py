"""scikit-learn: SGDClassifier by epochs, LogisticRegression (L-BFGS) by iterations. Of several classes, by saga as well."""
from .base import System, restarts, step_by_step


def sgd(data, setting, threads, epochs, curve):
    import numpy
    from sklearn.linear_model import SGDClassifier

    matrix, labels = data.matrix("train"), data.rows("train").labels
    order = numpy.random.RandomState(0)  # a plain number would shuffle each epoch alike
    model = SGDClassifier(loss="log_loss", random_state=order, **setting)
    step = lambda: model.partial_fit(matrix, labels, classes=[-1, 1])
    step_by_step(step, lambda: model.decision_function(data.matrix("test")), epochs, curve)


def lbfgs(data, setting, threads, epochs, curve):
    import warnings

    from sklearn.linear_model import LogisticRegression

    warnings.simplefilter("ignore")  # that it has not converged yet is the point
    matrix, labels = data.matrix("train"), data.rows("train").labels
    fit = lambda count: LogisticRegression(solver="lbfgs", tol=1e-9, max_iter=count, **setting).fit(matrix, labels)
    restarts(fit, lambda model: model.decision_function(data.matrix("test")), [5, 10, 20, 40, 80], curve)


def sgd_of_classes(data, setting, threads, epochs, curve):
    """Each class against the rest; a row's probabilities are divided by their sum."""
    import numpy
    from sklearn.linear_model import SGDClassifier

    matrix, labels = data.matrix("train"), data.classes("train")
    model = SGDClassifier(loss="log_loss", random_state=numpy.random.RandomState(0), n_jobs=threads, **setting)
    step = lambda: model.partial_fit(matrix, labels, classes=numpy.unique(labels))
    step_by_step(step, lambda: model.predict_proba(data.matrix("test")), epochs, curve)


def multinomial(solver, counts):
    def train(data, setting, threads, epochs, curve):
        import warnings

        from sklearn.linear_model import LogisticRegression

        warnings.simplefilter("ignore")  # that it has not converged yet is the point
        matrix, labels = data.matrix("train"), data.classes("train")
        fit = lambda count: LogisticRegression(solver=solver, tol=1e-9, max_iter=count, random_state=0, **setting).fit(matrix, labels)
        restarts(fit, lambda model: model.predict_proba(data.matrix("test")), counts, curve)

    return train


def load(path, data, threads):
    from sklearn.datasets import load_svmlight_file

    load_svmlight_file(path, dtype="float32")


SGD = [{"learning_rate": "constant", "penalty": None, "eta0": rate} for rate in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)]
SGD += [{"learning_rate": "optimal", "alpha": alpha} for alpha in (1e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4)]
C = [{"C": c} for c in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)]
SYSTEMS = [
    System("scikit-learn SGD", "rows", SGD, sgd, "scikit-learn", "sklearn", load=load),
    System("scikit-learn L-BFGS", "rows", C, lbfgs, "scikit-learn", "sklearn", load=load, note="an epoch is an iteration of L-BFGS"),
]
OF_CLASSES = [{"C": c} for c in (1.0, 10.0, 100.0, 1000.0)]
SYSTEMS += [
    System("scikit-learn SGD", "classes", SGD, sgd_of_classes, "scikit-learn", "sklearn", threaded=True, note="one-vs-rest"),
    System("scikit-learn saga", "classes", OF_CLASSES, multinomial("saga", [2, 4, 8, 16]), "scikit-learn", "sklearn"),
    System(
        "scikit-learn L-BFGS", "classes", OF_CLASSES, multinomial("lbfgs", [10, 20, 40]), "scikit-learn", "sklearn",
        note="an epoch is an iteration of L-BFGS",
    ),
]
