"""The terms of pairs of features: x_i x_j ⟨v_i, v_j⟩, of FFM x_i x_j ⟨w_{i,f_j}, w_{j,f_i}⟩."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pyfm.explain.entries import Entries
from pyfm.explain.model import Explained, Floats, Ints

_NUMBERS = 2**21  # of vectors that are multiplied at a time (8 MiB on each side)


@dataclass(frozen=True)
class Pairs:
    """Pairs of entries of the same row, by their places; the first place is the lower one."""

    first: Ints
    second: Ints
    product: Floats  # of the vectors, float64
    contribution: Floats  # to the score, float64


def pairs_of(explained: Explained, entries: Entries) -> Iterator[Pairs]:
    """All pairs, some at a time; none of models without."""
    places = entries.with_vectors
    if not explained.has_pairs or not len(places):
        return
    features, at = np.unique(entries.feature[places], return_inverse=True)
    vectors = explained.factors(features)
    feature_at = np.zeros(len(entries.row), np.int64)
    feature_at[places] = at
    most = max(1, _NUMBERS // max(1, explained.spec.n_factors))
    for first, second in _places(entries.row[places], most):
        i, j = places[first], places[second]
        if explained.spec.kind == "ffm":
            left = vectors[feature_at[i], entries.field[j]]
            right = vectors[feature_at[j], entries.field[i]]
        else:
            left, right = vectors[feature_at[i]], vectors[feature_at[j]]
        product = np.einsum("pk,pk->p", left, right, dtype=np.float64)
        yield Pairs(i, j, product, product * entries.x[i] * entries.x[j])


def _places(row: Ints, most: int) -> Iterator[tuple[Ints, Ints]]:
    """Both places of each pair within a row, up to `most` pairs at a time; rows are in order."""
    _, starts, lengths = np.unique(row, return_index=True, return_counts=True)
    for length in np.unique(lengths).tolist():
        begins = starts[lengths == length]
        n_pairs = length * (length - 1) // 2
        if n_pairs == 0:
            continue
        if n_pairs > most:  # one entry at a time with those behind it
            for begin in begins.tolist():
                for i in range(length - 1):
                    second = np.arange(begin + i + 1, begin + length)
                    yield np.full(len(second), begin + i), second
            continue
        first, second = np.triu_indices(length, 1)
        step = most // n_pairs
        for k in range(0, len(begins), step):
            begin = begins[k : k + step, None]
            yield (begin + first).ravel(), (begin + second).ravel()
