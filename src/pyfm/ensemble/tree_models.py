"""A forest, and what it reads the columns of rows by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm.dataset import Dataset
from pyfm.ensemble.columns import FieldColumns
from pyfm.ensemble.forests import leaves, scores


@dataclass
class TreeModel:
    """Fitted trees of one fold; `columns` of those that read a Dataset."""

    forest: Any
    columns: FieldColumns | None
    first_id: int = 0
    _leaves: list[NDArray[np.int64]] = field(default_factory=list)  # by tree, increasing

    @classmethod
    def fit(
        cls,
        forest: Any,
        table: Dataset | NDArray[np.float32],
        labels: NDArray[np.int64],
        weight: NDArray[np.float32] | None,
    ) -> TreeModel:
        """Fits the forest to a matrix, or to the columns of a Dataset."""
        columns, matrix = None, table
        if isinstance(table, Dataset):
            columns = FieldColumns()
            matrix = columns.fit_transform(table.with_targets(None), labels)
        forest.fit(matrix, labels, **({} if weight is None else {"sample_weight": weight}))
        return cls(forest, columns)

    def scores(self, table: Any) -> NDArray[np.float64]:
        """Log-odds, shape (n_rows,)."""
        return scores(self.forest, self._matrix(table))

    @property
    def n_trees(self) -> int:
        return len(self._leaves)

    @property
    def next_id(self) -> int:
        """The first id behind those of the leaves."""
        return self.first_id + sum(map(len, self._leaves))

    def number_leaves(self, table: Any, first_id: int) -> int:
        """Gives ids to the leaves in which these rows end; returns the next free one."""
        found = leaves(self.forest, self._matrix(table))
        self.first_id = first_id
        self._leaves = [np.unique(tree) for tree in found.T]
        return self.next_id

    def leaf_ids(self, table: Any) -> NDArray[np.int64]:
        """The id of each tree's leaf, shape (n_rows, n_trees); -1 of leaves without one."""
        found = leaves(self.forest, self._matrix(table))
        ids = np.full(found.shape, -1, np.int64)
        first = self.first_id
        for t, known in enumerate(self._leaves):
            place = np.minimum(np.searchsorted(known, found[:, t]), len(known) - 1)
            hit = known[place] == found[:, t]
            ids[hit, t] = first + place[hit]
            first += len(known)
        return ids

    def _matrix(self, table: Any) -> NDArray[np.float32]:
        matrix: NDArray[np.float32] = (
            table if self.columns is None else self.columns.transform(table)
        )
        return matrix
