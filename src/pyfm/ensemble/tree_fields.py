"""What becomes of trees: ids of buckets and of leaves, and rows with these behind their own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.dataset import Dataset
from pyfm.ensemble.appending import append_fields
from pyfm.ensemble.folds import Fold
from pyfm.ensemble.tree_models import TreeModel


def buckets(score: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Shape (n_rows, 1); -1 where there is no score."""
    bucket = np.searchsorted(edges, score, side="right")
    return np.where(np.isnan(score), -1, bucket)[:, None]


def leaf_ids(models: list[TreeModel], table: Any, folds: list[Fold]) -> NDArray[np.int64]:
    """Shape (n_rows, n_trees): ids of the leaves of each row's fold; -1 in rows without one."""
    first = 0
    for model, fold in zip(models, folds, strict=True):
        # A forest that came fitted learned none of these rows: it has the leaves that they show.
        seen = fold.train if len(fold.train) else fold.test
        first = model.number_leaves(table[seen], first)
    n_trees = models[0].n_trees
    ids = np.full((len(table), n_trees), -1, np.int64)
    for model, fold in zip(models, folds, strict=True):
        if model.n_trees != n_trees:
            refuse("forest", f"{n_trees} trees in each fold", model.n_trees)
        ids[fold.test] = model.leaf_ids(table[fold.test])
    return ids


def appended(
    base: Dataset, ids: NDArray[np.int64], fields: NDArray[np.int64], n: int, value: float = 1.0
) -> Dataset:
    """The rows with n further features in further fields; see `append_fields`.

    Without an encoder, which would know nothing of them.
    """
    return Dataset(append_fields(base.core, ids, fields, n, value))
