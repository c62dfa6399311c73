"""The sections that the docstrings of all optimizers share, written once."""

from __future__ import annotations

from typing import TypeVar

from pyfm.docstrings import fill_in
from pyfm.optim.base import Optimizer

_Optimizer = TypeVar("_Optimizer", bound=type[Optimizer])

_CLIPPING = """
clip_value : float > 0, optional
    The gradient g of each weight is cut to ±clip_value, before penalties. None: it is not.
clip_norm : float > 0, optional
    The gradient of a row, or of a batch, by all weights of the part (linear weights and bias,
    or factors) is scaled down to this Euclidean length. None: it is not.
"""

_RAISES = """
Raises
------
ValueError
    If a parameter is out of its range; the message names it.
"""


def documented(cls: _Optimizer) -> _Optimizer:
    """Puts the shared sections in their places in the docstring of an optimizer."""
    return fill_in(cls, clipping=_CLIPPING, raises=_RAISES)
