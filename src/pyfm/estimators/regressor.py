"""What the regressors share."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from pyfm.dataset import Dataset
from pyfm.estimators.base import Estimator
from pyfm.estimators.targets import Numbers


class Regressor(RegressorMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """Real targets, squared loss."""

    _loss: ClassVar[str] = "squared"
    _metrics: ClassVar[tuple[str, ...]] = ("rmse", "mae", "r2")

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predicted targets.

        Parameters
        ----------
        X : Dataset, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`. Features and fields that training did not meet are ignored.

        Returns
        -------
        ndarray of float64 of shape (n_rows,)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        return self._predictions(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Coefficient of determination, R².

        Parameters
        ----------
        X : Dataset, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`.
        y : array-like of shape (n_rows,), optional
            Targets; None: those of the Dataset.
        sample_weight : array-like of shape (n_rows,), optional
            None: those of the Dataset, or all 1.

        Returns
        -------
        float
        """
        if isinstance(X, Dataset):
            y = X.y if y is None else y
            sample_weight = X.sample_weight if sample_weight is None else sample_weight
        return float(r2_score(y, self.predict(X), sample_weight=sample_weight))

    def _learn_targets(self, X: Any, y: Any) -> Numbers:
        return Numbers()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = self._needs_fields
        return tags
