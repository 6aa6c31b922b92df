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
# Every sixth is held out.
test = [i % 6 == 0 for i in range(len(pairs))]
train_pairs, test_pairs = ([pair for pair, held in zip(pairs, test) if held == part] for part in (False, True))
train_ratings, test_ratings = ([rating for rating, held in zip(ratings, test) if held == part] for part in (False, True))

# ## Train
model = MatrixFactorization(rank=4, epochs=20, random_state=1).fit(train_pairs, train_ratings)
print(f"held-out RMSE {-model.score(test_pairs, test_ratings):.2f}")

# ## What person 0 has not seen and would like, and what is like comedy 7
ids, scores = model.recommend("person 0", n=3)
for film, score in zip(ids, scores):
    print(f"{film:12} {score:.1f}")
print("like comedy 7:", sum(film.startswith("comedy") for film in model.similar_items("comedy 7", n=10)[0]), "comedies of 10")
