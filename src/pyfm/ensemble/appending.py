"""Fields behind those of a data set."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.checks import refuse
from pyfm.dataset.joining import fields as fields_of
from pyfm.dataset.joining import indptr as indptr_of
from pyfm.dataset.joining import ones

_T = TypeVar("_T", bound=np.generic)
_MAX_FEATURES, _MAX_FIELDS = 1 << 32, 1 << 16


def append_fields(
    core: _core.Dataset,
    ids: NDArray[np.int64],
    fields: NDArray[np.int64],
    n_features: int,
    value: float = 1.0,
) -> _core.Dataset:
    """The rows with further features, of fields and ids of their own; targets and weights stay.

    `ids`, of shape (n_rows, n_columns), count from 0 on and are below `n_features`, -1: absent.
    `fields`, of shape (n_columns,), count from 0 on. All have the same value.
    """
    n_fields = core.n_fields + (int(fields.max()) + 1 if len(fields) else 0)
    if core.n_features + n_features > _MAX_FEATURES or n_fields > _MAX_FIELDS:
        found = f"{core.n_features + n_features} and {n_fields}"
        refuse("features and fields", f"at most {_MAX_FEATURES} and {_MAX_FIELDS}", found)
    there = ids >= 0
    begin = indptr_of(core)
    size = np.diff(begin) + there.sum(axis=1)
    indptr = np.concatenate([[0], np.cumsum(size)])
    # An old entry moves by what was added to the rows before its own; new ones end their row.
    rows = np.repeat(np.arange(core.n_rows), np.diff(begin))
    old = np.arange(core.nnz) + (indptr[:-1] - begin[:-1])[rows]
    new = indptr[1:, None] - there[:, ::-1].cumsum(axis=1)[:, ::-1]

    def joined(before: NDArray[_T], behind: NDArray[Any]) -> NDArray[_T]:
        made = np.empty(int(indptr[-1]), before.dtype)
        made[old] = before
        made[new[there]] = behind.astype(before.dtype)
        return made

    features = joined(core.features, (ids + core.n_features)[there])
    in_place = core.indptr is None and bool(there.all()) and bool((np.diff(fields) == 1).all())
    has_values = core.values is not None or value != 1
    all_values = np.full(ids.shape, value, np.float32)[there]
    all_fields = np.broadcast_to(fields + core.n_fields, ids.shape)[there]
    return _core.Dataset(
        indptr=None if in_place else indptr,
        features=features,
        fields=None if in_place else joined(fields_of(core), all_fields),
        values=joined(ones(core.values, core.nnz), all_values) if has_values else None,
        y=core.y,
        weight=core.weight,
        n_rows=core.n_rows,
        n_features=core.n_features + n_features,
        n_fields=n_fields,
    )
