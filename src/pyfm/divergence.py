"""What to say when a training diverges."""

from __future__ import annotations

import numpy as np

from pyfm import _core

# Beyond this, numbers of the data are large enough to be the cause.
_LARGE = 10


def divergence(
    found: str,
    where: str,
    learning_rate: float,
    data: _core.Dataset,
    *,
    normalize: bool,
    has_classes: bool,
) -> ValueError:
    """The error that names the epoch or the rows, the learning rate and the likely cause."""
    return ValueError(
        f"training diverged in {where}, with learning_rate={learning_rate:g}: {found}. "
        f"Likely cause: {_likely_cause(data, learning_rate, normalize, has_classes)}"
    )


def _likely_cause(
    data: _core.Dataset, learning_rate: float, normalize: bool, has_classes: bool
) -> str:
    if not normalize and _largest(data.values) > _LARGE:
        return (
            f"feature values of up to {_largest(data.values):g}; scale them to about 1, set "
            "normalize=True, or use a smaller learning_rate"
        )
    if not has_classes and _largest(data.y) > _LARGE:
        return (
            f"targets of up to {_largest(data.y):g}; scale them to about 1, or use a smaller "
            "learning_rate"
        )
    if _largest(data.weight) > _LARGE:
        weights = "sample_weight times class_weight" if has_classes else "sample_weight"
        return (
            f"weights of rows of up to {_largest(data.weight):g} ({weights}), which are long "
            "steps; scale them to about 1, or use a smaller learning_rate"
        )
    return f"the learning_rate is too large; use a smaller one, such as {learning_rate / 10:g}"


def _largest(numbers: _core.Floats | None) -> float:
    """By magnitude; 0 of nothing."""
    if numbers is None or not len(numbers):
        return 0.0
    return float(max(np.max(numbers), -np.min(numbers)))
