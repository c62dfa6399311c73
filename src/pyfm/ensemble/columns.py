"""Rows of features as the columns of a matrix, for trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import check_cv
from sklearn.utils.validation import check_is_fitted

from pyfm.checks import check_bool, check_real, refuse
from pyfm.data_stream import DataStream
from pyfm.dataset import Dataset, as_dataset
from pyfm.ensemble.entries import Entries, Table
from pyfm.estimators.multiclass import check_two_classes
from pyfm.estimators.targets import Labels

if TYPE_CHECKING:
    from typing_extensions import Self


def check_in_memory(X: Any) -> None:
    """Raises ValueError for a stream."""
    if isinstance(X, DataStream):
        refuse("X", "rows in memory, such as a piece of a stream: next(iter(stream))", "DataStream")


class FieldColumns(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc, call-arg]
    r"""A Dataset as a dense matrix that trees can split: two to four columns for each field.

    Of the first feature of a field in the row:

    - its rank among the features of the field, from 0 on: in the order of the ids, hence of the
      numbers that became buckets;
    - log(1 + n), where n is how often it occurs in the rows of `fit`, which tells rare categories
      from common ones;
    - with ``target_rates=True`` the log-odds of a click among its rows, drawn towards all rows':

      .. math:: \log\frac{q}{1 - q}, \qquad q = \frac{c + a \bar q}{n + a}

      with c clicks and the prior's weight a. `fit_transform` takes n and c from the other folds,
      so that no row's own label is in its columns; `transform` takes them from all rows;
    - its value, if the rows of `fit` have other values than 1.

    NaN where a field is absent, and in place of the rank of a feature that `fit` did not see.

    Parameters
    ----------
    target_rates : bool, default=True
        Whether there are columns of log-odds, for which `fit` needs two labels.
    prior : float > 0, default=20
        a, in rows.
    cv : int or splitter of scikit-learn, default=5
        The folds of `fit_transform`; a number: that many stratified stretches of the rows.

    Attributes
    ----------
    n_features_in_ : int
        Size of the feature space.
    n_fields_ : int
        Number of fields.
    has_values_ : bool
        Whether there is a column of values for each field.

    References
    ----------
    Micci-Barreca: A preprocessing scheme for high-cardinality categorical attributes in
    classification and prediction problems. SIGKDD Explorations 3 (2001).

    Examples
    --------
    A forest of scikit-learn on the rows of a factorization machine:

    >>> import pyfm
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from pyfm.ensemble import FieldColumns
    >>> rows, _ = pyfm.datasets.make_ctr(500, n_fields=4, n_features=40, random_state=0)
    >>> FieldColumns().fit_transform(rows).shape
    (500, 12)
    >>> trees = make_pipeline(FieldColumns(), HistGradientBoostingClassifier(max_iter=5))
    >>> trees.fit(rows.with_targets(None), rows.y).predict_proba(rows).shape
    (500, 2)
    """

    def __init__(self, *, target_rates: bool = True, prior: float = 20.0, cv: Any = 5) -> None:
        self.target_rates = target_rates
        self.prior = prior
        self.cv = cv

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learns ranks and rates.

        Parameters
        ----------
        X : Dataset, sparse matrix, or array-like of shape (n_rows, n_columns)
            Rows as estimators take them.
        y : array-like of shape (n_rows,), optional
            Two labels, where there are rates; None: those of the Dataset.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For parameters out of range, and rows without two labels where there are rates.
        """
        self._fit(X, y)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> NDArray[np.float32]:
        """The columns of the rows to learn from: rates are those of the other folds.

        Parameters
        ----------
        X, y : as in `fit`

        Returns
        -------
        ndarray of float32 of shape (n_rows, n_fields times 2 to 4)
        """
        entries, clicks = self._fit(X, y)
        rates = None
        if clicks is not None:
            rates = np.full(entries.features.shape, np.nan)
            cv = check_cv(self.cv, clicks, classifier=True)
            for train, test in cv.split(np.empty((len(clicks), 0)), clicks):
                table = Table.of(entries.take(train), clicks[train])
                rates[test] = table.rates(entries.take(test), self.prior)
        return self._columns(entries, rates)

    def transform(self, X: Any) -> NDArray[np.float32]:
        """The columns of other rows: all ranks, all frequencies, all rates, all values.

        Parameters
        ----------
        X : rows as in `fit`

        Returns
        -------
        ndarray of float32 of shape (n_rows, n_fields times 2 to 4)

        Raises
        ------
        ValueError
            For rows of more fields than `fit` saw.
        """
        check_is_fitted(self)
        check_in_memory(X)
        entries = Entries.of(as_dataset(X).core, self.n_fields_)
        rates = self._table.rates(entries, self.prior) if self._table.clicks else None
        return self._columns(entries, rates)

    def _fit(self, X: Any, y: Any) -> tuple[Entries, NDArray[np.float64] | None]:
        """The entries, and 0 or 1 for each row where there are rates."""
        check_in_memory(X)
        rates = check_bool("target_rates", self.target_rates)
        check_real("prior", self.prior, positive=True)
        clicks = None
        if rates:
            labels = Labels.learn(X, y)
            check_two_classes(labels, "rates are those of one class; target_rates=False has none")
            own = X.y if isinstance(X, Dataset) and y is None else y
            clicks = labels.encode(own).astype(np.float64)
        core = as_dataset(X).core
        if clicks is not None and len(clicks) != core.n_rows:
            refuse("y", f"length {core.n_rows}, one for each row", len(clicks))
        entries = Entries.of(core, core.n_fields)
        self._table = Table.of(entries, clicks)
        self.n_features_in_, self.n_fields_ = core.n_features, core.n_fields
        self.has_values_ = entries.values is not None
        return entries, clicks

    def _columns(self, entries: Entries, rates: NDArray[np.float64] | None) -> NDArray[np.float32]:
        rank, count = self._table.places(entries)
        columns = [np.where(rank < 0, np.nan, rank), np.log1p(count)]
        if rates is not None:
            columns.append(rates)
        if self.has_values_:
            ones = np.ones(entries.features.shape, np.float32)
            columns.append(ones if entries.values is None else entries.values)
        absent = entries.features < 0
        return np.hstack([np.where(absent, np.nan, c) for c in columns]).astype(np.float32)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = self.target_rates
        return tags
