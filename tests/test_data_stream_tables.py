"""Streams of CSV and Parquet files, through an encoder; streams that grow."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_streams import assert_same_model, caches_in
from encoding import buffers
from hypothesis import given, settings
from hypothesis import strategies as st
from test_data_stream_sources import joined

import pyfm
from pyfm import Dataset, FieldEncoder, FormatError
from pyfm.encode import Buckets, Categorical, Cross, Date, Hashed, Multi, Real

KINDS: dict[str, Any] = {
    "site": Categorical(min_count=2), "user": Hashed(8), "price": Buckets("quantile", 5),
    "size": Real(), "tags": Multi(separator="|"), "at": Date(["hour", "weekday"]),
}  # fmt: skip


def table(n_rows: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "click": rng.integers(0, 2, n_rows),
            "weight": rng.random(n_rows).round(3),
            "site": rng.choice(["news", "shop", "blog", "rare \u00fc, \u201cx\u201d"], n_rows),
            "user": [f"u{i}" for i in rng.integers(0, 200, n_rows)],
            "price": np.where(rng.random(n_rows) < 0.1, np.nan, rng.lognormal(size=n_rows)),
            "size": rng.normal(size=n_rows).round(4),
            "tags": ["|".join(rng.choice(["a", "b", "c"], k)) or None
                     for k in rng.integers(0, 3, n_rows)],
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 99, n_rows), "h"),
        }
    )  # fmt: skip


DF = table()


def encoder(**params: Any) -> FieldEncoder:
    crosses = [Cross(["site", "user"], Categorical())]
    return FieldEncoder(KINDS, crosses=crosses, target="click", sample_weight="weight", **params)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a table is several pieces."""
    monkeypatch.setattr("pyfm.encode.tables.BATCH_ROWS", 64)


def write_parts(folder: Path, ending: str, n_parts: int = 4, frame: pd.DataFrame = DF) -> Path:
    folder.mkdir()
    for i, rows in enumerate(np.array_split(np.arange(len(frame)), n_parts)):
        path, part = folder / f"part-{i:05}{ending}", frame.iloc[rows]
        if ending == ".parquet":
            part.to_parquet(path)
        else:
            part.to_csv(path, index=False)
    return folder


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("ending", [".parquet", ".csv", ".csv.gz"])
def test_chunks_are_the_whole(ending: str, tmp_path: Path) -> None:
    folder = write_parts(tmp_path / "logs", ending)
    stream = Dataset.stream(f"{folder}/*{ending}", encoder=encoder(), cache=tmp_path / "cache")
    whole = encoder().fit_transform(DF)
    with stream.open() as reader:
        assert buffers(Dataset(reader.read(0, reader.n_rows))) == buffers(whole)
    assert stream.encoder is not None
    assert stream.encoder.extends(whole.encoder)  # type: ignore[arg-type]
    assert [len(part) for part in stream] == [64] * 6 + [16]
    assert buffers(joined(stream)) == buffers(whole)
    fitted = Dataset.stream(f"{folder}/*{ending}", encoder=encoder().fit(DF))
    assert buffers(joined(fitted)) == buffers(whole)
    streamed = pyfm.FMClassifier(epochs=2, random_state=0).fit(stream)
    assert_same_model(streamed, pyfm.FMClassifier(epochs=2, random_state=0).fit(whole))
    rows = DF.drop(columns=["click", "weight"])
    np.testing.assert_array_equal(streamed.predict_proba(stream), streamed.predict_proba(rows))


@pytest.mark.usefixtures("small_batches")
def test_folders_of_spark(tmp_path: Path) -> None:
    """part-….parquet beside _SUCCESS, and key=value folders as columns."""
    folder = write_parts(tmp_path / "clicks", ".parquet")
    (folder / "_SUCCESS").touch()
    (folder / "._SUCCESS.crc").write_bytes(b"crc")
    stream = Dataset.stream(folder, encoder=encoder())
    assert buffers(joined(stream)) == buffers(encoder().fit_transform(DF))
    days = tmp_path / "days"
    for day in ("01", "02"):
        days.mkdir(exist_ok=True)
        write_parts(days / f"day={day}", ".parquet", 2)
    by_day = Dataset.stream(days, encoder=FieldEncoder(["day", "site"], target="click"))
    model = pyfm.FMClassifier(epochs=1, random_state=0).fit(by_day)
    assert by_day.encoder is not None
    assert by_day.encoder.field_names_ == ("day", "site")
    assert len(model.predict_proba(by_day)) == 2 * len(DF)
    assert caches_in(tmp_path) == [f"days.{name[5:]}" for name in caches_in(tmp_path)]
    (days / "day=02" / "part-00001.parquet").unlink()  # another folder now
    assert len(Dataset.open(tmp_path / caches_in(tmp_path)[0])) == 2 * len(DF)
    with pytest.raises(ValueError, match="cache"):
        pyfm.FMClassifier().fit(
            Dataset.stream(
                days, encoder=FieldEncoder(["day", "site"], target="click"),
                cache=tmp_path / caches_in(tmp_path)[0],
            )
        )  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "", "c d", "ü", None]),
            st.none() | st.integers(-5, 5),
            st.none() | st.floats(-100, 100).map(lambda x: round(x, 3)),
            st.integers(0, 1),
        ),
        min_size=1, max_size=30,
    ),
    st.integers(1, 7),
)  # fmt: skip
def test_tables_of_any_kind_give_the_same_rows(rows: Any, size: int) -> None:
    """Of pandas, polars, pyarrow and dicts, whole and in chunks."""
    columns = dict(zip(("s", "i", "x", "y"), map(list, zip(*rows, strict=True)), strict=True))
    for name, at in (("s", 0), ("i", 0), ("x", 0.5)):
        if all(value is None for value in columns[name]):
            columns[name][0] = "a" if name == "s" else at
    arrow = pa.table(columns)
    kinds: dict[str, Any] = {"s": Categorical(), "i": Categorical(), "x": Real(standardize=False)}
    made = FieldEncoder(kinds, target="y").fit(arrow)
    expected = buffers(made.transform(arrow))
    frames = {
        "pandas": arrow.to_pandas(types_mapper=pd.ArrowDtype),
        "objects": pd.DataFrame({n: pd.Series(v, dtype=object) for n, v in columns.items()}),
        "polars": pl.DataFrame(columns, strict=False),
        "dict": columns,
    }
    for name, frame in frames.items():
        assert buffers(made.transform(frame)) == expected, name
        own = FieldEncoder(kinds, target="y").fit_transform(frame)
        assert buffers(own) == expected, name
    parts = [made.transform(arrow.slice(at, size)) for at in range(0, len(rows), size)]
    assert buffers(joined(parts)) == expected


@pytest.mark.usefixtures("small_batches")
def test_hourly_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Yesterday's model loads, learns the new files, saves; ids that were given stay."""
    monkeypatch.setattr("pyfm.estimators.partial_fit.ROWS", 64)
    hours = [table(150, seed=i) for i in range(3)]
    hours[1]["site"] = hours[1]["site"].replace("shop", "new.example")
    names: list[str] = []
    for i, hour in enumerate(hours):
        hour.to_parquet(tmp_path / f"{i}.parquet")
        stream = Dataset.stream(tmp_path / f"{i}.parquet", encoder=encoder())
        model = pyfm.load(tmp_path / "model") if i else pyfm.FFMClassifier(random_state=0)
        model.partial_fit(stream)
        assert model._inputs.encoder is not None
        grown = model._inputs.encoder.get_feature_names_out().tolist()
        assert grown[: len(names)] == names
        assert len(grown) > len(names)
        names = grown
        model.save(tmp_path / "model", optimizer_state=True)
    assert "site=new.example" in names
    assert model.history_["n_rows"] == [64, 64, 22] * 3
    # The same calls, of pieces of tables in memory.
    grown_encoder, by_hand = encoder(), pyfm.FFMClassifier(random_state=0)
    for hour in hours:
        for at in range(0, 150, 64):
            piece = pa.Table.from_pandas(hour[at : at + 64])
            by_hand.partial_fit(grown_encoder.partial_fit(piece).transform(piece))
    assert_same_model(model, by_hand)
    np.testing.assert_array_equal(model.predict_proba(stream), by_hand.predict_proba(stream))
    assert caches_in(tmp_path) == []


@pytest.mark.usefixtures("small_batches")
def test_a_call_for_each_piece_and_what_fails_later_changes_nothing_before(tmp_path: Path) -> None:
    broken = DF.astype({"site": object}).to_csv(index=False).splitlines()
    broken[300] = broken[300].replace(",", ',"', 1)
    (tmp_path / "a.csv").write_text("\n".join(broken))
    model = pyfm.FMClassifier(random_state=0)
    stream = Dataset.stream(tmp_path / "a.csv", encoder=encoder().fit(DF))
    with pytest.raises(FormatError, match=r"a\.csv:301: expected quotes that are closed"):
        model.partial_fit(stream)
    with pytest.raises(FormatError, match=r"a\.csv:301: "):
        model.fit(stream)
    assert os.listdir(tmp_path) == ["a.csv"]


def test_batches_are_not_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyfm.encode.tables.BATCH_ROWS", 64)
    monkeypatch.setattr("pyfm.estimators.partial_fit.ROWS", 64)
    DF.to_parquet(tmp_path / "a.parquet")
    made = encoder().fit(DF)
    stream = Dataset.stream(tmp_path / "a.parquet", encoder=made)
    params: dict[str, Any] = {"batch_size": 50, "random_state": 0}
    streamed = pyfm.DeepFMClassifier(**params).partial_fit(stream)
    assert streamed.history_["n_rows"] == [100] * 4
    whole = pyfm.DeepFMClassifier(**params)
    data = made.transform(DF)
    for at in range(0, 400, 100):
        whole.partial_fit(data[at : at + 100])
    assert_same_model(streamed, whole)


CSV = "click,site,n\n1,a,1\n0,b,2\n"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('1,"a,3\n0,b,4\n', r"a\.csv:4: expected quotes that are closed in their line"),
        ('1,a"b,3\n0,"b",4\n', r"a\.csv:4: expected quotes"),
        ('0,"b",4\n1,"a', r"a\.csv:5: expected quotes"),
        ("1,a,3,4\n", r"a\.csv:4: Expected 3 columns, got 4"),
        ("1,a\n", r"a\.csv:4: Expected 3 columns, got 2"),
    ],
)
def test_broken_lines_of_csv(lines: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV + lines)
    for path, compress in ((tmp_path / "a.csv", None), (tmp_path / "a.csv.gz", gzip.compress)):
        if compress:
            path.write_bytes(compress((CSV + lines).encode()))
        stream = Dataset.stream(path, encoder=FieldEncoder(target="click"))
        with pytest.raises(FormatError, match=message.replace("csv:", f"{path.name[2:]}:")):
            pyfm.FMClassifier().fit(stream)
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "a.csv.gz"]


def test_values_of_another_type_further_on(tmp_path: Path) -> None:
    n = 400_000  # more than the 4 MiB that decide on types
    (tmp_path / "a.csv").write_text(CSV + "0,abcdefgh,2\n" * n + "1,a,x\n")
    message = rf"a\.csv:{n + 4}: column number 3: CSV conversion error to int64: invalid value 'x'"
    with pytest.raises(
        FormatError, match=message + r"; the first lines decide on types: say csv_o"
    ):
        list(Dataset.stream(tmp_path / "a.csv", encoder=FieldEncoder(target="click")).pieces())
    typed = Dataset.stream(
        tmp_path / "a.csv",
        encoder=FieldEncoder(target="click"),
        csv_options={"column_types": {"n": pa.string()}},
    )
    assert sum(map(len, typed)) == n + 3


def test_csv_as_others_write_it(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text('1\ta\t\n0\t"b ""c"" d"\t4\n1\t\t5\n')
    options = {"delimiter": "\t", "column_names": ["click", "site", "n"]}
    stream = Dataset.stream(
        tmp_path / "a.tsv", format="csv", csv_options=options,
        encoder=FieldEncoder({"site": "categorical", "n": "categorical"}, target="click"),
    )  # fmt: skip
    data = joined(stream)
    assert data.y is not None
    assert data.y.tolist() == [1, 0, 1]
    assert stream.encoder is not None
    names = stream.encoder.get_feature_names_out()[data.core.features].reshape(3, 2).tolist()
    assert names == [
        ["site=a", "n=<missing>"], ['site=b "c" d', "n=4"], ["site=<missing>", "n=5"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sep": ";"}, "csv_options: expected a dict with names among delimiter"),
        ({"delimiter": ";;"}, r"csv_options\['delimiter'\]: expected one character"),
        ({"delimiter": '"'}, r"csv_options\['delimiter'\]: expected one character"),
    ],
)
def test_options_of_csv(options: Any, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    with pytest.raises(ValueError, match=message):
        list(Dataset.stream(tmp_path / "a.csv", encoder=FieldEncoder(), csv_options=options))


def test_damaged_files(tmp_path: Path) -> None:
    DF.to_parquet(tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(CSV.encode() * 9)[:40])
    for name in ("a.parquet", "empty.csv", "cut.csv.gz"):
        with pytest.raises(FormatError, match=name.replace(".", r"\.")):
            pyfm.FMClassifier().fit(
                Dataset.stream(tmp_path / name, encoder=FieldEncoder(target="click"))
            )
    assert caches_in(tmp_path) == []


def test_files_with_other_columns(tmp_path: Path) -> None:
    pa_table = pa.table({"click": [1, 0], "n": pa.array([1, 2], pa.int32())})
    pq.write_table(pa_table, tmp_path / "0.parquet")
    others = {
        "1": (pa.table({"click": [1, 0]}), r"1\.parquet: column 'n': expected one, as in"),
        "2": (pa_table.append_column("m", [[1, 2]]), r"2\.parquet: expected the columns of"),
        "3": (pa.table({"click": [1, 0], "n": ["1", "x"]}), r"column 'n': expected int32, as in"),
    }
    for name, (other, message) in others.items():
        pq.write_table(other, tmp_path / f"{name}.parquet")
        stream = Dataset.stream(
            [tmp_path / "0.parquet", tmp_path / f"{name}.parquet"],
            encoder=FieldEncoder({"n": "categorical"}, target="click"),
        )
        with pytest.raises(ValueError, match=message):
            list(stream)
    wider = pa.table({"click": [1, 0], "n": pa.array([3, 2], pa.int64())})
    pq.write_table(wider, tmp_path / "4.parquet")
    stream = Dataset.stream(
        [tmp_path / "0.parquet", tmp_path / "4.parquet"],
        encoder=FieldEncoder({"n": "categorical"}, target="click"),
    )
    assert buffers(joined(stream))["features"] == [2, 3, 4, 3]


def test_tables_need_an_encoder(tmp_path: Path) -> None:
    DF.to_parquet(tmp_path / "a.parquet")
    bare = Dataset.stream(tmp_path / "a.parquet")
    for call in (list, pyfm.FMClassifier().fit, pyfm.FMClassifier().partial_fit):
        with pytest.raises(ValueError, match="encoder: expected a FieldEncoder, which makes rows"):
            call(bare)
    model = pyfm.FMClassifier(epochs=1).fit(Dataset.stream(bare.files[0], encoder=encoder()))
    rows = DF.drop(columns=["click", "weight"])
    np.testing.assert_array_equal(model.predict(bare), model.predict(rows))  # the model's own
    no_target = Dataset.stream(bare.files[0], encoder=FieldEncoder(["site"]))
    with pytest.raises(ValueError, match="y: expected targets, found None"):
        pyfm.FMClassifier().fit(no_target)


def test_warm_start_goes_on_with_the_encoder(tmp_path: Path) -> None:
    """As with tables in memory: what is new is unknown."""
    first, second = DF[DF["site"] != "shop"], DF
    kinds = {"site": "categorical", "user": "categorical"}
    columns = ["click", *kinds]
    streams = []
    for name, frame in (("a", first), ("b", second)):
        frame[columns].to_parquet(tmp_path / f"{name}.parquet")
        made = FieldEncoder(kinds, target="click")
        streams.append(Dataset.stream(tmp_path / f"{name}.parquet", encoder=made))
    params: dict[str, Any] = {"epochs": 2, "random_state": 0, "warm_start": True}
    streamed, held = pyfm.FMClassifier(**params), pyfm.FMClassifier(**params)
    made = FieldEncoder(kinds, target="click").fit(first[columns])
    for stream, frame in zip(streams, (first, second), strict=True):
        streamed.fit(stream)
        held.fit(made.transform(frame[columns]))
    assert_same_model(streamed, held)
    assert streams[0].encoder is not None
    assert streamed.n_features_in_ == streams[0].encoder.n_features_


def test_files_that_changed_are_learned_anew(tmp_path: Path) -> None:
    made = FieldEncoder({"site": "categorical"}, target="click")
    DF[DF["site"] != "shop"].to_parquet(tmp_path / "a.parquet")
    stream = Dataset.stream(tmp_path / "a.parquet", encoder=made)
    first = pyfm.FMClassifier(epochs=1).fit(stream)
    DF.to_parquet(tmp_path / "a.parquet")
    again = pyfm.FMClassifier(epochs=1).fit(stream)
    assert again.n_features_in_ == first.n_features_in_ + 1
    assert not made.__sklearn_is_fitted__()


def test_rows_of_another_encoder(tmp_path: Path) -> None:
    DF.to_parquet(tmp_path / "a.parquet")
    for name, columns in (("a", ["site"]), ("b", ["user"])):
        FieldEncoder(columns, target="click").fit_transform(DF).save(tmp_path / name)
    model = pyfm.FMClassifier(epochs=1).fit(Dataset.stream(tmp_path / "a"))
    with pytest.raises(ValueError, match="those of another encoder"):
        model.predict(Dataset.stream(tmp_path / "b"))
    with pytest.raises(ValueError, match="eval_set: X: expected rows of the encoder"):
        pyfm.FMClassifier(epochs=1).fit(
            Dataset.stream(tmp_path / "a"), eval_set=Dataset.stream(tmp_path / "b")
        )
    both = Dataset.stream([tmp_path / "a", tmp_path / "b"])
    with pytest.raises(ValueError, match=r"b: expected rows of the encoder of .*a, or of one"):
        pyfm.FMClassifier().fit(both)
