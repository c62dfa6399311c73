"""The work that bench/instructions.py counts, in a process of its own under valgrind.

    python bench/counted.py WORK PASSES TEXT

The core is used directly: the estimators would load libraries for a minute under valgrind.
"""

from __future__ import annotations

import sys

import pyfm
from pyfm import _core
from pyfm.optim import OPTIMIZERS

MODELS = {"FFM k=4": ("ffm", 4), "FM k=16": ("fm", 16), "linear": ("linear", 0)}
WORKS = [
    *(f"{model}, {optimizer}" for model in MODELS for optimizer in OPTIMIZERS),
    *(f"{model}, prediction" for model in MODELS),
    "reading text",
]


def model_of(name: str, optimizer: str, rows: pyfm.Dataset) -> _core.Model:
    """As the estimators make it by default."""
    kind, n_factors = MODELS[name]
    linear = kind != "ffm"
    core = OPTIMIZERS[optimizer]().core()
    return _core.Model(
        kind=kind,
        loss="logistic",
        n_features=rows.n_features,
        n_fields=rows.n_fields,
        n_factors=n_factors,
        linear=linear,
        normalize=True,
        init_scale=1.0,
        dtype="float32",
        seed=0,
        linear_optimizer=core if linear else None,
        factor_optimizer=core if n_factors else None,
    )


def main(work: str, passes: str, text: str) -> None:
    if work == "reading text":
        for _ in range(int(passes)):
            pyfm.Dataset.from_libffm(text, n_threads=1)
        return
    name, what = work.split(", ")
    rows = pyfm.Dataset.from_libffm(text, n_threads=1)
    model = model_of(name, "adagrad" if what == "prediction" else what, rows)
    model.initialize(rows.core, n_threads=1)
    for epoch in range(int(passes)):
        if what == "prediction":
            model.decision_function(rows.core, n_threads=1)
        else:
            model.train_epoch(rows.core, epoch=epoch, shuffle=True, n_threads=1, poll=None)


if __name__ == "__main__":
    main(*sys.argv[1:])
