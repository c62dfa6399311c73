"""Stacked generalization: out-of-fold log-odds as the features of one more model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from pyfm.checks import check_choice, refuse
from pyfm.data_stream import DataStream
from pyfm.dataset import Dataset
from pyfm.ensemble import threads
from pyfm.ensemble.final import MEAN, combine, learn, new_final
from pyfm.ensemble.folds import shuffled, split
from pyfm.ensemble.members import Shared, check_members
from pyfm.ensemble.out_of_fold import Task, fit, out_of_fold, scores_of, seeded
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.linear import LinearClassifier
from pyfm.estimators.multiclass import check_two_classes
from pyfm.estimators.scoring import ScoredByAccuracy
from pyfm.estimators.settings import check_seed
from pyfm.estimators.targets import Labels, Targets
from pyfm.estimators.threads import n_threads
from pyfm.metrics import logloss

if TYPE_CHECKING:
    from typing_extensions import Self

PREDICTIONS = ("folds", "refit")


class StackingClassifier(ScoredByAccuracy, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    r"""Different classifiers on one Dataset, and a model that learns how far to trust each.

    .. math:: p(x) = \sigma\Bigl(b + \sum_m w_m s_m(x)\Bigr)

    The scores :math:`s_m`, log-odds, from which b and w are learned are out of fold: each row is
    predicted by models of other rows, since a model's scores of its own rows say how well it
    remembers. The labels are two. `sklearn.ensemble.StackingClassifier` works as well, on arrays
    and tables; this one shares a Dataset, runs members in threads, works on log-odds, and can
    predict by the models of the folds.

    Parameters
    ----------
    estimators : list of (name, classifier)
        Of pyfm, or of scikit-learn's kind with ``predict_proba``, which get the Dataset and labels
        0 and 1: a pipeline that begins with `FieldColumns` or another transformer of Datasets.
    final_estimator : classifier or "mean", optional
        Learns from scores of shape (n_rows, n_members). None: logistic regression with hardly any
        penalty. "mean": the mean of the scores, with nothing to learn.
    cv : int, splitter of scikit-learn, or iterable of pairs of rows, default=5
        The folds. A number: stratified ones, the rows shuffled. No row may be predicted twice; rows
        that no fold predicts, the first ones of `sklearn.model_selection.TimeSeriesSplit`, do not
        teach the final estimator.
    predict_by : {"folds", "refit"}, default="folds"
        What gives a member's score of a new row. "folds": the mean of its models of all folds, each
        of which learned a part of the rows. "refit": one more model that learned all of them, which
        costs one more fit, predicts faster by the number of folds, and is right for folds in the
        order of time, whose first models are old.
    n_jobs : int, default=None
        Fits and predictions at once; None: 1, -1: as many as there are cores. Members of pyfm run
        on one thread each; n_jobs changes no bit of their result.
    random_state : int, RandomState or None, default=None
        Seed of the members (of every parameter that is called random_state) and of the folds where
        `cv` is a number.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The labels, sorted.
    named_estimators_ : dict from names to lists of classifiers
        The fitted members: one for each fold, or the one of all rows.
    final_estimator_ : classifier or None
        The fitted one; None of "mean".
    oof_score_ : ndarray of float64 of shape (n_rows, n_members)
        Out-of-fold log-odds, columns in the order of `estimators`; NaN in rows that no fold
        predicts.
    oof_logloss_ : dict from names to float
        Log-loss of these, and of their "mean", weighted by `sample_weight`.
    n_features_in_ : int
        Size of the feature space.

    References
    ----------
    Wolpert: Stacked generalization. Neural Networks 5 (1992). Breiman: Stacked regressions. Machine
    Learning 24 (1996).

    Examples
    --------
    >>> import pyfm
    >>> from pyfm.ensemble import StackingClassifier
    >>> rows, _ = pyfm.datasets.make_ctr(2000, n_fields=4, n_features=40, random_state=0)
    >>> members = [("linear", pyfm.LinearClassifier()), ("fm", pyfm.FMClassifier(epochs=3))]
    >>> stack = StackingClassifier(members, cv=3, random_state=0).fit(rows)
    >>> stack.predict_proba(rows).shape, stack.oof_score_.shape
    ((2000, 2), (2000, 2))
    >>> sorted(stack.oof_logloss_)
    ['fm', 'linear', 'mean']
    """

    classes_: NDArray[Any]
    named_estimators_: dict[str, list[Any]]
    final_estimator_: Any
    oof_score_: NDArray[np.float64]
    oof_logloss_: dict[str, float]
    n_features_in_: int
    _inputs: Inputs
    _targets: Targets
    _labels: NDArray[np.int64]
    _weight: NDArray[np.float32] | None

    def __init__(
        self,
        estimators: Any,
        *,
        final_estimator: Any = None,
        cv: Any = 5,
        predict_by: str = "folds",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimators = estimators
        self.final_estimator = final_estimator
        self.cv = cv
        self.predict_by = predict_by
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        fields: Any = None,
        sample_weight: Any = None,
        groups: Any = None,
    ) -> Self:
        """Trains members on the folds, and the final estimator on what they say of other rows.

        Parameters
        ----------
        X : Dataset, table, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as classifiers of pyfm take them. They become one Dataset that all members read.
        y : array-like of shape (n_rows,), optional
            Labels; None with a Dataset that brings its own.
        fields : array-like of int of shape (n_columns,), optional
            The field of each column of a matrix; None: all columns are in field 0.
        sample_weight : array-like of shape (n_rows,), optional
            Finite weights >= 0, for the final estimator and for members of pyfm.
        groups : array-like of shape (n_rows,), optional
            For splitters that keep groups together.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, folds that leak, and what the members refuse.
        """
        members = check_members(self.estimators)
        final = new_final(self.final_estimator)
        check_choice("predict_by", self.predict_by, PREDICTIONS)
        check_seed(self.random_state)
        n_jobs = n_threads(self.n_jobs)
        if isinstance(X, DataStream):
            refuse("X", "rows in memory, which all members share", type(X).__name__)
        shared = Shared.of(LinearClassifier(), X, y, sample_weight, fields)
        assert isinstance(shared.targets, Labels)  # as of all classifiers
        check_two_classes(shared.targets, "the final estimator adds up log-odds of one class")
        classes = shared.targets.classes
        data, random = shared.data, check_random_state(self.random_state)
        labels = np.asarray(data.y).astype(np.int64)
        cv = shuffled(self.cv, random)
        folds = split(cv, data.n_rows, labels, groups, classifier=True)
        for i, fold in enumerate(folds):
            if len(np.unique(labels[fold.train])) < 2:
                refuse("cv", "rows of both labels to learn in each fold", f"one label in fold {i}")
        found = out_of_fold(members, data, folds, random, n_jobs)
        known = found.known
        weight = None if data.sample_weight is None else data.sample_weight[known]
        if weight is not None and not weight.any():
            refuse("sample_weight", "some weight > 0 in rows that a fold predicts", "none")
        final = learn(final, found.score, labels, data.sample_weight)
        fitted = found.of_folds
        if self.predict_by == "refit":
            tasks = [Task(name, seeded(member, random), None) for name, member in members]
            whole = threads.run(lambda task, calls: fit(task, data, calls), tasks, n_jobs)
            fitted = {task.name: [one] for task, one in zip(tasks, whole, strict=True)}
        columns = {name: found.score[known, i] for i, (name, _) in enumerate(members)}
        columns[MEAN] = found.score[known].mean(axis=1)
        self.oof_logloss_ = {
            name: float(logloss(labels[known], expit(score), sample_weight=weight))
            for name, score in columns.items()
        }
        self.oof_score_, self.named_estimators_, self.final_estimator_ = found.score, fitted, final
        self.classes_, self.n_features_in_ = classes, data.n_features
        self._inputs, self._targets = shared.inputs, shared.targets
        self._labels, self._weight = labels, data.sample_weight
        return self

    def member_scores(self, X: Any) -> NDArray[np.float64]:
        """Every member's log-odds of the second class, as the final estimator gets them.

        Parameters
        ----------
        X : Dataset, table, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as in `fit`. Features and fields that training did not meet are ignored.

        Returns
        -------
        ndarray of float64 of shape (n_rows, n_members)
            Of rows to predict. For those of `fit` there is ``oof_score_``: what is returned here
            has seen their labels.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        check_is_fitted(self)
        core = self._inputs.rows(X, type(self).__name__)
        rows = Dataset(core, encoder=self._inputs.encoder)
        models = [model for of in self.named_estimators_.values() for model in of]
        scores = threads.run(
            lambda model, _: scores_of(model, rows), models, n_threads(self.n_jobs)
        )
        each = np.stack(scores, axis=1).reshape(rows.n_rows, len(self.named_estimators_), -1)
        return np.asarray(each.mean(axis=2))

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Log-odds of the second class; parameters and errors as in `member_scores`.

        Returns
        -------
        ndarray of float64 of shape (n_rows,)
        """
        scores = self.member_scores(X)
        return combine(self.final_estimator_, scores)

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of the two classes; parameters and errors as in `member_scores`.

        Returns
        -------
        ndarray of float64 of shape (n_rows, 2)
            Columns in the order of ``classes_``.
        """
        positive = expit(self.decision_function(X))
        return np.column_stack([1 - positive, positive])

    def predict(self, X: Any) -> NDArray[Any]:
        """The likelier label of each row; parameters and errors as in `member_scores`.

        Returns
        -------
        ndarray of the dtype of ``classes_``, shape (n_rows,)
        """
        positive = (self.decision_function(X) > 0).astype(np.intp)
        labels: NDArray[Any] = self.classes_[positive]
        return labels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.classifier_tags.multi_class = False
        return tags
