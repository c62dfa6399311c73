"""Metrics of probabilities: how likely they make the labels, and how well calibrated they are."""

from __future__ import annotations

from numpy.typing import ArrayLike

from pyfm import _core
from pyfm.checks import check_int
from pyfm.metrics import formulas
from pyfm.metrics.checks import check_classes, check_columns, defined, for_core, has_columns


def logloss(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Mean negative log-likelihood of the labels, in nats.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1; beside a column for each class, the number of the row's column, from 0:
        ``numpy.searchsorted(model.classes_, y)``.
    y_pred : array-like of shape (n_rows,) or (n_rows, n_classes)
        Probabilities of label 1, or of all classes, which sum to 1. They are kept within
        [ε, 1 - ε], ε = 2.2e-16, so that a certain but wrong prediction costs 36 instead of
        infinity.
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
    >>> round(logloss([0, 2], [[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]), 4)
    0.6931
    """
    if has_columns(y_pred):
        return formulas.logloss_of_classes(*check_columns(y_true, y_pred, sample_weight))
    return _core.logloss(*for_core(*check_classes(y_true, y_pred, sample_weight)))


def normalized_entropy(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    r"""Log-loss, divided by that of always predicting the base rate.

    .. math:: \mathrm{logloss} / -(r \log r + (1 - r) \log(1 - r))

    where r is the (weighted) share of label 1 in the rows. Unlike log-loss it can be compared
    between data sets of different rates; 1 minus it is the relative information gain.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1; both must be present.
    y_pred : array-like of shape (n_rows,)
        Probabilities of label 1, kept within [ε, 1 - ε] as by `logloss`.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        0 for perfect predictions, 1 for the base rate, above 1 for worse ones.

    Raises
    ------
    ValueError
        If lengths differ, a value is out of its range, or only one class has rows of weight > 0.

    References
    ----------
    He et al.: Practical lessons from predicting clicks on ads at Facebook. ADKDD 2014.

    Examples
    --------
    >>> from pyfm.metrics import normalized_entropy
    >>> round(normalized_entropy([0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25]), 9)
    1.0
    >>> round(normalized_entropy([0, 0, 0, 1], [0.1, 0.1, 0.1, 0.9]), 3)
    0.187
    """
    value = formulas.normalized_entropy(*check_classes(y_true, y_pred, sample_weight))
    return defined(value, "both classes, since one alone has no entropy", "rows of one class only")


def brier(y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None) -> float:
    """Brier score: mean squared difference between probability and label.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1.
    y_pred : array-like of shape (n_rows,)
        Probabilities of label 1.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        Between 0 and 1; 0 for perfect predictions, r (1 - r) for those of the base rate r.

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value is out of its range.

    References
    ----------
    Brier: Verification of forecasts expressed in terms of probability. Monthly Weather Review 78,
    1950.

    Examples
    --------
    >>> from pyfm.metrics import brier
    >>> brier([0, 1], [0.5, 1.0])
    0.125
    """
    return formulas.brier(*check_classes(y_true, y_pred, sample_weight))


def calibration_ratio(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None
) -> float:
    """Predicted clicks divided by clicks: Σ w p / Σ w y.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels y, 0/1 or -1/1, of which some must be 1.
    y_pred : array-like of shape (n_rows,)
        Probabilities p of label 1.
    sample_weight : array-like of shape (n_rows,), optional
        Weights w of the rows, not negative, not all 0.

    Returns
    -------
    float
        1 for calibrated predictions, above 1 for those that promise too many clicks. As
        ``metric`` of an estimator, the nearer to 1 the better.

    Raises
    ------
    ValueError
        If lengths differ, a value is out of its range, or no row of weight > 0 has label 1.

    References
    ----------
    He et al.: Practical lessons from predicting clicks on ads at Facebook. ADKDD 2014 (there
    called calibration).

    Examples
    --------
    >>> from pyfm.metrics import calibration_ratio
    >>> calibration_ratio([0, 0, 1, 0], [0.25, 0.5, 0.5, 0.25])
    1.5
    """
    value = formulas.calibration_ratio(*check_classes(y_true, y_pred, sample_weight))
    return defined(value, "rows of label 1, which the ratio divides by", "rows of label 0 only")


def expected_calibration_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    n_bins: int = 15,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""Expected calibration error: how far rates and probabilities differ, bin by bin.

    .. math:: \sum_b (n_b / n) \, |\bar y_b - \bar p_b|

    Rows are put into bins of equal width by their probability p, bin b being
    (b / n_bins, (b + 1) / n_bins], and 0 in the first; :math:`n_b / n` is the share of the rows, or
    of their weight, in bin b.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1.
    y_pred : array-like of shape (n_rows,)
        Probabilities of label 1.
    n_bins : int >= 1, default=15
        Number of bins. Where clicks are rare, most rows are in the first one: take many.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        Between 0 and 1; 0 for calibrated predictions.

    Raises
    ------
    ValueError
        If lengths differ, there are no rows, or a value or n_bins is out of its range.

    References
    ----------
    Naeini, Cooper, Hauskrecht: Obtaining well calibrated probabilities using Bayesian binning.
    AAAI 2015. Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks. ICML 2017.

    Examples
    --------
    >>> from pyfm.metrics import expected_calibration_error
    >>> expected_calibration_error([0, 1, 1, 1], [0.25, 0.25, 0.75, 0.75], n_bins=2)
    0.25
    """
    rows = check_classes(y_true, y_pred, sample_weight)
    return formulas.expected_calibration_error(*rows, check_int("n_bins", n_bins, 1))
