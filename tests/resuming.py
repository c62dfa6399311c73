"""Fits that are cut in two, and what they must agree in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import pyfm
from pyfm.callbacks import checkpoint
from pyfm.model_file import load_checkpoint
from pyfm.schedules import ReduceOnPlateau

KINDS = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]

EPOCHS = 4


def untimed(history: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: column for name, column in history.items() if "second" not in name}


def assert_same(a: Any, b: Any) -> None:
    for name in ("coef_", "intercept_", "factors_"):
        assert hasattr(a, name) == hasattr(b, name)
        if hasattr(a, name):
            np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert untimed(a.history_) == untimed(b.history_)
    assert (a.best_epoch_, a.n_iter_) == (b.best_epoch_, b.n_iter_)


def assert_resumes(
    make: Callable[..., Any],
    folder: Path,
    *given: Any,
    callbacks: Callable[[], list[Any]] = list,
    n_jobs: tuple[int, ...] = (1,),
    **options: Any,
) -> Any:
    """Every checkpoint of a fit, resumed, ends as the fit did, and writes the same checkpoints."""
    whole = make(n_jobs=n_jobs[0])
    save = checkpoint(folder / "{epoch}")
    whole.fit(*given, callbacks=[*callbacks(), save], **options)
    for epoch in whole.history_["epoch"]:
        path = folder / str(epoch)
        assert pyfm.load(path).n_iter_ == epoch
        for threads in n_jobs:
            resumed = make(n_jobs=threads)
            again = checkpoint(folder / "again")
            resumed.fit(*given, callbacks=[*callbacks(), again], resume_from=path, **options)
            assert_same(resumed, whole)
            assert (resumed._kept_optimizers is None) == (whole._kept_optimizers is None)
    if whole.n_iter_ > 1:
        one, other = (load_checkpoint(folder / name) for name in ("again", str(whole.n_iter_)))
        assert_same(one[0], other[0])
    return whole


PLATEAU = ReduceOnPlateau(0.3, n_iter_no_change=1)

OVERFITTING: dict[str, Any] = {"normalize": False, "init_scale": 1.0, "learning_rate": 0.5}
