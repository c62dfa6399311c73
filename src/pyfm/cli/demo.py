"""`pyfm demo`: three models on made rows, judged against what is possible."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer

import pyfm
from pyfm import metrics
from pyfm.datasets import make_ctr

_COLUMNS = "{:12} {:>9} {:>8} {:>13} {:>8}"


def demo(
    n_rows: Annotated[int, typer.Option("--rows", min=1000, help="Rows to learn from.")] = 200_000,
    n_jobs: Annotated[int, typer.Option("--n-jobs", "-s", help="Threads; -1: all.")] = -1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of rows and models.")] = 0,
) -> None:
    """Make clicks with a planted model, train linear, FM and FFM, and compare them."""
    data, bayes = make_ctr(n_rows * 5 // 4, n_features=20_000, random_state=seed)
    train, valid = data[:n_rows], data[n_rows:]
    assert train.y is not None
    assert valid.y is not None
    rate = float(train.y.mean())
    print(
        f"{train.n_rows:,} rows to learn from, {valid.n_rows:,} to judge by; "
        f"{data.n_fields} fields, {data.n_features:,} features, SIMD level {pyfm.simd()}\n"
    )
    print(_COLUMNS.format("", "log-loss", "AUC", "rows/s", "epochs"))
    guess = metrics.logloss(valid.y, np.full(valid.n_rows, rate))
    print(_COLUMNS.format("base rate", f"{guess:.4f}", "0.5000", "", ""))
    common: dict[str, Any] = {"early_stopping": True, "n_jobs": n_jobs, "random_state": seed}
    models = {
        "linear": pyfm.LinearClassifier(**common),
        "FM": pyfm.FMClassifier(**common),
        "FFM": pyfm.FFMClassifier(learning_rate=0.2, **common),
    }
    for name, model in models.items():
        model.fit(train, eval_set=valid)
        click = model.predict_proba(valid)[:, 1]
        speed = np.median(model.history_["rows_per_second"])
        quality = f"{metrics.logloss(valid.y, click):.4f}", f"{metrics.auc(valid.y, click):.4f}"
        print(_COLUMNS.format(name, *quality, f"{speed:,.0f}", model.best_epoch_), flush=True)
    print(_COLUMNS.format("Bayes bound", f"{bayes:.4f}", "", "", ""))
