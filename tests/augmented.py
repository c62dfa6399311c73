"""Rows to augment, and how far frequencies may stray."""

from __future__ import annotations

import math

FULL = 0

PLAIN = ("plain",) * 20


def binomial_bound(n: int, p: float) -> float:
    """Five standard deviations of a share."""
    return 5 * math.sqrt(p * (1 - p) / n)
