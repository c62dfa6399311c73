"""Boosted trees as fields of a factorization machine (He et al. 2014)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from pyfm.checks import check_choice, check_int, refuse
from pyfm.dataset import Dataset
from pyfm.ensemble import threads
from pyfm.ensemble.folds import Fold, shuffled, split
from pyfm.ensemble.forests import check_forest, default_forest
from pyfm.ensemble.tree_fields import appended, buckets, leaf_ids
from pyfm.ensemble.tree_inputs import TreeInputs, base_of, labels_of
from pyfm.ensemble.tree_models import TreeModel
from pyfm.estimators.settings import check_seed
from pyfm.estimators.threads import n_threads

if TYPE_CHECKING:
    from typing_extensions import Self

OUTPUTS = ("score", "leaves")
PREFIT = "prefit"


class GBDTFeatures(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc, call-arg]
    """Fields from boosted trees, appended to a Dataset: what trees find, an FM or FFM goes on with.

    Trees split numbers and frequencies well, which factorization machines see as categories only.
    Rows to learn from are encoded out of fold: by trees that learned other rows. Trees that know a
    row's label put it where that label is common, and the model behind them would learn to trust
    them too far.

    ``output="score"`` adds one field: the bucket of the trees' score among equally frequent ones,
    whose ids mean the same for the trees of all folds; new rows have the bucket of the mean of the
    folds' scores. ``output="leaves"`` adds a field for each tree, with the leaf as its feature, the
    recipe of [1]_. The trees of different folds are different trees: each fold's leaves are
    features of their own, of which a row to learn from has those of its fold, and a new row those
    of all folds with the value 1 / n_folds. `encodings` gives it fold by fold, for the mean of the
    predictions, which is better (docs/ensembles.md has numbers).

    Parameters
    ----------
    forest : classifier, optional
        Cloned for each fold: of LightGBM, XGBoost or scikit-learn. None: LightGBM
        (``pip install 'pyfm-ctr[gbdt]'``) with 400 trees of 31 leaves, learning rate 0.05; for
        leaves 20 trees of 8 leaves, learning rate 0.2; pruned to at least 100 rows a leaf, each on
        a fifth of the columns and 70 % of the rows.
    output : {"score", "leaves"}, default="score"
        What becomes of the trees.
    n_buckets : int in [2, 65536], default=50
        Of the score.
    cv : int, splitter of scikit-learn, iterable of pairs of rows, or "prefit", default=5
        The folds. A number: stratified ones, the rows shuffled. Rows that no fold predicts, the
        first ones of `sklearn.model_selection.TimeSeriesSplit`, lack the fields. "prefit": `forest`
        is fitted, to other rows than those that are given here, and reads X as it is.
    n_jobs : int, default=None
        Folds at once, in threads; None: 1, -1: as many as there are cores.
    random_state : int, RandomState or None, default=None
        Seed of the folds where `cv` is a number, and of the forests.

    Attributes
    ----------
    models_ : list
        The fitted trees of each fold, behind what makes their columns.
    edges_ : ndarray of float64 of shape (n_buckets - 1,)
        Where one bucket of the score ends and the next begins; empty with leaves.
    n_added_features_, n_added_fields_ : int
        What is appended.

    References
    ----------
    .. [1] He et al.: Practical lessons from predicting clicks on ads at Facebook. ADKDD 2014.

    Examples
    --------
    >>> import pyfm
    >>> from pyfm.ensemble import GBDTFeatures
    >>> from sklearn.ensemble import GradientBoostingClassifier
    >>> rows, _ = pyfm.datasets.make_ctr(600, n_fields=4, n_features=40, random_state=0)
    >>> trees = GradientBoostingClassifier(n_estimators=5, random_state=0)
    >>> features = GBDTFeatures(trees, n_buckets=10, cv=3, random_state=0)
    >>> train = features.fit_transform(rows[:500])
    >>> train.n_fields, train.n_features, train.layout
    (5, 50, 'one_per_field')
    >>> model = pyfm.FFMClassifier(epochs=3, random_state=0).fit(train)
    >>> model.predict_proba(features.transform(rows[500:])).shape
    (100, 2)
    """

    models_: list[TreeModel]
    edges_: NDArray[np.float64]
    n_added_features_: int
    n_added_fields_: int

    def __init__(
        self,
        forest: Any = None,
        *,
        output: str = "score",
        n_buckets: int = 50,
        cv: Any = 5,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.forest = forest
        self.output = output
        self.n_buckets = n_buckets
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self, X: Any, y: Any = None, *, data: Dataset | None = None, groups: Any = None
    ) -> Self:
        """Learns the trees of each fold; parameters and errors as in `fit_transform`.

        The rows that were learned from are encoded by `fit_transform` alone: for `transform`, all
        rows are new.

        Parameters
        ----------
        X, y, data, groups : as in `fit_transform`

        Returns
        -------
        self
        """
        self.fit_transform(X, y, data=data, groups=groups)
        return self

    def fit_transform(
        self, X: Any, y: Any = None, *, data: Dataset | None = None, groups: Any = None
    ) -> Dataset:
        """The rows to learn from with fields of trees that did not see them.

        Parameters
        ----------
        X : Dataset, table, or array-like of shape (n_rows, n_columns)
            What trees read. Numbers (floats) they read as they are, NaN where missing; of rows of
            features, ids and tables (by a `pyfm.FieldEncoder` with its defaults) `FieldColumns`.
        y : array-like of shape (n_rows,), optional
            Two labels; None: those of the Dataset X, or of `data`.
        data : Dataset, optional
            The rows to append to, where they are others than X.
        groups : array-like of shape (n_rows,), optional
            For splitters that keep groups together.

        Returns
        -------
        Dataset
            The rows of `data`, or of X, with their targets and weights, if any, and the fields.

        Raises
        ------
        ImportError
            Without a forest and without LightGBM.
        ValueError
            For parameters out of range, rows that do not fit each other, and folds that leak.
        """
        self._check()
        random = check_random_state(self.random_state)
        inputs = TreeInputs.of(X)
        table = inputs.read(X)
        base = base_of(X, table, data)
        labels = labels_of(X, y, base)
        if isinstance(self.cv, str):
            if isinstance(table, Dataset):
                refuse("X", "numbers, which a fitted forest reads as they are", type(X).__name__)
            folds = [Fold(np.empty(0, np.int64), np.arange(len(base)))]
            models = [TreeModel(self.forest, None)]
        else:
            cv = shuffled(self.cv, random)
            folds = split(cv, len(base), labels, groups, classifier=True)
            seeds = random.randint(2**31 - 1, size=len(folds)).tolist()
            weight = base.sample_weight

            def fit(task: tuple[Fold, int], _: list[Any]) -> TreeModel:
                train, seed = task[0].train, task[1]
                of_rows = None if weight is None else weight[train]
                new = self._forest(seed)
                return TreeModel.fit(new, table[train], labels[train], of_rows)

            tasks = list(zip(folds, seeds, strict=True))
            models = threads.run(fit, tasks, n_threads(self.n_jobs))
        if self.output == "leaves":
            ids, edges = leaf_ids(models, table, folds), np.empty(0)
            n_added = models[-1].next_id
        else:
            score = np.full(len(base), np.nan)
            for model, fold in zip(models, folds, strict=True):
                score[fold.test] = model.scores(table[fold.test])
            share = np.linspace(0, 1, self.n_buckets + 1)[1:-1]
            edges = np.quantile(score[~np.isnan(score)], share)
            ids, n_added = buckets(score, edges), self.n_buckets
        encoded = appended(base, ids, np.arange(ids.shape[1]), n_added)
        self._inputs, self.models_, self.edges_ = inputs, models, edges
        self.n_added_features_, self.n_added_fields_ = n_added, ids.shape[1]
        return encoded

    def transform(self, X: Any, *, data: Dataset | None = None) -> Dataset:
        """New rows with the fields of all folds' trees.

        Parameters
        ----------
        X, data : as in `fit_transform`

        Returns
        -------
        Dataset

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            If X is not of the kind that `fit` was given.
        """
        check_is_fitted(self)
        table = self._inputs.read(X)
        base = base_of(X, table, data)
        if not len(self.edges_):
            ids = np.stack([model.leaf_ids(table) for model in self.models_], axis=2)
            fields = np.repeat(np.arange(ids.shape[1]), len(self.models_))
            value = 1 / len(self.models_)
            return appended(base, ids.reshape(len(base), -1), fields, self.n_added_features_, value)
        mean = np.mean([model.scores(table) for model in self.models_], axis=0)
        return appended(base, buckets(mean, self.edges_), np.arange(1), self.n_added_features_)

    def encodings(self, X: Any, *, data: Dataset | None = None) -> Iterator[Dataset]:
        """New rows once for each fold, with its trees' fields alone.

        The mean of a model's scores of these is what a model of leaves is best asked for.

        Parameters
        ----------
        X, data : as in `fit_transform`

        Yields
        ------
        Dataset
        """
        check_is_fitted(self)
        table = self._inputs.read(X)
        base = base_of(X, table, data)
        for model in self.models_:
            if len(self.edges_):
                ids = buckets(model.scores(table), self.edges_)
            else:
                ids = model.leaf_ids(table)
            yield appended(base, ids, np.arange(ids.shape[1]), self.n_added_features_)

    def _check(self) -> None:
        check_choice("output", self.output, OUTPUTS)
        check_int("n_buckets", self.n_buckets, 2, 1 << 16)
        check_seed(self.random_state)
        n_threads(self.n_jobs)
        if self.forest is not None:
            check_forest(self.forest)
        if isinstance(self.cv, str):
            check_choice("cv", self.cv, [PREFIT])
            if self.forest is None:
                refuse("forest", f"a fitted one, since cv={PREFIT!r}", None)

    def _forest(self, seed: int) -> Any:
        """A new one for a fold."""
        if self.forest is None:
            return default_forest(self.output, seed)
        made = clone(self.forest)
        return made.set_params(random_state=seed) if "random_state" in made.get_params() else made

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        return tags
