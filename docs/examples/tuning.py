"""Cross-validation and a randomized search with scikit-learn."""

import numpy as np
from scipy.stats import loguniform
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold, cross_val_score

import pyfm

rng = np.random.default_rng(0)
n = 12_000
site, ad, hour = rng.integers(0, 30, n), rng.integers(0, 60, n), rng.integers(0, 24, n)
X = np.column_stack([site, 30 + ad, 90 + hour])
score = (rng.normal(size=(30, 3)) @ rng.normal(size=(3, 60)))[site, ad] - 1
y = rng.random(n) < 1 / (1 + np.exp(-score))

folds = StratifiedKFold(3, shuffle=True, random_state=0)
for model in (pyfm.LinearClassifier(), pyfm.FMClassifier(epochs=5), pyfm.FFMClassifier(epochs=5)):
    model.set_params(random_state=0)
    scores = cross_val_score(model, X, y, scoring="neg_log_loss", cv=folds)
    print(f"{type(model).__name__:16} log-loss {-scores.mean():.4f} ± {scores.std():.4f}")

search = RandomizedSearchCV(
    pyfm.FFMClassifier(random_state=0),
    {"l2": loguniform(1e-6, 1e-3), "learning_rate": loguniform(0.03, 0.5), "epochs": [3, 6, 12]},
    n_iter=6,
    scoring="neg_log_loss",
    cv=folds,
    random_state=0,
)
search.fit(X, y)
print(search.best_params_, "log-loss", -search.best_score_)
