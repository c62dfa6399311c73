"""What estimators say about their scores: `explain` and its relatives. No algorithm."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from pyfm import _core
from pyfm.checks import check_choice, check_int, refuse
from pyfm.data_stream import DataStream
from pyfm.dataset import Dataset
from pyfm.dataset.buffers import optional_floats
from pyfm.estimators.inputs import Inputs
from pyfm.estimators.model_spec import ModelSpec
from pyfm.estimators.multiclass import output_of
from pyfm.estimators.threads import n_threads

if TYPE_CHECKING:
    from pyfm.explain import Explanation, FeatureWeights, Importance, Interaction
    from pyfm.explain.model import Explained, Floats

_BY = ("feature", "field")


class Explaining:
    """Of fitted models."""

    n_jobs: int | None
    _spec: ModelSpec
    _model: _core.Model
    _inputs: Inputs

    def explain(self, X: Any, *, output: Any = None) -> Explanation:
        r"""What each term adds to the score of one row: bias, features, pairs, the network.

        The terms of the formula of the model, in float64: :math:`b`, :math:`x_j w_j`,
        :math:`x_i x_j \langle v_i, v_j \rangle`, where x are the values after `normalize`; of
        deep models also the score of the network, as one term. Their sum is the score that
        `decision_function` gives, up to its float32 rounding.

        Parameters
        ----------
        X : Dataset, table, sparse matrix, or array-like of shape (1, n_columns) or (n_columns,)
            One row as in `fit`, such as ``data[i:i + 1]`` or ``df.iloc[[i]]``.
        output : label, optional
            Of more than two classes, each of which has a score: the one to explain.

        Returns
        -------
        Explanation
            With the terms, the largest first, named by the encoder where there is one.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given, not one row, or one of more than 2**20
            pairs of features; for an `output` that is none.

        Examples
        --------
        >>> import pyfm
        >>> table = {"site": ["a", "a", "b", "b"], "ad": ["x", "y", "x", "y"]}
        >>> model = pyfm.FMClassifier(epochs=100, init_scale=1, random_state=0)
        >>> _ = model.fit(table, [1, 0, 0, 1])
        >>> explanation = model.explain({"site": ["a"], "ad": ["x"]})
        >>> explanation.terms[0].name, explanation.terms[0].contribution > 1
        ('site=a × ad=x', True)
        """
        from pyfm.explain.terms import explain

        explained = self._explained(output)
        if self._inputs.kind in ("ids", "values") and _is_vector(X):
            X = [X]
        elif getattr(X, "ndim", 2) == 1:
            refuse(
                "X", "one row in two dimensions, such as df.iloc[[i]] or X[[i]]", type(X).__name__
            )
        rows = self._rows_in_memory(X)
        if rows.n_rows != 1:
            refuse("X", "one row, such as X[i:i + 1]", f"{rows.n_rows} rows")
        classes = getattr(self, "classes_", None)
        number = explained.output if self._spec.n_outputs > 1 else 1
        return explain(explained, rows, None if classes is None else str(classes[number]))

    def top_interactions(
        self,
        n: int | None = 10,
        X: Any = None,
        *,
        by: str = "feature",
        sample_weight: Any = None,
        output: Any = None,
    ) -> list[Interaction]:
        r"""The pairs of features, or of fields, that interact most.

        With rows, the pairs that occur in them, ranked by what they add to a score:
        :math:`|x_i x_j \langle v_i, v_j \rangle|`, of fields the absolute value of the sum over
        their pairs in a row; the mean over all rows. Without rows, pairs of all features that have
        weights, ranked by :math:`|\langle v_i, v_j \rangle|`, of fields by its mean. (Of FFM, the
        vectors are those for the field of the other feature.) Either way exact.

        Parameters
        ----------
        n : int >= 1 or None, default=10
            How many; None: all. Without rows, features want a number.
        X : Dataset, table, sparse matrix, or array-like of shape (n_rows, n_columns), optional
            Rows as in `fit`. It takes memory for each different pair in them. None: features that
            cannot meet, since they are of a field of an encoder that has one value a row, are no
            pairs; without an encoder, fields are not known, and FFM wants rows. The search takes
            up to n_features² / 2 products of vectors, in blocks, but leaves out those of vectors
            that are too short; above 10¹¹ it wants rows.
        by : {"feature", "field"}, default="feature"
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows; None: those of the Dataset, or all 1.
        output : label, optional
            Of more than two classes, each of which has a score: the one to look at.

        Returns
        -------
        list of Interaction
            The strongest first.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            For models without pairs (linear, Wide & Deep), rows unlike those of `fit`, where rows
            are needed and missing, and an `output` that is none.

        Examples
        --------
        >>> import pyfm
        >>> table = {"site": ["a", "a", "b", "b"], "ad": ["x", "y", "x", "y"]}
        >>> model = pyfm.FMClassifier(epochs=100, init_scale=1, random_state=0)
        >>> _ = model.fit(table, [1, 0, 0, 1])
        >>> [top] = model.top_interactions(1, table, by="field")
        >>> top.name, top.occurrences
        ('site × ad', 4)
        """
        from pyfm.explain import interactions, search

        explained = self._explained(output)
        if not explained.has_pairs:
            found = f"{type(self).__name__}, whose score has no terms of pairs"
            refuse("top_interactions", "a model of type FM, FFM or DeepFM", found)
        n = None if n is None else check_int("n", n, 1)
        check_choice("by", by, _BY)
        if X is None:
            self._check_no_weights(sample_weight)
            if by == "field":
                return search.strongest_fields(explained, n)
            if n is None:
                refuse("n", "a number, since X is None and all pairs of features are many", n)
            return search.strongest_features(explained, n)
        rows, weight = self._weighted_rows(X, sample_weight)
        if by == "field":
            return interactions.fields_in_rows(explained, rows, weight, n)
        return interactions.features_in_rows(explained, rows, weight, n)

    def feature_importance(
        self,
        X: Any = None,
        *,
        by: str = "feature",
        n: int | None = None,
        sample_weight: Any = None,
        output: Any = None,
    ) -> list[Importance]:
        """How much features, or fields, contribute to scores.

        With rows, the mean over them of the absolute contribution: the linear term of the feature,
        half of each of its pairs (which makes Shapley values, an absent feature adding nothing),
        and, of deep models, what the network's part of the score loses when the feature is left
        out. A field adds up its features before the absolute value is taken. What is added to all
        rows alike counts as well.

        Without rows, the Euclidean norm of all weights of the feature, linear weight and vectors;
        of a field, their root mean square. It says what a feature can do, not how often it does.

        Parameters
        ----------
        X : Dataset, table, sparse matrix, or array-like of shape (n_rows, n_columns), optional
            Rows as in `fit`; some thousands are enough. Fields of a model without an encoder are
            known by rows only.
        by : {"feature", "field"}, default="feature"
        n : int >= 1, optional
            Only the most important ones; None: all that have weights, or occur in the rows.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows; None: those of the Dataset, or all 1.
        output : label, optional
            Of more than two classes, each of which has a score: the one to look at.

        Returns
        -------
        list of Importance
            The most important first.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            For rows unlike those of `fit`, fields without an encoder or rows, and an `output` that
            is none.

        Examples
        --------
        >>> import pyfm
        >>> table = {"site": ["a", "a", "b", "b"], "ad": ["x", "y", "x", "y"]}
        >>> model = pyfm.LinearClassifier(epochs=20, random_state=0).fit(table, [1, 1, 0, 0])
        >>> [top.name for top in model.feature_importance(table, by="field")]
        ['site', 'ad']
        """
        from pyfm.explain import importance

        explained = self._explained(output)
        n = None if n is None else check_int("n", n, 1)
        check_choice("by", by, _BY)
        if X is None:
            self._check_no_weights(sample_weight)
            return importance.importance_of_weights(explained, by, n)
        rows, weight = self._weighted_rows(X, sample_weight)
        return importance.importance_in_rows(explained, rows, weight, by, n)

    def feature_weights(self, features: Any) -> FeatureWeights:
        """The weights of some features: what `coef_` and `factors_` hold, without a copy of all.

        Parameters
        ----------
        features : array-like of int of shape (n,)
            Ids below ``n_features_in_``, in any order.

        Returns
        -------
        FeatureWeights
            A named tuple: ``linear`` and ``factors``, copies for these features; of more than two
            classes with the classes as their first axis.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            For what is no id of a feature.

        Examples
        --------
        >>> import pyfm
        >>> model = pyfm.FMRegressor(n_factors=4, random_state=0).fit([[0, 2], [1, 2]], [0.5, 1.5])
        >>> model.feature_weights([2, 0]).factors.shape
        (2, 4)
        """
        from pyfm.explain.weights import feature_weights

        return feature_weights(self._all_weights(), features)

    def _explained(self, output: Any) -> Explained:
        """One score: of more than two classes that of the label `output`."""
        explained = self._all_weights()
        return replace(explained, output=output_of(getattr(self, "classes_", None), output))

    def _all_weights(self) -> Explained:
        from pyfm.explain.model import Explained

        check_is_fitted(self)
        return Explained(self._spec, self._model, self._inputs.encoder, n_threads(self.n_jobs))

    def _rows_in_memory(self, X: Any) -> _core.Dataset:
        if isinstance(X, DataStream):
            expected = "rows in memory, such as a piece of a stream: next(iter(stream))"
            refuse("X", expected, type(X).__name__)
        return self._inputs.rows(X, type(self).__name__)

    def _weighted_rows(self, X: Any, sample_weight: Any) -> tuple[_core.Dataset, Floats]:
        """Rows, and their weights in float64, not all 0."""
        rows = self._rows_in_memory(X)
        if sample_weight is not None:
            given = optional_floats("sample_weight", sample_weight, rows.n_rows)
            rows = rows.with_targets(rows.y, given)  # which checks them
        weight = np.ones(rows.n_rows) if rows.weight is None else rows.weight.astype(np.float64)
        if not weight.any():
            found = "only zeros" if len(weight) else "no rows"
            refuse("X", "rows of which some weigh more than 0", found)
        return rows, weight

    def _check_no_weights(self, sample_weight: Any) -> None:
        if sample_weight is not None:
            refuse("sample_weight", "None, since there are no rows", type(sample_weight).__name__)


def _is_vector(X: Any) -> bool:
    """Whether X is one row of numbers, and no matrix or table."""
    return not isinstance(X, Dataset) and not hasattr(X, "tocsr") and np.ndim(X) == 1
