"""The course of a training run: points of (epoch, seconds of training, held-out loss, second metric). Evaluation is outside of its
clock.
"""
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
        """A point whose held-out scores are given, as METRICS has them, or None where they say nothing."""
        self.add_measured(epoch, *((None, None) if scores is None else METRICS[self.data.task](scores, self.data)))

    def add_measured(self, epoch, loss, second):
        """A point that was evaluated elsewhere."""
        usable = lambda x: None if x is None or not math.isfinite(x) else float(x)
        self.spent = self.spent + self.seconds if self.restarted else self.seconds
        self.epoch = epoch
        self.points.append({"epoch": epoch, "seconds": self.seconds, "loss": usable(loss), "second": usable(second)})
        if self.spent > self.budget:
            raise BudgetSpent


def two_classes(scores, data):
    """Log-loss and AUC of log odds against labels -1 and 1."""
    import numpy

    truth, scores = data.rows("test").labels, numpy.asarray(scores, "float64").ravel()
    loss = numpy.logaddexp(0, -truth * scores).mean()
    _, place, count = numpy.unique(scores, return_inverse=True, return_counts=True)
    rank = (numpy.cumsum(count) - (count - 1) / 2)[place]  # equal scores share a rank
    positive = truth > 0
    p, n = positive.sum(), (~positive).sum()
    return loss, (rank[positive].sum() - p * (p + 1) / 2) / (p * n) if p and n else math.nan


def classes(scores, data):
    """Log-loss and accuracy of probabilities, a row an example and a column a class. Classes are numbers from 0."""
    import numpy

    truth, scores = data.classes("test"), numpy.asarray(scores, "float64")
    known = truth < scores.shape[1]
    own = scores[numpy.flatnonzero(known), truth[known]]  # a class that training did not have is an error and has no loss
    return -numpy.log(numpy.maximum(own, 1e-15)).mean(), (scores.argmax(1) == truth).mean()


def ratings(scores, data):
    """RMSE of ratings."""
    import numpy

    return math.sqrt(numpy.mean((numpy.asarray(scores, "float64").ravel() - data.ratings("test").rating) ** 2)), None


def interactions(factors, data, at=20):
    """1 - NDCG and recall of the best items of each user but for those of training. `factors` are those of users, of items, and the
    biases of items."""
    import numpy

    users, items, biases = factors
    seen, held_out = data.by_user("train"), data.by_user("test")
    gains = 1 / numpy.log2(numpy.arange(at) + 2)
    asked = numpy.flatnonzero(numpy.diff(held_out.indptr))
    ndcg, recall = [], []
    for block in numpy.array_split(asked, 1 + len(asked) // 512):
        scores = users[block] @ items.T + biases
        known = seen[block]
        scores[numpy.repeat(numpy.arange(len(block)), numpy.diff(known.indptr)), known.indices] = -numpy.inf
        best = numpy.argpartition(scores, -at, 1)[:, -at:]
        order = numpy.argsort(-numpy.take_along_axis(scores, best, 1), 1, kind="stable")
        best = numpy.take_along_axis(best, order, 1)
        for user, listed in zip(block, best):
            wanted = held_out.indices[held_out.indptr[user] : held_out.indptr[user + 1]]
            hits = numpy.isin(listed, wanted)
            ndcg.append(gains[hits].sum() / gains[: len(wanted)].sum())
            recall.append(hits.sum() / len(wanted))
    return 1 - numpy.mean(ndcg), numpy.mean(recall)


# What `add` makes of scores, by task: (loss, second metric).
METRICS = {"rows": two_classes, "fm": two_classes, "ffm": two_classes, "classes": classes, "ratings": ratings, "interactions": interactions}
