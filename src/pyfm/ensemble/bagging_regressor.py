"""Bagging of regressors."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import r2_score

from pyfm.ensemble.bagging import Bagging, known_rows, mean_of_left_out
from pyfm.ensemble.docs import documented
from pyfm.ensemble.members import Shared
from pyfm.estimators.base import Estimator
from pyfm.estimators.ffm import FFMRegressor
from pyfm.estimators.regressor import Regressor
from pyfm.estimators.scoring import ScoredByR2
from pyfm.metrics import rmse


@documented
class BaggingRegressor(ScoredByR2, Bagging):
    r"""Regressors on bootstrap samples of one Dataset; their mean predicts.

    .. math:: \hat y(x) = \frac{1}{M} \sum_{m=1}^M \hat y_m(x)

    Otherwise as `BaggingClassifier`.

    Parameters
    ----------
    estimator : regressor of pyfm, optional
        What is cloned; its `random_state` and `n_jobs` are those of the members' own. None:
        ``pyfm.FFMRegressor()``.
    {parameters}
    {shared}

    Attributes
    ----------
    estimators_ : list of regressors
        The fitted members; each predicts X as the ensemble does.
    n_features_in_ : int
        Size of the feature space.
    oob_prediction_ : ndarray of float64 of shape (n_rows,)
        With ``oob_score=True``: predictions by the members that did not learn the row; NaN where
        all did.
    oob_score_, oob_rmse_ : float
        R² and the root of the mean squared error of these, weighted by `sample_weight`.

    References
    ----------
    {references}

    Examples
    --------
    >>> import pyfm
    >>> from pyfm.ensemble import BaggingRegressor
    >>> rows, ratings = [[0, 2], [0, 3], [1, 2], [1, 3]] * 5, [1.0, 2.0, 2.0, 3.0] * 5
    >>> linear = pyfm.LinearRegressor(epochs=50)
    >>> bag = BaggingRegressor(linear, n_estimators=5, oob_score=True, random_state=0)
    >>> bag.fit(rows, ratings).oob_rmse_ < 0.5
    True
    """

    _kind: ClassVar[type[Estimator]] = Regressor

    oob_prediction_: NDArray[np.float64]
    oob_score_: float
    oob_rmse_: float

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 10,
        max_samples: float | int = 1.0,
        bootstrap: bool = True,
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.bootstrap = bootstrap
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The mean of the members' predictions, of shape (n_rows,).

        Parameters
        ----------
        X : Dataset, DataStream, table, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`. Features and fields that training did not meet are ignored.

        Returns
        -------
        ndarray of float64

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        return np.asarray(np.mean(self._of_members(X, "predict"), axis=0))

    def _default(self) -> Estimator:
        return FFMRegressor()

    def _score_left_out(
        self, shared: Shared, members: list[Any], rows: list[NDArray[np.int64]]
    ) -> None:
        prediction = mean_of_left_out(
            lambda member, data: member.predict(data),
            shared.data,
            members,
            rows,
            (shared.data.n_rows,),
        )
        y, weight, known = known_rows(shared, prediction)
        found = prediction[known]
        self.oob_prediction_ = prediction
        self.oob_score_ = float(r2_score(y, found, sample_weight=weight))
        self.oob_rmse_ = float(rmse(y, found, sample_weight=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        estimator = self._default() if self.estimator is None else self.estimator
        if isinstance(estimator, Regressor):
            tags.regressor_tags = estimator.__sklearn_tags__().regressor_tags
        return tags
