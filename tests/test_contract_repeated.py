"""Deep models whose fields repeat few vectors in a batch (train/repeated_vectors.h) equal their
oracle, which knows nothing of that, and are the same for any number of threads."""

from __future__ import annotations

from collections.abc import Callable

import contract
import numpy as np
import pytest
from contract import Data
from reference import Row
from reference_deep import Shape
from test_contract_deep import KINDS, Case, check, weights_of

from pyfm import blas

N_FIELDS, N_ROWS = 3, 70
N_FEATURES = 40  # of a field, at most

Change = Callable[[int, list[tuple[int, int, float]]], None]


def absent(i: int, row: list[tuple[int, int, float]]) -> None:
    """Field 1 is missing now and then."""
    if i % 5 == 0:
        del row[1]


def value(i: int, row: list[tuple[int, int, float]]) -> None:
    """Field 1 has a value other than 1 once."""
    if i == 33:
        row[1] = (1, row[1][1], 2.0)


def several(i: int, row: list[tuple[int, int, float]]) -> None:
    """Field 0 has two features once."""
    if i == 34:
        row.insert(1, (0, 2 if row[0][1] != 2 else 1, 1.0))


def many(i: int, row: list[tuple[int, int, float]]) -> None:
    """Field 2 seldom repeats a feature."""
    row[2] = (2, 2 * N_FEATURES + i % N_FEATURES, 1.0)


def plain(i: int, row: list[tuple[int, int, float]]) -> None:
    pass


def make(change: Change, n_rows: int = N_ROWS) -> Data:
    rng = np.random.default_rng(0)
    rows: list[Row] = []
    for i in range(n_rows):
        row = [(f, f * N_FEATURES + int(rng.integers(4)), 1.0) for f in range(N_FIELDS)]
        change(i, row)
        rows.append(row)
    y = [float(i % 2) for i in range(n_rows)]
    return Data(rows, y, None, N_FIELDS * N_FEATURES, N_FIELDS)


def case(kind: str, **more: object) -> Case:
    shape = Shape((120,), "tanh")
    return Case(kind, "adagrad", shape, n_fields=N_FIELDS, n_factors=13, **more)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def features(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "FEATURES_PER_FIELD", N_FEATURES)


@pytest.mark.parametrize(
    ("kind", "change"),
    [("wide_deep", change) for change in (plain, absent, value, several, many)]
    + [("deepfm", many)],  # its oracle takes many times as long
)
def test_equals_the_oracle(kind: str, change: Change) -> None:
    check(case(kind), make(change), batch_size=N_ROWS, epochs=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", [absent, several, many])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_threads_make_no_difference(kind: str, change: Change, dtype: str, level: str) -> None:
    data = make(change, 900).core()
    first = None
    with blas.one_thread():
        for n_threads in (1, 2, 3, 8):
            model = case(kind, dtype=dtype).core()
            contract.epochs(model, data, 2, n_threads=n_threads, batch_size=400)
            found = weights_of(case(kind), model)
            first = first or found
            for x, y in zip(first, found, strict=True):
                np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", ["linear", "factors", "deep"])
def test_frozen_parts(kind: str, part: str) -> None:
    data = make(absent).core()
    model, start = case(kind).core(), case(kind).core()
    start.initialize(data, n_threads=1)
    model.freeze(part, True)
    with blas.one_thread():
        contract.train(model, data, 2, batch_size=N_ROWS)
    names = ["linear", "factors", *["deep"] * len(case(kind).names())]
    for name, before, after in zip(
        names, weights_of(case(kind), start), weights_of(case(kind), model), strict=True
    ):
        assert np.array_equal(before, after) == (name == part), name
