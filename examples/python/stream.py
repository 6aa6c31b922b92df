"""Clicks as they come: a model that goes on learning, is stored, and goes on again."""

import pickle

import numpy as np
from hogwild import LinearClassifier
from sklearn.feature_extraction import FeatureHasher

# ## Impressions, by the hour
random = np.random.RandomState(0)
hasher = FeatureHasher(2**20, input_type="string", alternate_sign=False)


def hour(count=500):
    cells = [(f"site={random.randint(50)}", f"ad={random.randint(20)}", f"device={random.randint(3)}") for _ in range(count)]
    likely = [0.6 if ad in ("ad=3", "ad=7") else 0.1 for _, ad, _ in cells]
    return hasher.transform(cells), (random.rand(count) < likely).astype(int)


# ## Learn each hour once, and tell how well it was foretold
model = LinearClassifier(rule="adagrad", learning_rate=0.3, random_state=1)
for number in range(1, 25):
    X, clicks = hour()
    if number % 8 == 0:
        likely = model.predict_proba(X)[:, 1]
        print(f"hour {number:2}: clicks {clicks.mean():.2f}, foretold of the clicked {likely[clicks == 1].mean():.2f}, of others {likely[clicks == 0].mean():.2f}")
    model.partial_fit(X, clicks, classes=[0, 1])

# ## Weights, state and clock are all in the pickle
model = pickle.loads(pickle.dumps(model)).partial_fit(*hour())
print(f"{model.n_iter_} hours learnt, a weight each of {model.coef_.shape[1]:,} columns")
