"""How much features, or fields, contribute."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pyfm import _core
from pyfm.checks import refuse
from pyfm.explain.entries import Entries, blocks_of_entries
from pyfm.explain.model import Explained, Floats, Ints
from pyfm.explain.names import feature_names, field_names, fields_of
from pyfm.explain.network import network_losses
from pyfm.explain.pairs import pairs_of
from pyfm.explain.sums import SumsByKey, added, largest

_NUMBERS = 2**22  # weights that are held at a time (16 MiB)


class Importance(NamedTuple):
    """A feature or a field, and how much it matters.

    Attributes
    ----------
    name : str
        "site=a.org", without an encoder "0:17" (field:feature; the feature alone where its field is
        not known); of fields "site", or "field 0".
    importance : float
    occurrences : int or None
        How often the rows hold it; None without rows.
    field : int
        Its number; -1 of a feature whose field is not known.
    feature : int or None
        The id of the feature; None of fields.
    """

    name: str
    importance: float
    occurrences: int | None
    field: int
    feature: int | None = None


def importance_in_rows(
    explained: Explained, rows: _core.Dataset, weight: Floats, by: str, n: int | None
) -> list[Importance]:
    """Mean |contribution| over rows."""
    sums = SumsByKey(2)
    for entries in blocks_of_entries(explained, rows):
        item = entries.field << 32
        if by == "feature":
            item |= entries.feature
        items, places = np.unique(item, return_inverse=True)
        # What a feature, or field, adds to its row, in all of its entries.
        key = entries.row * max(1, len(items)) + places
        keys, inverse = np.unique(key, return_inverse=True)
        in_row = added(inverse, contributions(explained, entries), len(keys))
        times = added(inverse, np.ones(len(inverse)), len(keys))
        row, place = np.divmod(keys, max(1, len(items)))
        sums.add(items[place], weight[entries.first_row + row] * np.abs(in_row), times)
    found, (total, count) = sums.found()
    chosen = largest(total, n)
    items, total, count = found[chosen], total[chosen] / weight.sum(), count[chosen]
    return _listed(explained, items >> 32, items & 0xFFFFFFFF, total, count, by)


def contributions(explained: Explained, entries: Entries) -> Floats:
    """Of each entry: its linear term, half of each of its pairs, and what a network loses by it.

    For the linear terms and the pairs these are Shapley values of the score, an absent entry adding
    nothing: with terms of at most two, a term is shared equally by those that it needs.
    """
    features, places = np.unique(entries.feature, return_inverse=True)
    found = explained.linear(features).astype(np.float64)[places] * entries.x
    for pairs in pairs_of(explained, entries):
        for place in (pairs.first, pairs.second):
            found = found + added(place, pairs.contribution / 2, len(found))
    return found + network_losses(explained, entries) if explained.is_deep else found


def importance_of_weights(explained: Explained, by: str, n: int | None) -> list[Importance]:
    """Euclidean norms of all weights of a feature; of a field their root mean square."""
    features = explained.model.features.astype(np.int64)
    norms = norms_of(explained, features, explained.spec.tables)
    if explained.encoder is None:
        if by == "field":
            expected = "rows, which say what fields there are, since the model has no encoder"
            refuse("X", expected, None)
        field = np.full(len(features), -1)
    else:
        field = fields_of(explained.encoder, features)
    if by == "field":
        fields, places = np.unique(field, return_inverse=True)
        squares = np.bincount(places, norms**2, minlength=len(fields))
        norms, features, field = np.sqrt(squares / np.bincount(places)), fields, fields
    chosen = largest(norms, n)
    return _listed(explained, field[chosen], features[chosen], norms[chosen], None, by)


def norms_of(explained: Explained, features: Ints, parts: tuple[str, ...]) -> Floats:
    """Of the weights of each feature in some tables, float64."""
    size = max(1, _NUMBERS // explained.numbers_per_feature)
    squares = np.zeros(len(features))
    for part in explained.spec.tables:
        for start in range(0, len(features) if part in parts else 0, size):
            ids = features[start : start + size]
            weights = explained.weights(part, ids).reshape(len(ids), -1)
            squares[start : start + size] += np.einsum("nk,nk->n", weights, weights, dtype="d")
    return np.sqrt(squares)


def _listed(
    explained: Explained,
    fields: Ints,
    features: Ints,
    values: Floats,
    counts: Floats | None,
    by: str,
) -> list[Importance]:
    of_features = by == "feature"
    names = (
        feature_names(explained.encoder, fields, features)
        if of_features
        else field_names(explained.encoder, fields)
    )
    return [
        Importance(
            name=names[at],
            importance=float(values[at]),
            occurrences=None if counts is None else int(counts[at]),
            field=int(fields[at]),
            feature=int(features[at]) if of_features else None,
        )
        for at in range(len(values))
    ]
