"""How far a fit has come: what it needs to go on in another process, besides the estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pyfm import _core
from pyfm.dataset.contents import BUFFERS, pieces
from pyfm.optim import Optimizer


@dataclass(frozen=True)
class Origin:
    """Where the training rows come from: the data as given, and what chooses among them."""

    n_rows: int
    n_features: int  # of the data; those of the model may be more
    n_fields: int
    nnz: int
    checksum: int
    split_seed: int  # of the rows that early stopping sets apart
    sample_seed: int  # of negative sampling

    @classmethod
    def of(cls, data: _core.Dataset, split_seed: int, sample_seed: int) -> Origin:
        """With the checksum of all arrays, 63 bits."""
        found: dict[str, _core.Checksum] = {}
        for piece in pieces(data):
            for name, array in piece.items():
                found.setdefault(name, _core.Checksum()).add(array)
        sums = [found[name].value if name in found else 0 for name in BUFFERS]
        checksum = _core.checksum(np.array(sums, np.uint64)) >> 1
        sizes = data.n_rows, data.n_features, data.n_fields, data.nnz
        return cls(*sizes, checksum, split_seed, sample_seed)


@dataclass(frozen=True)
class Progress:
    """Of a fit between two epochs; the core's model holds the state of its optimizers."""

    origin: Origin
    optimizers: Mapping[str, Optimizer]  # by part, with the parameters of the last epoch
    best: _core.Snapshot | None  # what early stopping goes back to, unless it is the last epoch


@dataclass(frozen=True)
class Resumption:
    """What a checkpoint says of the fit that is to go on."""

    path: str
    history: Mapping[str, list[float]]
    best_epoch: int
    progress: Progress

    @property
    def records(self) -> list[dict[str, float]]:
        """The history, epoch by epoch."""
        rows = zip(*self.history.values(), strict=True)
        return [dict(zip(self.history, row, strict=True)) for row in rows]

    @property
    def evaluations(self) -> list[str]:
        """The columns of the history that are evaluations."""
        others = ("epoch", "seconds", "rows_per_second", "valid_seconds")
        return [
            name
            for name in self.history
            if name not in others and not name.startswith("learning_rate")
        ]
