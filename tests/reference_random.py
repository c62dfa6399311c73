"""The counter-based random numbers of the core (base/random.h), in Python's integers, and what
training draws with them: orders of rows, bootstrap samples, augmented rows."""

from __future__ import annotations

import math

import numpy as np
from reference import Row

_ALL = 2**64 - 1


def mix64(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & _ALL
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & _ALL
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & _ALL
    return x ^ (x >> 31)


def mix32(x: int) -> int:
    x = (x ^ (x >> 16)) * 0x7FEB352D & 0xFFFFFFFF
    x = (x ^ (x >> 15)) * 0x846CA68B & 0xFFFFFFFF
    return x ^ (x >> 16)


def random_key(seed: int, stream: int) -> int:
    return mix64((seed & _ALL) ^ mix64(stream))


def random_uniform(key: int, position: int) -> float:
    low = mix32((key + position * 0x9E3779B9) & 0xFFFFFFFF)
    return (mix32(low ^ (key >> 32)) >> 8) / 2**24


def random_below(key: int, position: int, n: int) -> int:
    return mix64((key + position) & _ALL) * n >> 64


def random_normal(key: int, position: int) -> float:
    bits = mix64((key + position) & _ALL)
    u, v = ((bits >> 32) + 0.5) / 2**32, (bits & 0xFFFFFFFF) / 2**32
    return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)


def bootstrap_rows(n: int, seed: int) -> list[int]:
    """The row at each place of the sample."""
    key = random_key(seed, 0x626F6F7473747261)
    return [random_below(key, place, n) for place in range(n)]


def shuffled(rows: list[int], seed: int, epoch: int) -> list[int]:
    """The rows in the order of an epoch."""
    return shuffled_by(rows, random_key(~seed, epoch))


def shuffled_by(rows: list[int], key: int) -> list[int]:
    """Fisher-Yates."""
    order = list(rows)
    for i in range(len(rows) - 1, 0, -1):
        other = random_below(key, i, i + 1)
        order[i], order[other] = order[other], order[i]
    return order


def augmented(
    row: Row,
    place: int,
    *,
    seed: int,
    epoch: int,
    feature_dropout: float = 0.0,
    unknown: list[int] | None = None,
    value_noise: float = 0.0,
    numeric_fields: list[int] | None = None,
) -> Row:
    """The row as it is learned at this place in an epoch."""
    key = random_key(random_key(random_key(seed, 0x6175676D656E7461), epoch), place)
    made = []
    for entry, (field, feature, x) in enumerate(row):
        if random_uniform(key, entry) < feature_dropout:
            if unknown is not None and unknown[field] >= 0:
                made.append((field, unknown[field], 1.0))
            continue
        if value_noise and (numeric_fields is None or field in numeric_fields):
            x = float(np.float32(x * (1 + value_noise * random_normal(~key & _ALL, entry))))
        made.append((field, feature, x))
    return made
