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


def _sample(
    rows: NDArray[np.int64], fraction: float, rng: np.random.Generator
) -> NDArray[np.int64]:
    if len(rows) < 2:
        raise ValueError(
            f"early_stopping: expected at least 2 rows{' of each class' if len(rows) else ''} to "
            f"split, found {len(rows)}: pass eval_set, or turn early_stopping off"
        )
    size = min(max(1, round(fraction * len(rows))), len(rows) - 1)
    return rng.permutation(rows)[:size]
