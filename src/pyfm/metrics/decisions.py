"""Metrics of decisions: probabilities above a threshold count as predictions of label 1."""

from __future__ import annotations

from numpy.typing import ArrayLike

from pyfm import _core
from pyfm.checks import check_fraction
from pyfm.metrics import formulas
from pyfm.metrics.checks import check_classes, check_columns, for_core, has_columns


def accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Share of rows on the right side of probability ½, or whose class is the likeliest of several.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1; beside a column for each class, the number of the row's column, from 0:
        ``numpy.searchsorted(model.classes_, y)``.
    y_pred : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probabilities of label 1 (or predicted labels 0/1); above 0.5 counts as 1. Or those of all
        classes, which sum to 1; of equally likely ones the first counts.
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
    >>> accuracy([0, 2], [[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]])
    0.5
    """
    if has_columns(y_pred):
        return formulas.accuracy_of_classes(*check_columns(y_true, y_pred, sample_weight))
    return _core.accuracy(*for_core(*check_classes(y_true, y_pred, sample_weight)))


def precision(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    threshold: float = 0.5,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of label 1 among the rows that are predicted to have it.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1.
    y_pred : array-like of shape (n_rows,)
        Probabilities of label 1 (or predicted labels 0/1).
    threshold : float in [0, 1], default=0.5
        Probabilities above it count as predictions of 1. Where clicks are rare, ½ is above most
        probabilities: take one nearer to their rate.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        Between 0 and 1; 0 if no row is above the threshold, as of scikit-learn's
        ``zero_division=0``.

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value or the threshold is out of its range.

    Examples
    --------
    >>> from pyfm.metrics import precision
    >>> precision([0, 1, 1, 0], [0.2, 0.9, 0.4, 0.7])
    0.5
    """
    rows = check_classes(y_true, y_pred, sample_weight)
    return formulas.precision(*rows, _check_threshold(threshold))


def recall(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    threshold: float = 0.5,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Share of the rows with label 1 that are predicted to have it.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1.
    y_pred : array-like of shape (n_rows,)
        Probabilities of label 1 (or predicted labels 0/1).
    threshold : float in [0, 1], default=0.5
        Probabilities above it count as predictions of 1.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        Between 0 and 1; 0 if no row has label 1, as of scikit-learn's ``zero_division=0``.

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value or the threshold is out of its range.

    Examples
    --------
    >>> from pyfm.metrics import recall
    >>> recall([0, 1, 1, 0], [0.2, 0.9, 0.4, 0.7])
    0.5
    >>> recall([0, 1, 1, 0], [0.2, 0.9, 0.4, 0.7], threshold=0.3)
    1.0
    """
    rows = check_classes(y_true, y_pred, sample_weight)
    return formulas.recall(*rows, _check_threshold(threshold))


def f1(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    threshold: float = 0.5,
    sample_weight: ArrayLike | None = None,
) -> float:
    """Harmonic mean of precision and recall.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1.
    y_pred : array-like of shape (n_rows,)
        Probabilities of label 1 (or predicted labels 0/1).
    threshold : float in [0, 1], default=0.5
        Probabilities above it count as predictions of 1.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        Between 0 and 1; 0 if label 1 neither occurs nor is predicted, as of scikit-learn's
        ``zero_division=0``.

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value or the threshold is out of its range.

    Examples
    --------
    >>> from pyfm.metrics import f1
    >>> f1([0, 1, 1, 0], [0.2, 0.9, 0.4, 0.7], threshold=0.3)
    0.8
    """
    rows = check_classes(y_true, y_pred, sample_weight)
    return formulas.f1(*rows, _check_threshold(threshold))


def _check_threshold(threshold: object) -> float:
    return check_fraction("threshold", threshold, zero=True, one=True)
