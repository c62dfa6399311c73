"""What is no error, but hardly what was meant."""

from __future__ import annotations


class NoFeaturesWarning(UserWarning):
    """Training rows have features, but all are too rare for `min_count`, so that none has weights.

    The model predicts the same for every row.

    Examples
    --------
    >>> import warnings, pyfm
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", pyfm.NoFeaturesWarning)
    ...     pyfm.LinearClassifier(min_count=3).fit([[0, 1], [0, 2]], [1, 0])
    Traceback (most recent call last):
    pyfm.warning.NoFeaturesWarning: min_count=3: expected features that occur in so many rows, ...
    """
