"""River's logistic regression, which takes one example (a dictionary) at a time."""
from .base import System, step_by_step


def train(data, setting, threads, epochs, curve):
    import numpy
    from river import linear_model, optim

    rows = data.rows("train")
    start, columns, values = rows.row_start.tolist(), rows.column.tolist(), rows.value.tolist()
    examples = [(dict(zip(columns[a:b], values[a:b])), label > 0) for a, b, label in zip(start, start[1:], rows.labels.tolist())]
    order = numpy.random.default_rng(0)
    model = linear_model.LogisticRegression(optimizer=optim.SGD(setting["lr"]), intercept_lr=setting["lr"])

    def step():
        for i in order.permutation(len(examples)).tolist():
            model.learn_one(*examples[i])

    def scores():
        weights = numpy.zeros(data.width)
        learned = dict(model.weights)
        weights[list(learned)] = list(learned.values())
        return data.matrix("test") @ weights + model.intercept

    step_by_step(step, scores, epochs, curve)


SYSTEMS = [System("River", "rows", [{"lr": rate} for rate in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)], train, "river", "river")]
