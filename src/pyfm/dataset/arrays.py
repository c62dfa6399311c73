"""Core data sets from matrices and arrays; `pyfm.Dataset` documents what is copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pyfm import _core
from pyfm.checks import check_int
from pyfm.dataset.buffers import (
    MAX_FEATURES,
    MAX_FIELDS,
    drop_implied,
    feature_ids,
    field_ids,
    fields_of_columns,
    floats,
    integers,
    one_dimensional,
    optional_floats,
    row_offsets,
    size_for,
    stored_values,
)
from pyfm.dataset.contents import BUFFERS

if TYPE_CHECKING:
    from pyfm.dataset.dataset import Dataset
    from pyfm.datasets import CriteoEncoder
    from pyfm.encode import FieldEncoder


def compressed(
    indptr: npt.ArrayLike,
    indices: npt.ArrayLike,
    fields: npt.ArrayLike | None,
    values: npt.ArrayLike | None,
    y: npt.ArrayLike | None,
    sample_weight: npt.ArrayLike | None,
    n_features: int | None,
    n_fields: int | None,
) -> _core.Dataset:
    offsets = row_offsets("indptr", indptr)
    if len(offsets) == 0:
        raise ValueError("indptr: expected at least one offset (rows + 1), found none")
    features = one_dimensional("indices", feature_ids("indices", indices))
    of_entry = None if fields is None else field_ids("fields", fields)
    return _core.Dataset(
        indptr=offsets,
        features=features,
        fields=of_entry,
        values=optional_floats("values", values, len(features), "index"),
        y=optional_floats("y", y, len(offsets) - 1),
        weight=optional_floats("sample_weight", sample_weight, len(offsets) - 1),
        n_rows=len(offsets) - 1,
        n_features=size_for("n_features", n_features, features, MAX_FEATURES),
        n_fields=size_for("n_fields", n_fields, of_entry, MAX_FIELDS),
    )


def columns(
    indptr: npt.ArrayLike,
    indices: npt.NDArray[Any],
    values: _core.Floats | None,
    fields: npt.ArrayLike | None,
    n_columns: int,
    *,
    y: npt.ArrayLike | None,
    sample_weight: npt.ArrayLike | None,
    n_features: int | None = None,
) -> _core.Dataset:
    """Rows whose features are columns, each in a field of its own choosing."""
    if n_features is None:
        n_features = n_columns
    elif check_int("n_features", n_features, 0, MAX_FEATURES) < n_columns:
        raise ValueError(
            f"n_features: expected at least the number of columns ({n_columns}), found {n_features}"
        )
    offsets = row_offsets("indptr", indptr)
    of_entry, n_fields = fields_of_columns(indices, fields, n_columns)
    kept_offsets, kept_fields = drop_implied(offsets, of_entry, n_fields)
    return _core.Dataset(
        indptr=kept_offsets,
        features=feature_ids("indices", indices),
        fields=kept_fields,
        values=None if values is None else stored_values(values),
        y=optional_floats("y", y, len(offsets) - 1),
        weight=optional_floats("sample_weight", sample_weight, len(offsets) - 1),
        n_rows=len(offsets) - 1,
        n_features=n_features,
        n_fields=n_fields,
    )


def csr(
    X: Any,
    y: npt.ArrayLike | None,
    fields: npt.ArrayLike | None,
    sample_weight: npt.ArrayLike | None,
    n_features: int | None,
) -> _core.Dataset:
    if not hasattr(X, "tocsr"):
        raise ValueError(f"X: expected a SciPy sparse matrix or array, found {type(X).__name__}")
    if len(X.shape) != 2:
        raise ValueError(f"X: expected a 2-D matrix (n_rows, n_columns), found shape {X.shape}")
    X = X.tocsr()
    return columns(
        X.indptr,
        X.indices,
        one_dimensional("X", floats("X", X.data)),
        fields,
        X.shape[1],
        y=y,
        sample_weight=sample_weight,
        n_features=n_features,
    )


def dense(
    X: npt.NDArray[Any],
    y: npt.ArrayLike | None,
    fields: npt.ArrayLike | None,
    sample_weight: npt.ArrayLike | None,
) -> _core.Dataset:
    """Numeric columns, exactly as a sparse matrix of the same numbers: zeros are not stored."""
    numbers = floats("X", X)
    rows, indices = np.nonzero(numbers)
    indptr = np.zeros(len(numbers) + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=len(numbers)), out=indptr[1:])
    values = numbers[rows, indices]
    return columns(
        indptr, indices, values, fields, numbers.shape[1], y=y, sample_weight=sample_weight
    )


def id_matrix(
    ids: npt.ArrayLike,
    y: npt.ArrayLike | None,
    sample_weight: npt.ArrayLike | None,
    n_features: int | None,
) -> _core.Dataset:
    matrix = integers("ids", ids)
    if matrix.ndim != 2:
        raise ValueError(f"ids: expected a 2-D array (n_rows, n_fields), found {matrix.shape}")
    n_rows, n_fields = matrix.shape
    indptr = fields = None
    if matrix.dtype.kind == "i" and matrix.size and matrix.min() < 0:
        present = matrix != -1
        indptr = np.zeros(n_rows + 1, np.int64)
        np.cumsum(present.sum(axis=1), out=indptr[1:])
        fields = np.nonzero(present)[1].astype(np.uint16)
        features = feature_ids("ids", matrix[present])
    else:
        features = feature_ids("ids", matrix).reshape(-1)
    return _core.Dataset(
        indptr=indptr,
        features=features,
        fields=fields,
        values=None,
        y=optional_floats("y", y, n_rows),
        weight=optional_floats("sample_weight", sample_weight, n_rows),
        n_rows=n_rows,
        n_features=size_for("n_features", n_features, features, MAX_FEATURES),
        n_fields=n_fields,
    )


def state(core: _core.Dataset) -> dict[str, Any]:
    """The arguments of `_core.Dataset` that make an equal one."""
    sizes = ("n_rows", "n_features", "n_fields")
    core = core.packed()
    return {name: getattr(core, name) for name in (*BUFFERS, *sizes)}


def restore(
    cls: type[Dataset], state: dict[str, Any], encoder: CriteoEncoder | FieldEncoder | None
) -> Dataset:
    return cls(_core.Dataset(**state), encoder=encoder)
