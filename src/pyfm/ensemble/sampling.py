"""The rows that each member of a bag learns."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import check_fraction, check_int, refuse

_TRIES = 100


def sample_size(max_samples: object, n_rows: int | None) -> int:
    """Rows from a number of them, or from a share of all, at least one; None: not known yet."""
    if isinstance(max_samples, Integral):
        return check_int("max_samples", max_samples, 1, n_rows)
    share = check_fraction("max_samples", max_samples, one=True)
    return max(1, round(share * (n_rows or 0)))


def draw(
    n_rows: int, size: int, y: NDArray[np.float32] | None, *, bootstrap: bool, seed: int
) -> NDArray[np.int64]:
    """Row numbers in increasing order, with replacement if `bootstrap`, the same for a seed.

    Where `y` are the labels of all rows, each occurs in the sample: one that lacks a label is drawn
    again.
    """
    rng = np.random.default_rng(seed)
    n_labels = 0 if y is None else len(np.unique(y))
    rows = _sample(rng, n_rows, size, bootstrap)
    tries = 1
    while y is not None and len(np.unique(y[rows])) < n_labels:
        if tries == _TRIES:
            expected = f"samples in which each of the {n_labels} labels occurs"
            refuse("max_samples", expected, f"{tries} samples of {size} rows that lack one")
        rows = _sample(rng, n_rows, size, bootstrap)
        tries += 1
    return rows


def _sample(rng: np.random.Generator, n_rows: int, size: int, bootstrap: bool) -> NDArray[np.int64]:
    rows = rng.integers(0, n_rows, size) if bootstrap else rng.permutation(n_rows)[:size]
    return np.sort(rows)


def left_out(n_rows: int, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows that a sample does not hold."""
    outside = np.ones(n_rows, bool)
    outside[rows] = False
    return np.flatnonzero(outside)
