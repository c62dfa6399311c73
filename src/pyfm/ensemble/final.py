"""The model above the members of a stack."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.linear_model import LogisticRegression

from pyfm.checks import refuse
from pyfm.ensemble.out_of_fold import of_probabilities

MEAN = "mean"


def new_final(given: Any) -> Any:
    """One that is not fitted; None: the mean of the scores.

    Raises ValueError for what is no classifier.
    """
    if isinstance(given, str) and given == MEAN:
        return None
    if given is None:
        return LogisticRegression(C=1e4)
    if not hasattr(given, "fit") or isinstance(given, type) or not is_classifier(given):
        refuse("final_estimator", f"a classifier, None or {MEAN!r}", given)
    return clone(given)


def learn(
    final: Any,
    scores: NDArray[np.float64],
    labels: NDArray[np.int64],
    weight: NDArray[np.float32] | None,
) -> Any:
    """The final estimator, fitted to the rows that a fold predicted; None, the mean, as it is."""
    if final is not None:
        known = ~np.isnan(scores[:, 0])
        weights = {} if weight is None else {"sample_weight": weight[known]}
        final.fit(scores[known], labels[known], **weights)
    return final


def combine(final: Any, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of all members' by a fitted final estimator, or their mean."""
    if final is None:
        return np.asarray(scores.mean(axis=1))
    if hasattr(final, "decision_function"):
        return np.asarray(final.decision_function(scores), np.float64)
    return of_probabilities(final.predict_proba(scores), len(scores))
