"""Batches that the tests of layers share."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Array = NDArray[np.float32] | NDArray[np.float64]

# Around the numbers of lanes and of rows in a piece.
BATCHES = [1, 2, 3, 8, 9, 63, 64, 65, 130, 1000, 4097]
WIDTHS = [1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 400]
# A batch of each size with some width, and the other way round.
SHAPES = [(b, WIDTHS[i % len(WIDTHS)]) for i, b in enumerate(BATCHES)] + [
    (BATCHES[3 + i % 5], w) for i, w in enumerate(WIDTHS)
]


def padded(array: npt.ArrayLike, gap: int = 3) -> Floats:
    """A copy as float32, whose rows have gaps full of NaN behind them."""
    numbers = np.asarray(array, np.float32)
    memory = np.full((len(numbers) + 1, numbers.shape[1] + gap), np.nan, np.float32)
    view = memory[: len(numbers), : numbers.shape[1]]
    view[:] = numbers
    return view


def gaps_untouched(view: Floats) -> bool:
    memory = view.base
    assert memory is not None
    memory[: len(view), : view.shape[1]] = np.nan
    return bool(np.isnan(memory).all())


def close(found: Array, expected: Array, scale: float | None = None) -> None:
    """Within 1e-5, of each number or of `scale`: by default the largest number expected.

    float32 has 6e-8, and what is compared has been rounded some dozens of times.
    """
    if scale is None:
        scale = float(np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * scale)


def random(rng: np.random.Generator, *shape: int) -> Floats:
    """Columns with means and scales of their own."""
    numbers = rng.normal(size=shape)
    if len(shape) == 2:
        numbers = numbers * rng.uniform(0.5, 2, shape[1]) + rng.uniform(-1, 1, shape[1])
    return numbers.astype(np.float32)


def doubles(arrays: Iterable[Floats]) -> list[NDArray[np.float64]]:
    return [a.astype(np.float64) for a in arrays]
