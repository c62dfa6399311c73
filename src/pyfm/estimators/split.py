"""A validation set cut from the training rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfm import _core


def split(
    data: _core.Dataset, fraction: float, *, stratify: bool, seed: int
) -> tuple[_core.Dataset, _core.Dataset]:
    """Training and validation rows, selections in the order of the data.

    Each class gives the same share where `stratify`; the same rows for the same seed.
    """
    assert data.y is not None
    labels = data.y if stratify else np.zeros(data.n_rows, np.float32)
    rng = np.random.default_rng(seed)
    chosen = np.zeros(data.n_rows, bool)
    for label in np.unique(labels):
        chosen[_sample(np.flatnonzero(labels == label), fraction, rng)] = True
    return data.take(np.flatnonzero(~chosen)), data.take(np.flatnonzero(chosen))


def sample_size(n_rows: int, fraction: float, of: str = "") -> int:
    """How many rows are set apart: at least one, and not all; `of` says of what, for messages."""
    if n_rows < 2:
        raise ValueError(
            f"early_stopping: expected at least 2 rows{of} to split, found {n_rows}: pass "
            "eval_set, or turn early_stopping off"
        )
    return min(max(1, round(fraction * n_rows)), n_rows - 1)


def _sample(
    rows: NDArray[np.int64], fraction: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    size = sample_size(len(rows), fraction, " of each class" if len(rows) else "")
    return rng.permutation(rows)[:size]
