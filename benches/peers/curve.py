"""The course of a training run: points of (epoch, seconds of training, held-out loss, AUC). Evaluation is outside of its clock."""
import contextlib
import math
import time


class BudgetSpent(Exception):
    """The run has used its seconds: what it has is its result."""


class Curve:
    def __init__(self, data, budget, choosing=False):
        self.data, self.budget = data, budget
        self.choosing = choosing  # losses count and times do not
        self.points, self.seconds, self.epoch = [], 0.0, 0
        self.spent = 0.0  # over all restarts
        self.restarted = False  # each point is of a run of its own, and its seconds are from the start of that

    @contextlib.contextmanager
    def clock(self):
        start = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - start

    def check_budget(self, epoch):
        """Whether a run of so many epochs still fits, as the points so far tell."""
        if self.points:
            last = self.points[-1]
            if self.spent + last["seconds"] * epoch / last["epoch"] > self.budget:
                raise BudgetSpent

    def add(self, epoch, scores):
        """A point whose held-out scores are given (log odds, or ratings), or None where they say nothing."""
        self.add_measured(epoch, *((None, None) if scores is None else metrics(self.data.task, scores, self.data.truth())))

    def add_measured(self, epoch, loss, auc):
        """A point that was evaluated elsewhere."""
        usable = lambda x: None if x is None or not math.isfinite(x) else float(x)
        self.spent = self.spent + self.seconds if self.restarted else self.seconds
        self.epoch = epoch
        self.points.append({"epoch": epoch, "seconds": self.seconds, "loss": usable(loss), "auc": usable(auc)})
        if self.spent > self.budget:
            raise BudgetSpent


def metrics(task, scores, truth):
    """Log-loss and AUC of log odds against labels -1 and 1; RMSE of ratings."""
    import numpy

    scores = numpy.asarray(scores, "float64").ravel()
    if task == "ratings":
        return math.sqrt(numpy.mean((scores - truth) ** 2)), None
    loss = numpy.logaddexp(0, -truth * scores).mean()
    _, place, count = numpy.unique(scores, return_inverse=True, return_counts=True)
    rank = (numpy.cumsum(count) - (count - 1) / 2)[place]  # equal scores share a rank
    positive = truth > 0
    p, n = positive.sum(), (~positive).sum()
    return loss, (rank[positive].sum() - p * (p + 1) / 2) / (p * n) if p and n else math.nan
