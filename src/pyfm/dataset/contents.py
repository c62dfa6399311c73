"""What is stored of rows, without a second copy of a selection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from pyfm import _core

BUFFERS = ("indptr", "features", "fields", "values", "y", "weight")
_ROWS = 1 << 14


def pieces(rows: _core.Dataset) -> Iterator[dict[str, NDArray[Any]]]:
    """The buffers that are stored, by name; of a selection some rows after the other, copied.

    One after the other, the pieces of a buffer are that of the rows in memory of their own. Rows
    without any entries have no fields and no values.
    """
    size = _ROWS if rows.is_selection else max(rows.n_rows, 1)
    end = 0
    for start in range(0, max(rows.n_rows, 1), size):
        piece = rows.slice(start, min(start + size, rows.n_rows)).packed()
        arrays = {name: getattr(piece, name) for name in BUFFERS}
        if start and arrays["indptr"] is not None:
            arrays["indptr"] = arrays["indptr"][1:] + end
        end += piece.nnz
        yield {name: array for name, array in arrays.items() if array is not None}
