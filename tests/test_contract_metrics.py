"""Metrics equal the oracle's naive sums, with ties, weights and at the ends of the scale."""

from __future__ import annotations

import contract
import numpy as np
import pytest
from numpy.typing import NDArray
from reference_metrics import METRICS

from pyfm import _core

Y = np.array([0, 1, 1, 0, 1, 0, 0, 1, 0, 1] * 8, np.float32)


def predictions(n_values: int) -> NDArray[np.float64]:
    """Predictions in (0, 1) with `n_values` different values."""
    return (1 + np.random.default_rng(3).integers(0, n_values, len(Y))) / (n_values + 2)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_values", [1, 2, 5, 10**6])
@pytest.mark.parametrize("name", contract.METRICS)
def test_metrics(name: str, n_values: int, weighted: bool) -> None:
    p = predictions(n_values)
    weight = np.random.default_rng(4).integers(0, 4, len(Y)).astype(np.float32)
    found = getattr(_core, name)(Y, p, weight if weighted else None)
    expected = METRICS[name](
        Y.astype(float), p, weight.astype(float) if weighted else np.ones(len(Y))
    )
    assert found == pytest.approx(expected, rel=1e-12)


def test_auc_at_its_ends() -> None:
    y = np.array([0, 0, 1, 1], np.float32)
    assert _core.auc(y, np.array([1.0, 2, 3, 4]), None) == 1
    assert _core.auc(y, np.array([4.0, 3, 2, 1]), None) == 0
    assert _core.auc(y, np.array([1.0, 1, 1, 1]), None) == 0.5
    assert _core.auc(y, np.array([-np.inf, 0, 0, np.inf]), None) == 0.875


def test_auc_of_one_class_is_not_a_number() -> None:
    assert np.isnan(_core.auc(np.ones(3, np.float32), np.array([0.1, 0.2, 0.3]), None))


def test_logloss_of_certain_predictions_is_finite() -> None:
    y = np.array([0, 1], np.float32)
    assert _core.logloss(y, np.array([0.0, 1.0]), None) == pytest.approx(0, abs=1e-12)
    wrong = _core.logloss(y, np.array([1.0, 0.0]), None)
    assert 30 < wrong < 40  # -log(2.2e-16) = 36


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="prediction: expected 80 entries"):
        _core.logloss(Y, np.zeros(3), None)
    with pytest.raises(ValueError, match="weight: expected 80 entries"):
        _core.logloss(Y, np.zeros(80), np.zeros(3, np.float32))
