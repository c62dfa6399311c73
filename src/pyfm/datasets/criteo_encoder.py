"""From Criteo's raw values to feature ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pyfm.checks import refuse
from pyfm.datasets.criteo_text import N_FIELDS, Tokens


@dataclass(frozen=True, eq=False)
class CriteoEncoder:
    """The features of each of the 39 fields, as learned from a training file.

    Field f owns the ids from ``offsets[f]``: the first stands for all rare and unknown values,
    then comes one id per value in `tokens[f]`.

    Attributes
    ----------
    tokens : tuple of 39 int64 arrays
        Per field, in increasing order, the values that have an id of their own: bucketed integers
        (see `read_criteo`), hashed categories as numbers, and the missing value.
    """

    tokens: tuple[NDArray[np.int64], ...]

    @classmethod
    def learn(cls, chunks: Iterable[Tokens], min_count: int) -> CriteoEncoder:
        """Keeps the values that occur at least `min_count` times."""
        nothing: NDArray[np.int64] = np.empty(0, np.int64)
        seen = [(nothing, nothing) for _ in range(N_FIELDS)]
        for chunk in chunks:
            for field, values in enumerate(chunk.tokens):
                seen[field] = _merge(*seen[field], *np.unique(values, return_counts=True))
        return cls(tuple(tokens[counts >= min_count] for tokens, counts in seen))

    def to_arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The tokens of all fields, one field after the other, and how many each field has."""
        sizes = np.array([len(tokens) for tokens in self.tokens], np.int64)
        return np.concatenate(self.tokens), sizes

    @classmethod
    def from_arrays(cls, tokens: NDArray[np.int64], sizes: NDArray[np.int64]) -> CriteoEncoder:
        """The encoder that `to_arrays` took apart; it shares `tokens`.

        Raises
        ------
        ValueError
            When no encoder has these tokens and sizes.
        """
        if len(sizes) != N_FIELDS:
            refuse("encoder", f"{N_FIELDS} fields", len(sizes))
        if sizes.min() < 0 or sizes.max() > len(tokens) or sizes.sum() != len(tokens):
            refuse("encoder", f"fields of {len(tokens)} tokens together", "others")
        parts = tuple(np.split(tokens, np.cumsum(sizes)[:-1]))
        if not all((part[1:] > part[:-1]).all() for part in parts):
            refuse("encoder", "increasing tokens in each field", "others")
        return cls(parts)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """First id of each field, and the number of features; shape (40,)."""
        return np.cumsum([0, *(len(tokens) + 1 for tokens in self.tokens)])

    @property
    def n_features(self) -> int:
        return int(self.offsets[-1])

    def encode(self, chunk: Tokens) -> NDArray[np.uint32]:
        """Feature ids, shape (n_rows, 39)."""
        ids = np.empty((len(chunk.y), N_FIELDS), np.uint32)
        for field, (values, known) in enumerate(zip(chunk.tokens, self.tokens, strict=True)):
            place = np.searchsorted(known, values)
            hit = np.zeros(len(values), bool)
            inside = place < len(known)
            hit[inside] = known[place[inside]] == values[inside]
            ids[:, field] = self.offsets[field] + np.where(hit, place + 1, 0)
        return ids


def _merge(
    tokens: NDArray[np.int64],
    counts: NDArray[np.int64],
    more_tokens: NDArray[np.int64],
    more_counts: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    merged, place = np.unique(np.concatenate([tokens, more_tokens]), return_inverse=True)
    total = np.zeros(len(merged), np.int64)
    np.add.at(total, place, np.concatenate([counts, more_counts]))
    return merged, total
