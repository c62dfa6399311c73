"""All estimators, for the tests of what they have in common."""

from __future__ import annotations

from typing import Any

import pyfm
from pyfm.estimators.deep import DeepModel

CLASSIFIERS: list[Any] = [
    pyfm.LinearClassifier,
    pyfm.FMClassifier,
    pyfm.FFMClassifier,
    pyfm.DeepFMClassifier,
    pyfm.WideDeepClassifier,
]
REGRESSORS: list[Any] = [
    pyfm.LinearRegressor,
    pyfm.FMRegressor,
    pyfm.FFMRegressor,
    pyfm.DeepFMRegressor,
    pyfm.WideDeepRegressor,
]
ESTIMATORS = CLASSIFIERS + REGRESSORS


def small(kind: Any, **params: Any) -> Any:
    """One of them, with a network that is quick to train."""
    return kind(**({"hidden": (8,)} if issubclass(kind, DeepModel) else {}) | params)
