"""What the classifiers share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.estimators.base import Estimator
from pyfm.estimators.docs import documented_stream
from pyfm.estimators.model_spec import DEEP_KINDS
from pyfm.estimators.opened import OpenStream
from pyfm.estimators.partial_fit import partial_fit
from pyfm.estimators.rows import learn_labels
from pyfm.estimators.scoring import ScoredByAccuracy
from pyfm.estimators.targets import Labels, different_labels

if TYPE_CHECKING:
    from typing_extensions import Self

ClassWeight = Mapping[Any, float] | str | None


class Classifier(ScoredByAccuracy, Estimator):
    """Two classes and the logistic loss, or more and the softmax loss."""

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

    @documented_stream
    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        fields: Any = None,
        sample_weight: Any = None,
        classes: Any = None,
    ) -> Self:
        """Learns some more rows, once and in their order: online learning, for streams.

        {stream}

        Parameters
        ----------
        {stream_parameters}
        classes : array-like of shape (n_classes,), optional
            All labels, in the first call. None: those of the first rows; if these have only one, it
            must be 0, 1 or -1, whose other is 1, 0 or 1.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range or without a meaning in a stream (early_stopping,
            learning_rate_schedule, augmentation, "balanced" weights), rows that the model cannot
            learn, fields that an FFM was not made with, and a training that diverges: scores or
            weights that are no longer finite.
        {stream_raises}

        Notes
        -----
        {stream_notes}

        Examples
        --------
        >>> from pyfm import FFMClassifier
        >>> model = FFMClassifier(random_state=0)
        >>> for ids, clicks in [([[0, 2], [1, 3]], [0, 1]), ([[0, 3], [4, 2]], [1, 0])]:
        ...     model = model.partial_fit(ids, clicks, classes=[0, 1])
        >>> model.n_features_in_, model.history_["n_rows"]
        (5, [2, 2])
        >>> 0 < model.progressive_logloss_ < 1
        True
        """
        partial_fit(self, X, y, fields, sample_weight, classes)
        return self

    @property
    def progressive_logloss_(self) -> float:
        """Log-loss of the rows of all calls of `partial_fit`, each predicted before it was learned.

        Weighted by `sample_weight`; with `negative_sampling`, negative rows also stand for those
        that were left out. NaN while all rows weigh nothing.
        """
        return self._progressive_loss()

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted, shape (n_classes,). Scores of two classes are those of the second."""
        if "_targets" not in vars(self):
            raise AttributeError("classes_ is set by fit")
        return self._targets.classes

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Raw scores: log-odds of the second class, corrected for `negative_sampling`.

        Of more than two classes a score for each, whose softmax are the probabilities.

        Parameters
        ----------
        X : Dataset, DataStream, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`. Features and fields that training did not meet are ignored.

        Returns
        -------
        ndarray of float32 of shape (n_rows,), or (n_rows, n_classes) of more than two classes

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        return self._scores(X)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the classes, corrected for `negative_sampling`.

        Parameters
        ----------
        X : Dataset, DataStream, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`. Features and fields that training did not meet are ignored.

        Returns
        -------
        ndarray of float64 of shape (n_rows, n_classes)
            Columns in the order of ``classes_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        found = self._predictions(X)
        return found if found.ndim == 2 else np.column_stack([1 - found, found])

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest label of each row; parameters and errors as in `predict_proba`.

        Returns
        -------
        ndarray of the dtype of ``classes_``, shape (n_rows,)
        """
        scores = self._scores(X)
        if scores.ndim == 2:
            return np.asarray(self.classes_[scores.argmax(axis=1)])
        # Not by an array of indices, of 8 bytes a row.
        return np.where(scores > 0, self.classes_[1:], self.classes_[:1])

    def _learn_targets(self, X: Any, y: Any) -> Labels:
        return learn_labels(X.reader) if isinstance(X, OpenStream) else Labels.learn(X, y)

    def _stream_targets(self, X: Any, y: Any, classes: Any) -> Labels:
        if "_targets" not in vars(self):
            return Labels.of_stream(X, y, classes)
        known = self._targets.classes
        given = None if classes is None else different_labels(classes)
        if classes is not None and (given is None or not np.array_equal(given, known)):
            refuse("classes", f"None or {known.tolist()}, those of the first call", classes)
        return self._targets

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self._kind not in DEEP_KINDS
        tags.classifier_tags.poor_score = self._needs_fields
        return tags
