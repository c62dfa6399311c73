"""What the regressors share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pyfm.estimators.base import Estimator
from pyfm.estimators.docs import documented_stream
from pyfm.estimators.partial_fit import partial_fit
from pyfm.estimators.scoring import ScoredByR2
from pyfm.estimators.targets import Numbers

if TYPE_CHECKING:
    from typing_extensions import Self


class Regressor(ScoredByR2, Estimator):
    """Real targets, squared loss."""

    _loss: ClassVar[str] = "squared"
    _metrics: ClassVar[tuple[str, ...]] = ("rmse", "mae", "r2")

    @documented_stream
    def partial_fit(
        self, X: Any, y: Any = None, *, fields: Any = None, sample_weight: Any = None
    ) -> Self:
        """Learns some more rows, once and in their order: online learning, for streams.

        {stream}

        Parameters
        ----------
        {stream_parameters}

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range or without a meaning in a stream (early_stopping,
            learning_rate_schedule, augmentation), rows that the model cannot learn, fields that an
            FFM was not made with, and a training that diverges: scores or weights that are no
            longer finite.
        {stream_raises}

        Notes
        -----
        {stream_notes}

        Examples
        --------
        >>> from pyfm import LinearRegressor
        >>> model = LinearRegressor()
        >>> for ids, y in [([[0, 2], [1, 3]], [0.0, 1.0]), ([[0, 3], [4, 2]], [1.0, 0.0])]:
        ...     model = model.partial_fit(ids, y)
        >>> model.n_features_in_, model.history_["n_rows"]
        (5, [2, 2])
        >>> 0 < model.progressive_rmse_ < 1
        True
        """
        partial_fit(self, X, y, fields, sample_weight)
        return self

    @property
    def progressive_rmse_(self) -> float:
        """RMSE of the rows of all calls of `partial_fit`, each predicted before it was learned.

        Weighted by `sample_weight`; NaN while all rows weigh nothing.
        """
        return self._progressive_loss()

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predicted targets.

        Parameters
        ----------
        X : Dataset, DataStream, sparse matrix, or array-like of shape (n_rows, n_columns)
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

    def _learn_targets(self, X: Any, y: Any) -> Numbers:
        return Numbers()

    def _stream_targets(self, X: Any, y: Any, classes: Any) -> Numbers:
        return Numbers()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = self._needs_fields
        return tags
