"""Rows of four classes, and the estimators that learn them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pyfm

KINDS: list[Any] = [pyfm.LinearClassifier, pyfm.FMClassifier, pyfm.FFMClassifier]
each_kind = pytest.mark.parametrize("kind", KINDS)

# Three fields of 4 ids; the class depends on the sum of two of them, and is sometimes another.
_random = np.random.default_rng(0)
IDS = _random.integers(0, 4, (400, 3)) + np.array([0, 4, 8])
Y = np.where(
    _random.random(400) < 0.1,
    _random.integers(0, 4, 400),
    (IDS[:, 0] + IDS[:, 1] - 4) // 2 % 4,
)
LABELS = np.array(["d", "b", "a", "c"])[Y]


def made(kind: Any, **params: Any) -> Any:
    return kind(**{"epochs": 5, "learning_rate": 0.3, "random_state": 0} | params)
