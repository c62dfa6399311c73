"""What the tests of data streams share: files of rows, and models compared to the bit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

import pyfm
from pyfm import Dataset

KINDS: list[Any] = [
    pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier, pyfm.DeepFMClassifier,
    pyfm.WideDeepClassifier, pyfm.LinearRegressor, pyfm.FMRegressor, pyfm.FFMRegressor,
    pyfm.DeepFMRegressor, pyfm.WideDeepRegressor,
]  # fmt: skip
DEEP = (pyfm.DeepFMClassifier, pyfm.WideDeepClassifier, pyfm.DeepFMRegressor,
        pyfm.WideDeepRegressor)  # fmt: skip

DATA, _ = pyfm.datasets.make_ctr(2001, n_fields=4, n_features=120, random_state=0)


def write_ffm(path: Path, data: Dataset = DATA) -> Path:
    """One feature per field and row, all of value 1."""
    ids = data.core.features.reshape(len(data), -1).tolist()
    assert data.y is not None
    lines = (
        f"{int(y)} " + " ".join(f"{f}:{j}:1" for f, j in enumerate(row)) + "\n"
        for y, row in zip(data.y, ids, strict=True)
    )
    path.write_text("".join(lines))
    return path


def weights_of(model: Any) -> dict[str, Any]:
    """All that training made, optimizer state included, as arrays."""
    core, features = model._model, model._model.features_by_row
    found = {"features": features, "bias": core.bias, "bias_state": core.bias_state}
    for part in model._spec.tables:
        found[part] = core.weights(part)
        found[f"{part} state"] = core.state(part, features)
    for names, get in zip(
        model._spec.network_shapes(), (core.network_weights, core.network_statistics), strict=True
    ):
        found |= {name: get(name) for name in names}
    return found


def assert_same_model(a: Any, b: Any) -> None:
    """To the bit."""
    ours, theirs = weights_of(a), weights_of(b)
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], name)


def caches_in(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if "pyfm-cache" in name)
