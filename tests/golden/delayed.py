"""The section "delayed" of rules.json: steps by gradients of weights as they were some steps before. It needs NumPy alone."""

import numpy as np
import problems
import rules_numpy

STEPS, MARKS = 50, (1, 3, 10, 50)


def delay(t):
    """How many steps were taken between the reading of the weights and step t: 0 to 5, and no more than there were."""
    return min(7 * t % 13 % 6, t - 1)


def run(rule, width, gradient, settings):
    """Weights and state after the steps in MARKS: {"weights": {step: [width]}, "states": {step: [3 x width]}}."""
    w, s = np.zeros(width), np.full((3, width), settings["initial"])
    past = [(w, s.copy())]
    taken = {"weights": {}, "states": {}}
    for t in range(1, STEPS + 1):
        w_read, s_read = past[t - 1 - delay(t)]
        w = rule(w, gradient(w_read, t), t, s, s_read=s_read, **settings)
        past.append((w, s.copy()))
        if t in MARKS:
            taken["weights"][str(t)] = w.tolist()
            taken["states"][str(t)] = s.tolist()
    return taken


def section():
    features, labels = problems.dense()
    x, y = np.array(features), np.array(labels)
    gradient = lambda w, t: problems.gradient(w, x[(t - 1) % len(y)], y[(t - 1) % len(y)])
    runs = []
    for name, lr in (("adaptive_revision", 0.2), ("adaptive_revision_fast", 2.0)):
        settings = {"lr": lr, "initial": 1.0}
        taken = run(rules_numpy.adaptive_revision, len(features[0]), gradient, settings)
        runs.append({"name": name, "rule": "adaptive_revision", "source": "paper equations (numpy)", "settings": settings, **taken})
    return {"steps": STEPS, "delays": [delay(t) for t in range(1, STEPS + 1)], "runs": runs}
