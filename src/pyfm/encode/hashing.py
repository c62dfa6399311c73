"""Hashes of 64 bits: of strings as Arrow stores them, and of integers; the same on every machine.

A string is taken in words of 8 bytes, little-endian, the last one padded with zeros. With
h = mix(seed + length · γ), each word w makes it h = mix(h + γ ⊕ w), where mix is the finalizer of
SplitMix64 (Steele, Lea, Flood 2014). Strings beyond `_LONG` bytes are hashed by BLAKE2b.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIERS = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFTS = np.uint64(30), np.uint64(27), np.uint64(31)
_LONG = 512


_ALL_BITS = 0xFFFFFFFFFFFFFFFF


def hash_integer(value: int, seed: int = 0) -> int:
    """As `hash_integers`, of one: a dozen calls of NumPy take longer."""
    return _mix_one((value + seed) * int(_GAMMA) & _ALL_BITS)


def hash_string(value: bytes, seed: int = 0) -> int:
    """As `hash_strings`, of one."""
    if len(value) > _LONG:
        return _hash_long(value, seed)
    h = _mix_one(len(value) * int(_GAMMA) + seed & _ALL_BITS)
    for at in range(0, len(value), 8):
        word = int.from_bytes(value[at : at + 8], "little")
        h = _mix_one((h + int(_GAMMA) & _ALL_BITS) ^ word)
    return h


def _mix_one(h: int) -> int:
    h = (h ^ (h >> 30)) * int(_MULTIPLIERS[0]) & _ALL_BITS
    h = (h ^ (h >> 27)) * int(_MULTIPLIERS[1]) & _ALL_BITS
    return h ^ (h >> 31)


def _hash_long(value: Any, seed: int) -> int:
    digest = hashlib.blake2b(value, digest_size=8, key=seed.to_bytes(8, "little")).digest()
    return int.from_bytes(digest, "little")


def _mix(h: Hashes) -> Hashes:
    """In place."""
    rest = np.empty_like(h)
    for shift, multiplier in zip(_SHIFTS, (*_MULTIPLIERS, None), strict=True):
        np.right_shift(h, shift, out=rest)
        h ^= rest
        if multiplier is not None:
            h *= multiplier
    return h


def hash_integers(values: NDArray[Any], seed: int = 0) -> Hashes:
    """Of int64 or uint64; different ones have different hashes."""
    h = values.view(np.uint64) + np.uint64(seed)
    h *= _GAMMA  # odd, so that nothing is lost
    return _mix(h)


def hash_strings(data: NDArray[np.uint8], offsets: NDArray[np.int64], seed: int = 0) -> Hashes:
    """Of the strings ``data[offsets[i] : offsets[i + 1]]``."""
    begin, length = offsets[:-1], np.diff(offsets)
    h = _mix(length.astype(np.uint64) * _GAMMA + np.uint64(seed))
    if not len(h):
        return h
    first = int(offsets[0])
    words = np.zeros((int(offsets[-1]) - first) // 8 + 2, "<u8")
    words.view(np.uint8)[: int(offsets[-1]) - first] = data[first : int(offsets[-1])]
    long = np.flatnonzero(length > _LONG)
    rows = np.flatnonzero((length > 0) & (length <= _LONG))
    at, left = begin[rows] - first, length[rows]
    while len(rows):
        h[rows] = _mix((h[rows] + _GAMMA) ^ _word(words, at, left))
        goes_on = left > 8
        rows, at, left = rows[goes_on], at[goes_on] + 8, left[goes_on] - 8
    for row in long.tolist():
        h[row] = _hash_long(data[offsets[row] : offsets[row + 1]].data, seed)
    return h


def _word(words: Hashes, at: NDArray[np.int64], left: NDArray[np.int64]) -> Hashes:
    """The up to 8 bytes from `at` on: from two aligned words, since unaligned reads are slow."""
    place, shift = at >> 3, ((at & 7) << 3).astype(np.uint64)
    word: Hashes = words[place] >> shift
    # A shift by 64 is not defined: one by 1 and by 63 - shift is the same.
    word |= (words[place + 1] << np.uint64(1)) << (np.uint64(63) - shift)
    unused = (8 - np.minimum(left, 8)).astype(np.uint64) << np.uint64(3)
    word &= np.uint64(_ALL_BITS) >> unused
    return word
