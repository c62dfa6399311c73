"""Streams of rows, learned in pieces."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import contract
import numpy as np
import pytest

import pyfm

CLASSIFIERS: dict[str, Any] = {
    "linear": pyfm.LinearClassifier, "fm": pyfm.FMClassifier, "ffm": pyfm.FFMClassifier
}  # fmt: skip

REGRESSORS: dict[str, Any] = {
    "linear": pyfm.LinearRegressor, "fm": pyfm.FMRegressor, "ffm": pyfm.FFMRegressor
}  # fmt: skip

each_model = pytest.mark.parametrize("model", contract.MODELS)

each_optimizer = pytest.mark.parametrize(
    "optimizer", [*pyfm.optim.OPTIMIZERS, pyfm.optim.FTRL(l1=1e-3)], ids=str
)


def id_rows(n_rows: int = 240, n_fields: int = 4, seed: int = 0) -> tuple[Any, Any]:
    """Ids that turn up one after the other: the largest last."""
    rng = np.random.default_rng(seed)
    known = np.linspace(2, 30, n_rows)[:, np.newaxis]
    ids = (rng.random((n_rows, n_fields)) * known).astype(int) * n_fields + np.arange(n_fields)
    return ids, (ids.sum(axis=1) % 3 == 0).astype(int)


X, Y = id_rows()


def assert_same(a: Any, b: Any) -> None:
    """To the bit, optimizer state included: the next rows are learned alike."""
    assert a.n_features_in_ == b.n_features_in_
    for part in a._spec.parts:
        np.testing.assert_array_equal(a._model.weights(part), b._model.weights(part), part)
    np.testing.assert_array_equal(a._model.bias, b._model.bias)
    assert a._stream.n_rows == b._stream.n_rows
    # Sums of float64 in another order.
    assert a._progressive_loss() == pytest.approx(b._progressive_loss(), rel=1e-12)


def learn(model: Any, X: Any, y: Any, ends: Any = (), **given: Any) -> Any:
    for begin, end in pairwise([0, *ends, len(y)]):
        now = {name: value[begin:end] for name, value in given.items()}
        model.partial_fit(X[begin:end], y[begin:end], **now)
    return model
