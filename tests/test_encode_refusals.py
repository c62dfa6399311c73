"""Wrong tables and wrong parameters: errors that name the column and the row."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from encoding import objects

import pyfm
from pyfm.encode import Buckets, Categorical, Cross, Date, Hashed, Multi, Real

INF = float("inf")
ZONED = pa.array([0], pa.timestamp("s", "UTC"))


def refused(message: str) -> Any:
    return pytest.raises(ValueError, match=message)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (None, ["a", 1], "column 'x', row 1: expected values of one type, str as before, found i"),
        (None, [1, None, "a"], "column 'x', row 2: expected values of one type, int"),
        (None, [None, None], "column 'x': expected at least one value that is not missing, fou"),
        (None, pa.array([None], pa.string()), "column 'x': expected at least one value"),
        ("real", [None, float("nan")], "column 'x': expected at least one value"),
        ("multi", [[], None], "column 'x': expected at least one value"),
        (None, [{"a": 1}], r"column 'x': expected strings, .* found struct<.*take it apart"),
        (None, [[["a"]]], r"column 'x': expected strings, .* found list<"),
        (None, pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "found map<"),
        (None, [Decimal("1.5")], r"column 'x': .* found decimal128\(2, 1\): cast it to floats"),
        ("real", [Decimal("1.5")], r"column 'x': expected numbers, found decimal128"),
        (None, [dt.timedelta(1)], r"column 'x': .* found duration"),
        ("categorical", [dt.date(2024, 1, 1)], "found date32.*: pyfm.encode.Date takes"),
        ("categorical", [1.0, 0.5], "column 'x', row 1: expected a whole number, .* found 0.5"),
        ("categorical", [1.0, INF], "column 'x', row 1: expected a finite number, found inf"),
        ("real", [1, None, -INF], "column 'x', row 2: expected a finite number, found -inf"),
        ("buckets", [INF], "column 'x', row 0: expected a finite number, found inf"),
        ("real", ["a"], "column 'x': expected numbers, found string"),
        ("buckets", [["a"]], "column 'x': expected numbers, found list"),
        (Real(standardize=False), [0.0, 1e39], "column 'x', row 1: expected a number that float32"),
        ("real", [0.0, 1e200], "column 'x': expected numbers whose squares are finite"),
        ("multi", ["a|b"], r"column 'x': expected lists \(of strings, give Multi a separator\)"),
        (Multi(separator="|"), [["a"]], "column 'x': expected strings, which the separator"),
        (Multi(separator="|", weight_separator=":"), ["a:1", "b:2|c:x"],
         "column 'x', row 1: expected a number, the weight of a value, found 'x'"),
        (Multi(separator="|", weight_separator=":"), ["a:inf"], "column 'x', row 0: .* found inf"),
        (Multi(weight_separator=":"), [[1]], "column 'x': expected strings, which the weight_sep"),
        ("date", ["2024-01-01"], "column 'x': expected dates or times, found string: give Date"),
        (Date(format="%Y"), ["2024", "24x"], "column 'x', row 1: expected a date of the format"),
        (Date(format="%Y"), [0.5], "column 'x', row 0: expected a whole number"),
        (Date(format="%Y"), [True], "column 'x': expected strings or integers, which have the for"),
        (Date(["hour"]), [dt.date(2024, 1, 1)], "column 'x': expected times that have a hour"),
        (Date(["day"]), [dt.time(5)], "column 'x': expected times that have a day"),
        ("date", pa.array([0], pa.timestamp("s", "Mars/Base")), "column 'x': .*Mars/Base"),
    ],
)  # fmt: skip
def test_columns(kind: Any, values: Any, message: str) -> None:
    with refused(message):
        pyfm.FieldEncoder({"x": kind}).fit_transform({"x": values})


@pytest.mark.parametrize("frame", [pd.DataFrame, dict])
def test_mixed_types_in_objects(frame: Any) -> None:
    columns = {"a": objects([1, 2, 3]), "x": objects(["u", None, 5.5])}
    with refused("column 'x', row 2: expected values of one type, str as before, found float 5.5"):
        pyfm.FieldEncoder().fit(frame(columns))


def test_rows_are_counted_through_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyfm.encode.tables.BATCH_ROWS", 10)
    values = np.ones(25)
    values[23] = INF
    with refused("column 'x', row 23: expected a finite number"):
        pyfm.FieldEncoder().fit({"x": values})
    fitted = pyfm.FieldEncoder({"x": "real"}).fit({"x": [1.0]})
    with refused("column 'x', row 23: expected a finite number"):
        fitted.transform({"x": values})


FITTED: dict[str, Any] = {
    "site": ["a", "b"],
    "n": [1, 2],
    "at": [dt.datetime(2024, 1, 1)] * 2,
    "tags": [["t"]] * 2,
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": None}, "column 'n': expected the columns of fit, found a table without it$"),
        ({"site": None, "Site": ["a"]}, "column 'site': .* without it, but with 'Site', which fit"),
        ({"more": ["a"]}, r"X: expected the columns of fit \('site', .*\) and no others, found 'm"),
        ({"site": [5]}, "column 'site': expected strings, as in fit, found int64"),
        ({"n": ["5"]}, "column 'n': expected integers, as in fit, found string"),
        ({"n": [0.5]}, "column 'n', row 0: expected a whole number"),
        ({"n": [True]}, "column 'n': expected integers, as in fit, found bool"),
        ({"at": ZONED}, "column 'at': expected times without a time zone, as in fit, found ti"),
        ({"at": ["2024"]}, "column 'at': expected dates or times, found string"),
        ({"tags": ["t"]}, "column 'tags': expected lists"),
        ({"tags": [[5]]}, "column 'tags': expected strings, as in fit, found int64"),
    ],
)  # fmt: skip
def test_other_columns_than_in_fit(change: dict[str, Any], message: str) -> None:
    fitted = pyfm.FieldEncoder().fit(FITTED)
    row = {name: values[:1] for name, values in FITTED.items()} | change
    with refused(message):
        fitted.transform({name: values for name, values in row.items() if values is not None})


def test_missing_values_are_no_other_type() -> None:
    fitted = pyfm.FieldEncoder().fit(FITTED)
    data = fitted.transform({name: [None] for name in FITTED})
    assert [str(fitted.lookup(j)) for j in data.core.features.tolist()] == [
        "site=<missing>", "n=<missing>", "at:hour=<missing>", "at:weekday=<missing>",
        "tags=<missing>",
    ]  # fmt: skip


def test_zones_are_those_of_fit() -> None:
    fitted = pyfm.FieldEncoder().fit({"at": ZONED})
    with refused("expected times in the time zone 'UTC', as in fit, found times in .*'Asia/Tokyo'"):
        fitted.transform({"at": ZONED.cast(pa.timestamp("s", "Asia/Tokyo"))})
    with refused("expected times in the time zone 'UTC', as in fit, found times without"):
        fitted.transform({"at": [dt.datetime(2024, 1, 1)]})


def test_integers_that_do_not_fit() -> None:
    fitted = pyfm.FieldEncoder().fit({"x": [1, 2]})
    with refused(
        "column 'x', row 1: expected an integer that int64 holds, .* found 18446744073709"
    ):
        fitted.transform({"x": np.array([1, 2**64 - 1], np.uint64)})
    unsigned = pyfm.FieldEncoder().fit({"x": np.array([1, 2], np.uint64)})
    assert unsigned.transform({"x": [2, 1]}).core.features.tolist() == [3, 2]
    for wrong in ([1, -1], [1.0, -1.0]):
        with refused("column 'x', row 1: expected an integer that uint64 holds, .* found -1"):
            unsigned.transform({"x": wrong})


def test_rows_of_numbers_in_dictionaries() -> None:
    frame = pd.DataFrame({"x": pd.Categorical([1.0, 2.0, 1.0, 0.5])})
    with refused("column 'x', row 3: expected a whole number"):
        pyfm.FieldEncoder().fit(frame)
    fitted = pyfm.FieldEncoder().fit(frame[:3].astype({"x": pd.CategoricalDtype([2.0, 1.0])}))
    assert fitted.get_feature_names_out().tolist()[2:] == ["x=1", "x=2"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (5, "X: expected a table of pandas, polars or pyarrow, .* found int"),
        (np.zeros((2, 2)), "X: expected a table .* found ndarray"),
        (pa.table([[1], [2]], ["a", "a"]), "columns: expected different names, found 'a twice'"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "columns: expected different names"),
        ({"a": [1], "b": [1, 2]}, r"column 'b': expected 1 rows, as of 'a', found 2"),
        ({"a": np.zeros((2, 2))}, r"column 'a': expected a 1-D array, found 'shape \(2, 2\)'"),
        ({"a": "text"}, "column 'a': expected an array or a list, found 'str'"),
        ({"a": 5}, "column 'a': expected an array or a list, found 'int'"),
        ({5: [1]}, "columns: expected names that are strings, found 5"),
        ({}, "X: expected at least one column"),
        (
            pd.Series([1, 2]),
            r"X: expected a table, which has .*to_frame\(\)\), found 'one column: S",
        ),
        (pl.Series(["a"]), "X: expected a table, which has columns .* found 'one column: Series'"),
        (pa.array([1]), "X: expected a table, which has columns .* found 'one column: Int64Array'"),
        ({"a": []}, "column 'a': expected at least one value"),
        ({"a": np.array([1j])}, "column 'a'"),
    ],
)
def test_no_tables(table: Any, message: str) -> None:
    with refused(message):
        pyfm.FieldEncoder().fit(table)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"columns": "x"}, "columns: expected a dict of kinds by column"),
        ({"columns": ["x", "x"]}, "columns: expected different names"),
        ({"columns": {"x": "category"}}, r"columns\['x'\]: expected one of 'categorical', "),
        ({"columns": {"x": Cross(["x", "n"])}}, r"columns\['x'\]: expected one of"),
        ({"columns": {"no": "real"}}, r"columns: expected columns of the table \('x', 'n', 't'\)"),
        ({"columns": {5: "real"}}, "columns: expected names that are strings"),
        ({"columns": []}, "columns: expected at least one column, or remainder='default'"),
        ({"columns": ["x"], "target": "x"}, "columns: expected columns without 'x', which is no"),
        ({"defaults": {"str": "hashed"}}, "defaults: expected a dict of kinds with names among"),
        ({"defaults": {"string": 5}}, r"defaults\['string'\]: expected one of"),
        ({"remainder": "passthrough"}, "remainder: expected 'drop' or 'default'"),
        ({"crosses": "xn"}, "crosses: expected a list"),
        ({"crosses": ["xn"]}, "crosses: expected sequences of names"),
        ({"crosses": [("x",)]}, "crosses: expected at least two different fields"),
        ({"crosses": [("x", "x")]}, "crosses: expected at least two different fields"),
        ({"crosses": [("x", "no")]}, r"crosses: expected fields with one feature .*, found 'no'"),
        ({"crosses": [("x", "t")]}, r"crosses: expected fields with one feature .*, found 't'"),
        ({"crosses": [("x", "n")] * 2}, "crosses: expected different ones"),
        ({"target": "Y"}, r"target: expected a column of the table \('x', .*\), at least in f"),
        ({"sample_weight": "w"}, "sample_weight: expected a column of the table .* found 'w'"),
        ({"target": 5}, "target: expected the name of a column"),
        ({"sample_weight": 5}, "sample_weight: expected the name of a column"),
        ({"columns": {"t": Multi(weights="no")}}, "'t': weights: expected a column of the table"),
        ({"columns": {"t": Multi(weights="n")}}, "column 'n': expected lists"),
    ],
)  # fmt: skip
def test_parameters(params: Any, message: str) -> None:
    with refused(message):
        pyfm.FieldEncoder(**params).fit({"x": ["a", "b"], "n": [1, 2], "t": [["a"], ["b"]]})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Categorical(0), "min_count: expected an integer >= 1"),
        (lambda: Categorical(max_size=0), "max_size: expected an integer >= 1"),
        (lambda: Hashed(0), r"n_bits: expected an integer in \[1, 31\]"),
        (lambda: Hashed(32), "n_bits"),
        (lambda: Hashed(seed=-1), "seed"),
        (lambda: Buckets("log"), "by: expected one of 'quantile', 'uniform', 'log2'"),
        (lambda: Buckets([2, 1]), "by: expected one of .* increasing finite edges"),
        (lambda: Buckets([1, 1]), "increasing finite edges"),
        (lambda: Buckets([]), "increasing finite edges"),
        (lambda: Buckets([1, INF]), "increasing finite edges"),
        (lambda: Buckets(5), "increasing finite edges"),
        (lambda: Buckets("log2", 5), "n_buckets: expected None with by='log2'"),
        (lambda: Buckets([1], 5), "n_buckets: expected None"),
        (lambda: Buckets("log2", min_count=0), "min_count: expected an integer >= 1, found 0"),
        (lambda: Buckets(min_count=2), "min_count: expected 1 with by='quantile', found 2"),
        (lambda: Buckets("uniform", 1), r"n_buckets: expected an integer in \[2, 65536\]"),
        (lambda: Real(standardize=2), "standardize: expected True or False"),  # type: ignore[arg-type]
        (lambda: Multi(Buckets()), "each: expected Categorical or Hashed"),  # type: ignore[arg-type]
        (lambda: Multi(separator=""), "separator: expected a string that is not empty"),
        (lambda: Multi(weights="w", weight_separator=":"), "weights: expected None with a wei"),
        (lambda: Date(["second"]), "parts: expected one of 'minute'"),
        (lambda: Date([]), "parts: expected a sequence of different parts"),
        (lambda: Date("hour"), "parts: expected a sequence"),
        (lambda: Date(["hour", "hour"]), "parts: expected a sequence of different"),
        (lambda: Date(format=""), "format: expected a format"),
        (lambda: Cross(["a", "b"], Buckets()), "each: expected"),  # type: ignore[arg-type]
    ],
)  # fmt: skip
def test_kinds(make: Any, message: str) -> None:
    with refused(message):
        make()


def test_too_many_features() -> None:
    table = {name: ["a"] for name in "uvwxyz"}
    with refused(
        r"column 'v': expected at most 4294967296 features in all, found 4294967298: give"
    ):
        pyfm.FieldEncoder(defaults={"string": Hashed(31)}).fit(table)


def test_names_of_fields_that_occur_twice() -> None:
    table = {"at": [dt.datetime(2024, 1, 1)], "at:hour": [1]}
    with refused("columns: expected different names of fields, found 'at:hour'"):
        pyfm.FieldEncoder().fit(table)
    crossed = {"a": ["u"], "b": ["v"], "a×b": ["w"]}
    with refused("crosses: expected names that no column has, found 'a×b'"):
        pyfm.FieldEncoder(crosses=[("a", "b")]).fit(crossed)


def test_weights_of_other_lengths() -> None:
    kinds = {"t": Multi(weights="w")}
    with refused("column 'w', row 1: expected 2 weights, one for each value of 't', found 1"):
        pyfm.FieldEncoder(kinds).fit({"t": [["a"], ["a", "b"]], "w": [[1.0], [1.0]]})


def test_targets_that_are_no_numbers() -> None:
    encoder = pyfm.FieldEncoder(target="y", sample_weight="w")
    fitted = encoder.fit({"a": ["u", "v"], "y": [0, 1], "w": [1, 1]})
    with refused("column 'y', row 1: expected a number that float32 holds, found nan"):
        fitted.transform({"a": ["u", "v"], "y": [0, None]})
    with refused("column 'y': expected numbers, found string"):
        fitted.transform({"a": ["u"], "y": ["yes"]})
    with refused("row 0: .*weight"):
        fitted.transform({"a": ["u"], "w": [-1]})


@pytest.mark.parametrize("call", ["fit", "partial_fit", "fit_transform"])
def test_y_of_another_length(call: str) -> None:
    encoder = pyfm.FieldEncoder()
    with refused(r"y: expected length 2 \(one per row\), found 3"):
        getattr(encoder, call)({"a": ["u", "v"]}, [0, 1, 0])
    assert not hasattr(encoder, "n_features_")


def test_before_fit() -> None:
    from sklearn.exceptions import NotFittedError

    encoder = pyfm.FieldEncoder()
    for call in (lambda: encoder.transform({"a": [1]}), lambda: encoder.lookup(0),
                 encoder.get_feature_names_out):  # fmt: skip
        with pytest.raises(NotFittedError, match="not fitted"):
            call()
    for name in ("field_names_", "n_features_", "n_features_in_", "collisions_"):
        assert not hasattr(encoder, name)


def test_lookups_of_unknown_ids() -> None:
    fitted = pyfm.FieldEncoder().fit({"a": ["u"]})
    for wrong in (-1, 3, 0.5):
        with refused(r"feature_id: expected an integer in \[0, 2\]"):
            fitted.lookup(wrong)  # type: ignore[arg-type]
    with refused(r"input_features: expected None or \['a'\]"):
        fitted.get_feature_names_out(["b"])
    with refused("data: expected 1 fields, as the encoder has, found 2"):
        fitted.inverse_transform(pyfm.Dataset.from_ids([[0, 1]]))
    with refused("data, row 1: expected features of the field 'a', found others"):
        fitted.inverse_transform(pyfm.Dataset.from_ids([[0], [7]]))
    with refused("data: expected a Dataset, found 'dict'"):
        fitted.inverse_transform({"a": ["u"]})  # type: ignore[arg-type]


def test_streams_are_read_once() -> None:
    stream = pl.DataFrame({"a": ["u"], "b": ["v"]}).to_arrow().to_reader()
    with refused("X: expected a table that can be read twice, as crosses ask for"):
        pyfm.FieldEncoder(crosses=[("a", "b")]).fit(stream)


def test_damaged_parquet_files(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"a": [f"value {i}" for i in range(1000)]}), path)
    content = path.read_bytes()
    for size in (0, 3, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(pyfm.FormatError, match=re.escape(str(path))):
            pyfm.FieldEncoder().fit(path)
    path.write_bytes(content[:4] + b"\xff" * 400 + content[404:])
    with pytest.raises(pyfm.FormatError, match=re.escape(str(path))):
        pyfm.FieldEncoder().fit(path)
    with pytest.raises(FileNotFoundError, match="missing"):
        pyfm.FieldEncoder().fit(tmp_path / "missing.parquet")
    (tmp_path / "empty").mkdir()
    with pytest.raises(pyfm.FormatError, match="expected Parquet files, found none"):
        pyfm.FieldEncoder().fit(tmp_path / "empty")


def test_without_pyarrow() -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None; import pyfm\n"
        "encoder = pyfm.FieldEncoder({'a': pyfm.encode.Categorical()})\n"
        "try: encoder.fit({'a': [1]})\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "pip install 'pyfm-ctr[arrow]'" in done.stdout


def test_other_libraries_are_not_imported() -> None:
    """(pyarrow itself imports pandas where it is.)"""
    folder = Path(pyfm.encode.__file__).parent
    for source in folder.glob("*.py"):
        assert not re.search(r"^\s*(import|from) (pandas|polars)", source.read_text(), re.MULTILINE)
