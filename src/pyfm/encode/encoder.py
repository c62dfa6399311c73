"""`pyfm.FieldEncoder`: columns of tables to rows of features."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError

from pyfm.checks import refuse
from pyfm.dataset import Dataset
from pyfm.docstrings import fill_in
from pyfm.encode.books import Hashing
from pyfm.encode.decoding import Feature, feature_names, feature_of, table_of
from pyfm.encode.kept import KeptRows
from pyfm.encode.learning import State, learn
from pyfm.encode.plan import Settings
from pyfm.encode.sketch import Collisions, expect_collisions
from pyfm.encode.tables import open_table
from pyfm.encode.transforming import encode

if TYPE_CHECKING:
    from typing_extensions import Self


_Y_AND_SELF = """
y : array-like of shape (n_rows,), optional
    Only its length is looked at.

Returns
-------
self
"""
_documented = partial(fill_in, y_and_self=_Y_AND_SELF)


class FieldEncoder(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc, call-arg]
    """Columns of tables to rows of features, each column a field: strings, numbers, lists, dates.

    Tables are those of pandas, polars and pyarrow (anything with ``__arrow_c_stream__``), dicts of
    arrays, structured arrays, data sets of `pyarrow.dataset`, and paths of Parquet files or folders
    of them. They are read in batches: memory holds the resulting rows, 4 bytes a feature, the
    vocabularies, and one batch. Needs pyarrow: ``pip install 'pyfm-ctr[arrow]'``.

    Every value has a feature id that never changes: `partial_fit` adds ids. The same rows, in the
    same order, give the same ids in each run.

    Parameters
    ----------
    columns : dict, list of str or None, default=None
        The columns that become fields, in that order. A dict gives them kinds, objects from
        `pyfm.encode` or their names: "categorical", "hashed", "buckets", "real", "multi", "date",
        or None for the default of its type. A list: all have the default. None: all columns.
    defaults : dict, optional
        Kinds by the type of a column, where `columns` gives none. Types are "string", "category"
        (dictionaries), "integer", "boolean", "float", "date" and "list". Without it, floats are
        ``Buckets("quantile")``, dates ``Date()``, lists ``Multi()``, and all others, integers too,
        ``Categorical()``.
    remainder : {"drop", "default"}, default="drop"
        Columns that `columns` does not name: left out, or fields with the default kind.
    crosses : sequence of sequences of str, or of Cross, default=()
        Fields whose values come together as those of one more field: ``[("site", "ad")]``. Hashed,
        unless `pyfm.encode.Cross` says otherwise. Wide & Deep has linear terms alone for them.
    target : str, optional
        The column of the targets, numbers: rows have them as ``y``. Only `fit` asks for it, since
        a name that is misspelt would leave the targets among the features.
    sample_weight : str, optional
        The column of the weights of rows, likewise.

    Attributes
    ----------
    field_names_ : tuple of str
        By field: the name of the column, of the parts of a date "column:part", of crosses "a×b".
    n_features_ : int
        Number of features; ids are below it.
    feature_names_in_ : ndarray of str
        The columns that the fields are read from.
    n_features_in_ : int
        Their number.
    collisions_ : dict
        Of each hashed field, by name: ``n_values``, an estimate (standard error 1.6 %) of the
        different values that `fit` and `partial_fit` have seen, ``n_ids``, and the ``share`` of the
        values that are expected to share their id with another one.

    Examples
    --------
    >>> import pyfm
    >>> table = {"site": ["a.org", "b.org", "a.org"], "price": [0.5, 3.0, None]}
    >>> encoder = pyfm.FieldEncoder({"site": "categorical", "price": pyfm.encode.Buckets("log2")})
    >>> data = encoder.fit_transform(table)
    >>> data.layout, data.n_fields, data.n_features
    ('one_per_field', 2, 8)
    >>> encoder.lookup(2)
    Feature(field='site', value='a.org', is_missing=False, is_unknown=False)
    """

    def __init__(
        self,
        columns: Any = None,
        *,
        defaults: Any = None,
        remainder: str = "drop",
        crosses: Any = (),
        target: str | None = None,
        sample_weight: str | None = None,
    ) -> None:
        self.columns = columns
        self.defaults = defaults
        self.remainder = remainder
        self.crosses = crosses
        self.target = target
        self.sample_weight = sample_weight

    _state: State

    @_documented
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn vocabularies, edges and the like from the rows of a table, anew.

        Parameters
        ----------
        X : table
            See above.
        {y_and_self}

        Raises
        ------
        ValueError
            Names the column, and the row where one is to blame: types without a kind (structs,
            decimals, durations), values of several types, infinities, columns without a value,
            names that occur twice or not at all, more than 2**32 features. What was fitted stays.
        FormatError
            For damaged Parquet files.
        ImportError
            Without pyarrow.
        """
        self._state = learn(open_table(X), y, settings=self._settings())
        return self

    @_documented
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Go on with more rows: vocabularies grow, and ids that were given stay what they are.

        Values that have occurred too rarely for `min_count` are counted on. Edges of buckets, means
        and standard deviations stay those of the first call.

        Parameters
        ----------
        X : table
            With the columns of the first call. A column may be all null.
        {y_and_self}

        Raises
        ------
        ValueError
            As `fit`, and for columns of another type than before, missing and additional ones.
        """
        before = vars(self).get("_state")
        self._state = learn(open_table(X), y, settings=self._settings(), before=before)
        return self

    def transform(self, X: Any) -> Dataset:
        """Rows of features. Values that were not seen have the feature for unknown ones.

        Parameters
        ----------
        X : table
            With the columns of `fit`, in any order.

        Returns
        -------
        Dataset
            With a copy of this encoder as its ``encoder``. One feature per field, unless there are
            columns of several values; targets and weights from the columns `target` and
            `sample_weight`, where the table has them.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            Names the column: missing, additional (unless columns are dropped), of another type or
            time zone than in `fit`; and the row, for infinities and the like.
        """
        return Dataset(encode(self._fitted(), open_table(X)), encoder=copy(self))

    def fit_transform(self, X: Any, y: Any = None) -> Dataset:
        """The rows that `fit` learns from, faster than by `fit` and `transform`.

        A stream is held in memory, since some columns are read twice. The codes of the others are
        kept meanwhile, 1 to 4 bytes a value.

        Parameters
        ----------
        X : table
        y : array-like of shape (n_rows,), optional
            Only its length is looked at; `target` names a column of targets.

        Returns
        -------
        Dataset
        """
        table, kept = open_table(X, again=True), KeptRows()
        state = learn(table, y, settings=self._settings(), kept=kept)
        rows = encode(state, table, kept)
        self._state = state
        return Dataset(rows, encoder=copy(self))

    def inverse_transform(self, data: Dataset) -> Any:
        """A table of what is known of each row.

        Parameters
        ----------
        data : Dataset
            Rows of this encoder.

        Returns
        -------
        pyarrow.Table
            A column for each field, without crosses: categories, lists of them (no weights), real
            numbers, parts of dates, names of buckets and hashes; null where missing or unknown.
        """
        state = self._fitted()
        if not isinstance(data, Dataset):
            refuse("data", "a Dataset", type(data).__name__)
        if data.n_fields != len(state.fields):
            refuse("data", f"{len(state.fields)} fields, as the encoder has", data.n_fields)
        return table_of(state.fields, data)

    def lookup(self, feature_id: int) -> Feature:
        """What a feature stands for.

        Parameters
        ----------
        feature_id : int
            Below ``n_features_``.

        Returns
        -------
        Feature
            A named tuple: ``field``; ``value``, None of missing and unknown ones, and a tuple of
            Features of a cross; ``is_missing``; ``is_unknown``.
        """
        return feature_of(self._fitted().fields, self.n_features_, feature_id)

    def extends(self, earlier: FieldEncoder) -> bool:
        """Whether every id of an earlier encoder, fitted as this one, means the same here."""
        return self._fitted().extends(earlier._fitted())

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The name of every feature, by id: "field=value", or the name of a real column.

        Parameters
        ----------
        input_features : array-like of str, optional
            None, or the columns of `fit`.

        Returns
        -------
        ndarray of object of shape (n_features_,)
        """
        state = self._fitted()
        if input_features is not None and list(input_features) != state.columns:
            refuse("input_features", f"None or {state.columns}", list(input_features))
        return feature_names(state.fields, state.n_features)

    @property
    def field_names_(self) -> tuple[str, ...]:
        return tuple(field.name for field in self._fitted().fields)

    @property
    def n_features_(self) -> int:
        return self._fitted().n_features

    @property
    def n_features_in_(self) -> int:
        return len(self._fitted().columns)

    @property
    def feature_names_in_(self) -> NDArray[np.object_]:
        return np.array(self._fitted().columns, object)

    @property
    def collisions_(self) -> dict[str, Collisions]:
        return {
            field.name: expect_collisions(field.book.n_values, field.book.size - 1)
            for field in self._fitted().fields
            if isinstance(field.book, Hashing)
        }

    def _fitted(self) -> State:
        """Its error is an AttributeError, too, as `hasattr` asks of attributes that fit sets."""
        if "_state" not in vars(self):
            raise NotFittedError("this FieldEncoder is not fitted: call fit before")
        return self._state

    def __sklearn_is_fitted__(self) -> bool:
        return "_state" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False  # columns have names
        tags.input_tags.string = tags.input_tags.categorical = tags.input_tags.allow_nan = True
        return tags

    def _settings(self) -> Settings:
        return Settings.of(**self.get_params(deep=False))
