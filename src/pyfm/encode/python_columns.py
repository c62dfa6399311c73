"""Columns of NumPy arrays, lists and objects as Arrow arrays; what to say where they are none."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from pyfm.checks import refuse
from pyfm.encode.arrow import arrow


def array_of(name: Any, values: Any) -> Any:
    """One column of a dict, as an Arrow array; None and NaN are null.

    Raises
    ------
    ValueError
        For anything that is not one column, and values of several types.
    """
    pa = arrow()
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if hasattr(values, "__arrow_c_stream__"):
        return pa.chunked_array(values)
    if hasattr(values, "__arrow_c_array__"):
        return pa.array(values)
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        refuse(f"column {name!r}", "an array or a list", type(values).__name__)
    if isinstance(values, np.ndarray) and values.ndim != 1:
        refuse(f"column {name!r}", "a 1-D array", f"shape {values.shape}")
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values)
        return pa.array(values.filled(), mask=mask, from_pandas=True)
    try:
        return pa.array(values, from_pandas=True)
    except (pa.lib.ArrowException, TypeError, ValueError, OverflowError) as error:
        _explain_column(name, values, error)


def explain(frame: Any, error: Exception) -> NoReturn:
    """Raises a ValueError that names the column of a frame, and the row, which Arrow refused."""
    if len(getattr(frame, "shape", (0, 0))) == 1 or isinstance(frame, arrow().Array):
        expected = "a table, which has columns (of a series, X.to_frame())"
        refuse("X", expected, f"one column: {type(frame).__name__}")
    for name in getattr(frame, "columns", []):
        array_of(name, np.asarray(frame[name]))
    raise ValueError(f"X: expected a table, found one that Arrow has no types for: {error}")


def _explain_column(name: Any, values: Any, error: Exception) -> NoReturn:
    # Only here, where there is an error to explain, are values looked at one by one.
    first: type | None = None
    for row, value in enumerate(values):
        if value is None or (isinstance(value, float) and np.isnan(value)):
            continue
        if first is None:
            first = type(value)
        elif type(value) is not first:
            raise ValueError(
                f"column {name!r}, row {row}: expected values of one type, {first.__name__} as "
                f"before, found {type(value).__name__} {value!r}"
            ) from error
    raise ValueError(f"column {name!r}: {error}") from error
