"""Slow, obvious twins of the metrics: (y, prediction on the scale of y, weight) -> value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def logloss(y: Array, p: Array, weight: Array) -> float:
    return float(np.average(-(y * np.log(p) + (1 - y) * np.log1p(-p)), weights=weight))


def auc(y: Array, p: Array, weight: Array) -> float:
    """The weighted share of (positive, negative) pairs in the right order; a tie counts half."""
    won = pairs = 0.0
    for i in np.flatnonzero(y == 1):
        for j in np.flatnonzero(y == 0):
            pairs += weight[i] * weight[j]
            won += weight[i] * weight[j] * (1.0 if p[i] > p[j] else 0.5 if p[i] == p[j] else 0.0)
    return float(won / pairs)


def rmse(y: Array, p: Array, weight: Array) -> float:
    return math.sqrt(np.average((y - p) ** 2, weights=weight))


def accuracy(y: Array, p: Array, weight: Array) -> float:
    return float(np.average((p > 0.5) == (y == 1), weights=weight))


def normalized_entropy(y: Array, p: Array, weight: Array) -> float:
    """He et al. 2014: log-loss over that of the base rate."""
    rate = np.full(len(y), np.average(y, weights=weight))
    return logloss(y, p, weight) / logloss(y, rate, weight)


def calibration_ratio(y: Array, p: Array, weight: Array) -> float:
    return float(sum(weight * p) / sum(weight * y))


def expected_calibration_error(y: Array, p: Array, weight: Array, n_bins: int = 15) -> float:
    """Guo et al. 2017, equation 3, with their bins: (b / n, (b + 1) / n]."""
    total = 0.0
    edges = np.linspace(0, 1, n_bins + 1)
    for b in range(n_bins):
        inside = (p > edges[b]) & (p <= edges[b + 1]) | ((b == 0) & (p == 0))
        size = sum(weight[inside])
        if size:
            rate, mean = (np.average(v[inside], weights=weight[inside]) for v in (y, p))
            total += size / sum(weight) * abs(rate - mean)
    return float(total)


def gauc(y: Array, p: Array, groups: Sequence[Any], weight: Array) -> float:
    """Zhou et al. 2018: AUC of each group that has both classes, weighted by its impressions."""
    total = impressions = 0.0
    for group in set(groups):
        rows = np.array([g == group for g in groups]) & (weight > 0)
        if len(set(y[rows])) == 2:
            impressions += sum(weight[rows])
            total += sum(weight[rows]) * auc(y[rows], p[rows], weight[rows])
    return total / impressions


METRICS: dict[str, Callable[[Array, Array, Array], float]] = {
    "logloss": logloss,
    "normalized_entropy": normalized_entropy,
    "calibration_ratio": calibration_ratio,
    "expected_calibration_error": expected_calibration_error,
    "auc": auc,
    "rmse": rmse,
    "accuracy": accuracy,
}
