"""Metrics of real targets."""

from __future__ import annotations

from numpy.typing import ArrayLike

from pyfm import _core
from pyfm.metrics import formulas
from pyfm.metrics.checks import check_numbers, defined, for_core


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
    return _core.rmse(*for_core(*check_numbers(y_true, y_pred, sample_weight)))


def mae(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Mean absolute error, in the unit of the targets.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        Targets and predictions: finite numbers.
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
    >>> from pyfm.metrics import mae
    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return formulas.mae(*check_numbers(y_true, y_pred, sample_weight))


def r2(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Coefficient of determination, R²: 1 - Σ w (y - ŷ)² / Σ w (y - ȳ)².

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Targets: finite numbers that are not all the same.
    y_pred : array-like of shape (n_rows,)
        Predictions ŷ: finite numbers.
    sample_weight : array-like of shape (n_rows,), optional
        Weights w of the rows, not negative, not all 0. The mean ȳ is weighted, too.

    Returns
    -------
    float
        1 for perfect predictions, 0 for those of the mean, negative for worse ones.

    Raises
    ------
    ValueError
        If lengths differ, a value is out of its range, or all targets of weight > 0 are equal
        (where scikit-learn returns 0 or 1).

    Examples
    --------
    >>> from pyfm.metrics import r2
    >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 2.0])
    0.5
    """
    value = formulas.r2(*check_numbers(y_true, y_pred, sample_weight))
    return defined(
        value, "targets that differ, since R² compares with their variance", "equal ones"
    )
