"""Three models on the same rows, from the simplest to the richest, beside what is possible."""

from typing import Any

import pyfm

rows, bayes_logloss = pyfm.datasets.make_ctr(60_000, n_fields=12, n_features=5_000, random_state=0)
train, valid = rows[:50_000], rows[50_000:]

params: dict[str, Any] = {"early_stopping": True, "metric": ["logloss", "auc"], "random_state": 0}
for model in (
    pyfm.LinearClassifier(**params),
    pyfm.FMClassifier(**params),
    pyfm.FFMClassifier(epochs=20, **params),
):
    model.fit(train, eval_set=valid)
    best = model.best_epoch_ - 1
    loss, auc = model.history_["valid_logloss"][best], model.history_["valid_auc"][best]
    print(f"{type(model).__name__:16} log-loss {loss:.4f}, AUC {auc:.4f}, epoch {best + 1}")
print(f"{'best possible':16} log-loss {bayes_logloss:.4f}")

click = model.predict_proba(valid)[:, 1]
model.save("first.pyfm")
assert (pyfm.load("first.pyfm").predict_proba(valid)[:, 1] == click).all()
