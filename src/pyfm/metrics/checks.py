"""What metrics are given, checked, in float64; and in the types that the core takes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyfm.checks import refuse

Doubles = NDArray[np.float64]
Checked = tuple[Doubles, Doubles, Doubles | None]  # y, prediction, weight
CoreArguments = tuple[NDArray[np.float32], Doubles, NDArray[np.float32] | None]

_ROUNDING = 1e-3  # of sums of float32 probabilities; what is further from 1 is none


def check_classes(
    y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None, *, scores: bool = False
) -> Checked:
    """Labels, as 0 and 1, with probabilities of 1, or with any `scores`."""
    y, prediction, weight = check_numbers(y_true, y_pred, sample_weight)
    y = _zero_one(y)
    if not scores:
        _check_all("y_pred", prediction, (prediction >= 0) & (prediction <= 1), "in [0, 1]")
    return y, prediction, weight


def check_numbers(y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> Checked:
    """Real targets with predictions."""
    y = _column("y_true", y_true, None)
    prediction = _column("y_pred", y_pred, len(y))
    return y, prediction, _weight(sample_weight, len(y))


def has_columns(y_pred: ArrayLike) -> bool:
    """Whether it is of two dimensions: a column for each class."""
    try:
        return np.ndim(y_pred) == 2
    except ValueError:  # rows of different lengths
        return False


def check_columns(y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None) -> Checked:
    """Numbers of classes, with the probabilities of all, (n_rows, n_classes)."""
    y = _column("y_true", y_true, None)
    prediction = _array("y_pred", y_pred, len(y), "two dimensions", 2)
    n_classes = prediction.shape[1]
    if n_classes < 2:
        refuse("y_pred", "a column for each class", f"{n_classes} columns")
    _check_all("y_pred", prediction, (prediction >= 0) & (prediction <= 1), "in [0, 1]")
    total = prediction.sum(axis=1)
    _check_all("sum of y_pred", total, np.abs(total - 1) <= _ROUNDING, "that are 1")
    classes = (
        f"of classes, 0 to {n_classes - 1} for the columns of y_pred "
        "(numpy.searchsorted(model.classes_, y) makes them of labels),"
    )
    _check_all("y_true", y, (y >= 0) & (y < n_classes) & (y == np.floor(y)), classes)
    return y, prediction, _weight(sample_weight, len(y))


def check_groups(groups: ArrayLike, length: int) -> NDArray[np.intp]:
    """The groups' numbers, from 0 in sorted order, for each row."""
    values: NDArray[Any] = np.asarray(groups)
    if values.ndim != 1:
        refuse("groups", "one dimension", values.shape)
    if len(values) != length:
        refuse("groups", f"{length} entries, as many as y_true", len(values))
    missing = values != values  # NaN, NaT
    if missing.any():
        row = int(np.argmax(missing))
        refuse(f"groups[{row}]", "a group", values[row])
    try:
        return np.unique(values, return_inverse=True)[1]
    except TypeError as error:  # objects without an order
        raise ValueError(f"groups: expected values of one type, found others: {error}") from error


def for_core(y: NDArray[Any], prediction: Doubles, weight: NDArray[Any] | None) -> CoreArguments:
    """No copies where the types are those already, as in training."""
    return (
        y.astype(np.float32, copy=False),
        prediction,
        None if weight is None else weight.astype(np.float32, copy=False),
    )


def defined(value: float, expected: str, found: str) -> float:
    """The value, unless it is NaN: then y_true lacks what the metric needs."""
    if math.isnan(value):
        refuse("y_true", expected, found)
    return value


def _weight(sample_weight: ArrayLike | None, length: int) -> Doubles | None:
    if sample_weight is None:
        return None
    weight = _column("sample_weight", sample_weight, length)
    _check_all("sample_weight", weight, weight >= 0, ">= 0")
    if not weight.any():
        refuse("sample_weight", "at least one weight > 0", "only zeros")
    return weight


def _column(name: str, values: ArrayLike, length: int | None) -> Doubles:
    return _array(name, values, length, "one dimension", 1)


def _array(name: str, values: ArrayLike, length: int | None, expected: str, ndim: int) -> Doubles:
    try:
        column: Doubles = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected numbers, found {values!r:.60}") from error
    if column.ndim != ndim:
        refuse(name, expected, column.shape)
    if length is None and len(column) == 0:
        refuse(name, "at least one row", "none")
    if length is not None and len(column) != length:
        refuse(name, f"{length} entries, as many as y_true", len(column))
    _check_all(name, column, np.isfinite(column), "finite")
    return column


def _zero_one(y: Doubles) -> Doubles:
    negative = -1.0 if (y == -1).any() else 0.0
    _check_all("y_true", y, (y == 1) | (y == negative), "0 or 1, or -1 or 1")
    return np.asarray(y == 1, dtype=np.float64)


def _check_all(name: str, values: Doubles, good: NDArray[np.bool_], expected: str) -> None:
    if not good.all():
        place = np.unravel_index(np.argmin(good), good.shape)
        where = ", ".join(str(int(i)) for i in place)
        refuse(f"{name}[{where}]", f"numbers {expected}", float(values[place]))
