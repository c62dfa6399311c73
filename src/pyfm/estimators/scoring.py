"""`score` of everything that predicts, by itself or with others: of a Dataset, its own targets."""

from __future__ import annotations

from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score

from pyfm.estimators.rows import targets_of


class ScoredByAccuracy(ClassifierMixin):  # type: ignore[misc]  # scikit-learn has no types
    """Classifiers."""

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy.

        Parameters
        ----------
        X : rows as in `predict`
        y : array-like of shape (n_rows,), optional
            Labels; None: those of the Dataset.
        sample_weight : array-like of shape (n_rows,), optional
            None: those of the Dataset, or all 1.

        Returns
        -------
        float
        """
        y, sample_weight = targets_of(X, y, sample_weight)
        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))


class ScoredByR2(RegressorMixin):  # type: ignore[misc]
    """Regressors."""

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Coefficient of determination, R².

        Parameters
        ----------
        X : rows as in `predict`
        y : array-like of shape (n_rows,), optional
            Targets; None: those of the Dataset.
        sample_weight : array-like of shape (n_rows,), optional
            None: those of the Dataset, or all 1.

        Returns
        -------
        float
        """
        y, sample_weight = targets_of(X, y, sample_weight)
        return float(r2_score(y, self.predict(X), sample_weight=sample_weight))
