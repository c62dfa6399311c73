"""Sums by key, of more keys than anyone can count beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyfm.explain.model import Floats, Ints

_PENDING = 2**20


class SumsByKey:
    """Columns of numbers, added up for each key; memory for each different key, once or twice."""

    def __init__(self, n_columns: int) -> None:
        self._keys = [np.empty(0, np.int64)]
        self._columns: list[Sequence[Floats]] = [[np.empty(0)] * n_columns]
        self._n_pending = 0

    def add(self, keys: Ints, *columns: Floats) -> None:
        self._append(*_merged(keys, columns))
        if self._n_pending > max(_PENDING, len(self._keys[0])):
            self._merge()

    def found(self) -> tuple[Ints, Sequence[Floats]]:
        """The keys, ascending, and their sums."""
        self._merge()
        return self._keys[0], self._columns[0]

    def _append(self, keys: Ints, columns: Sequence[Floats]) -> None:
        self._keys.append(keys)
        self._columns.append(columns)
        self._n_pending += len(keys)

    def _merge(self) -> None:
        columns = [np.concatenate(parts) for parts in zip(*self._columns, strict=True)]
        keys, sums = _merged(np.concatenate(self._keys), columns)
        self._keys, self._columns, self._n_pending = [keys], [sums], 0


def _merged(keys: Ints, columns: Sequence[Floats]) -> tuple[Ints, Sequence[Floats]]:
    found, places = np.unique(keys, return_inverse=True)
    return found, [added(places, column, len(found)) for column in columns]


def added(places: Ints, values: Floats, n: int) -> Floats:
    """The sums of the values of each place below n, float64."""
    return np.bincount(places, values, n).astype(np.float64, copy=False)


def largest(values: Floats, n: int | None) -> Ints:
    """Places of the n largest values, in descending order; of equal ones the first come first."""
    order = np.argsort(-values, kind="stable")
    return order if n is None else order[:n]
