"""`fit_transform` keeps codes of rows in place of reading them again, and is `fit`, `transform`."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from encoding import FORMS, buffers
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfm
from pyfm.encode import (
    Buckets,
    Categorical,
    Cross,
    Date,
    Hashed,
    Multi,
    Real,
    learners,
    log2,
    tables,
)
from pyfm.encode.file_table import FileTable

WORDS = st.sampled_from(["a.org", "b.org", "", "ö", "a rather long value", None])
NUMBERS = st.one_of(
    st.integers(-400, 400), st.integers(65_530, 65_540), st.integers(-(2**63), 2**63 - 1)
)
ROWS = st.lists(
    st.tuples(
        WORDS,
        WORDS,
        st.integers(0, 40),
        st.one_of(st.none(), NUMBERS),
        st.one_of(st.none(), st.floats(-1e6, 1e6)),
        st.integers(0, 300),
        st.lists(st.sampled_from(["x", "y", "z"]), max_size=3),
        st.floats(0, 1, width=32),
    ),
    min_size=1,
    max_size=40,
)
NAMES = ["site", "user", "ad", "count", "price", "day", "tags", "click"]


def columns_of(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    columns: dict[str, Any] = dict(zip(NAMES, map(list, zip(*rows, strict=True)), strict=True))
    columns["day"] = [dt.datetime(2024, 1, 1) + dt.timedelta(days=n) for n in columns["day"]]
    # A column without a single value is refused.
    for name, value in (("site", "a.org"), ("user", "b.org"), ("count", 3), ("price", 0.5)):
        columns[name] = [value, *columns[name]][: len(rows)]
    return columns


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BATCH_ROWS", 7)
    monkeypatch.setattr(learners, "_PENDING", 3)
    monkeypatch.setattr(log2, "_MANY", 0)


@pytest.mark.usefixtures("small_batches")
@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS,
    form=st.sampled_from(
        ["dict of lists", "pyarrow, in chunks", "pyarrow, in dictionaries", "a stream"]
    ),
    min_count=st.integers(1, 3),
    max_size=st.one_of(st.none(), st.integers(1, 3)),
    with_lists=st.booleans(),
)
def test_it_is_fit_and_transform(
    rows: list[tuple[Any, ...]], form: str, min_count: int, max_size: int | None, with_lists: bool
) -> None:
    columns = columns_of(rows)
    kinds: dict[str, Any] = {
        "site": Categorical(min_count, max_size),
        "user": Hashed(5, seed=1),
        "ad": Categorical(min_count),
        "count": Buckets("log2"),
        "price": Buckets("quantile", 4),
        "day": Date(["weekday", "year"]),
    }
    if with_lists:
        kinds |= {"tags": Multi(Categorical(min_count)), "price": Real()}
        columns["tags"][0] = ["x"]
    crosses = [Cross(["site", "ad"], Categorical(min_count)), Cross(["user", "count"], Hashed(4))]

    def encoder() -> pyfm.FieldEncoder:
        return pyfm.FieldEncoder(kinds, crosses=crosses, target="click")

    table = pa.table(columns, pa.schema({"tags": pa.list_(pa.string())} | {
        name: pa.array(values).type for name, values in columns.items() if name != "tags"
    }))  # fmt: skip
    fitted = encoder().fit(table)
    expected = buffers(fitted.transform(table))
    data = encoder().fit_transform(
        FORMS[form](columns) if form != "a stream" else table.to_reader()
    )
    assert buffers(data) == expected
    assert isinstance(data.encoder, pyfm.FieldEncoder)
    names = fitted.get_feature_names_out().tolist()
    assert data.encoder.get_feature_names_out().tolist() == names
    assert {name: each.n_values for name, each in data.encoder.collisions_.items()} == {
        name: each.n_values for name, each in fitted.collisions_.items()
    }


class Spied(FileTable):
    """A table that counts how often its columns are read, and may have other rows later."""

    def __init__(self, first: pa.Table, later: pa.Table | None = None) -> None:
        self.schema, self._tables = first.schema, [first, first if later is None else later]
        self.passes: list[list[str]] = []

    def batches(self, names: list[str], n_rows: int) -> Iterator[Any]:
        table = self._tables[min(len(self.passes), 1)]
        self.passes.append(names)
        yield from table.select(names).to_batches(n_rows)


TABLE = pa.table(
    {
        "site": ["a", "b", "a", None] * 6,
        "count": list(range(24)),
        "price": [0.5, 1.5, 2.5, 3.5] * 6,
        "y": [0, 1] * 12,
    }
)


@pytest.mark.usefixtures("small_batches")
def test_what_is_kept_is_not_read_again() -> None:
    kinds = {"site": "categorical", "count": Buckets("log2")}
    crosses = [["site", "count"]]
    spied = Spied(TABLE)
    pyfm.FieldEncoder(kinds, crosses=crosses).fit_transform(spied)
    assert spied.passes == [["site", "count"]]
    spied = Spied(TABLE)
    pyfm.FieldEncoder({**kinds, "price": "buckets"}, crosses=crosses, target="y").fit_transform(
        spied
    )
    assert spied.passes == [["site", "count", "price"], ["price", "y"]]


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("n_rows", [3, 14, 20, 25, 28, 48])
def test_a_table_that_changes_meanwhile_is_refused(n_rows: int) -> None:
    later = pa.concat_tables([TABLE, TABLE]).slice(0, n_rows)
    encoder = pyfm.FieldEncoder({"site": "categorical", "price": "buckets"})
    with pytest.raises(ValueError, match="X: expected 24 rows, as when it was read before"):
        encoder.fit_transform(Spied(TABLE, later))
    assert not encoder.__sklearn_is_fitted__()


def test_an_error_leaves_what_was_fitted() -> None:
    encoder = pyfm.FieldEncoder({"site": "categorical"}, target="y").fit(TABLE)
    names = encoder.get_feature_names_out().tolist()
    wrong = {"site": ["c", "d"], "y": [1.0, math.nan]}
    with pytest.raises(ValueError, match="column 'y', row 1: expected a number"):
        encoder.fit_transform(wrong)
    assert encoder.get_feature_names_out().tolist() == names


def test_many_values_in_many_batches(small_batches: None) -> None:
    """More values than one and two bytes number, in batches that share none."""
    values = np.arange(300)[:, None] * np.arange(1, 3)
    columns = {
        "few": np.arange(600) % 5,
        "many": values.ravel(),
        "text": list(map(str, values.ravel())),
    }
    encoder = pyfm.FieldEncoder(defaults={"integer": "categorical"})
    assert buffers(encoder.fit_transform(columns)) == buffers(
        encoder.fit(columns).transform(columns)
    )


def naive_bucket(x: int) -> int:
    if abs(x) <= 2:
        return x
    return int(math.copysign(math.floor(math.log(abs(x)) ** 2) + 2, x))


@pytest.mark.usefixtures("small_batches")
@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), NUMBERS), min_size=1).filter(
        lambda x: any(v is not None for v in x)
    )
)
def test_buckets_of_integers_are_those_of_floats(numbers: list[int | None]) -> None:
    """Small ones have theirs in a table, beside large and negative ones, which have not."""
    encoder = pyfm.FieldEncoder({"x": Buckets("log2")})
    data = encoder.fit_transform({"x": pa.array(numbers, pa.int64())})
    found = [encoder.lookup(int(feature)) for feature in data.core.features]
    for number, feature in zip(numbers, found, strict=True):
        assert feature.is_missing == (number is None)
        if number is not None:
            bucket = naive_bucket(number)
            sign = "-" if bucket < 0 else ""
            label = str(bucket) if abs(bucket) <= 2 else f"{sign}ln²:{abs(bucket) - 2}"
            assert feature.value == label
    floats = pa.array([None if x is None else float(x) for x in numbers], pa.float64())
    assert (encoder.fit_transform({"x": floats}).core.features == data.core.features).all()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("type_", [pa.int8(), pa.uint8(), pa.int32(), pa.uint32(), pa.uint64()])
def test_buckets_of_every_integer_type(type_: pa.DataType) -> None:
    numbers = [0, 1, None, 5, 100, 2]
    expected = pyfm.FieldEncoder({"x": Buckets("log2")}).fit_transform({"x": numbers})
    table = pa.table({"x": pa.array(numbers, type_)})
    found = pyfm.FieldEncoder({"x": Buckets("log2")}).fit_transform(table)
    assert buffers(found) == buffers(expected)
