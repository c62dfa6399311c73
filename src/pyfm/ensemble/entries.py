"""The first feature of each field of each row, and what is known of such features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

from pyfm import _core
from pyfm.checks import refuse
from pyfm.dataset.joining import fields as fields_of
from pyfm.dataset.joining import indptr as indptr_of

_SURE = 1e-6  # of a fold all of whose labels are the same


@dataclass(frozen=True)
class Entries:
    """Shape (n_rows, n_fields): feature ids, -1 where the field is absent, and their values."""

    features: NDArray[np.int64]
    values: NDArray[np.float32] | None  # None: all 1

    @classmethod
    def of(cls, core: _core.Dataset, n_fields: int) -> Entries:
        if core.n_fields > n_fields:
            refuse("X", f"rows of {n_fields} fields, as in fit", core.n_fields)
        begin, of_entry = indptr_of(core), fields_of(core)
        rows = np.repeat(np.arange(core.n_rows), np.diff(begin))
        at = np.full((core.n_rows, n_fields), -1, np.int64)
        entries = np.arange(core.nnz - 1, -1, -1)  # the first of a field is the last to be put
        at[rows[entries], of_entry[entries]] = entries
        # Those that are absent have the place -1, the last one.
        features = np.append(core.features.astype(np.int64), -1)[at]
        values = None if core.values is None else np.append(core.values, np.float32(0))[at]
        return cls(features, values)

    def take(self, rows: NDArray[np.int64]) -> Entries:
        return Entries(self.features[rows], None if self.values is None else self.values[rows])


@dataclass(frozen=True)
class Table:
    """By field: its features in increasing order, how often each occurs, and its clicks."""

    features: list[NDArray[np.int64]]
    counts: list[NDArray[np.int64]]
    clicks: list[NDArray[np.float64]] | None
    rate: float  # of all rows

    @classmethod
    def of(cls, entries: Entries, clicks: NDArray[np.float64] | None) -> Table:
        features, counts = [], []
        of_features: list[NDArray[np.float64]] = []
        for column in entries.features.T:
            there = column >= 0
            found, place, n = np.unique(column[there], return_inverse=True, return_counts=True)
            features.append(found)
            counts.append(n)
            if clicks is not None:
                of_features.append(np.bincount(place, clicks[there], len(found)).astype(np.float64))
        if clicks is None:
            return cls(features, counts, None, 0.0)
        return cls(features, counts, of_features, float(clicks.mean()))

    def places(self, entries: Entries) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rank of each entry in its field, -1 of unknown ones, and how often it occurred."""
        rank = np.full(entries.features.shape, -1, np.int64)
        count = np.zeros(entries.features.shape, np.int64)
        for f, (known, counts) in enumerate(zip(self.features, self.counts, strict=True)):
            place, is_known = _find(known, entries.features[:, f])
            rank[is_known, f] = place[is_known]
            count[is_known, f] = counts[place[is_known]]
        return rank, count

    def rates(self, entries: Entries, prior: float) -> NDArray[np.float64]:
        """Log-odds of a click, drawn towards that of all rows by so many rows of it."""
        assert self.clicks is not None
        rank, count = self.places(entries)
        clicks = np.zeros(rank.shape)
        for f, of_features in enumerate(self.clicks):
            is_known = rank[:, f] >= 0
            clicks[is_known, f] = of_features[rank[is_known, f]]
        share = (clicks + prior * self.rate) / (count + prior)
        return np.asarray(logit(np.clip(share, _SURE, 1 - _SURE)))


def _find(
    known: NDArray[np.int64], wanted: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    place = np.searchsorted(known, wanted)
    place[place == len(known)] = 0
    if not len(known):
        return place, np.zeros(len(wanted), bool)
    return place, known[place] == wanted
