"""The entries of rows as a model sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pyfm import _core
from pyfm.explain.model import Explained, Flags, Floats, Ints

_NUMBERS = 2**22  # of vectors that are held at a time (16 MiB)


@dataclass(frozen=True)
class Entries:
    """Entries with weights, in the order of the rows; `x` is their value times the row's scale."""

    first_row: int
    n_rows: int
    row: Ints  # from 0
    field: Ints
    feature: Ints
    x: Floats  # float64, of float32 numbers
    is_deep: Flags | None  # of models with `deep_fields`: whether it has a vector; None: all
    unknown_field: Ints  # of the entries that were left out
    unknown_feature: Ints

    @property
    def with_vectors(self) -> Ints:
        """Places of the entries that take part in pairs, and in a network."""
        return np.arange(len(self.row)) if self.is_deep is None else np.flatnonzero(self.is_deep)


def blocks_of_entries(explained: Explained, rows: _core.Dataset) -> Iterator[Entries]:
    """All rows, some at a time: as many as have `_NUMBERS` numbers in their vectors."""
    per_row = max(1, rows.nnz // max(1, rows.n_rows)) * explained.numbers_per_feature
    size = max(1, _NUMBERS // per_row)
    for start in range(0, rows.n_rows, size):
        yield entries_of(explained, rows, start, min(start + size, rows.n_rows))


def entries_of(explained: Explained, rows: _core.Dataset, start: int, stop: int) -> Entries:
    """As the core reads rows `start` to `stop`: unknown features, fields and zeros are left out."""
    spec, n = explained.spec, stop - start
    if rows.indptr is None:
        indptr = np.arange(start, stop + 1, dtype=np.int64) * rows.n_fields
    else:
        indptr = rows.indptr[start : stop + 1]
    part = slice(int(indptr[0]), int(indptr[-1]))
    row = np.repeat(np.arange(n), np.diff(indptr))
    feature = rows.features[part].astype(np.int64)
    if rows.fields is not None:
        field = rows.fields[part].astype(np.int64)
    elif rows.indptr is None:
        field = np.tile(np.arange(rows.n_fields), n)
    else:
        field = np.zeros(len(feature), np.int64)
    value = np.ones(len(feature), np.float32) if rows.values is None else rows.values[part]
    x = value * _scales(value, row, n)[row] if spec.normalize else value
    is_known = feature < spec.n_features
    if spec.has_fields:
        is_known &= field < spec.n_fields
    is_known[is_known] = _have_weights(explained, feature[is_known])
    kept, left_out = is_known & (x != 0), ~is_known & (x != 0)
    deep = None
    if explained.is_deep and spec.deep_fields is not None:
        deep = np.isin(field[kept], spec.deep_fields)
    return Entries(
        first_row=start,
        n_rows=n,
        row=row[kept],
        field=field[kept],
        feature=feature[kept],
        x=x[kept].astype(np.float64),
        is_deep=deep,
        unknown_field=field[left_out],
        unknown_feature=feature[left_out],
    )


def _scales(value: Floats, row: Ints, n_rows: int) -> Floats:
    """To unit Euclidean length, float32, as `unit_length` of the core's train/rows.h."""
    squares = np.bincount(row, value.astype(np.float64) ** 2, minlength=n_rows)
    with np.errstate(divide="ignore"):
        scale = np.minimum(1 / np.sqrt(squares), np.finfo(np.float32).max)
    return np.where(squares > 0, scale, 1).astype(np.float32)


def _have_weights(explained: Explained, feature: Ints) -> Flags:
    """Whether any weight of a feature is not 0; features that training never met have but zeros."""
    known, places = np.unique(feature, return_inverse=True)
    has = np.zeros(len(known), bool)
    for part in explained.spec.tables:
        weights = explained.weights(part, known)
        has |= weights.any(axis=tuple(range(1, weights.ndim)))
    return has[places]
