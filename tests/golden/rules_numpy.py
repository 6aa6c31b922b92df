"""Update rules that PyTorch has not, from their papers' equations, in float64.

`rule(w, g, t, s, **settings)` returns the weights after step t, from 1; `s` is three rows of state, one number a weight each, from
`initial` (0 unless set), moved in place. `run` gives a rule every weight at every step; `run_lazy` only those that occur.
"""

import math

import numpy as np


def adagrad(w, g, t, s, *, lr, initial, epsilon):
    """Duchi, Hazan & Singer 2011, diagonal form, the state after the gradient; epsilon beside the root as in PyTorch."""
    s[0] += g * g
    return w - lr * g / (np.sqrt(s[0]) + epsilon)


def adagrad_rowwise(w, g, t, s, *, lr, initial, epsilon):
    """Chin et al. 2015 (LIBMF): one state for the row, of mean squares; the step goes by the state before this gradient."""
    w = w - lr * g / (np.sqrt(s[0]) + epsilon)
    s[0] += np.mean(g * g)
    return w


def adaptive_revision(w, g, t, s, *, lr, initial, s_read=None):
    """McMahan & Streeter 2014, algorithm 3: `s` is z, z' and the sum of gradients, `s_read` the same when `g`'s weights were read.

    Of the sum of gradients only differences count, so it may begin at `initial` like the others.
    """
    z, most, total = s
    back = total - (s if s_read is None else s_read)[2]
    before = lr / np.sqrt(most)
    z += g * g + 2 * g * back
    most[:] = np.maximum(most, z)
    after = lr / np.sqrt(most)
    total += g
    return w - after * g + (before - after) * back


def rmsprop(w, g, t, s, *, lr, alpha, epsilon):
    """Tieleman & Hinton 2012, lecture 6.5, as PyTorch: epsilon beside the root."""
    s[0] = alpha * s[0] + (1 - alpha) * g * g
    return w - lr * g / (np.sqrt(s[0]) + epsilon)


def amsgrad(w, g, t, s, *, lr, beta1, beta2, epsilon):
    """Reddi, Kale & Kumar 2018, algorithm 2, as PyTorch: the greatest v is kept uncorrected, then bias-corrected by t."""
    s[0] = beta1 * s[0] + (1 - beta1) * g
    s[1] = beta2 * s[1] + (1 - beta2) * g * g
    s[2] = np.maximum(s[2], s[1])
    return w - lr / (1 - beta1**t) * s[0] / (np.sqrt(s[2] / (1 - beta2**t)) + epsilon)


def nadam_plain(w, g, t, s, *, lr, beta1, beta2, epsilon, momentum_decay):
    """Dozat 2016, algorithm 2, at a constant mu = beta1; the second moment is corrected as Adam's, n / (1 - beta2^t).

    PyTorch's NAdam at momentum_decay 0 is another rule: its mu is then beta1 / 2.
    """
    assert momentum_decay == 0
    s[0] = beta1 * s[0] + (1 - beta1) * g
    s[1] = beta2 * s[1] + (1 - beta2) * g * g
    m = beta1 * s[0] / (1 - beta1 ** (t + 1)) + (1 - beta1) * g / (1 - beta1**t)
    return w - lr * m / (np.sqrt(s[1] / (1 - beta2**t)) + epsilon)


def internal_decay(decay, t, steps):
    """Bello et al. 2017, internal decay f of the steps made before, t - 1, so that f is 1 at step 1."""
    done = (t - 1) / steps
    return {"none": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}[decay]


def powersign(w, g, t, s, *, lr, beta, decay, steps):
    """Bello et al. 2017, PowerSign, base e: m moves first, no bias correction, sign(0) = 0."""
    s[0] = beta * s[0] + (1 - beta) * g
    return w - lr * np.exp(internal_decay(decay, t, steps) * np.sign(g) * np.sign(s[0])) * g


def addsign(w, g, t, s, *, lr, beta, decay, steps):
    """Bello et al. 2017, AddSign, alpha 1: m moves first, no bias correction, sign(0) = 0."""
    s[0] = beta * s[0] + (1 - beta) * g
    return w - lr * (1 + internal_decay(decay, t, steps) * np.sign(g) * np.sign(s[0])) * g


def ftrl(w, g, t, s, *, lr, beta, l1, l2):
    """McMahan et al. 2013, algorithm 1, lr its alpha: z and n move, then the weight is solved from them for the next example."""
    z, n = s[0], s[1]
    z += g - (np.sqrt(n + g * g) - np.sqrt(n)) / lr * w
    n += g * g
    return np.where(np.abs(z) <= l1, 0.0, -(z - np.sign(z) * l1) / ((beta + np.sqrt(n)) / lr + l2))


class YellowFin:
    """Zhang, Mitliagkas & Re, "YellowFin and the art of momentum tuning", arXiv 1706.03471.

    One gradient of all weights; h = |g|^2. A step goes by what was tuned from the gradients before it (step 1: mu = 0, h_min = 1), and
    then tunes from its own:
    - E(x): exponential average with beta, zero debias: e <- beta e + (1 - beta) x from e = 0, E(x) = e / (1 - beta^t);
    - CurvatureRange in logarithms: h_min = exp E(ln(least h of the last `window` steps + epsilon)), h_max with the
      greatest; a window not yet full holds the steps so far;
    - Variance: C = max(E(h) - |E(g)|^2, epsilon), E(g) by coordinate;
    - Distance: D = E(E(|g|) / (E(h) + epsilon)), the inner averages debiased before they are divided;
    - SingleStep: mu = max(x^2, ((sqrt r - 1) / (sqrt r + 1))^2), r = h_max / h_min, x the root in (0, 1) of
      (1 - x)^3 = p x, p = D^2 h_min^2 / (2 C), which minimizes x^2 D^2 + (1 - x)^4 C / h_min^2;
    - rate = lr min(1, t / (10 window)) (1 - sqrt mu)^2 / h_min, with slow start; lr is a plain factor, 1;
    - v <- mu v - rate g, w <- w + v: Polyak's form, as in the paper (the authors' code has v <- mu v + g, w <- w - rate v).

    As in the authors' PyTorch code mu and rate are used as tuned, not averaged again. Left out of it: clipping, the guard against
    exploding gradients and the correction for sparsity.
    """

    def __init__(self):
        self.averages, self.window = {}, []
        self.momentum, self.h_min = 0.0, 1.0

    def average(self, name, x, beta, t):
        self.averages[name] = beta * self.averages.get(name, 0.0) + (1 - beta) * x
        return self.averages[name] / (1 - beta**t)

    def __call__(self, w, g, t, s, *, lr, beta, window, epsilon):
        average = lambda name, x: self.average(name, x, beta, t)
        self.rate = lr * min(1.0, t / (10 * window)) * (1 - math.sqrt(self.momentum)) ** 2 / self.h_min
        s[0] = self.momentum * s[0] - self.rate * g
        h = np.dot(g, g)
        self.window = (self.window + [h])[-window:]
        h_min = math.exp(average("h_min", math.log(min(self.window) + epsilon)))
        h_max = math.exp(average("h_max", math.log(max(self.window) + epsilon)))
        h_average, g_average = average("h", h), average("g", g)
        c = max(h_average - np.dot(g_average, g_average), epsilon)
        d = average("d", average("norm", math.sqrt(h)) / (h_average + epsilon))
        p = d * d * h_min * h_min / (2 * c)
        x = 0.0  # Newton from the left: p x - (1 - x)^3 rises and is concave, so x only grows towards the root.
        for _ in range(200):
            x += ((1 - x) ** 3 - p * x) / (p + 3 * (1 - x) ** 2)
        root = math.sqrt(h_max / h_min)
        self.momentum, self.h_min = max(x * x, ((root - 1) / (root + 1)) ** 2), h_min
        return w + s[0]


def run(rule, gradient, width, steps, marks, settings, also=()):
    """The weights after the steps in `marks`, and the rule's attributes named in `also`: {name: {step: value}}."""
    w, s = np.zeros(width), np.full((3, width), settings.get("initial", 0.0))
    taken = {name: {} for name in ("weights", *also)}
    for t in range(1, steps + 1):
        w = rule(w, gradient(w, t), t, s, **settings)
        if t in marks:
            taken["weights"][str(t)] = w.tolist()
            for name in also:
                taken[name][str(t)] = getattr(rule, name)
    return taken


def run_lazy(rule, gradient, occurring, width, steps, marks, settings):
    """As `run`, but weights and state move only where `occurring(t)`, indices, says; t counts every step."""

    def lazy(w, g, t, s, **settings):
        at = occurring(t)
        w, some = w.copy(), s[:, at]
        w[at] = rule(w[at], g[at], t, some, **settings)
        s[:, at] = some
        return w

    return run(lazy, gradient, width, steps, marks, settings)
