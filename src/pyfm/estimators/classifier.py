"""What the classifiers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from pyfm.dataset import Dataset
from pyfm.estimators.base import Estimator
from pyfm.estimators.targets import Labels

ClassWeight = Mapping[Any, float] | str | None


class Classifier(ClassifierMixin, Estimator):  # type: ignore[misc]  # scikit-learn has no types
    """Two classes, logistic loss."""

    _loss: ClassVar[str] = "logistic"
    _metrics: ClassVar[tuple[str, ...]] = (
        "logloss",
        "auc",
        "accuracy",
        "normalized_entropy",
        "calibration_ratio",
        "expected_calibration_error",
        "brier",
        "precision",
        "recall",
        "f1",
    )

    class_weight: ClassWeight
    negative_sampling: float
    label_smoothing: float

    _targets: Labels

    def _assign(self, params: dict[str, Any]) -> None:
        """Sets the parameters that `__init__` was given, its locals."""
        for name, value in params.items():
            if name != "self":
                setattr(self, name, value)

    @property
    def classes_(self) -> NDArray[Any]:
        """The two labels, shape (2,); probabilities and scores are those of the second."""
        if "_targets" not in vars(self):
            raise AttributeError("classes_ is set by fit")
        return self._targets.classes

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Raw scores: log-odds of the second class, corrected for `negative_sampling`.

        Parameters
        ----------
        X : Dataset, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`. Features and fields that training did not meet are ignored.

        Returns
        -------
        ndarray of float32 of shape (n_rows,)

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        return self._scores(X)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the two classes, corrected for `negative_sampling`.

        Parameters
        ----------
        X : Dataset, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`. Features and fields that training did not meet are ignored.

        Returns
        -------
        ndarray of float64 of shape (n_rows, 2)
            Columns in the order of ``classes_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        positive = self._predictions(X)
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> NDArray[Any]:
        """The likelier label of each row; parameters and errors as in `predict_proba`.

        Returns
        -------
        ndarray of the dtype of ``classes_``, shape (n_rows,)
        """
        positive = (self._scores(X) > 0).astype(np.intp)
        labels: NDArray[Any] = self.classes_[positive]
        return labels

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Accuracy.

        Parameters
        ----------
        X : Dataset, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`.
        y : array-like of shape (n_rows,), optional
            Labels; None: those of the Dataset.
        sample_weight : array-like of shape (n_rows,), optional
            None: those of the Dataset, or all 1.

        Returns
        -------
        float
        """
        if isinstance(X, Dataset):
            y = X.y if y is None else y
            sample_weight = X.sample_weight if sample_weight is None else sample_weight
        return float(accuracy_score(y, self.predict(X), sample_weight=sample_weight))

    def _learn_targets(self, X: Any, y: Any) -> Labels:
        return Labels.learn(X, y)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.poor_score = self._needs_fields
        return tags
