"""Reviews are good or bad: raw text, scikit-learn's words, our classifier.

The matrix of words goes to the trainer as it is: nothing is written to disk.
"""

import numpy as np
from hogwild import LinearClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline

# ## Some reviews
random = np.random.RandomState(0)
good, bad = ["fine", "great", "lovely", "moving"], ["dull", "awful", "poor", "boring"]
plain = ["the", "film", "plot", "actors", "music", "scene", "was", "and"]


def review(words):
    return " ".join(random.choice(plain + words, 12))


texts = [review(good) if i % 2 else review(bad) for i in range(2000)]
opinions = ["good" if i % 2 else "bad" for i in range(2000)]

# ## Train, with a tenth held out to stop by
classifier = LinearClassifier(early_stopping=True, n_iter_no_change=2, epochs=30, random_state=1)
model = make_pipeline(TfidfVectorizer(), classifier).fit(texts[:1500], opinions[:1500])
print(f"accuracy {model.score(texts[1500:], opinions[1500:]):.3f}")

# ## What it goes by
names = model[0].get_feature_names_out()
for column, weight in classifier.weights(top=4):
    print(f"{names[column]:8} {weight:+.2f}")
