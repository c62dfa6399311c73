"""Metrics of the order of predictions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyfm import _core
from pyfm.checks import refuse
from pyfm.metrics.checks import Doubles, check_classes, check_groups, defined, for_core


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
    rows = check_classes(y_true, y_pred, sample_weight, scores=True)
    value = _core.auc(*for_core(*rows))
    return defined(value, "both classes, since AUC compares them", "rows of one class only")


def gauc(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    groups: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
) -> float:
    r"""Grouped AUC: the AUC within each group (of a user, say), averaged by impressions.

    .. math:: \sum_g n_g \mathrm{AUC}_g / \sum_g n_g

    where :math:`n_g` is the number of rows of group g, or their weight. What is the same for all
    rows of a group, such as how active a user is, cannot raise it; AUC it can. Groups whose rows
    (of weight > 0) are of one class have no AUC and are left out of both sums.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Labels, 0/1 or -1/1.
    y_pred : array-like of shape (n_rows,)
        Probabilities or any other scores: only their order within a group counts.
    groups : array-like of shape (n_rows,)
        The group of each row: integers, strings, or anything else that sorts. In any order.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows, not negative, not all 0.

    Returns
    -------
    float
        Between 0 and 1; 0.5 for predictions that know nothing.

    Raises
    ------
    ValueError
        If lengths differ, a value is out of its range, or no group has rows of both classes.

    References
    ----------
    Zhou et al.: Deep interest network for click-through rate prediction. KDD 2018.

    Examples
    --------
    The first user's rows are in the right order, the second's are not; the third's are all clicks.

    >>> from pyfm.metrics import gauc
    >>> users = ["a", "a", "a", "b", "b", "c"]
    >>> gauc([0, 0, 1, 1, 0, 1], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8], users)
    0.6
    """
    y, p, w = check_classes(y_true, y_pred, sample_weight, scores=True)
    group, w = check_groups(groups, len(y)), np.ones_like(y) if w is None else w
    won, pairs = _grouped_pairs(y, p, w, group)
    both = pairs > 0
    if not both.any():
        refuse("y_true", "a group with rows of both classes", "groups of one class only")
    return float(np.average(won[both] / pairs[both], weights=np.bincount(group, w)[both]))


def _grouped_pairs(
    y: Doubles, p: Doubles, w: Doubles, group: NDArray[np.intp]
) -> tuple[Doubles, Doubles]:
    """Of each group: the weight of its pairs of both classes in the right order, and of all."""
    order = np.lexsort((p, group))
    y, p, w, group = y[order], p[order], w[order], group[order]
    first = np.diff(group, prepend=-1) != 0  # of a group; and below, of a run of equal predictions
    runs = np.flatnonzero(first | (np.diff(p, prepend=0) != 0))
    positive, negative = np.add.reduceat(w * y, runs), np.add.reduceat(w * (1 - y), runs)
    starts, of_run = np.flatnonzero(first[runs]), group[runs]
    before = np.cumsum(negative) - negative
    won = positive * (before - before[starts][of_run] + negative / 2)
    positives, negatives = np.add.reduceat(positive, starts), np.add.reduceat(negative, starts)
    return np.add.reduceat(won, starts), positives * negatives
