"""A tour of the package, cell by cell: editors and Jupyter open it as a notebook.

From a table with texts to a model, its weights, a file, a stream of new rows and a recommender.
"""

# %% [markdown]
# ## A table
# Who clicked what, and when: columns of texts and of numbers.

# %%
import numpy as np
import pandas

import hogwild

random = np.random.RandomState(0)
table = pandas.DataFrame(
    {
        "site": random.choice([f"site {i}" for i in range(40)], 20000),
        "ad": random.choice([f"ad {i}" for i in range(30)], 20000),
        "hour": random.randint(24, size=20000).astype(float),
    }
)
# Site and ad go well together, or they do not: no single one of them tells.
liked = (table["site"].str[5:].astype(int) + table["ad"].str[3:].astype(int)) % 2 == 0
clicked = (random.rand(20000) < np.where(liked, 0.8, 0.2)).astype(int)
train, test = slice(0, 15000), slice(15000, None)

# %% [markdown]
# ## Features
# A text becomes a feature of its own, a number the value of one.

# %%
encoder = hogwild.TableEncoder()
X = encoder.fit_transform(table[train])
X_test = encoder.transform(table[test])
print(f"{X.shape[0]:,} rows of {X.shape[1]} features, such as {encoder.get_feature_names_out()[0]}")

# %% [markdown]
# ## Models
# A linear model adds up what each feature says. Factors say something of pairs, and those of fields the more exactly.

# %%
settings = dict(learning_rate=0.2, epochs=15, normalize="max-abs", n_jobs=1, random_state=1)
kinds = (hogwild.LinearClassifier, hogwild.FactorizationMachineClassifier, hogwild.FieldAwareClassifier)
models = [kind(**settings).fit(X, clicked[train]) for kind in kinds]
for model in models:
    print(f"{type(model).__name__:32} accuracy {model.score(X_test, clicked[test]):.2f}")

# %% [markdown]
# ## Follow a run
# A callback is told of each epoch; what it returns may end the run.

# %%
run = hogwild.train(hogwild.Rows.from_matrix(X, np.where(clicked[train], 1, -1)), model="fm", callbacks=[lambda report: report["loss"] < 0.5], epochs=50, lr=0.2, seed=1)
print(f"{run.ended} at a loss of {run.epochs[-1]['loss']:.1f}")

# %% [markdown]
# ## Keep it
# The file is the command's: `hogwild predict model.safetensors rows.svm` scores by it.

# %%
copy = hogwild.load(models[-1].to_model().to_bytes())
print(copy, "gives the same:", np.allclose(copy.predict(X_test), models[-1].predict_proba(X_test)[:, 1]))

# %% [markdown]
# ## Go on learning
# New rows are learnt as they come.

# %%
stream = hogwild.FactorizationMachineClassifier(learning_rate=0.2, normalize="row", random_state=1)
for first in range(0, 15000, 1000):
    part = slice(first, first + 1000)
    stream.partial_fit(X[part], clicked[part], classes=[0, 1])
print(f"{stream.n_iter_} parts learnt")

# %% [markdown]
# ## Recommend
# Which sites were clicked with which ads: a recommender takes ids as they are.

# %%
pairs = list(zip(table["site"][clicked == 1], table["ad"][clicked == 1]))
recommender = hogwild.ImplicitRecommender(rank=8, epochs=5, random_state=1).fit(pairs)
ads, _ = recommender.recommend("site 4", n=3, filter_seen=False)
print("for site 4, which goes well with even ones:", ", ".join(ads))
