"""Where a key is among many: 64-bit hashes, sorted, and a table of where their first bits begin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyfm.encode.hashing import Hashes


class Index:
    """Places of different keys, which are spread evenly, as hashes are."""

    def __init__(self, keys: Hashes) -> None:
        order = np.argsort(keys, kind="stable")
        self._keys, self._places = keys[order], order
        bits = max(1, len(keys).bit_length())
        self._shift = np.uint64(64 - bits)
        starts = np.arange((1 << bits) + 1, dtype=np.uint64)
        starts[:-1] <<= self._shift
        self._starts = np.searchsorted(self._keys, starts[:-1])
        self._longest = int(np.diff(self._starts, append=len(keys)).max())
        self.is_ambiguous = bool((self._keys[1:] == self._keys[:-1]).any())

    def find(self, keys: Hashes) -> NDArray[np.int64]:
        """The place of each key; -1 of those that are not there."""
        found = np.full(len(keys), -1, np.int64)
        if not len(self._keys):
            return found
        if self._longest > _MANY:  # keys that are not spread evenly: somebody made them so
            return self._bisect(keys, found)
        left = np.arange(len(keys))
        at = self._starts[(keys >> self._shift).astype(np.int64)]
        last = len(self._keys) - 1
        for _ in range(self._longest):
            here = self._keys[np.minimum(at, last)]
            hit = np.flatnonzero(here == keys)
            found[left[hit]] = self._places[at[hit]]
            goes_on = (here < keys) & (at < last)
            if not goes_on.any():
                break
            left, keys, at = left[goes_on], keys[goes_on], at[goes_on] + 1
        return found

    def find_one(self, key: int) -> int:
        """As `find`, of one."""
        if self._longest > _MANY:
            return int(self.find(np.array([key], np.uint64))[0])
        at = int(self._starts[key >> int(self._shift)])
        while at < len(self._keys) and (here := int(self._keys[at])) <= key:
            if here == key:
                return int(self._places[at])
            at += 1
        return -1

    def _bisect(self, keys: Hashes, found: NDArray[np.int64]) -> NDArray[np.int64]:
        at = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        hit = self._keys[at] == keys
        found[hit] = self._places[at[hit]]
        return found


_MANY = 64
