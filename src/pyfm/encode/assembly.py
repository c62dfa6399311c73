"""From the features of each field, batch by batch, to the buffers of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.encode.fields import Encoded


class Assembly:
    """Rows of all fields. One feature per field: a matrix of ids; otherwise compressed rows.

    If the number of rows is known, a matrix is filled where it stays.
    """

    def __init__(
        self, n_fields: int, n_rows: int | None, *, is_compressed: bool, has_values: bool
    ) -> None:
        self._n_fields, self._is_compressed = n_fields, is_compressed
        self._has_values = has_values
        self._parts: list[tuple[NDArray[Any], ...]] = []  # features, values, fields, lengths
        self._rest: tuple[NDArray[Any], ...] | None = None  # what is to be filled, of a matrix
        if n_rows is not None and not is_compressed:
            self._rest = self._empty(n_rows)
            self._parts.append(tuple(array.ravel() for array in self._rest))

    def add(self, encoded: Sequence[Encoded], n_rows: int) -> None:
        if self._is_compressed:
            self._parts.append(self._compressed(encoded, n_rows))
        elif self._rest is None:
            part = self._empty(n_rows)
            self._fill(part, encoded)
            self._parts.append(tuple(array.ravel() for array in part))
        else:
            self._fill(tuple(array[:n_rows] for array in self._rest), encoded)
            self._rest = tuple(array[n_rows:] for array in self._rest)

    def _empty(self, n_rows: int) -> tuple[NDArray[Any], ...]:
        """Features, and values if there are any, which are 1 where nothing is said."""
        features = np.empty((n_rows, self._n_fields), np.uint32)
        return (features, np.ones(features.shape, np.float32)) if self._has_values else (features,)

    def _fill(self, matrices: tuple[NDArray[Any], ...], encoded: Sequence[Encoded]) -> None:
        for field, one in enumerate(encoded):
            matrices[0][:, field] = one.ids
            if one.weights is not None:
                matrices[1][:, field] = one.weights

    def _compressed(self, encoded: Sequence[Encoded], n_rows: int) -> tuple[NDArray[Any], ...]:
        lengths = np.ones((n_rows, self._n_fields), np.int64)
        for field, one in enumerate(encoded):
            if one.lengths is not None:
                lengths[:, field] = one.lengths
        ends = np.cumsum(lengths).reshape(lengths.shape)
        n = int(ends[-1, -1]) if n_rows else 0
        features, fields = np.empty(n, np.uint32), np.empty(n, np.uint16)
        values = np.ones(n, np.float32)
        for field, one in enumerate(encoded):
            begin = ends[:, field] - lengths[:, field]
            if one.lengths is not None:
                before = np.cumsum(one.lengths) - one.lengths
                begin = np.repeat(begin - before, one.lengths) + np.arange(len(one.ids))
            features[begin], fields[begin] = one.ids, field
            if one.weights is not None:
                values[begin] = one.weights
        return features, values, fields, lengths.sum(axis=1)

    def finish(
        self,
        n_rows: int,
        n_features: int,
        y: NDArray[np.float32] | None,
        weight: NDArray[np.float32] | None,
    ) -> _core.Dataset:
        types = (np.uint32, np.float32, np.uint16, np.int64)
        n_arrays = 4 if self._is_compressed else 1 + self._has_values
        arrays: list[Any] = [self._joined(i, types[i]) for i in range(n_arrays)]
        arrays += [None] * (4 - n_arrays)
        features, values, fields, lengths = arrays
        self._parts = []
        indptr = None
        if lengths is not None:
            indptr = np.zeros(n_rows + 1, np.int64)
            np.cumsum(lengths, out=indptr[1:])
        if values is not None and bool(np.all(values == 1)):
            values = None
        return _core.Dataset(
            indptr=indptr,
            features=features,
            fields=fields,
            values=values,
            y=y,
            weight=weight,
            n_rows=n_rows,
            n_features=n_features,
            n_fields=self._n_fields,
        )

    def _joined(self, place: int, dtype: Any) -> NDArray[Any]:
        """One array of all parts."""
        if len(self._parts) == 1:
            return self._parts[0][place]
        whole = np.empty(sum(len(part[place]) for part in self._parts), dtype)
        at = 0
        for i, part in enumerate(self._parts):
            whole[at : at + len(part[place])] = part[place]
            at += len(part[place])
            # What was copied is let go.
            self._parts[i] = (*part[:place], part[place][:0].copy(), *part[place + 1 :])
        return whole
