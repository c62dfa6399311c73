"""How many different values there were, from a few kilobytes: HyperLogLog.

P. Flajolet, É. Fusy, O. Gandouet, F. Meunier: HyperLogLog: the analysis of a near-optimal
cardinality estimation algorithm. AofA 2007. Standard error 1.04 / √4096 = 1.6 %.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm.encode.hashing import Hashes

N_REGISTERS = 1 << 12
_BITS = 12


def new_registers() -> NDArray[np.uint8]:
    return np.zeros(N_REGISTERS, np.uint8)


def add(registers: NDArray[np.uint8], hashes: Hashes) -> None:
    """Each register keeps the most leading zeros, and one, of the hashes that it was given."""
    # The low bits choose the register: the high ones choose the feature, and fewer zeros than 52
    # are certain.
    place = (hashes & np.uint64(N_REGISTERS - 1)).astype(np.int64)
    rest = (hashes >> np.uint64(_BITS)).astype(np.float64)
    # frexp gives the number of significant bits of 52-bit integers, which float64 holds exactly.
    rank = 64 - _BITS + 1 - np.frexp(rest)[1]
    np.maximum.at(registers, place, rank.astype(np.uint8))


def estimate(registers: NDArray[np.uint8]) -> float:
    m = float(N_REGISTERS)
    raw = 0.7213 / (1 + 1.079 / m) * m * m / float(np.sum(0.5 ** registers.astype(np.float64)))
    zeros = int(np.sum(registers == 0))
    if raw <= 2.5 * m and zeros:
        return m * math.log(m / zeros)
    return raw


class Collisions(NamedTuple):
    """Of a hashed field: values that were seen, about, and the share that has to share an id."""

    n_values: int
    n_ids: int
    share: float


def expect_collisions(n_values: int, n_ids: int) -> Collisions:
    """What is to be expected of hashes that are spread evenly."""
    return Collisions(n_values, n_ids, 1 - (1 - 1 / n_ids) ** max(n_values - 1, 0))
