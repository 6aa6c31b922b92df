"""Whom to show what: ratings in, the same ids out."""

import numpy as np
from hogwild import MatrixFactorization

# ## Ratings by people who like either comedies or thrillers
random = np.random.RandomState(0)
people, films = [f"person {i}" for i in range(200)], [f"{kind} {i}" for kind in ("comedy", "thriller") for i in range(50)]
pairs, ratings = [], []
for i, person in enumerate(people):
    for j in random.choice(100, 30, replace=False):
        pairs.append((person, films[j]))
        ratings.append((4.5 if (j < 50) == (i % 2 == 0) else 2.0) + 0.3 * random.randn())
train, test = slice(0, 5000), slice(5000, None)

# ## Train
model = MatrixFactorization(rank=4, epochs=20, random_state=1).fit(pairs[train], ratings[train])
print(f"held-out RMSE {-model.score(pairs[test], ratings[test]):.2f}")

# ## What person 0 has not seen and would like, and what is like comedy 7
ids, scores = model.recommend("person 0", n=3)
for film, score in zip(ids, scores):
    print(f"{film:12} {score:.1f}")
print("like comedy 7:", sum(film.startswith("comedy") for film in model.similar_items("comedy 7", n=10)[0]), "comedies of 10")
