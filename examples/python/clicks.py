"""Clicks by a table with texts: what the command does of CSV, done of a Polars frame."""

import numpy as np
import polars
from hogwild import LinearClassifier, TableEncoder
from sklearn.pipeline import make_pipeline

# ## Impressions
random = np.random.RandomState(0)
table = polars.DataFrame(
    {
        "site": random.choice([f"site {i}" for i in range(200)], 20000),
        "ad": random.choice([f"ad {i}" for i in range(50)], 20000),
        "age": random.randint(18, 80, 20000).astype(float),
    }
)
clicked = random.rand(20000) < np.where(table["ad"].is_in(["ad 7", "ad 11"]).to_numpy(), 0.7, 0.1)

# ## Train, and see what it goes by
model = make_pipeline(TableEncoder(), LinearClassifier(normalize="max-abs", random_state=1)).fit(table[:15000], clicked[:15000])
print(f"accuracy {model.score(table[15000:], clicked[15000:]):.2f}")
names = model[0].get_feature_names_out()
for column, weight in sorted(model[1].weights(4), key=lambda pair: -pair[1])[:2]:
    print(f"{names[column]:8} {weight:+.1f}")
