"""Metrics of predictions, all weighted: of probabilities, rankings, decisions and real targets.

They take anything array-like, compute in float64, and agree with scikit-learn's where it has them.
All but `gauc` are also names that the estimators' parameter ``metric`` takes.
"""

from pyfm.metrics.decisions import accuracy, f1, precision, recall
from pyfm.metrics.numbers import mae, r2, rmse
from pyfm.metrics.probabilities import (
    brier,
    calibration_ratio,
    expected_calibration_error,
    logloss,
    normalized_entropy,
)
from pyfm.metrics.ranking import auc, gauc

__all__ = [
    "logloss",
    "normalized_entropy",
    "brier",
    "calibration_ratio",
    "expected_calibration_error",
    "auc",
    "gauc",
    "accuracy",
    "precision",
    "recall",
    "f1",
    "rmse",
    "mae",
    "r2",
]
