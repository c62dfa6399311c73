"""The usual members of a stack, and what each adds to it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from pyfm.checks import check_bool, refuse
from pyfm.ensemble.columns import FieldColumns
from pyfm.ensemble.final import combine, learn, new_final
from pyfm.ensemble.forests import default_forest
from pyfm.ensemble.stacking import StackingClassifier
from pyfm.estimators.deepfm import DeepFMClassifier
from pyfm.estimators.ffm import FFMClassifier
from pyfm.estimators.fm import FMClassifier
from pyfm.estimators.linear import LinearClassifier
from pyfm.estimators.rows import targets_of
from pyfm.metrics import logloss


def default_members(*, trees: bool = True) -> list[tuple[str, Any]]:
    """Linear, FM, FFM, DeepFM and LightGBM on the columns of a Dataset, for `StackingClassifier`.

    All but the trees have their defaults; change them, or pass tuned ones in the same form. The
    trees are those of `GBDTFeatures`, behind `FieldColumns`.

    Parameters
    ----------
    trees : bool, default=True
        Whether LightGBM is among them: ``pip install 'pyfm-ctr[gbdt]'``.

    Returns
    -------
    list of (name, classifier)

    Raises
    ------
    ImportError
        Without LightGBM.

    Examples
    --------
    >>> from pyfm.ensemble import default_members
    >>> [name for name, _ in default_members(trees=False)]
    ['linear', 'fm', 'ffm', 'deepfm']
    """
    members: list[tuple[str, Any]] = [
        ("linear", LinearClassifier()),
        ("fm", FMClassifier()),
        ("ffm", FFMClassifier()),
        ("deepfm", DeepFMClassifier()),
    ]
    if check_bool("trees", trees):
        members.append(("lightgbm", make_pipeline(FieldColumns(), default_forest("score", 0))))
    return members


class Contribution(NamedTuple):
    """What one member of a stack adds, in log-loss.

    Attributes
    ----------
    name : str
        The member's.
    alone : float
        Of its own scores.
    so_far : float
        Of a stack of it and the members before it.
    without : float
        Of a stack of all others; NaN where there are none.
    """

    name: str
    alone: float
    so_far: float
    without: float


def contributions(
    stack: StackingClassifier, X: Any, y: Any = None, *, sample_weight: Any = None
) -> list[Contribution]:
    """What each member of a fitted stack adds on rows that it did not see.

    The final estimator is fitted anew for each choice of members, to the out-of-fold scores that
    the stack has kept; no member is.

    Parameters
    ----------
    stack : StackingClassifier
        Fitted.
    X : rows as its `fit` takes them
        Others than those of `fit`.
    y : array-like of shape (n_rows,), optional
        Labels; None: those of the Dataset.
    sample_weight : array-like of shape (n_rows,), optional
        None: those of the Dataset, or all 1.

    Returns
    -------
    list of Contribution
        In the order of the stack's members.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        Before `fit`.
    ValueError
        For labels that the stack does not know.

    Examples
    --------
    >>> import pyfm
    >>> from pyfm.ensemble import StackingClassifier, contributions
    >>> rows, _ = pyfm.datasets.make_ctr(3000, n_fields=4, n_features=40, random_state=0)
    >>> members = [("linear", pyfm.LinearClassifier()), ("fm", pyfm.FMClassifier(epochs=3))]
    >>> stack = StackingClassifier(members, cv=3, random_state=0).fit(rows[:2000])
    >>> [added.name for added in contributions(stack, rows[2000:])]
    ['linear', 'fm']
    """
    if not isinstance(stack, StackingClassifier):
        refuse("stack", "a StackingClassifier of pyfm", stack)
    check_is_fitted(stack)
    y, sample_weight = targets_of(X, y, sample_weight)
    labels = stack._targets.encode(y)
    scores = stack.member_scores(X)
    names = list(stack.named_estimators_)

    def loss(columns: list[int]) -> float:
        if not columns:
            return float("nan")
        final = learn(
            new_final(stack.final_estimator),
            stack.oof_score_[:, columns],
            stack._labels,
            stack._weight,
        )
        return _logloss(labels, combine(final, scores[:, columns]), sample_weight)

    every = range(len(names))
    return [
        Contribution(
            name,
            alone=_logloss(labels, scores[:, i], sample_weight),
            so_far=loss(list(range(i + 1))),
            without=loss([other for other in every if other != i]),
        )
        for i, name in enumerate(names)
    ]


def _logloss(labels: Any, score: NDArray[np.float64], weight: Any) -> float:
    return float(logloss(labels, expit(score), sample_weight=weight))
