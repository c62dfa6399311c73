"""Raw columns of a table: kinds of columns, a cross, a model that remembers them."""

import numpy as np
import pandas as pd

import pyfm
from pyfm.encode import Buckets, Categorical, Date, Multi

rng = np.random.default_rng(0)
n = 20_000
log = pd.DataFrame(
    {
        "site": rng.choice([f"site{i}.example" for i in range(40)], n),
        "ad": rng.integers(0, 100, n),
        "price": rng.lognormal(size=n),
        "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 24 * 60, n), unit="h"),
        "tags": rng.choice(["", "sport", "food", "sport|cars", "food|cars"], n),
    }
)
affinity = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 100))
site = log["site"].str.extract(r"(\d+)")[0].astype(int)
score = -1 + affinity[site, log["ad"]] + 0.8 * log["at"].dt.hour.between(18, 22)
click = rng.random(n) < 1 / (1 + np.exp(-score.to_numpy()))

encoder = pyfm.FieldEncoder(
    {
        "site": "categorical",
        "ad": Categorical(min_count=3),
        "price": Buckets("quantile", 10),
        "at": Date(["hour", "weekday"]),
        "tags": Multi(separator="|"),
    },
    crosses=[("site", "ad")],
)
train, valid = slice(0, 16_000), slice(16_000, n)
rows = encoder.fit_transform(log[train])
print(rows, encoder.field_names_)

model = pyfm.FFMClassifier(linear=True, epochs=10, early_stopping=True, random_state=0)
model.fit(rows, click[train], eval_set=(log[valid], click[valid]))  # it encodes tables itself
print("log-loss", min(model.history_["valid_logloss"]), "in epoch", model.best_epoch_)

model.save("tables.pyfm")
strange = log[:2].assign(site="never-seen.example", price=np.nan)
print("clicks of strange rows", pyfm.load("tables.pyfm").predict_proba(strange)[:, 1])
print("feature 5 is", encoder.lookup(5))
