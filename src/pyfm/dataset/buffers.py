"""Arrays of any kind to the few that the core reads; a copy is made only where one is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from pyfm.checks import check_int

if TYPE_CHECKING:
    from pyfm._core import FeatureIds, FieldIds, Floats, Indices

_Unsigned = TypeVar("_Unsigned", bound=np.unsignedinteger[Any])
_Any = TypeVar("_Any", bound=np.generic)

MAX_FEATURES = 1 << 32  # the ids of base/types.h
MAX_FIELDS = 1 << 16


def one_dimensional(name: str, array: npt.NDArray[_Any]) -> npt.NDArray[_Any]:
    if array.ndim != 1:
        raise ValueError(f"{name}: expected a 1-D array, found shape {array.shape}")
    return array


def integers(name: str, values: npt.ArrayLike) -> npt.NDArray[np.integer[Any]]:
    """The values as an integer array of their own width; an empty list counts as integers."""
    array = np.asarray(values)
    if array.size == 0 and not isinstance(values, np.ndarray):
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise ValueError(f"{name}: expected an array of integers, found dtype {array.dtype}")
    return array


def _unsigned(
    name: str, array: npt.NDArray[np.integer[Any]], dtype: type[_Unsigned]
) -> npt.NDArray[_Unsigned]:
    wanted = np.dtype(dtype)
    limit = np.iinfo(wanted).max
    if array.dtype != wanted and array.size:
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > limit:
            where = int(np.flatnonzero((array.ravel() < 0) | (array.ravel() > limit))[0])
            raise ValueError(
                f"{name}: expected ids in [0, {limit}], found {array.ravel()[where]} "
                f"at position {where}"
            )
    array = np.require(array, requirements=["C", "A"])
    if array.dtype.isnative and array.dtype.itemsize == wanted.itemsize:
        return array.view(wanted)
    return array.astype(wanted)


def feature_ids(name: str, values: npt.ArrayLike) -> FeatureIds:
    """uint32, C-contiguous, of the same shape; no copy of such int32 or uint32 arrays."""
    return _unsigned(name, integers(name, values), np.uint32)


def field_ids(name: str, values: npt.ArrayLike) -> FieldIds:
    """uint16, C-contiguous, 1-D; no copy of such int16 or uint16 arrays."""
    return _unsigned(name, one_dimensional(name, integers(name, values)), np.uint16)


def row_offsets(name: str, values: npt.ArrayLike) -> Indices:
    """int64, C-contiguous, 1-D; no copy of such int64 arrays."""
    array = one_dimensional(name, integers(name, values))
    return np.require(array, np.int64, ["C", "A"])


def floats(name: str, values: npt.ArrayLike) -> Floats:
    """float32, C-contiguous, of the same shape; no copy of such float32 arrays."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"{name}: expected an array of numbers, found dtype {array.dtype}")
    with np.errstate(over="ignore"):  # too large becomes inf, which the core reports with its row
        return np.require(array, np.float32, ["C", "A"])


def optional_floats(
    name: str, values: npt.ArrayLike | None, length: int, unit: str = "row"
) -> Floats | None:
    """float32 for each of so many rows or entries; None is none, and so are those of no rows."""
    if values is None:
        return None
    array = one_dimensional(name, floats(name, values))
    if length and not len(array):  # which to the core is none
        raise ValueError(f"{name}: expected length {length} (one per {unit}), found 0")
    return array


def stored_values(values: Floats) -> Floats | None:
    """Values that are all 1 are implied, not stored."""
    return None if bool(np.all(values == 1)) else values


def size_for(name: str, given: int | None, ids: npt.NDArray[Any] | None, limit: int) -> int:
    """The size of an id space: as given, or just large enough; None: all ids are 0."""
    if given is not None:
        return check_int(name, given, 0, limit)
    if ids is None:
        return 1
    return int(ids.max()) + 1 if ids.size else 0


def fields_of_columns(
    columns: npt.NDArray[np.integer[Any]], fields: npt.ArrayLike | None, n_columns: int
) -> tuple[FieldIds | None, int]:
    """The field of each entry and the number of fields; None: all in field 0."""
    if fields is None:
        return None, 1
    of_column = field_ids("fields", fields)
    if len(of_column) != n_columns:
        raise ValueError(
            f"fields: expected one field id per column ({n_columns}), found {len(of_column)}"
        )
    return of_column[columns], size_for("n_fields", None, of_column, MAX_FIELDS)


def drop_implied(
    indptr: Indices, fields: FieldIds | None, n_fields: int
) -> tuple[Indices | None, FieldIds | None]:
    """Neither offsets nor fields are stored when every row has the fields 0, 1, …, n_fields - 1."""
    if fields is None or len(fields) != (len(indptr) - 1) * n_fields:
        return indptr, fields
    rows = fields.reshape(-1, n_fields) if n_fields else fields.reshape(0, 0)
    in_place = bool(np.all(np.diff(indptr) == n_fields) and np.all(rows == np.arange(n_fields)))
    return (None, None) if in_place else (indptr, fields)
