"""Settings by cross-validation: two processes, each with one thread of ours."""

import numpy as np
import scipy.sparse as sp
from hogwild import LinearClassifier
from sklearn.model_selection import GridSearchCV

# ## Sparse rows whose classes follow from a plane, with noise
random = np.random.RandomState(0)
X = sp.random(4000, 1000, density=0.02, format="csr", random_state=random)
y = np.where(X @ random.randn(1000) + 0.3 * random.randn(4000) > 0, "yes", "no")

# ## Try settings
grid = {"l2": [0.0, 1e-4, 1e-3], "rule": ["adagrad", "ftrl"]}
search = GridSearchCV(LinearClassifier(random_state=1), grid, cv=3, n_jobs=2, scoring="neg_log_loss").fit(X, y)
print(f"best of {len(search.cv_results_['params'])} settings: log-loss {-search.best_score_:.2f}")
