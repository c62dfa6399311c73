"""The metrics that the core does not have, on checked arrays: (y, prediction, weight) -> float.

Each is a few sums over the rows, which NumPy does as fast as they can be read; the core has those
that training computes by default, and AUC, whose sort and ties want a loop. NaN where a metric is
not defined, as in the core.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.metrics.checks import Doubles, for_core

Rows = NDArray[Any]  # of float32 or float64
Weights = Rows | None  # None: all 1


def normalized_entropy(y: Rows, p: Doubles, w: Weights) -> float:
    rate = _mean(y, w)
    if rate in (0, 1):
        return math.nan
    entropy = -(rate * math.log(rate) + (1 - rate) * math.log1p(-rate))
    return _core.logloss(*for_core(y, p, w)) / entropy


def calibration_ratio(y: Rows, p: Doubles, w: Weights) -> float:
    rate = _mean(y, w)
    return _mean(p, w) / rate if rate else math.nan


def expected_calibration_error(y: Rows, p: Doubles, w: Weights, n_bins: int = 15) -> float:
    edges = np.linspace(0, 1, n_bins + 1)
    bins = np.searchsorted(edges[1:-1], p)  # right-closed: (edges[b], edges[b + 1]], and 0 in bin 0
    gap = p - y if w is None else w * (p - y)
    total = len(y) if w is None else w.sum(dtype=np.float64)
    return float(np.abs(np.bincount(bins, gap)).sum() / total)


def brier(y: Rows, p: Doubles, w: Weights) -> float:
    return _mean((p - y) ** 2, w)


def logloss_of_classes(y: Rows, p: Doubles, w: Weights) -> float:
    eps = np.finfo(np.float64).eps
    own = np.take_along_axis(p, y.astype(np.intp)[:, None], axis=1)[:, 0]
    return _mean(-np.log(np.maximum(own, eps)), w)


def accuracy_of_classes(y: Rows, p: Doubles, w: Weights) -> float:
    return _mean(p.argmax(axis=1) == y, w)


def precision(y: Rows, p: Doubles, w: Weights, threshold: float = 0.5) -> float:
    chosen = p > threshold
    return _ratio(_total(chosen & (y == 1), w), _total(chosen, w))


def recall(y: Rows, p: Doubles, w: Weights, threshold: float = 0.5) -> float:
    return _ratio(_total((p > threshold) & (y == 1), w), _total(y == 1, w))


def f1(y: Rows, p: Doubles, w: Weights, threshold: float = 0.5) -> float:
    chosen = p > threshold
    found = _total(chosen & (y == 1), w)
    return _ratio(2 * found, _total(chosen, w) + _total(y == 1, w))


def mae(y: Rows, prediction: Doubles, w: Weights) -> float:
    return _mean(np.abs(prediction - y), w)


def r2(y: Rows, prediction: Doubles, w: Weights) -> float:
    counted = y if w is None else y[w > 0]
    if (counted == counted[0]).all():  # their variance, rounded, need not be 0
        return math.nan
    y = y.astype(np.float64)
    return 1 - _mean((prediction - y) ** 2, w) / _mean((y - _mean(y, w)) ** 2, w)


def _mean(values: Rows, w: Weights) -> float:
    return float(np.average(values.astype(np.float64, copy=False), weights=w))


def _total(chosen: NDArray[np.bool_], w: Weights) -> float:
    """Weight of the chosen rows."""
    return float(np.count_nonzero(chosen) if w is None else w[chosen].sum(dtype=np.float64))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
