"""Code books: from the values of a field to its codes, which count from 0; fitted, and immutable.

Code 0 is a missing value, in each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pyfm import _core
from pyfm.encode.arrow import arrow
from pyfm.encode.hashing import Hashes, hash_integer, hash_string
from pyfm.encode.index import Index
from pyfm.encode.kinds import Categorical, Hashed
from pyfm.encode.sketch import estimate
from pyfm.encode.tokens import FEW, hashes

MISSING, UNKNOWN = "<missing>", "<unknown>"


@dataclass(frozen=True)
class Range:
    """Whole numbers from `low` to `high`; the code of x is x - low + 1."""

    low: int
    high: int

    kind: ClassVar[str] = "range"

    @property
    def size(self) -> int:
        return self.high - self.low + 2

    def codes(self, values: Any) -> NDArray[np.int64]:
        numbers: NDArray[np.int64] = values.to_numpy(zero_copy_only=False)
        return numbers - (self.low - 1)

    def values(self, codes: NDArray[np.int64]) -> list[Any]:
        return [None if code == 0 else code + self.low - 1 for code in codes.tolist()]

    def extends(self, earlier: object) -> bool:
        """Whether the codes of an earlier book mean what they mean there."""
        return self == earlier


def hash_codes(keys: Hashes, n_bits: int) -> NDArray[np.int64]:
    """The codes of values with such hashes: their first bits."""
    return (keys >> np.uint64(64 - n_bits)).astype(np.int64) + 1


@dataclass(frozen=True, eq=False)
class Hashing:
    """Values by their hashes: code 1 is hash 0."""

    settings: Hashed
    type: str
    registers: NDArray[np.uint8]  # of the different values that fit has seen, see sketch.py

    kind: ClassVar[str] = "hashing"

    @property
    def size(self) -> int:
        return 1 + (1 << self.settings.n_bits)

    def codes(self, values: Any) -> NDArray[np.int64]:
        return hash_codes(hashes(values, self.settings.seed), self.settings.n_bits)

    def values(self, codes: NDArray[np.int64]) -> list[Any]:
        return [None if code == 0 else f"#{code - 1}" for code in codes.tolist()]

    def extends(self, earlier: object) -> bool:
        if not isinstance(earlier, Hashing):
            return False
        return (self.type, self.settings) == (earlier.type, earlier.settings)

    @cached_property
    def n_values(self) -> int:
        return round(estimate(self.registers))


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Values in the order in which they got their codes, from 2 on; code 1 is unknown.

    `candidates` are values that have not occurred in `min_count` rows yet, with `counts` so far.
    """

    settings: Categorical
    type: str
    entries: Any  # an Arrow array
    candidates: Any
    counts: NDArray[np.int64]

    kind: ClassVar[str] = "vocabulary"

    @property
    def size(self) -> int:
        return 2 + len(self.entries)

    @cached_property
    def _index(self) -> tuple[Index, int]:
        """And the seed of its hashes: one with which all entries have different ones."""
        for seed in range(_SEEDS):
            index = Index(hashes(self.entries, seed))
            if not index.is_ambiguous:
                return index, seed
        raise ValueError("values: expected different ones, found the same one twice")

    def find(self, values: Any) -> NDArray[np.int64]:
        """The places of values among the entries; -1 of unknown ones."""
        index, seed = self._index
        if len(values) <= FEW:
            return np.array([self._find_one(value) for value in values.to_pylist()], np.int64)
        places = index.find(hashes(values, seed))
        pa = arrow()
        if not pa.types.is_integer(values.type):  # whose hashes differ where they do
            hit = np.flatnonzero(places >= 0)
            ours = self.entries.take(pa.array(places[hit]))
            theirs = values if len(hit) == len(values) else values.take(pa.array(hit))
            if ours.type != theirs.type:
                theirs = theirs.cast(ours.type)
            same = pa.compute.equal(ours, theirs).to_numpy(zero_copy_only=False)
            places[hit[~same]] = -1
        return places

    def _find_one(self, value: Any) -> int:
        index, seed = self._index
        if isinstance(value, int):
            return index.find_one(hash_integer(value, seed))
        text = value.encode() if isinstance(value, str) else value
        place = index.find_one(hash_string(text, seed))
        return place if place >= 0 and self.entries[place].as_py() == value else -1

    def codes(self, values: Any) -> NDArray[np.int64]:
        return self.find(values) + 2  # unknown: 1

    def values(self, codes: NDArray[np.int64]) -> list[Any]:
        places = arrow().array(np.maximum(codes - 2, 0), mask=codes < 2)
        found: list[Any] = self.entries.take(places).to_pylist()
        if self.type == "bool":
            found = [None if value is None else bool(value) for value in found]
        return [UNKNOWN if code == 1 else value for code, value in zip(codes, found, strict=True)]

    def extends(self, earlier: object) -> bool:
        if not isinstance(earlier, Vocabulary) or self.type != earlier.type:
            return False
        n = len(earlier.entries)
        if len(self.entries) < n:
            return False
        if len(self.entries) == n:
            return self.entries is earlier.entries or self._fingerprint == earlier._fingerprint
        return bool(self.entries[:n].equals(earlier.entries))

    @cached_property
    def _fingerprint(self) -> int:
        """Of the entries, so that the same pair of books is not compared at every prediction."""
        return _core.checksum(hashes(self.entries))

    def check_different(self) -> None:
        """Raises ValueError if a value is there twice."""
        book = self
        if len(self.candidates):
            both = arrow().concat_arrays([self.entries, self.candidates])
            book = replace(self, entries=both)
        _ = book._index

    def __getstate__(self) -> dict[str, Any]:
        """For pickle: without what follows from the rest."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def without_candidates(self) -> Vocabulary:
        return replace(self, candidates=self.candidates[:0], counts=self.counts[:0])


_SEEDS = 8

Book = Range | Hashing | Vocabulary
