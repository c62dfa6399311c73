"""The sections that the docstrings of the baggings share."""

from __future__ import annotations

from functools import partial

from pyfm.docstrings import fill_in

_PARAMETERS = """
n_estimators : int in [1, 10000], default=10
    Number of members.
max_samples : int or float in (0, 1], default=1.0
    Rows of each sample: a number, or a share of all.
bootstrap : bool, default=True
    Whether samples are drawn with replacement. With ``max_samples=1.0``, about 63 % of the rows are
    in each, some of them several times: also on both sides of the split that a member's
    early_stopping makes.
"""
_SHARED = """
oob_score : bool, default=False
    Whether `fit` predicts each row by the members that did not learn it: a validation for which no
    rows are set apart.
n_jobs : int, default=None
    Members that are trained and asked at once, each on one thread; None: 1, -1: as many as there
    are cores. It changes no bit of the result.
random_state : int, RandomState or None, default=None
    Seed of the samples and of the members.
"""
documented = partial(
    fill_in,
    parameters=_PARAMETERS,
    shared=_SHARED,
    references="Breiman: Bagging predictors. Machine Learning 24 (1996).",
)
