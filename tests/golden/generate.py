"""Writes rules.json beside this file: logistic regression by every update rule, batch 1, float64, weights from zero.

Run with Debian's python3-torch (`apt-get install python3-torch`, then `/usr/bin/python3 generate.py`) or requirements.txt. Rules
that PyTorch has come from torch.optim, the others from rules_numpy.py; problems.py makes the data of the last three sections.

rules.json:
- "examples": [{"x": [4 numbers], "y": +1 or -1}], "runs": [{"rule", "lr", "initial", "epsilon",
  "steps": {"3": {"w": [4 numbers], "b": number}, "50": ...}}]: loss ln(1 + e^(-y z)), z = b + w.x, examples in order.
- "dense": {"steps": 50, "features": [20 x 5], "labels": [20], "runs": [{"name", "rule", "source", "settings": {"lr", ...},
  "weights": {"1": [5], "3", "10", "50"}}]}: no bias, step t takes example (t - 1) mod 20; yellowfin has "momentum" and "rate"
  like "weights".
- "sparse": {"note", "steps": 60, "width": 12, "columns": [30 rows], "values", "labels", "runs": as above, weights after 10 and 60}:
  lazy rules, the state of a feature moves only when the feature occurs, the step's number t counts all examples.
- "delayed": {"steps", "delays": [50], "runs": as in dense, and "states": {step: [3 x 5]}} on the data of "dense": step t goes by the
  gradient of the weights as they were delays[t - 1] steps before it, from delayed.py.
- "catch_up": {"runs"} on the data of "sparse": dense rules, every velocity decays and moves its weight at every step.
"""

import json
import pathlib
import random
import re

import delayed
import numpy as np
import problems
import rules_numpy
import torch

# NAdam keeps its product of momenta in the default type.
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


def biased_runs():
    """The sections "examples" and "runs": 4 features and a bias."""
    random.seed(1)
    examples = []
    for _ in range(50):
        x = [round(random.gauss(0, 1), 2) for _ in range(4)]
        examples.append({"x": x, "y": 1 if x[0] - x[2] + 0.3 * random.gauss(0, 1) > 0 else -1})

    def run(make):
        w = torch.zeros(4, requires_grad=True)
        b = torch.zeros((), requires_grad=True)
        optimizer = make([w, b])
        steps = {}
        for t, example in enumerate(examples, 1):
            optimizer.zero_grad()
            z = b + w @ torch.tensor(example["x"])
            torch.log1p(torch.exp(-example["y"] * z)).backward()
            optimizer.step()
            if t in (3, 50):
                steps[str(t)] = {"w": w.tolist(), "b": b.item()}
        return steps

    runs = [{"rule": "sgd", "lr": 0.1, "initial": 0.0, "epsilon": 0.0, "steps": run(lambda p: torch.optim.SGD(p, lr=0.1))}]
    for initial in (0.0, 1.0):
        make = lambda p: torch.optim.Adagrad(p, lr=0.1, initial_accumulator_value=initial, eps=1e-10)
        runs.append({"rule": "adagrad", "lr": 0.1, "initial": initial, "epsilon": 1e-10, "steps": run(make)})
    return {"examples": examples, "runs": runs}


def optimizer(rule, p, lr, momentum=0.0, initial=0.0, epsilon=0.0, alpha=0.0, rho=0.0, beta1=0.0, beta2=0.0, **rest):
    """PyTorch's optimizer for a rule of ours and its settings."""
    o, betas = torch.optim, (beta1, beta2)
    return {
        "sgd": lambda: o.SGD(p, lr),
        "momentum": lambda: o.SGD(p, lr, momentum=momentum),
        "nesterov": lambda: o.SGD(p, lr, momentum=momentum, nesterov=True),
        "adagrad": lambda: o.Adagrad(p, lr, initial_accumulator_value=initial, eps=epsilon),
        "adadelta": lambda: o.Adadelta(p, lr, rho=rho, eps=epsilon),
        "rmsprop": lambda: o.RMSprop(p, lr, alpha=alpha, eps=epsilon),
        "adam": lambda: o.Adam(p, lr, betas, epsilon),
        "amsgrad": lambda: o.Adam(p, lr, betas, epsilon, amsgrad=True),
        "adamw": lambda: o.AdamW(p, lr, betas, epsilon, weight_decay=rest["weight_decay"]),
        "adamax": lambda: o.Adamax(p, lr, betas, epsilon),
        # The plain loop of 1.13 multiplies this step's momentum twice into the next product; foreach is as documented.
        "nadam": lambda: o.NAdam(p, lr, betas, epsilon, momentum_decay=rest["momentum_decay"], foreach=True),
        "sparse_adam": lambda: o.SparseAdam(p, lr, betas, epsilon),
    }[rule]()


def by_torch(name, rule, score, labels, width, steps, marks, settings, maker=None):
    """A run by torch.optim; `score(w, i)` is example i's w.x, w a column."""
    w = torch.zeros(width, 1, requires_grad=True)
    step = optimizer(maker or rule, [w], **settings)
    weights = {}
    for t in range(1, steps + 1):
        i = (t - 1) % len(labels)
        step.zero_grad()
        torch.log1p(torch.exp(-labels[i] * score(w, i))).backward()
        step.step()
        if t in marks:
            weights[str(t)] = w.flatten().tolist()
    return {"name": name, "rule": rule, "source": "torch.optim." + type(step).__name__, "settings": settings, "weights": weights}


def by_paper(name, rule, settings, taken):
    return {"name": name, "rule": rule, "source": "paper equations (numpy)", "settings": settings, **taken}


ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}


def dense():
    steps, marks = 50, (1, 3, 10, 50)
    features, labels = problems.dense()
    width, x, y = len(features[0]), np.array(features), np.array(labels)
    runs = []

    def torch_run(name, lr, rule=None, **settings):
        score = lambda w, i: (w.flatten() * torch.tensor(features[i])).sum()
        runs.append(by_torch(name, rule or name, score, labels, width, steps, marks, {"lr": lr, **settings}))

    def paper_run(name, lr, rule=None, function=None, also=(), **settings):
        settings = {"lr": lr, **settings}
        gradient = lambda w, t: problems.gradient(w, x[(t - 1) % len(y)], y[(t - 1) % len(y)])
        taken = rules_numpy.run(function or getattr(rules_numpy, rule or name), gradient, width, steps, marks, settings, also)
        runs.append(by_paper(name, rule or name, settings, taken))

    torch_run("sgd", 0.1)
    torch_run("momentum", 0.05, momentum=0.9)
    torch_run("nesterov", 0.05, momentum=0.9)
    torch_run("adagrad", 0.2, initial=1.0, epsilon=1e-10)
    torch_run("adagrad_zero", 0.2, "adagrad", initial=0.0, epsilon=1e-10)
    paper_run("adagrad_rowwise", 0.2, initial=1.0, epsilon=1e-10)
    paper_run("adaptive_revision", 0.2, initial=1.0)
    torch_run("adadelta", 1.0, rho=0.9, epsilon=1e-6)
    torch_run("rmsprop", 0.02, alpha=0.99, epsilon=1e-8)
    torch_run("rmsprop_short", 0.02, "rmsprop", alpha=0.9, epsilon=1e-8)
    torch_run("adam", 0.05, **ADAM)
    torch_run("adamax", 0.05, **ADAM)
    torch_run("nadam", 0.05, **ADAM, momentum_decay=4e-3)
    paper_run("nadam_plain", 0.05, "nadam", rules_numpy.nadam_plain, **ADAM, momentum_decay=0.0)
    torch_run("amsgrad", 0.05, **ADAM)
    torch_run("adamw", 0.05, **ADAM, weight_decay=0.01)
    for rule in ("powersign", "addsign"):
        for decay in ("none", "linear", "cosine"):
            paper_run(f"{rule}_{decay}", 0.05, rule, beta=0.9, decay=decay, steps=steps)
    paper_run("ftrl", 0.1, beta=1.0, l1=5.0, l2=0.1)
    paper_run("ftrl_zeros", 0.1, "ftrl", beta=1.0, l1=10.0, l2=0.1)
    paper_run("ftrl_light", 0.1, "ftrl", beta=1.0, l1=0.5, l2=0.1)
    paper_run("ftrl_plain", 0.1, "ftrl", beta=1.0, l1=0.0, l2=0.0)
    yellowfin = {"beta": 0.999, "window": 20, "epsilon": 1e-6}
    paper_run("yellowfin", 1.0, function=rules_numpy.YellowFin(), also=("momentum", "rate"), **yellowfin)
    return {"steps": steps, "features": features, "labels": labels, "runs": runs}


def sparse_and_catch_up():
    steps, marks, width = 60, (10, 60), 12
    columns, values, labels = problems.sparse(width=width)
    x = np.zeros((len(labels), width))
    for row, at, numbers in zip(x, columns, values):
        row[at] = numbers

    def of_few(w, i):
        """Through an embedding, whose gradient is a sparse tensor."""
        rows = torch.nn.functional.embedding(torch.tensor(columns[i]), w, sparse=True)
        return (rows.flatten() * torch.tensor(values[i])).sum()

    def lazy(rule, **settings):
        gradient = lambda w, t: problems.gradient(w, x[(t - 1) % len(x)], labels[(t - 1) % len(x)])
        occurring = lambda t: np.array(columns[(t - 1) % len(x)])
        taken = rules_numpy.run_lazy(getattr(rules_numpy, rule), gradient, occurring, width, steps, marks, settings)
        return by_paper(rule, rule, settings, taken)

    def caught_up(rule, **settings):
        score = lambda w, i: (w.flatten() * torch.tensor(x[i])).sum()
        return by_torch(rule, rule, score, labels, width, steps, marks, settings)

    lazy_runs = [
        by_torch("adam", "adam", of_few, labels, width, steps, marks, {"lr": 0.05, **ADAM}, maker="sparse_adam"),
        lazy("adagrad", lr=0.2, initial=1.0, epsilon=1e-10),
        lazy("rmsprop", lr=0.02, alpha=0.99, epsilon=1e-8),
        lazy("amsgrad", lr=0.05, **ADAM),
    ]
    note = (
        "State of a feature moves only when it occurs; t counts all examples. SparseAdam adds epsilon before the bias correction:"
        " w -= lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon); the other rules as in dense."
    )
    data = {"columns": columns, "values": values, "labels": labels}
    caught_up_runs = [caught_up(rule, lr=0.05, momentum=0.9) for rule in ("momentum", "nesterov")]
    return {"sparse": {"note": note, "steps": steps, "width": width, **data, "runs": lazy_runs}, "catch_up": {"runs": caught_up_runs}}


def rounded(x):
    """Every float to nine significant digits, -0 to 0."""
    if isinstance(x, dict):
        return {name: rounded(value) for name, value in x.items()}
    if isinstance(x, list):
        return [rounded(value) for value in x]
    return float(f"{x:.9g}") + 0.0 if isinstance(x, float) else x


golden = {"torch": torch.__version__, **biased_runs(), **rounded({"dense": dense(), **sparse_and_catch_up(), "delayed": delayed.section()})}
text = json.dumps(golden, indent=1, allow_nan=False)
# Lists of numbers each on one line.
text = re.sub(r"\[[-+\d.,e\s]*\]", lambda found: "[" + ", ".join(found[0][1:-1].replace(",", " ").split()) + "]", text)
pathlib.Path(__file__).with_name("rules.json").write_text(text + "\n")
