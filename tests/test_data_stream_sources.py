"""What `Dataset.stream` takes, the rows that it gives, and what it refuses."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_streams import DATA, write_ffm
from encoding import buffers
from hypothesis import given, settings
from hypothesis import strategies as st
from test_text_reader import regular_rows, sparse_rows, write

import pyfm
from pyfm import Dataset, FormatError
from pyfm.data_file.appending import Appender
from pyfm.data_stream.background import ahead
from pyfm.data_stream.pieces import cut
from pyfm.dataset.joining import join


def joined(stream: Any) -> Dataset:
    parts = list(stream)
    return Dataset(join([part.core for part in parts]), encoder=parts[-1].encoder)


@pytest.mark.parametrize("ending", ["", ".gz", ".xz"])
@pytest.mark.parametrize("name", ["a.ffm", "a.libffm", "A.FFM"])
def test_text_is_that_in_memory(name: str, ending: str, tmp_path: Path) -> None:
    import lzma

    path = write_ffm(tmp_path / name)
    if ending:
        compress = gzip.compress if ending == ".gz" else lzma.compress
        Path(f"{path}{ending}").write_bytes(compress(path.read_bytes()))
        path = Path(f"{path}{ending}")
    stream = Dataset.stream(path)
    assert stream.format == "libffm"
    assert buffers(joined(stream)) == buffers(Dataset.from_libffm(path))


@settings(deadline=None, max_examples=150)
@given(
    rows=sparse_rows | regular_rows,
    text_format=st.sampled_from(["libffm", "libsvm"]),
    fields=st.sampled_from([None, "position"]),
    size=st.integers(1, 5),
    window=st.integers(1, 4),
)
def test_pieces_and_files_are_the_whole(
    rows: Any, text_format: Any, fields: Any, size: int, window: int, tmp_path_factory: Any
) -> None:
    """However rows are cut: joined in memory, in windows, and in the file of the first pass."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "whole").write_bytes(write(rows, text_format, "\n", " "))
    fields = fields if text_format == "libsvm" else None
    whole = (
        Dataset.from_libffm(folder / "whole")
        if text_format == "libffm"
        else Dataset.from_libsvm(folder / "whole", fields=fields)
    )
    names = []
    for i, at in enumerate(range(0, len(rows), size)):
        names.append(folder / f"part-{i:05}")
        names[-1].write_bytes(write(rows[at : at + size], text_format, "\n", " "))
    stream = Dataset.stream(names, format=text_format, fields=fields, cache=folder / "cache")
    parts = list(stream)
    assert buffers(joined(parts)) == buffers(whole)
    windows = list(cut((part.core for part in parts), window))
    assert [w.n_rows for w in windows[:-1]] == [window] * (len(windows) - 1)
    assert buffers(Dataset(join(windows))) == buffers(whole)
    with stream.open() as reader:
        assert buffers(Dataset(reader.read(0, reader.n_rows))) == buffers(whole)
        assert buffers(Dataset(join(list(reader.verified(window))))) == buffers(whole)
        half = reader.n_rows // 2
        assert (
            buffers(Dataset(reader.read(half, reader.n_rows)))["features"]
            == (buffers(whole[half:])["features"])
        )
    assert buffers(Dataset.open(folder / "cache")) == buffers(whole)
    whole.save(folder / "saved")
    assert os.path.getsize(folder / "saved") <= os.path.getsize(folder / "cache")


def test_windows_leave_no_single_row() -> None:
    pieces = [DATA[at : at + 7].core for at in range(0, 91, 7)]
    assert [w.n_rows for w in cut(pieces, 10, 91)] == [10] * 8 + [11]
    assert [w.n_rows for w in cut(pieces, 10)] == [10] * 9 + [1]
    assert [w.n_rows for w in cut(pieces, 90, 91)] == [91]


def test_weights_and_targets_of_pieces(tmp_path: Path) -> None:
    weighted = Dataset.from_ids([[0, 1]], y=[1], sample_weight=[0.5])
    plain = Dataset.from_ids([[2, 3], [4, 5]], y=[0, 1])
    csr = Dataset.from_arrays([0, 1], [7], fields=[1], values=[2.0], y=[0])
    with Appender(str(tmp_path / "rows")) as rows:
        for part in (plain, weighted, csr, plain):
            rows.add(part.core)
        rows.finish(None)
    found = Dataset.open(tmp_path / "rows")
    assert buffers(found) == buffers(Dataset(join([p.core for p in (plain, weighted, csr, plain)])))
    assert found.sample_weight is not None
    assert found.sample_weight.tolist() == [1, 1, 0.5, 1, 1, 1]
    assert found.core.values is not None
    assert found.core.values.tolist() == [1] * 6 + [2] + [1] * 4
    no_y = Dataset.from_ids([[0, 1]])
    with pytest.raises(ValueError, match="expected rows with targets, as before, found"):
        join([plain.core, no_y.core])
    with Appender(str(tmp_path / "other")) as rows:
        rows.add(no_y.core)
        with pytest.raises(ValueError, match="expected rows without targets, as before, found"):
            rows.add(plain.core)
    assert sorted(os.listdir(tmp_path)) == ["rows"]


def test_patterns_lists_and_data_files(tmp_path: Path) -> None:
    paths = [write_ffm(tmp_path / f"{i}.ffm", DATA[i * 100 : i * 100 + 100]) for i in range(12)]
    by_pattern = Dataset.stream(str(tmp_path / "*.ffm"))
    assert list(by_pattern.files) == sorted(map(str, paths))
    assert by_pattern.files[1].endswith("1.ffm")
    assert by_pattern.files[2].endswith("10.ffm")
    listed = Dataset.stream([paths[3], str(paths[1])])
    expected = np.concatenate([DATA[300:400].core.features, DATA[100:200].core.features])
    assert (joined(listed).core.features == expected).all()
    odd = write_ffm(tmp_path / "a[1].ffm")  # a name, although it looks like a pattern
    assert Dataset.stream(odd).files == (str(odd),)
    names = [tmp_path / "a.data", tmp_path / "b.data"]
    for name, part in zip(names, (DATA[:30], DATA[30:50]), strict=True):
        part.save(name)
    stream = Dataset.stream(names)
    assert stream.format == "binary"
    assert (joined(stream).core.features == DATA[:50].core.features).all()
    assert repr(stream) == f"<DataStream: 2 files of binary, {names[0]} …>"
    model = pyfm.FMClassifier(epochs=1, random_state=0).fit(stream)
    assert (model.coef_ == pyfm.FMClassifier(epochs=1, random_state=0).fit(DATA[:50]).coef_).all()


def test_patterns_leave_caches_out(tmp_path: Path) -> None:
    """Those that the stream itself wrote beside its files."""
    paths = [write_ffm(tmp_path / f"{i}.ffm", DATA[:50]) for i in range(2)]
    pattern = str(tmp_path / "*")
    for _ in range(2):
        stream = Dataset.stream(pattern)
        assert list(stream.files) == list(map(str, paths))
        pyfm.FMClassifier(epochs=1).fit(stream)
    caches = Dataset.stream(str(tmp_path / "*.pyfm-cache"))
    assert (caches.format, len(caches.files)) == ("binary", 1)


def test_files_that_vanish_or_come(tmp_path: Path) -> None:
    """The files of a pattern are those of the call that names it."""
    paths = [write_ffm(tmp_path / f"{i}.ffm", DATA[:50]) for i in range(3)]
    stream = Dataset.stream(str(tmp_path / "*.ffm"))
    write_ffm(tmp_path / "3.ffm")
    assert len(joined(stream)) == 150

    def vanish(env: Any) -> None:
        paths[0].unlink(missing_ok=True)

    model = pyfm.FMClassifier(epochs=3).fit(stream, callbacks=[vanish])
    assert model.n_iter_ == 3
    for call in (model.fit, model.predict, model.partial_fit, list):
        with pytest.raises(FileNotFoundError, match=r"0\.ffm"):
            call(stream)


def test_links_to_one_file_are_read_as_often_as_they_are_named(tmp_path: Path) -> None:
    path = write_ffm(tmp_path / "a.ffm", DATA[:10])
    with pytest.raises(ValueError, match=r"source: expected different files, found .*a\.ffm twice"):
        Dataset.stream([path, path])


@pytest.mark.parametrize(
    ("source", "params", "error", "message"),
    [
        ("*.ffm", {}, FileNotFoundError, r"expected files that match, found none: '.*\*\.ffm'"),
        ("none.ffm", {}, FileNotFoundError, r"none\.ffm"),
        (".", {}, IsADirectoryError, "expected a file, or a folder of Parquet files"),
        ("pipe", {"format": "libffm"}, OSError, "expected a file, found a pipe or device"),
        ("rows.txt", {}, ValueError, r"rows\.txt: expected a name that ends in .*: say format="),
        ("rows.txt", {"format": "xml"}, ValueError, "format: expected one of 'libffm', 'libsvm'"),
        ("rows.txt", {"format": "binary"}, FormatError, "expected a data file of pyfm, found anot"),
        ("data", {"format": "libffm"}, ValueError, "format: expected 'binary' or None, since"),
        (["rows.ffm", "rows.svm"], {}, ValueError, "source: expected files of one format, libffm"),
        ([], {}, ValueError, "source: expected at least one path"),
        ([3], {}, ValueError, "source: expected paths and patterns, found 3"),
        (7, {}, ValueError, "source: expected a path, a pattern such as"),
        ("rows.ffm", {"fields": "position"}, ValueError, "fields: expected None, since libffm"),
        (
            "rows.ffm",
            {"csv_options": {}},
            ValueError,
            "csv_options: expected None, since the",
        ),
        ("rows.ffm", {"encoder": 1}, ValueError, "encoder: expected None, since the files are"),
        ("rows.ffm", {"window": 0}, ValueError, "window: expected an integer >= 1, found 0"),
        ("rows.ffm", {"shuffle": 1}, ValueError, "shuffle: expected True or False, found 1"),
        ("rows.ffm", {"n_threads": 0}, ValueError, "n_threads: expected a number >= 1"),
        ("rows.ffm", {"cache": 5}, ValueError, "cache: expected the path of a file, or None"),
        ("data", {"cache": "c"}, ValueError, "cache: expected None, since a data file alone needs"),
        ("folder", {"cache": "folder/c"}, ValueError, "cache: expected a file outside of folder"),
    ],
)
def test_refusals(
    source: Any, params: Any, error: Any, message: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    for name in ("rows.txt", "other.svm"):
        Path(name).write_text("1 0:1:1\n")
    (tmp_path / "rows.svm").write_text("1 0:1\n")
    DATA[:5].save("data")
    if source == "folder":
        Path("folder").mkdir()
        Path("folder/a.parquet").touch()
    if "*" not in str(source):
        (tmp_path / "rows.ffm").write_text("1 0:1:1\n")
    with pytest.raises(error, match=message):
        Dataset.stream(source, **params)


def test_the_first_error_names_file_and_line(tmp_path: Path) -> None:
    first = write_ffm(tmp_path / "0.ffm")
    lines = first.read_text().splitlines()
    lines[1700] = "1 0:3:1 1:x:1"
    (tmp_path / "1.ffm").write_text("\n".join(lines))
    stream = Dataset.stream([first, tmp_path / "1.ffm"])
    for read in (lambda: list(stream), lambda: pyfm.FMClassifier().fit(stream)):
        with pytest.raises(FormatError, match=r"1\.ffm:1701:11: expected a feature id"):
            read()
    assert sorted(os.listdir(tmp_path)) == ["0.ffm", "1.ffm"]
    (tmp_path / "2.ffm").write_text("# nothing\n\n")
    with pytest.raises(FormatError, match=r"2\.ffm:1:1: expected at least one row"):
        list(Dataset.stream([first, tmp_path / "2.ffm"]))


def test_lines_count_on_between_pieces(tmp_path: Path) -> None:
    """Text of several blocks, each of which is a piece."""
    path = write_ffm(tmp_path / "a.ffm")
    text = path.read_text() * 140
    path.write_text(text + "1 0:1:1 oops\n")
    assert len(text) > 5 << 20
    pieces = iter(Dataset.stream(path))
    assert len(next(pieces)) > 65536
    n_lines = 140 * len(DATA) + 1
    with pytest.raises(FormatError, match=rf"a\.ffm:{n_lines}:9: expected"):
        list(pieces)


def test_reading_ahead() -> None:
    read: list[int] = []

    def items() -> Any:
        for i in range(100):
            read.append(i)
            yield i

    found = ahead(items)
    assert next(found) == 0
    found.close()
    assert len(read) <= 4  # one in hand, one that waits, one being made

    def broken() -> Any:
        yield 1
        raise KeyError("in the thread")

    with pytest.raises(KeyError, match="in the thread"):
        list(ahead(broken))
    assert list(ahead(lambda: iter(range(50)))) == list(range(50))
