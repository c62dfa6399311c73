"""Tables in all their forms give the same rows, whole and in pieces."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from encoding import FORMS, buffers
from hypothesis import given, settings
from hypothesis import strategies as st

import pyfm
from pyfm.encode import Buckets, Categorical, Cross, Date, Hashed, Multi

CROSSES = [Cross(["site", "ad"], Categorical()), Cross(["ad", "new"], Hashed(6))]
COLUMNS: dict[str, list[Any]] = {
    "site": ["a.org", None, "b.org", "", "a.org", "ö", "b.org"],
    "ad": [3, 1, 3, 4, 1, 5, 9],
    "price": [0.5, 3.0, 3.0, None, 1e9, -4.25, 0.0],
    "new": [True, False, True, True, False, False, False],
    "at": [dt.datetime(2024, 1, day, day) for day in range(1, 8)],
    "tags": [["x", "y"], [], None, ["y"], ["z", "x", "y"], ["w"], []],
}


def encoder(**kinds: Any) -> pyfm.FieldEncoder:
    return pyfm.FieldEncoder(kinds, remainder="default", crosses=CROSSES)


@pytest.fixture(scope="module")
def expected() -> dict[str, Any]:
    return buffers(encoder().fit_transform(pa.table(COLUMNS)))


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_are_the_same_rows(form: str, expected: dict[str, Any]) -> None:
    assert buffers(encoder().fit_transform(FORMS[form](COLUMNS))) == expected


@pytest.mark.parametrize("form", FORMS)
def test_an_encoder_takes_every_form(form: str, expected: dict[str, Any]) -> None:
    fitted = encoder().fit(COLUMNS)
    assert buffers(fitted.transform(FORMS[form](COLUMNS))) == expected


def test_categories_of_pandas_and_polars() -> None:
    strings = COLUMNS["site"]
    expected = buffers(pyfm.FieldEncoder().fit_transform({"s": strings}))
    for frame in (
        pd.DataFrame({"s": pd.Categorical(strings, ["ö", "b.org", "a.org", "", "none"])}),
        pl.DataFrame({"s": pl.Series(strings, dtype=pl.Categorical)}),
        pl.DataFrame({"s": pl.Series(strings, dtype=pl.Enum(["ö", "b.org", "a.org", ""]))}),
    ):
        assert buffers(pyfm.FieldEncoder().fit_transform(frame)) == expected


def test_structured_arrays() -> None:
    array = np.array([(1, "u", 0.5), (2, "v", np.nan)], [("a", "i4"), ("b", "U3"), ("c", "f4")])
    same = {"a": [1, 2], "b": ["u", "v"], "c": [0.5, None]}
    fit = pyfm.FieldEncoder().fit_transform
    assert buffers(fit(array)) == buffers(fit(same))


def test_masked_arrays_and_other_columns() -> None:
    fit = pyfm.FieldEncoder().fit_transform
    masked = np.ma.MaskedArray([1, 2, 3], [False, True, False])
    expected = buffers(fit({"a": [1, None, 3]}))
    for column in (masked, pd.Series([1, None, 3], dtype="Int64"), pl.Series([1, None, 3]),
                   pa.array([1, None, 3]), pa.chunked_array([[1, None], [3]])):  # fmt: skip
        assert buffers(fit({"a": column})) == expected


def test_integers_with_gaps_of_pandas() -> None:
    """Which are floats there: integers where they are said to be categories."""
    frame = pd.DataFrame({"a": [1, None, 3]})
    assert pyfm.FieldEncoder().fit(frame).lookup(1).value == "[-inf, 3)"
    fit = pyfm.FieldEncoder({"a": "categorical"}).fit_transform
    expected = buffers(fit({"a": [1, None, 3]}))
    assert buffers(fit(frame)) == buffers(fit(frame.astype("Int64"))) == expected


@pytest.mark.parametrize(
    "index", [[5, 3, 1], ["p", "q", "r"], pd.MultiIndex.from_arrays([[1] * 3, [1, 2, 3]])]
)
def test_the_index_of_pandas_is_no_column(index: Any) -> None:
    frame = pd.DataFrame({"a": ["u", "v", "u"]}, index=index)
    fitted = pyfm.FieldEncoder().fit(frame)
    assert fitted.field_names_ == ("a",)
    frame.index = pd.Index(["x", "y", "z"], name="other")
    assert fitted.transform(frame).n_fields == 1


def test_columns_are_found_by_name() -> None:
    fitted = pyfm.FieldEncoder().fit({"a": ["u", "v"], "b": ["p", "q"]})
    swapped = fitted.transform({"b": ["q"], "a": ["u"]})
    assert swapped.core.features.tolist() == [2, 7]


def test_parquet_files_and_folders(tmp_path: Path, expected: dict[str, Any]) -> None:
    table = pa.table(COLUMNS)
    pq.write_table(table, tmp_path / "all.parquet", row_group_size=3)
    folder = tmp_path / "folder"  # as Spark writes it
    folder.mkdir()
    (folder / "_SUCCESS").touch()
    for part in range(3):
        pq.write_table(table.slice(3 * part, 3), folder / f"part-0000{part}-c000.snappy.parquet")
    for path in (tmp_path / "all.parquet", str(tmp_path / "all.parquet"), folder):
        assert buffers(encoder().fit_transform(path)) == expected
    data = pyarrow.dataset.dataset(str(folder))
    assert buffers(encoder().fit_transform(data)) == expected


def test_strings_of_parquet_are_strings(tmp_path: Path) -> None:
    """Not categories, although they are read as dictionaries."""
    table = pa.table({"a": ["u", "v", "u"], "at": ["2024-01-01", "2024-01-02", None]})
    pq.write_table(table, tmp_path / "rows.parquet")
    made = pyfm.FieldEncoder(
        {"at": Date(["day"], format="%Y-%m-%d")},
        remainder="default",
        defaults={"string": Hashed(4), "category": Categorical()},
    )
    expected = buffers(made.fit_transform(table))
    assert buffers(made.fit_transform(tmp_path / "rows.parquet")) == expected
    assert expected["sizes"] == (3, 17 + 32, 2)


def test_no_rows() -> None:
    for columns in ({"a": ["u"]}, {"a": ["u"], "t": [["x"]]}, {"a": [0.5]}):
        fitted = pyfm.FieldEncoder(defaults={"float": "real"}).fit(columns)
        data = fitted.transform(pa.table(columns)[:0])
        assert (data.n_rows, data.n_fields) == (0, len(columns))


def test_partitions_are_columns(tmp_path: Path) -> None:
    for day in (1, 2):
        folder = tmp_path / f"day={day}" / "country=at"
        folder.mkdir(parents=True)
        pq.write_table(pa.table({"a": [day, 10 * day]}), folder / "part-0.parquet")
    fitted = pyfm.FieldEncoder()
    found = fitted.inverse_transform(fitted.fit_transform(tmp_path)).to_pydict()
    assert found == {"a": [1, 10, 2, 20], "day": [1, 1, 2, 2], "country": ["at"] * 4}


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\nu,1\nv,2\n")
    fitted = pyfm.FieldEncoder()
    with pyarrow.csv.open_csv(path) as stream:
        fitted.fit(stream)
    data = fitted.transform(pyarrow.csv.read_csv(path))
    assert fitted.inverse_transform(data).to_pydict() == {"a": ["u", "v"], "b": [1, 2]}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyfm.encode.tables.BATCH_ROWS", 2)


@pytest.mark.parametrize("form", FORMS)
def test_batches_leave_no_trace(form: str, expected: dict[str, Any], small_batches: None) -> None:
    assert buffers(encoder().fit_transform(FORMS[form](COLUMNS))) == expected


def test_chunks_are_the_whole() -> None:
    """However a table is cut, fit and transform give the same to the bit, sums included."""
    rng = np.random.default_rng(0)
    n = 150_000
    table = pa.table({
        "real": rng.lognormal(size=n) * 1e6,
        "bucket": rng.normal(size=n),
        "text": rng.integers(0, 1000, n).astype(str),
    })  # fmt: skip
    kinds: Any = {"real": "real", "bucket": Buckets("quantile", 50), "text": Categorical(140)}
    whole = pyfm.FieldEncoder(kinds)
    expected = whole.fit_transform(table)
    for size in (999, 65_537):
        parts = [table.slice(at, size) for at in range(0, n, size)]
        cut = pyfm.FieldEncoder(kinds).fit(pa.concat_tables(parts).to_reader())
        assert cut.get_feature_names_out().tolist() == whole.get_feature_names_out().tolist()
        rows = [cut.transform(part).core for part in parts]
        assert (np.concatenate([row.features for row in rows]) == expected.core.features).all()
        assert (np.concatenate([row.values for row in rows]) == expected.core.values).all()


CELLS: dict[str, st.SearchStrategy[Any]] = {
    "text": st.text(max_size=12),
    "number": st.integers(-(2**63), 2**63 - 1),
    "flag": st.booleans(),
    "bytes": st.binary(max_size=5),
    "list": st.lists(st.text(max_size=3), max_size=4),
}
ROWS = st.lists(
    st.fixed_dictionaries({name: st.none() | cell for name, cell in CELLS.items()}),
    min_size=1, max_size=25,
)  # fmt: skip
SCHEMA = pa.schema([
    ("text", pa.string()), ("number", pa.int64()), ("flag", pa.bool_()), ("bytes", pa.binary()),
    ("list", pa.list_(pa.string())),
])  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(ROWS, st.randoms(use_true_random=False), st.integers(1, 30))
def test_what_is_encoded_is_decoded(rows: list[dict[str, Any]], random: Any, size: int) -> None:
    table = pa.Table.from_pylist(rows, SCHEMA)
    # A column without a single value has no vocabulary.
    table = table.select([name for name in SCHEMA.names if table[name].null_count < len(rows)])
    lists = [n for n in table.column_names if n == "list"]
    if lists and not any(table["list"].to_pylist()):
        table = table.drop_columns("list")
    if not table.column_names:
        return
    fitted = pyfm.FieldEncoder()
    data = fitted.fit_transform(table)
    assert fitted.inverse_transform(data).to_pydict() == table.to_pydict()
    # In pieces, and in another order.
    order = random.sample(range(len(rows)), len(rows))
    for at in range(0, len(rows), size):
        piece = table.take(order[at : at + size])
        decoded = fitted.inverse_transform(fitted.transform(piece))
        assert decoded.to_pydict() == piece.to_pydict()
    # The same values by partial_fit, whatever the calls.
    grown = pyfm.FieldEncoder().fit(table)
    stream = pyfm.FieldEncoder().fit(table)
    for at in range(0, len(rows), size):
        stream.partial_fit(table.slice(at, size))
    assert stream.get_feature_names_out().tolist() == grown.get_feature_names_out().tolist()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.none() | st.floats(-1e30, 1e30), min_size=1), st.integers(2, 6))
def test_buckets_hold_their_numbers(numbers: list[float | None], n: int) -> None:
    if not any(number is not None for number in numbers):
        return
    for by in ("quantile", "uniform"):
        fitted = pyfm.FieldEncoder({"x": Buckets(by, n)})
        data = fitted.fit_transform({"x": numbers})
        reader: Any = fitted._state.fields[0].reader
        edges = [-np.inf, *reader.edges, np.inf]
        assert len(edges) <= n + 1
        for number, code in zip(numbers, data.core.features.tolist(), strict=True):
            if number is None:
                assert code == 0
            else:
                assert edges[code - 1] <= number < edges[code]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.text("abc", max_size=2), max_size=3), min_size=1))
def test_joined_strings_are_lists(lists: list[list[str]]) -> None:
    lists = [[value or "-" for value in values] for values in lists]
    if not any(lists):
        return
    joined = ["|".join(values) for values in lists]
    split = pyfm.FieldEncoder({"x": Multi(separator="|")}).fit_transform({"x": joined})
    assert buffers(split) == buffers(pyfm.FieldEncoder().fit_transform({"x": lists}))
