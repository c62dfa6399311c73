"""Rows and models for the tests of the explanations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kinds import small

import pyfm
from pyfm import Dataset
from pyfm.explain import entries, search, sums

N_FIELDS, N_FEATURES = 5, 40


def rows_with_values(n_rows: int = 60, seed: int = 0, n_features: int = N_FEATURES) -> Dataset:
    """Rows of 0 to 8 entries: several in a field, features that occur twice, and zeros."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 9, n_rows)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    values = rng.normal(size=indptr[-1]).astype(np.float32)
    values[::11] = 0
    return Dataset.from_arrays(
        indptr,
        rng.integers(0, n_features, indptr[-1]),
        fields=rng.integers(0, N_FIELDS, indptr[-1]),
        values=values,
        y=rng.integers(0, 2, n_rows).astype(np.float32),
        n_features=n_features,
        n_fields=N_FIELDS,
    )


def rows_of_ids(n_rows: int = 60) -> Dataset:
    return pyfm.datasets.make_ctr(n_rows, n_fields=N_FIELDS, n_features=N_FEATURES, random_state=0)[
        0
    ]


def weights_of(n: int) -> Any:
    return np.random.default_rng(1).integers(0, 3, n).astype(np.float64)


def table(n_rows: int = 300) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    tags = [list(map(str, rng.integers(0, 5, rng.integers(0, 4)))) for _ in range(n_rows)]
    return {
        "site": rng.integers(0, 6, n_rows).astype(str),
        "ad": rng.integers(0, 9, n_rows),
        "tags": tags,
        "price": rng.normal(size=n_rows),
    }


def of_table(kind: Any, **params: Any) -> Any:
    columns = {"site": None, "ad": None, "tags": None, "price": pyfm.encode.Real()}
    data = pyfm.FieldEncoder(columns).fit_transform(table())
    y = np.random.default_rng(2).integers(0, 2, data.n_rows).astype(np.float32)
    return small(kind, epochs=2, random_state=0, **params).fit(data.with_targets(y))


def in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that comes in pieces does so a few at a time."""
    monkeypatch.setattr(entries, "_NUMBERS", 200)
    monkeypatch.setattr(sums, "_PENDING", 10)
    monkeypatch.setattr("pyfm.explain.pairs._NUMBERS", 30)
    monkeypatch.setattr("pyfm.explain.importance._NUMBERS", 50)
    monkeypatch.setattr(search, "_BLOCK", 3)
