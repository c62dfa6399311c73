"""Row selections in NumPy's manner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from pyfm._core import Indices


def row_numbers(rows: npt.ArrayLike, n_rows: int) -> Indices:
    """Row numbers in [0, n_rows) from numbers that may count from the end, or from a mask."""
    chosen = np.asarray(rows)
    if chosen.ndim == 0:
        raise TypeError(
            "rows: expected a slice, an array of row numbers or a mask, found a single "
            f"{type(rows).__name__}; for row i write data[i:i + 1]"
        )
    if chosen.ndim != 1:
        raise IndexError(f"rows: expected a 1-D array, found shape {chosen.shape}")
    if chosen.dtype == bool:
        if len(chosen) != n_rows:
            raise IndexError(f"rows: expected a mask of length {n_rows}, found {len(chosen)}")
        return np.flatnonzero(chosen).astype(np.int64, copy=False)
    if chosen.size == 0:
        return np.empty(0, np.int64)
    if chosen.dtype.kind not in "iu":
        raise TypeError(f"rows: expected integers or booleans, found dtype {chosen.dtype}")
    outside = (chosen < -n_rows) | (chosen >= n_rows)
    if outside.any():
        raise IndexError(
            f"rows: expected numbers in [{-n_rows}, {n_rows}), found {chosen[outside][0]}"
        )
    numbers = chosen.astype(np.int64)
    return np.where(numbers < 0, numbers + n_rows, numbers)


def _is_all(columns: Any) -> bool:
    return columns is Ellipsis or (isinstance(columns, slice) and columns == slice(None))


def whole_rows(key: tuple[Any, ...]) -> Any:
    """The rows of ``data[rows, ...]`` and ``data[rows, :]``."""
    if len(key) == 2 and _is_all(key[1]):
        return key[0]
    raise IndexError(
        f"data[…]: expected rows alone, found {len(key)} indices: a Dataset has no columns to "
        "choose from; an array of row numbers is a list, not a tuple"
    )
