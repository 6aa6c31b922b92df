"""The ways to train in parallel by their equations, in NumPy: `python3 tests/golden/ways_numpy.py > tests/golden/ways.txt`.

Three replicas minimise the squared error of a small dense problem. A turn is two examples of one replica, then its exchange with the centre
(of Downpour: its push, and on every second turn its fetch). Problem and turns are formulas, so that the test in
crates/kernels/src/engine/equations.rs has the same. A line is the way, the rule and the centre's weights after all turns.
"""
import numpy as np

WEIGHTS, EXAMPLES, REPLICAS, TURNS, RATE, ALPHA = 6, 40, 3, 30, 0.1, 0.3
X = np.array([[np.sin(1 + 3.7 * i + 1.3 * j) for j in range(WEIGHTS)] for i in range(EXAMPLES)])
Y = np.array([np.cos(i) for i in range(EXAMPLES)])


class Sgd:
    state, averages = 0, False

    def initial(self):
        return np.zeros((0, WEIGHTS))

    def step(self, rate, t, w, g, s):
        return w - rate * g, s

    summed = lambda self, rate, t, w, g, squares, s, read: self.step(rate, t, w, g, s)


class Adagrad:
    averages = False

    def initial(self):
        return np.ones((1, WEIGHTS))

    def step(self, rate, t, w, g, s):
        s = s + g * g
        return w - rate * g / np.sqrt(s[0]), s

    def summed(self, rate, t, w, g, squares, s, read):
        s = s + squares
        return w - rate * g / np.sqrt(s[0]), s


class Adam:
    averages = True

    def initial(self):
        return np.zeros((2, WEIGHTS))

    def step(self, rate, t, w, g, s):
        m, v = 0.9 * s[0] + 0.1 * g, 0.999 * s[1] + 0.001 * g * g
        step = rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return w - step, np.array([m, v])

    summed = lambda self, rate, t, w, g, squares, s, read: self.step(rate, t, w, g, s)


class AdaptiveRevision:
    averages = False

    def initial(self):
        return np.array([np.ones(WEIGHTS), np.ones(WEIGHTS), np.zeros(WEIGHTS)])

    def step(self, rate, t, w, g, s):
        return self.summed(rate, t, w, g, g * g, s, s)

    def summed(self, rate, t, w, g, squares, s, read):
        z, most, total = s
        back = total - read[2]
        before = rate / np.sqrt(most)
        z = z + squares + 2 * g * back
        most = np.maximum(most, z)
        after = rate / np.sqrt(most)
        return w - after * g + (before - after) * back, np.array([z, most, total + g])


class Replica:
    def __init__(self, rule):
        self.w, self.s = np.zeros(WEIGHTS), rule.initial()
        self.base_w, self.base_s = self.w, self.s
        self.g, self.squares = np.zeros(WEIGHTS), np.zeros(WEIGHTS)
        self.read = self.s
        self.turns, self.steps = 0, 0


def shared_state(rule, x, s):
    """Averages go a part of the way to the replica's own; sums take its change whole."""
    return s + ((x.s - s) / REPLICAS if rule.averages else x.s - x.base_s)


def mean(rule, x, w, s):
    return w + (x.w - x.base_w) / REPLICAS, shared_state(rule, x, s)


def overlap(rule, x, w, s):
    mine, others = x.w - x.base_w, w - x.base_w
    # Bands are vectors of sixteen numbers here: sixteen weights, or eight or four with their state.
    a_vector = {0: 16, 1: 8, 2: 4, 3: 4}[len(s)]
    f = np.zeros(WEIGHTS)
    for start in range(0, WEIGHTS, a_vector):
        band = slice(start, start + a_vector)
        squares = others[band] @ others[band]
        f[band] = np.clip(mine[band] @ others[band] / squares, 0, 1) if squares > 0 else 0
    return w + mine - f * others, shared_state(rule, x, s)


def run(way, rule):
    w, s, pushes = np.zeros(WEIGHTS), rule.initial(), 0
    replicas = [Replica(rule) for _ in range(REPLICAS)]
    rate = RATE * (REPLICAS if way in ("mean", "elastic") else 1)
    for turn in range(TURNS):
        x = replicas[(7 * turn + turn // 3) % REPLICAS]
        x.turns += 1
        for i in (2 * turn, 2 * turn + 1):
            i %= EXAMPLES
            g = (x.w @ X[i] - Y[i]) * X[i]
            x.steps += 1
            x.w, x.s = rule.step(rate, x.steps, x.w, g, x.s)
            x.g, x.squares = x.g + g, x.squares + g * g
        if way == "downpour":
            pushes += 1
            # Two gradients a push: see `together` in crates/kernels/src/servers/server.rs.
            squares = x.squares + min((REPLICAS - 1) / 2, 1) * x.g * x.g
            w, s = rule.summed(RATE, pushes, w, x.g, squares, s, x.read)
            x.g, x.squares = np.zeros(WEIGHTS), np.zeros(WEIGHTS)
            if x.turns % 2 == 0:
                x.w, x.s, x.read = w, s, s
        elif way == "elastic":
            d = ALPHA * (x.w - w)
            x.w, w, s = x.w - d, w + d, x.s if rule.averages else shared_state(rule, x, s)
            x.s, x.base_s = s, s
        else:
            w, s = {"mean": mean, "overlap": overlap}[way](rule, x, w, s)
            x.w, x.s = w, s
            x.base_w, x.base_s = w, s
    return w


for way in ("mean", "overlap", "elastic", "downpour"):
    for name, rule in (("sgd", Sgd()), ("adagrad", Adagrad()), ("adam", Adam()), ("adaptive-revision", AdaptiveRevision())):
        print(way, name, *(f"{x:.7f}" for x in run(way, rule)))
