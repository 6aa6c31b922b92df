"""The data of the golden numbers and the gradient of their loss, ln(1 + e^(-y w.x)): no bias, float64.

Features are multiples of 1/8, so decimal text, float32 and float64 hold the same numbers; some are 0, so gradients of 0 occur too.
"""

import random

import numpy as np


def eighths(source, mean=0.0):
    return round(8 * source.gauss(mean, 1)) / 8


def dense(examples=20, width=5):
    """Noisy labels of a linear truth: not separable, so weights stay bounded."""
    source = random.Random(2)
    truth = [1.5, -1.0, 0.5, 0.25, 0.0]
    features = [[eighths(source) for _ in range(width)] for _ in range(examples)]
    labels = [1 if np.dot(truth, x) + source.gauss(0, 1) > 0 else -1 for x in features]
    return features, labels


def sparse(examples=30, width=12):
    """2 to 4 of 12 features an example; feature j is drawn with weight 1/(j+1), so the last ones are rare."""
    source = random.Random(5)
    truth = [source.gauss(0, 1) for _ in range(width)]
    columns, values, labels = [], [], []
    for _ in range(examples):
        count, row = source.choice([2, 3, 3, 4]), set()
        while len(row) < count:
            row.add(source.choices(range(width), [1 / (j + 1) for j in range(width)])[0])
        columns.append(sorted(row))
        values.append([eighths(source) or 1.0 for _ in row])
        score = sum(truth[j] * x for j, x in zip(columns[-1], values[-1]))
        labels.append(1 if score + 0.5 * source.gauss(0, 1) > 0 else -1)
    return columns, values, labels


def gradient(w, x, y):
    """Of ln(1 + e^(-y w.x)) by w."""
    return -y * x / (1 + np.exp(y * np.dot(w, x)))
