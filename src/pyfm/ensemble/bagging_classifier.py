"""Bagging of classifiers."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score

from pyfm.checks import check_choice
from pyfm.dataset import Dataset
from pyfm.ensemble.averaging import (
    AVERAGES,
    TINY,
    average_probabilities,
    from_scale,
    to_scale,
)
from pyfm.ensemble.bagging import Bagging, known_rows, mean_of_left_out
from pyfm.ensemble.docs import documented
from pyfm.ensemble.members import Shared
from pyfm.estimators.base import Estimator
from pyfm.estimators.classifier import Classifier
from pyfm.estimators.ffm import FFMClassifier
from pyfm.estimators.scoring import ScoredByAccuracy


@documented
class BaggingClassifier(ScoredByAccuracy, Bagging):
    r"""Classifiers on bootstrap samples of one Dataset; their mean predicts.

    .. math:: p(x) = \frac{1}{M} \sum_{m=1}^M p_m(x)

    or the same of the log-odds. Members differ by the rows that they learn and by their random
    weights; the mean of their errors is smaller than the errors. All read the same Dataset, in
    memory once; `sklearn.ensemble.BaggingClassifier` works as well, on arrays and tables, and
    turns them into rows for each member.

    Parameters
    ----------
    estimator : classifier of pyfm, optional
        What is cloned; its `random_state` and `n_jobs` are those of the members' own. None:
        ``pyfm.FFMClassifier()``.
    {parameters}
    average : {"probability", "logit"}, default="probability"
        What is averaged, see `average_probabilities`.
    {shared}

    Attributes
    ----------
    estimators_ : list of classifiers
        The fitted members; each predicts X as the ensemble does.
    classes_ : ndarray
        The labels, sorted.
    n_features_in_ : int
        Size of the feature space.
    oob_prediction_ : ndarray of float64 of shape (n_rows, n_classes)
        With ``oob_score=True``: probabilities by the members that did not learn the row; NaN where
        all did.
    oob_score_, oob_logloss_ : float
        Accuracy and log-loss of these predictions, weighted by `sample_weight`.

    References
    ----------
    {references}

    Examples
    --------
    >>> import pyfm
    >>> from pyfm.ensemble import BaggingClassifier
    >>> rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=40, random_state=0)
    >>> fm = pyfm.FMClassifier(epochs=3)
    >>> bag = BaggingClassifier(fm, n_estimators=5, oob_score=True, random_state=0).fit(rows)
    >>> len(bag.estimators_), bag.predict_proba(rows).shape
    (5, (2000, 2))
    >>> bag.oob_logloss_ < pyfm.metrics.logloss(rows.y, [rows.y.mean()] * len(rows))
    True
    """

    _kind: ClassVar[type[Estimator]] = Classifier

    oob_prediction_: NDArray[np.float64]
    oob_score_: float
    oob_logloss_: float

    def __init__(
        self,
        estimator: Any = None,
        *,
        n_estimators: int = 10,
        max_samples: float | int = 1.0,
        bootstrap: bool = True,
        average: str = "probability",
        oob_score: bool = False,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.bootstrap = bootstrap
        self.average = average
        self.oob_score = oob_score
        self.n_jobs = n_jobs
        self.random_state = random_state

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels, sorted."""
        classes: NDArray[Any] = self._first("classes_").classes_
        return classes

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The mean of the members' probabilities, of shape (n_rows, n_classes).

        Parameters
        ----------
        X : Dataset, DataStream, table, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`. Features and fields that training did not meet are ignored.

        Returns
        -------
        ndarray of float64
            Columns in the order of ``classes_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        return self._mean(self._of_members(X, "predict_proba"))

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest label of each row; parameters and errors as in `predict_proba`.

        Returns
        -------
        ndarray of the dtype of ``classes_``, shape (n_rows,)
        """
        number = self.predict_proba(X).argmax(axis=1)
        labels: NDArray[Any] = self.classes_[number]
        return labels

    def _default(self) -> Estimator:
        return FFMClassifier()

    def _check(self) -> None:
        check_choice("average", self.average, AVERAGES)
        super()._check()

    def _mean(self, members: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return average_probabilities(members, average=self.average)

    def _score_left_out(
        self, shared: Shared, members: list[Any], rows: list[NDArray[np.int64]]
    ) -> None:
        def of_member(member: Any, data: Dataset) -> NDArray[np.float64]:
            return to_scale(member.predict_proba(data), self.average)

        shape = (shared.data.n_rows, len(members[0].classes_))
        mean = mean_of_left_out(of_member, shared.data, members, rows, shape)
        prediction = from_scale(mean, self.average)
        y, weight, known = known_rows(shared, prediction[:, 0])
        found = prediction[known]
        number = y.astype(np.intp)
        self.oob_prediction_ = prediction
        self.oob_score_ = float(accuracy_score(number, found.argmax(axis=1), sample_weight=weight))
        of_label = np.clip(found[np.arange(len(found)), number], TINY, 1)
        self.oob_logloss_ = float(-np.average(np.log(of_label), weights=weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        estimator = self._default() if self.estimator is None else self.estimator
        if isinstance(estimator, Classifier):
            tags.classifier_tags = estimator.__sklearn_tags__().classifier_tags
        return tags
