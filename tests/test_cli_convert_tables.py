"""`pyfm convert` to CSV and Parquet: what an encoder knows of rows, or their ids."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_streams import DATA, write_ffm
from encoding import buffers
from shell import succeed

import pyfm
from pyfm import Dataset
from pyfm.cli import run
from pyfm.data_stream import table_file
from pyfm.encode import Buckets, Categorical, Cross, Date, Hashed, Multi, Real

N = 250
RNG = np.random.default_rng(0)
TABLE: dict[str, list[Any]] = {
    "site": [None, "b, c", 'd"e', "", *RNG.choice(["a", "ö"], N - 4).tolist()],
    "ad": RNG.integers(0, 9, N).tolist(),
    "new": [None if i % 7 == 0 else i % 2 == 0 for i in range(N)],
    "price": [None] * 100 + RNG.random(N - 100).tolist(),
    "age": [None, *RNG.integers(1, 90, N - 1).tolist()],
    "user": RNG.integers(0, 99, N).tolist(),
    "at": [dt.datetime(2024, 1, 1) + dt.timedelta(hours=i) for i in range(N)],
    "tags": [[], None, *([["x"], ["x", "y"]] * (N // 2 - 1))],
    "words": ["x y", "", None, *["y"] * (N - 3)],
    "click": RNG.integers(0, 2, N).tolist(),
    "weight": RNG.integers(1, 4, N).tolist(),
}
KINDS: dict[str, Any] = {
    "site": Categorical(),
    "ad": Categorical(),
    "new": Categorical(),
    "price": Buckets([0.25, 0.5]),
    "age": Real(standardize=False),
    "user": Hashed(4),
    "at": Date(["hour", "year"]),
    "tags": Multi(),
    "words": Multi(separator=" "),
}


@pytest.fixture
def encoder() -> pyfm.FieldEncoder:
    crosses = [Cross(["site", "ad"], Categorical())]
    return pyfm.FieldEncoder(KINDS, crosses=crosses, target="click", sample_weight="weight")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, where tables are written in several pieces."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(table_file, "_ROWS", 90)
    return tmp_path


def test_an_encoder_decodes(encoder: pyfm.FieldEncoder, here: Path) -> None:
    data = encoder.fit_transform(TABLE)
    data.save("rows")
    assert "250 rows in out.parquet (parquet, " in succeed("convert", "rows", "out.parquet")
    found = pq.read_table("out.parquet")
    known = encoder.inverse_transform(data)
    expected = known.to_pydict() | {name: TABLE[name] for name in ("click", "weight")}
    assert found.to_pydict() == expected
    assert found.column_names == list(expected)
    assert [found[name].to_pylist() for name in ("site", "ad", "new", "tags")] == [
        TABLE[name] for name in ("site", "ad", "new", "tags")
    ]
    assert sorted(os.listdir()) == ["out.parquet", "rows"]


def test_lists_are_strings_in_csv(encoder: pyfm.FieldEncoder, here: Path) -> None:
    encoder.fit_transform(TABLE).save("rows")
    succeed("convert", "--delimiter", ";", "rows", "out.csv")
    found = pd.read_csv("out.csv", sep=";", keep_default_na=False, na_values=[])
    assert found["tags"].tolist()[:4] == ["", "", "x", "x|y"]
    assert found["words"].tolist()[:4] == ["x y", "", "", "y"]
    assert found["site"].tolist()[:4] == ["", "b, c", 'd"e', ""]
    assert set(found["price"]) == {"", "[-inf, 0.25)", "[0.25, 0.5)", "[0.5, inf)"}
    assert found["click"].tolist() == TABLE["click"]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_tables_come_back_through_the_encoder(ending: str, here: Path) -> None:
    columns = {name: TABLE[name] for name in ("ad", "age", "click", "weight")}
    columns["site"] = RNG.choice(["a", "b", "ö, \"'"], N).tolist()
    kinds = {"site": Categorical(), "ad": Categorical(), "age": Real(standardize=False)}
    encoder = pyfm.FieldEncoder(kinds, target="click", sample_weight="weight")
    encoder.fit_transform(columns).save("rows")
    succeed("convert", "rows", f"out.{ending}")
    succeed("convert", "--encoder", "rows", f"out.{ending}", "again")
    assert buffers(Dataset.open("again")) == buffers(Dataset.open("rows"))


@pytest.mark.parametrize("origin", ["rows", "model"])
def test_text_is_decoded_by_the_encoder_of_a_file(origin: str, here: Path) -> None:
    columns = {"site": ["a", "b", None] * 60, "click": [0, 1, 1] * 60}
    data = pyfm.FieldEncoder(target="click").fit_transform(columns)
    data.save("rows")
    pyfm.FMClassifier(epochs=1).fit(data).save("model")
    succeed("convert", "rows", "rows.ffm")
    succeed("convert", "--encoder", origin, "rows.ffm", "out.parquet")
    assert pq.read_table("out.parquet").to_pydict() == columns


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_ids_without_an_encoder(ending: str, here: Path) -> None:
    write_ffm(here / "a.ffm")
    succeed("convert", "a.ffm", f"out.{ending}")
    read = pd.read_csv if ending == "csv" else pd.read_parquet
    frame = read(f"out.{ending}")
    assert frame.columns.tolist() == ["field_0", "field_1", "field_2", "field_3", "target"]
    ids = frame[[f"field_{i}" for i in range(4)]].to_numpy()
    assert (ids == DATA.core.features.reshape(-1, 4)).all()
    assert (frame["target"] == DATA.y).all()


SPARSE = "1 2:7:0.5 0:1:1 0:3:2\n0\n1 1:4:1\n"


def test_several_features_of_a_field(here: Path) -> None:
    Path("a.ffm").write_text(SPARSE)
    succeed("convert", "a.ffm", "out.csv")
    assert Path("out.csv").read_text().splitlines() == [
        '"field_0","field_1","field_2","target"',
        '"1:1|3:2","","7:0.5",1',
        '"","","",0',
        '"","4:1","",1',
    ]
    succeed("convert", "a.ffm", "out.parquet")
    assert pq.read_table("out.parquet").to_pydict() == {
        "field_0": [[1, 3], [], []],
        "field_0_values": [[1, 2], [], []],
        "field_1": [[], [], [4]],
        "field_1_values": [[], [], [1]],
        "field_2": [[7], [], []],
        "field_2_values": [[0.5], [], []],
        "target": [1, 0, 1],
    }
    # As the encoder reads such columns.
    text = Multi(separator="|", weight_separator=":")
    kinds = {f"field_{i}": Multi(weights=f"field_{i}_values") for i in range(3)}
    read: Any = pd.read_csv("out.csv", keep_default_na=False, dtype=str).drop(columns="target")
    texts = pyfm.FieldEncoder(dict.fromkeys(kinds, text)).fit_transform(read)
    lists = pyfm.FieldEncoder(kinds).fit_transform(pq.read_table("out.parquet"))
    assert texts.core.values is not None
    assert buffers(texts)["values"] == buffers(lists)["values"] == [1, 2, 0.5, 1]


def test_rows_without_fields_targets_and_values(here: Path) -> None:
    Dataset.from_arrays([0, 2, 2], [5, 1]).save("rows")
    succeed("convert", "rows", "out.csv")
    assert Path("out.csv").read_text().splitlines() == ['"field_0"', '"5|1"', '""']


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["weighted", "out.csv"], "column 'tags': expected values without weights", 1),
        (["separated", "out.csv"], "column 'tags': expected values without '|', which sepa", 1),
        (["named", "out.parquet"], "column 'target': expected no field of that name", 1),
        (["--encoder", "named", "a.ffm", "out.csv"], "data: expected 1 fields, as the encoder", 1),
        (["--encoder", "two", "sparse.ffm", "out.csv"], "expected one feature of the field", 1),
        (["--encoder", "two", "other.ffm", "out.csv"], "expected features of the field 'b'", 1),
        (["--encoder", "two", "a.ffm", "out.ffm"], "are for CSV and Parquet", 2),
        (["--target", "x", "a.ffm", "out.csv"], "are for CSV and Parquet, found sources of", 2),
        (["--delimiter", ";", "a.ffm", "out.parquet"], "csv_options: expected None", 1),
        (["--encoder", "two", "none.parquet", "out.csv"], "source: expected at least one row", 1),
    ],
)
def test_refusals(
    arguments: list[str], message: str, code: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def save(name: str, columns: dict[str, Any], kinds: Any = None, **given: Any) -> None:
        pyfm.FieldEncoder(kinds, **given).fit_transform(columns).save(name)

    save("weighted", {"tags": ["x:2"]}, {"tags": Multi(separator=" ", weight_separator=":")})
    save("separated", {"tags": [["x", "y|z"]]})
    save("two", {"a": ["x"], "b": ["y"]})
    named = pyfm.FieldEncoder().fit_transform({"target": ["x", "y"]})
    with_targets = named.core.with_targets(np.ones(2, np.float32), None)
    Dataset(with_targets, encoder=named.encoder).save("named")
    write_ffm(here / "a.ffm")
    Path("sparse.ffm").write_text("1 0:2:1 1:5:1\n0 1:5:1\n")
    Path("other.ffm").write_text("1 0:2:1 1:1:1\n")
    pq.write_table(pa.table({"a": pa.array([], "str"), "b": pa.array([], "str")}), "none.parquet")
    before = sorted(os.listdir())
    assert run(["convert", *arguments]) == code
    assert message in capsys.readouterr().err
    assert sorted(os.listdir()) == before


KILLED = """
import os, signal, sys
from pyfm.cli import main
from pyfm.data_stream import table_file
table_file._ROWS = 90
table_of, written = table_file.table_of, []
def killed(*given):
    written.append(given)
    if len(written) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return table_of(*given)
table_file.table_of = killed
main(sys.argv[1:])
"""


@pytest.mark.parametrize("out", ["out.csv", "out.parquet"])
def test_a_kill_while_the_table_is_written(out: str, here: Path) -> None:
    write_ffm(here / "a.ffm")
    command = [sys.executable, "-c", KILLED, "convert", "a.ffm", out]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not Path(out).exists()
    succeed("convert", "a.ffm", out)
    kept = [name for name in os.listdir() if not name.endswith(".tmp")]  # of the process's own
    assert sorted(kept) == ["a.ffm", out]
    succeed("convert", "a.ffm", f"whole.{out}")
    assert Path(out).read_bytes() == Path(f"whole.{out}").read_bytes()
