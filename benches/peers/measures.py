"""The arithmetic of the comparison, over runs as the workers give them: points of epoch, seconds, loss, second metric."""
import math
import statistics


def best_loss(points):
    """The least held-out loss; infinite where none was measured."""
    return min((point["loss"] for point in points if point["loss"] is not None), default=math.inf)


def second_at_best(points):
    """The second metric where the held-out loss is least; of runs without losses the highest."""
    loss = best_loss(points)
    untold = max((point["second"] for point in points if point["second"] is not None), default=None)
    return next((point["second"] for point in points if point["loss"] == loss), untold)


def seconds_an_epoch(run):
    """From the first point to the last one, so that a system's setting up is not counted; with one point, or points of runs of
    their own, the last one's share of an epoch."""
    first, last = run["points"][0], run["points"][-1]
    if last["epoch"] > first["epoch"] and not run["restarted"]:
        return (last["seconds"] - first["seconds"]) / (last["epoch"] - first["epoch"])
    return last["seconds"] / last["epoch"]


def seconds_to(points, loss):
    """Seconds of training up to the first point with at most this held-out loss; infinite where it is not reached."""
    return min((point["seconds"] for point in points if point["loss"] is not None and point["loss"] <= loss), default=math.inf)


def median_seconds_to(runs, loss):
    """Over the rounds; infinite where most of them miss it."""
    return statistics.median_low(seconds_to(run["points"], loss) for run in runs)


def typical(runs):
    """The round of median best loss (of two: of the lower one)."""
    return sorted(runs, key=lambda run: best_loss(run["points"]))[(len(runs) - 1) // 2]


def chosen(runs):
    """The run of the best held-out loss; where no run has a loss, that of the best second metric; None where none has a point."""
    usable = [run for run in runs if run["points"]]
    worth = lambda run: (best_loss(run["points"]), -(second_at_best(run["points"]) or 0))
    return min(usable, key=worth, default=None)


def summary(runs, target=None):
    """Medians over the rounds of one system on one number of threads."""
    points = typical(runs)["points"]
    best = best_loss(points)
    to_target = None if target is None else median_seconds_to(runs, target)
    return {
        "epoch_seconds": statistics.median_low(seconds_an_epoch(run) for run in runs),
        "best_loss": best if math.isfinite(best) else None,
        "second": second_at_best(points),
        "seconds_to_best": median_seconds_to(runs, best) if math.isfinite(best) else None,
        "seconds_to_target": to_target if to_target is not None and math.isfinite(to_target) else None,
        "memory_mb": statistics.median_low(run["memory_mb"] for run in runs),
        "epochs": max(run["points"][-1]["epoch"] for run in runs),
        "cut": any(run["cut"] for run in runs),
    }


def times_sooner(peer_runs, our_runs, slack=0.0):
    """The peer's time to its best loss (or to within a share of it) over ours to the same loss; infinite time of ours gives 0.

    `peer_runs` are its rounds for each number of threads: the best loss is that of all, the time that of the soonest there.
    """
    loss = min(best_loss(typical(runs)["points"]) for runs in peer_runs) * (1 + slack)
    if not math.isfinite(loss):
        return None
    theirs, ours = min(median_seconds_to(runs, loss) for runs in peer_runs), median_seconds_to(our_runs, loss)
    return theirs / ours if ours else None
