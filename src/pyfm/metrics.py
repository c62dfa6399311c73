"""Metrics of predictions: log-loss, AUC, RMSE and accuracy, all weighted.

They take anything array-like, compute in float64, and agree with scikit-learn's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyfm import _core
from pyfm.checks import refuse

__all__ = ["accuracy", "auc", "logloss", "rmse"]


def logloss(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Mean negative log-likelihood of the labels, in nats.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1.
    y_pred : array-like of shape (n_rows,)
        Probabilities of label 1. They are kept within [ε, 1 - ε], ε = 2.2e-16, so that a certain
        but wrong prediction costs 36 instead of infinity.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value is out of its range.

    Examples
    --------
    >>> from pyfm.metrics import logloss
    >>> round(logloss([0, 1], [0.5, 0.5]), 4)
    0.6931
    """
    return _core.logloss(*_checked(y_true, y_pred, sample_weight, binary=True, probability=True))


def auc(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Area under the ROC curve: how often a positive row is ranked above a negative one.

    Ties count half.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1; both must be present.
    y_pred : array-like of shape (n_rows,)
        Probabilities or any other scores: only their order counts.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        Between 0 and 1; 0.5 for predictions that know nothing.

    Raises
    ------
    ValueError
        If lengths differ, a value is out of its range, or only one class has rows of weight > 0.

    Examples
    --------
    >>> from pyfm.metrics import auc
    >>> auc([0, 1, 0, 1], [0.1, 0.4, 0.35, 0.8])
    1.0
    """
    value = _core.auc(*_checked(y_true, y_pred, sample_weight, binary=True, probability=False))
    if np.isnan(value):
        refuse("y_true", "both classes, since AUC compares them", "rows of one class only")
    return value


def rmse(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Root of the mean squared error, in the unit of the targets.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        Targets and predictions: finite numbers. Targets are rounded to float32.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value is out of its range.

    Examples
    --------
    >>> from pyfm.metrics import rmse
    >>> rmse([1.0, 2.0], [1.0, 4.0]) == 2**0.5
    True
    """
    return _core.rmse(*_checked(y_true, y_pred, sample_weight, binary=False, probability=False))


def accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Share of rows on the right side of probability ½.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1.
    y_pred : array-like of shape (n_rows,)
        Probabilities of label 1 (or predicted labels 0/1); above 0.5 counts as 1.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value is out of its range.

    Examples
    --------
    >>> from pyfm.metrics import accuracy
    >>> accuracy([0, 1, 1, 1], [0.2, 0.9, 0.4, 0.7])
    0.75
    """
    return _core.accuracy(*_checked(y_true, y_pred, sample_weight, binary=True, probability=True))


Arguments = tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float32] | None]


def _checked(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    sample_weight: ArrayLike | None,
    *,
    binary: bool,
    probability: bool,
) -> Arguments:
    y = _column("y_true", y_true, None)
    prediction = _column("y_pred", y_pred, len(y))
    if binary:
        y = _zero_one(y)
    if probability:
        _check_all("y_pred", prediction, (prediction >= 0) & (prediction <= 1), "in [0, 1]")
    if sample_weight is None:
        return y.astype(np.float32), prediction, None
    weight = _column("sample_weight", sample_weight, len(y))
    _check_all("sample_weight", weight, weight >= 0, ">= 0")
    if not weight.any():
        refuse("sample_weight", "at least one weight > 0", "only zeros")
    return y.astype(np.float32), prediction, weight.astype(np.float32)


def _column(name: str, values: ArrayLike, length: int | None) -> NDArray[np.float64]:
    try:
        column: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected numbers, found {values!r:.60}") from error
    if column.ndim != 1:
        refuse(name, "one dimension", column.shape)
    if length is None and len(column) == 0:
        refuse(name, "at least one row", "none")
    if length is not None and len(column) != length:
        refuse(name, f"{length} entries, as many as y_true", len(column))
    _check_all(name, column, np.isfinite(column), "finite")
    return column


def _zero_one(y: NDArray[np.float64]) -> NDArray[np.float64]:
    negative = -1.0 if (y == -1).any() else 0.0
    _check_all("y_true", y, (y == 1) | (y == negative), "0 or 1, or -1 or 1")
    return np.asarray(y == 1, dtype=np.float64)


def _check_all(
    name: str, values: NDArray[np.float64], good: NDArray[np.bool_], expected: str
) -> None:
    if not good.all():
        row = int(np.argmin(good))
        refuse(f"{name}[{row}]", f"numbers {expected}", float(values[row]))


@dataclass(frozen=True)
class Metric:
    """A metric as training uses it: on arrays that the core has checked already."""

    name: str
    value: Callable[[NDArray[np.float32], NDArray[np.float64], NDArray[np.float32] | None], float]
    greater_is_better: bool


METRICS = {
    metric.name: metric
    for metric in (
        Metric("logloss", _core.logloss, greater_is_better=False),
        Metric("auc", _core.auc, greater_is_better=True),
        Metric("rmse", _core.rmse, greater_is_better=False),
        Metric("accuracy", _core.accuracy, greater_is_better=True),
    )
}
