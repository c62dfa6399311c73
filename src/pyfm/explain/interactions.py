"""The strongest interactions: in rows, or, in `search.py`, of all features that a model knows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pyfm import _core
from pyfm.explain.entries import Entries, blocks_of_entries
from pyfm.explain.model import Explained, Floats, Ints
from pyfm.explain.names import feature_names, field_names
from pyfm.explain.pairs import pairs_of
from pyfm.explain.sums import SumsByKey, largest


class Interaction(NamedTuple):
    """Two features, or two fields, and how much they have to do with each other.

    Attributes
    ----------
    name : str
        "site=a.org × ad=7"; without an encoder "0:17 × 3:42", where numbers are field:feature, and
        "field 0 × field 3".
    strength : float
        Of features ⟨v_i, v_j⟩; of fields the mean of its absolute value over pairs of features: the
        pairs that the rows hold, each as often as they do, or without rows all.
    contribution : float or None
        What the two together add to the score of a row, in absolute value: the mean over the rows,
        0 where one lacks them. None without rows.
    occurrences : int or None
        How often the rows hold the pair, or pairs of features of the two fields.
    fields : tuple of int
        Their numbers; -1 where fields are not known.
    features : tuple of int
        The ids of the features; empty of fields.
    """

    name: str
    strength: float
    contribution: float | None
    occurrences: int | None
    fields: tuple[int, ...]
    features: tuple[int, ...] = ()


def features_in_rows(
    explained: Explained, rows: _core.Dataset, weight: Floats, n: int | None
) -> list[Interaction]:
    """The pairs of features that rows hold, by their mean contribution."""
    items = _items(explained, rows)
    sums = SumsByKey(3)
    for entries in blocks_of_entries(explained, rows):
        item = np.searchsorted(items, _item(entries))
        w = weight[entries.first_row + entries.row]
        for pairs in pairs_of(explained, entries):
            a, b = item[pairs.first], item[pairs.second]
            key = np.minimum(a, b) * len(items) + np.maximum(a, b)
            total = w[pairs.first] * np.abs(pairs.contribution)
            sums.add(key, total, pairs.product, np.ones(len(key)))
    keys, (total, product, count) = sums.found()
    found = []
    chosen = largest(total, n)
    both = items[np.stack([keys[chosen] // len(items), keys[chosen] % len(items)])]
    fields, features = both >> 32, both & 0xFFFFFFFF
    names = [feature_names(explained.encoder, f, j) for f, j in zip(fields, features, strict=True)]
    for at, place in enumerate(chosen.tolist()):
        found.append(
            Interaction(
                name=f"{names[0][at]} × {names[1][at]}",
                strength=float(product[place] / count[place]),
                contribution=float(total[place] / weight.sum()),
                occurrences=int(count[place]),
                fields=tuple(fields[:, at].tolist()),
                features=tuple(features[:, at].tolist()),
            )
        )
    return found


def fields_in_rows(
    explained: Explained, rows: _core.Dataset, weight: Floats, n: int | None
) -> list[Interaction]:
    """The pairs of fields that rows hold, by their mean contribution."""
    n_fields = max(1, rows.n_fields)
    in_all = SumsByKey(4)
    for entries in blocks_of_entries(explained, rows):
        in_row = SumsByKey(3)  # of each pair of fields of each row
        for pairs in pairs_of(explained, entries):
            f, g = entries.field[pairs.first], entries.field[pairs.second]
            key = entries.row[pairs.first] * n_fields + np.minimum(f, g)
            key = key * n_fields + np.maximum(f, g)
            in_row.add(key, pairs.contribution, np.abs(pairs.product), np.ones(len(key)))
        keys, (contribution, product, count) = in_row.found()
        w = weight[entries.first_row + keys // n_fields**2]
        in_all.add(keys % n_fields**2, w * np.abs(contribution), w * product, w * count, count)
    keys, (total, product, weighted, count) = in_all.found()
    chosen = largest(total, n)
    fields = np.stack([keys[chosen] // n_fields, keys[chosen] % n_fields])
    names = [field_names(explained.encoder, f) for f in fields]
    return [
        Interaction(
            name=f"{names[0][at]} × {names[1][at]}",
            strength=float(product[place] / weighted[place]) if weighted[place] else 0.0,
            contribution=float(total[place] / weight.sum()),
            occurrences=int(count[place]),
            fields=tuple(fields[:, at].tolist()),
        )
        for at, place in enumerate(chosen.tolist())
    ]


def _item(entries: Entries) -> Ints:
    """A number for each field and feature."""
    return entries.field << 32 | entries.feature


def _items(explained: Explained, rows: _core.Dataset) -> Ints:
    """Those that occur, ascending."""
    found = np.empty(0, np.int64)
    for entries in blocks_of_entries(explained, rows):
        found = np.union1d(found, _item(entries))
    return found
