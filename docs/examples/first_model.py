"""Three models on the same rows, from the simplest to the richest, beside what is possible."""

import pyfm

rows, bayes_logloss = pyfm.datasets.make_ctr(60_000, n_fields=12, n_features=5_000, random_state=0)
train, valid = rows[:50_000], rows[50_000:]

for model in (
    pyfm.LinearClassifier(early_stopping=True, random_state=0),
    pyfm.FMClassifier(early_stopping=True, random_state=0),
    pyfm.FFMClassifier(early_stopping=True, epochs=20, random_state=0),
):
    model.fit(train, eval_set=valid)
    click = model.predict_proba(valid)[:, 1]
    print(
        f"{type(model).__name__:16} log-loss {pyfm.metrics.logloss(valid.y, click):.4f}, "
        f"AUC {pyfm.metrics.auc(valid.y, click):.4f} after epoch {model.best_epoch_}"
    )
print(f"{'best possible':16} log-loss {bayes_logloss:.4f}")

model.save("first.pyfm")
assert (pyfm.load("first.pyfm").predict_proba(valid)[:, 1] == click).all()
