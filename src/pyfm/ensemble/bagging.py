"""Bagging: members on samples of one Dataset (Breiman 1996)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from pyfm.checks import check_bool, check_int, refuse
from pyfm.data_stream import DataStream
from pyfm.dataset import Dataset
from pyfm.ensemble import threads
from pyfm.ensemble.members import Shared, check_member
from pyfm.ensemble.sampling import draw, left_out, sample_size
from pyfm.estimators.base import Estimator
from pyfm.estimators.settings import check_seed
from pyfm.estimators.threads import n_threads

if TYPE_CHECKING:
    from typing_extensions import Self

MAX_MEMBERS = 10_000


class _Plan(NamedTuple):
    """One member before it is fitted: its rows and its seed depend on its number alone."""

    sample_seed: int
    model_seed: int


class Bagging(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What the classifier and the regressor share."""

    _kind: ClassVar[type[Estimator]]

    estimator: Any
    n_estimators: int
    max_samples: float | int
    bootstrap: bool
    oob_score: bool
    n_jobs: int | None
    random_state: Any

    estimators_: list[Any]

    def _default(self) -> Estimator:
        raise NotImplementedError

    def _score_left_out(
        self, shared: Shared, members: list[Any], rows: list[NDArray[np.int64]]
    ) -> None:
        """Sets the attributes of `oob_score`, from the rows that each member left out."""
        raise NotImplementedError

    def fit(self, X: Any, y: Any = None, *, fields: Any = None, sample_weight: Any = None) -> Self:
        """Trains the members; those of an earlier fit are replaced when all are done.

        Parameters
        ----------
        X : Dataset, table, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as the members' `fit` takes them. They become one Dataset that all members read.
        y : array-like of shape (n_rows,), optional
            Targets; None with a Dataset that brings its own.
        fields : array-like of int of shape (n_columns,), optional
            The field of each column of a matrix; None: all columns are in field 0.
        sample_weight : array-like of shape (n_rows,), optional
            Finite weights >= 0, factors of the rows' losses. They have no part in the drawing.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, and what the members' `fit` refuses; no member is kept.
        MemoryError
            If a member does not fit in memory.
        KeyboardInterrupt
            On Ctrl-C, within a second: threads that train are told to stop.
        """
        kind = self._member()
        self._check()
        if isinstance(X, DataStream):
            refuse("X", "rows in memory, which all members share", type(X).__name__)
        shared = Shared.of(kind, X, y, sample_weight, fields)
        n_rows = shared.data.n_rows
        size = sample_size(self.max_samples, n_rows)
        if self.oob_score and not self.bootstrap and size == n_rows:
            refuse("oob_score", "False, since every member sees every row", True)
        random = check_random_state(self.random_state)
        plans = [
            _Plan(*random.randint(2**31 - 1, size=2).tolist()) for _ in range(self.n_estimators)
        ]
        labels = shared.data.y if hasattr(shared.targets, "classes") else None

        def sample(plan: _Plan) -> NDArray[np.int64]:
            return draw(n_rows, size, labels, bootstrap=self.bootstrap, seed=plan.sample_seed)

        def fit(plan: _Plan, callbacks: list[Any]) -> Estimator:
            member = clone(kind).set_params(random_state=plan.model_seed, n_jobs=1)
            return shared.fit(member, sample(plan), callbacks)

        members = threads.run(fit, plans, n_threads(self.n_jobs))
        for name in [name for name in vars(self) if name.startswith("oob_") and name[-1] == "_"]:
            delattr(self, name)  # of an earlier fit
        if self.oob_score:
            outside = [left_out(n_rows, sample(plan)) for plan in plans]
            self._score_left_out(shared, members, outside)
        self.estimators_ = members
        return self

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the fitted members to a folder, whole or not at all; `pyfm.load` reads it.

        The folder holds ``ensemble.json`` and a model file for each member, which `pyfm.load`
        reads, too: weights and JSON, no code. Out-of-bag predictions are not saved.

        Parameters
        ----------
        path : str or path-like
            A folder that does not exist yet, is empty, or holds an ensemble, which is replaced
            when the new one is complete.

        Raises
        ------
        OSError
            If it cannot be written, or is anything else; what was there is left as it was.
        ValueError
            If a parameter is of a type that JSON does not hold.
        """
        from pyfm.ensemble.folder import save

        save(self, path)

    @property
    def n_features_in_(self) -> int:
        """Size of the feature space, as of the members."""
        return int(self._first("n_features_in_").n_features_in_)

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        """Columns of the tables that `fit` was given; of other rows there is no such attribute."""
        return self._first("feature_names_in_").feature_names_in_

    def _first(self, attribute: str) -> Estimator:
        """A member; its error is what `hasattr` asks of attributes that fit sets."""
        if "estimators_" not in vars(self):
            raise AttributeError(f"{attribute} is set by fit")
        first: Estimator = self.estimators_[0]
        return first

    def _check(self) -> None:
        """Raises ValueError for a parameter, other than the estimator, that is out of range."""
        check_int("n_estimators", self.n_estimators, 1, MAX_MEMBERS)
        check_bool("bootstrap", self.bootstrap)
        check_bool("oob_score", self.oob_score)
        check_seed(self.random_state)
        n_threads(self.n_jobs)
        sample_size(self.max_samples, None)

    def _member(self) -> Estimator:
        """The estimator to clone, checked."""
        estimator = self._default() if self.estimator is None else self.estimator
        kind = check_member("estimator", estimator, self._kind)
        if kind.warm_start:
            refuse("estimator", "warm_start=False, since members begin anew", True)
        kind._settings()
        return kind

    def _rows(self, X: Any) -> Any:
        """What every member predicts, read once."""
        check_is_fitted(self)
        if isinstance(X, DataStream):
            return X
        first: Estimator = self.estimators_[0]
        return Dataset(first._inputs.rows(X, type(self).__name__), encoder=first._inputs.encoder)

    def _of_members(self, X: Any, method: str) -> list[NDArray[np.float64]]:
        """Predictions of all members, each on the threads of `n_jobs`, in their order."""
        check_is_fitted(self)
        rows, n_jobs = self._rows(X), n_threads(self.n_jobs)

        def predict(member: Estimator, _: list[Any]) -> NDArray[np.float64]:
            found: NDArray[np.float64] = getattr(member, method)(rows)
            return found

        return threads.run(predict, self.estimators_, n_jobs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def mean_of_left_out(
    of_member: Callable[[Any, Dataset], NDArray[np.float64]],
    data: Dataset,
    members: list[Any],
    rows: list[NDArray[np.int64]],
    shape: tuple[int, ...],
) -> NDArray[np.float64]:
    """The mean of what members say of the rows that each left out; NaN where none did."""
    total, count = np.zeros(shape), np.zeros((shape[0],) + (1,) * (len(shape) - 1))
    for member, outside in zip(members, rows, strict=True):
        if len(outside):
            total[outside] += of_member(member, data[outside])
            count[outside] += 1
    mean: NDArray[np.float64] = np.divide(total, count, np.full(shape, np.nan), where=count > 0)
    return mean


def known_rows(
    shared: Shared, predictions: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.bool_]]:
    """Targets and weights of the rows that were predicted, and which these are."""
    known = ~np.isnan(predictions)
    weight = shared.data.sample_weight
    if not known.any() or (weight is not None and not weight[known].any()):
        refuse(
            "oob_score", "rows with a weight that some member left out: more members", "no such row"
        )
    y = shared.data.y
    assert y is not None  # since it was fitted to
    return y[known], None if weight is None else weight[known], known
