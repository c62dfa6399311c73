"""More rows than memory: a first fit of many files, then new files every hour."""

from pathlib import Path

import numpy as np
import pandas as pd

import pyfm

rng = np.random.default_rng(0)
taste = rng.normal(size=(30, 3)) @ rng.normal(size=(3, 200))


def write_log(path: Path, n_ads: int, n: int = 4_000) -> None:
    """An hour of clicks; ads come and go."""
    site, ad = rng.integers(0, 30, n), rng.integers(0, n_ads, n)
    click = rng.random(n) < 1 / (1 + np.exp(1 - taste[site, ad]))
    table = pd.DataFrame(
        {"site": site.astype(str), "ad": ad.astype(str), "click": click.astype(int)}
    )
    table.to_csv(path, index=False)


logs = Path("logs")
logs.mkdir(exist_ok=True)
for hour in range(6):
    write_log(logs / f"{hour:02}.csv", n_ads=100)
write_log(Path("valid.csv"), n_ads=100)

# The files are read once, into a cache beside them; epochs read that.
encoder = pyfm.FieldEncoder(target="click")
model = pyfm.FFMClassifier(epochs=10, early_stopping=True, random_state=0)
past = pyfm.Dataset.stream("logs/*.csv", encoder=encoder)
model.fit(past, eval_set=pyfm.Dataset.stream("valid.csv", encoder=encoder))
print("log-loss", min(model.history_["valid_logloss"]), "of", model.n_features_in_, "features")

# From now on, each hour once. New ads become features on the way.
online = pyfm.FMClassifier(learning_rate=0.3, random_state=0)
for hour in range(6, 9):
    new = Path(f"{hour:02}.csv")
    write_log(new, n_ads=100 + 20 * (hour - 5))
    online.partial_fit(pyfm.Dataset.stream(str(new), encoder=pyfm.FieldEncoder(target="click")))
    online.save("hourly.pyfm", optimizer_state=True)
    print(hour, "log-loss before learning", online.progressive_logloss_, online.n_features_in_)
    online = pyfm.load("hourly.pyfm")
