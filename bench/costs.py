"""What one row costs by the formulas: bytes of the tables and floating-point operations.

For training with AdaGrad, 32-bit weights, one feature with value 1 in each field. Every weight and
its slot are read once and written once; ids, labels and what the caches do are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

FLOAT, LINE = 4, 64  # bytes of a weight, and of a cache line
SLOTS = 1  # of AdaGrad for each weight

# Of one weight by AdaGrad: g = κd + λw (3), G += g² (2), 1/√G by an estimate and one Newton step
# (5), w -= ηg/√G (3).
STEP = 13


@dataclass(frozen=True)
class Cost:
    """Of one row."""

    bytes: int  # read; as many are written
    line_bytes: int  # the same in whole cache lines, which is what memory moves
    flops: int


def cost(model: str, fields: int, k: int) -> Cost:
    """Of "linear", "FM" (which has linear terms) or "FFM" (which has none by default)."""
    if model == "linear":
        return _cost(fields, 1, fields * (1 + STEP))
    block = _round_up(k, 4)
    if model == "FFM":
        pairs = fields * (fields - 1) // 2
        # A pair is a product of two vectors; each of them then takes a step.
        return _cost(fields, _round_up(fields * block, 16), pairs * k * (2 + 2 * STEP))
    # A factor is added to the sum, and its square to that of squares; d = sum - factor.
    factors = _cost(fields, block, fields * k * (3 + 1 + STEP) + 3 * k)
    linear = cost("linear", fields, 0)
    return Cost(
        factors.bytes + linear.bytes,
        factors.line_bytes + linear.line_bytes,
        factors.flops + linear.flops,
    )


def _cost(n_entries: int, width: int, flops: int) -> Cost:
    size = width * (1 + SLOTS) * FLOAT
    return Cost(n_entries * size, n_entries * _round_up(size, LINE), flops)


def _round_up(n: int, unit: int) -> int:
    return -(-n // unit) * unit
