"""A DeepFM that begins with the vectors of an FM: first its network alone, then everything."""

from typing import Any

import pyfm

rows, bayes_logloss = pyfm.datasets.make_ctr(24_000, n_fields=10, n_features=1_000, random_state=0)
train, valid = rows[:20_000], rows[20_000:]

fm = pyfm.FMClassifier(n_factors=8, normalize=False, epochs=5, early_stopping=True, random_state=0)
fm.fit(train, eval_set=valid)
print("FM", min(fm.history_["valid_logloss"]))

network: dict[str, Any] = {"n_factors": 8, "hidden": (64, 32), "batch_norm": True, "dropout": 0.2}
head = pyfm.DeepFMClassifier(**network, epochs=2, freeze=("linear", "factors"), random_state=0)
head.fit(train, init_from=fm)

model = pyfm.DeepFMClassifier(**network, epochs=8, early_stopping=True, n_jobs=2, random_state=0)
model.fit(train, eval_set=valid, init_from=head)
print("DeepFM", min(model.history_["valid_logloss"]), "best possible", bayes_logloss)

again = pyfm.DeepFMClassifier(**network, epochs=8, early_stopping=True, n_jobs=1, random_state=0)
again.fit(train, eval_set=valid, init_from=head)
assert again.history_["valid_logloss"] == model.history_["valid_logloss"]  # whatever n_jobs
