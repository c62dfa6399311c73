"""Data sets in every layout, with targets and weights, to select rows of."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

import pyfm
from pyfm import Dataset

N_ROWS = 240
LAYOUTS = ("one_per_field", "gaps", "values", "field_zero")


@functools.cache
def rows_in(layout: str, *, weights: bool = False) -> Dataset:
    """Rows of 4 fields with a planted model."""
    made, _ = pyfm.datasets.make_ctr(N_ROWS, n_fields=4, n_features=60, random_state=1)
    rng = np.random.default_rng(0)
    if layout != "one_per_field":
        ids = made.core.features.reshape(N_ROWS, 4)
        kept = rng.random(ids.shape) < 0.8
        made = Dataset.from_arrays(
            np.concatenate([[0], np.cumsum(kept.sum(axis=1))]),
            ids[kept],
            fields=None if layout == "field_zero" else np.nonzero(kept)[1].astype(np.uint16),
            values=rng.normal(size=kept.sum()) if layout == "values" else None,
            y=made.y,
            n_features=made.n_features,
        )
    weight = rng.integers(0, 3, N_ROWS) / 2 if weights else None
    return made.with_targets(made.y, weight)


def mapped(data: Dataset, folder: Path) -> Dataset:
    """The same from a file."""
    data.save(folder / "rows.pyfm")
    return Dataset.open(folder / "rows.pyfm")


def own_rows(data: Dataset) -> Dataset:
    """The same rows from arrays that share nothing with the data."""
    core = data.core
    arrays = (core.indptr, core.features, core.fields, core.values, core.y, core.weight)
    copies = [None if array is None else array.copy() for array in arrays]
    names = ("indptr", "features", "fields", "values", "y", "weight")
    sizes = {"n_rows": core.n_rows, "n_features": core.n_features, "n_fields": core.n_fields}
    return Dataset(type(core)(**dict(zip(names, copies, strict=True)), **sizes))  # type: ignore[arg-type]
