"""`score` of everything that predicts, by itself or with others: of a Dataset, its own targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sklearn.base import ClassifierMixin, RegressorMixin

from pyfm.estimators.rows import targets_of


class _Scored:
    _measure: ClassVar[str]  # of sklearn.metrics, which takes a while to load
    predict: Callable[[Any], Any]

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy of a classifier, coefficient of determination R² of a regressor.

        Parameters
        ----------
        X : rows as in `predict`
        y : array-like of shape (n_rows,), optional
            Labels or targets; None: those of the Dataset.
        sample_weight : array-like of shape (n_rows,), optional
            None: those of the Dataset, or all 1.

        Returns
        -------
        float
        """
        import sklearn.metrics

        y, sample_weight = targets_of(X, y, sample_weight)
        measure = getattr(sklearn.metrics, self._measure)
        return float(measure(y, self.predict(X), sample_weight=sample_weight))


class ScoredByAccuracy(_Scored, ClassifierMixin):  # type: ignore[misc]  # scikit-learn has no types
    """Classifiers."""

    _measure = "accuracy_score"


class ScoredByR2(_Scored, RegressorMixin):  # type: ignore[misc]
    """Regressors."""

    _measure = "r2_score"
