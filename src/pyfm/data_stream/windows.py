"""The order in which an epoch takes the rows of a data file.

The file is cut into stretches, these are put into a random order, and what they hold is cut into
windows; the core shuffles the rows of each (train/trainer.cpp). All is a function of the seed and
the epoch. A single window is the whole file, in its order, which the core shuffles as it does rows
in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from pyfm import _core
from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream.pieces import ROWS, cut

STRETCHES = 32  # of a window


def windows(
    reader: BlockReader,
    prepare: Callable[[_core.Dataset, int], _core.Dataset],
    *,
    end: int,
    n_rows: int,
    size: int,
    order: tuple[int, int] | None,
) -> Iterator[_core.Dataset]:
    """Windows of `size` rows; `prepare` gets some rows and the number of the first.

    Of the file's rows [0, end), `n_rows` are left after that. `order` is a seed and an epoch; None:
    that of the file.
    """
    is_one = n_rows <= size + 1
    shuffles = order is not None and not is_one
    length = max(size // STRETCHES, 1) if shuffles else min(size, ROWS)
    starts = np.arange(0, end, length)
    if shuffles:
        starts = np.random.default_rng(order).permutation(starts)

    def stretches() -> Iterator[_core.Dataset]:
        for start in starts.tolist():
            rows = prepare(reader.read(start, min(start + length, end)), start)
            if rows.n_rows:
                yield rows

    return cut(stretches(), size, n_rows)
