"""Writes rules.json beside this file: logistic regression by PyTorch's optimizers, batch 1, float64, examples in order.

Run with Debian's python3-torch (`apt-get install python3-torch`, then `/usr/bin/python3 generate.py`) or requirements.txt.

rules.json: {"examples": [{"x": [4 numbers], "y": +1 or -1}], "runs": [{"rule", "lr", "initial", "epsilon",
"steps": {"3": {"w": [4 numbers], "b": number}, "50": ...}}]}; the loss is ln(1 + e^(-y z)), z = b + w.x, from zero.
"""

import json
import pathlib
import random

import torch

random.seed(1)
examples = []
for _ in range(50):
    x = [round(random.gauss(0, 1), 2) for _ in range(4)]
    examples.append({"x": x, "y": 1 if x[0] - x[2] + 0.3 * random.gauss(0, 1) > 0 else -1})


def run(make):
    w = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    b = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = make([w, b])
    steps = {}
    for t, example in enumerate(examples, 1):
        optimizer.zero_grad()
        z = b + w @ torch.tensor(example["x"], dtype=torch.float64)
        torch.log1p(torch.exp(-example["y"] * z)).backward()
        optimizer.step()
        if t in (3, 50):
            steps[str(t)] = {"w": w.tolist(), "b": b.item()}
    return steps


runs = [{"rule": "sgd", "lr": 0.1, "initial": 0.0, "epsilon": 0.0, "steps": run(lambda p: torch.optim.SGD(p, lr=0.1))}]
for initial in (0.0, 1.0):
    make = lambda p: torch.optim.Adagrad(p, lr=0.1, initial_accumulator_value=initial, eps=1e-10)
    runs.append({"rule": "adagrad", "lr": 0.1, "initial": initial, "epsilon": 1e-10, "steps": run(make)})
path = pathlib.Path(__file__).with_name("rules.json")
path.write_text(json.dumps({"torch": torch.__version__, "examples": examples, "runs": runs}, indent=1) + "\n")
