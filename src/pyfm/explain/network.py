"""The part of a deep model's score that its network makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pyfm import _core, blas
from pyfm.explain.entries import Entries
from pyfm.explain.model import Explained, Floats, Ints


def network_scores(explained: Explained, entries: Entries) -> Floats:
    """Of each row, float64: the core's network over the vectors of these entries, without the rest.

    It is a small model of these features alone, with copies of their vectors and of the network.
    """
    places = entries.with_vectors
    counts = np.bincount(entries.row[places], minlength=entries.n_rows)
    return _Network(explained, entries).scores(places, counts)


def network_losses(explained: Explained, entries: Entries) -> Floats:
    """What the network's part of its row's score loses without each entry, float64; else 0."""
    places = entries.with_vectors
    row = entries.row[places]
    counts = np.bincount(row, minlength=entries.n_rows)
    network = _Network(explained, entries)
    whole = network.scores(places, counts)
    losses = np.zeros(len(entries.row))
    starts = np.cumsum(counts) - counts
    for at in range(int(counts.max(initial=0))):  # without the entry at this place of each row
        rows = np.flatnonzero(counts > at)
        kept = np.isin(row, rows)
        kept[starts[rows] + at] = False
        rest = network.scores(places[kept], counts[rows] - 1)
        losses[places[starts[rows] + at]] = whole[rows] - rest
    return losses


class _Network:
    """The network of a model above the vectors of some entries."""

    def __init__(self, explained: Explained, entries: Entries) -> None:
        spec = explained.spec
        known = np.unique(entries.feature)
        self._n_fields, self._n_threads = spec.n_fields, explained.n_threads
        self._n_features = max(1, len(known))
        self._feature = np.searchsorted(known, entries.feature).astype(np.uint32)
        self._field, self._x = entries.field.astype(np.uint16), entries.x.astype(np.float32)
        spec = replace(
            spec,
            kind="wide_deep",  # a network without the pairs of a DeepFM
            n_features=self._n_features,
            normalize=False,  # x is scaled already
            dtype="float32",
            prior_correction=0.0,
        )
        self._model = spec.build()
        if len(known):
            features = np.arange(len(known), dtype=np.uint32)
            self._model.set_weights("factors", explained.factors(known), features)
        weights, statistics = spec.network_shapes()
        for name in weights:
            self._model.set_network_weights(name, explained.model.network_weights(name))
        for name in statistics:
            self._model.set_network_statistics(name, explained.model.network_statistics(name))

    def scores(self, places: Ints, counts: Ints) -> Floats:
        """Of rows with the entries at these places, of each so many."""
        rows = _core.Dataset(
            indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            features=self._feature[places],
            fields=self._field[places],
            values=self._x[places],
            y=None,
            weight=None,
            n_rows=len(counts),
            n_features=self._n_features,
            n_fields=self._n_fields,
        )
        with blas.for_model(self._model):
            found = self._model.decision_function(rows, n_threads=self._n_threads)
        return found.astype(np.float64)
