"""`pyfm convert`: every pair of formats, and going on after a kill."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_streams import DATA, write_ffm
from encoding import buffers
from hypothesis import given
from shell import pyfm_process, succeed
from test_text_reader import regular_rows, sparse_rows, write

import pyfm
from pyfm import Dataset, _core
from pyfm.cli import run
from pyfm.data_stream import DataStream, conversion
from pyfm.data_stream.claim import claimed
from pyfm.data_stream.pieces import Position

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "click": RNG.integers(0, 2, 900),
        "site": RNG.choice(["a", "b", "c"], 900),
        "n": RNG.integers(0, 9, 900),
    }
)


@given(rows=sparse_rows | regular_rows)
def test_text_of_rows_is_read_as_the_same_rows(rows: Any) -> None:
    for text_format in ("libffm", "libsvm"):
        reader = _core.TextReader(name="", format=text_format, n_threads=1)
        reader.feed(write(rows, text_format, "\n", " "))
        data = reader.finish()
        again = _core.TextReader(name="", format=text_format, n_threads=1)
        again.feed(_core.format_rows(data, text_format))
        assert buffers(Dataset(again.finish())) == buffers(Dataset(data))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_ffm(tmp_path / "a.ffm")
    TABLE.to_csv("t.csv", index=False)
    TABLE.to_parquet("t.parquet")
    return tmp_path


def test_there_and_back(here: Path) -> None:
    out = succeed("convert", "a.ffm", "a.data")
    assert "2,001 rows in a.data (binary, " in out
    assert buffers(Dataset.open("a.data")) == buffers(Dataset.from_libffm("a.ffm"))
    assert succeed("convert", "--quiet", "a.data", "b.ffm") == ""
    assert Path("b.ffm").read_text() == Path("a.ffm").read_text()
    succeed("convert", "a.ffm", "a.svm")
    assert Path("a.svm").read_text().splitlines()[0].count(":") == 2 * 4 - 4
    succeed("convert", "--fields-by-position", "--from", "libsvm", "a.svm", "c.ffm")
    assert Path("c.ffm").read_text() == Path("a.ffm").read_text()
    succeed("convert", "--to", "libffm", "-s", "1", "a.ffm", "b.ffm", "both")
    assert Path("both").read_text() == 2 * Path("a.ffm").read_text()
    assert not [name for name in os.listdir() if name.startswith(".")]


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_tables(name: str, here: Path) -> None:
    """An encoder that is fitted on the way, and that of a data file and a model."""
    succeed("convert", "--target", "click", "--column", "site=hashed", name, "t.data")
    encoder = pyfm.FieldEncoder({"site": "hashed"}, remainder="default", target="click")
    expected = encoder.fit_transform(TABLE)
    data = Dataset.open("t.data")
    assert buffers(data) == buffers(expected)
    assert data.encoder is not None
    assert data.encoder.extends(expected.encoder)  # type: ignore[union-attr, arg-type]
    pyfm.FMClassifier(epochs=1).fit(data).save("model")
    TABLE[:100].to_csv("new.csv", index=False)
    for origin in ("t.data", "model"):
        succeed("convert", "--encoder", origin, "new.csv", "new.ffm")
        expected[:100].save("expected")
        succeed("convert", "expected", "expected.ffm")
        assert Path("new.ffm").read_bytes() == Path("expected.ffm").read_bytes()


def test_separators(here: Path) -> None:
    TABLE.to_csv("t.tsv", index=False, sep="\t")
    succeed("convert", "--from", "csv", "--delimiter", "\t", "--target", "click", "t.tsv", "t.data")
    expected = pyfm.FieldEncoder(target="click").fit_transform(TABLE)
    assert buffers(Dataset.open("t.data")) == buffers(expected)


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["a.ffm"], "expected SOURCE... OUT, found one name", 2),
        (["none*.ffm", "out"], "expected files that match, found none", 1),
        (["a.ffm", "a.ffm"], "the new file: expected none of those that are read", 1),
        (["a.ffm", "."], "Is a directory", 1),
        (["a.ffm", "nowhere/out"], "No such file or directory", 1),
        (["--target", "x", "a.ffm", "out"], "are for CSV and Parquet, found sources of libffm", 2),
        (["--encoder", "a.data", "--target", "x", "t.csv", "out"], "expected no --target", 2),
        (["--encoder", "a.data", "t.csv", "out"], "expected a file with the encoder of tables", 1),
        (["--column", "site", "t.csv", "out"], "--column: expected NAME=KIND, each name once", 2),
        (["--target", "none", "t.csv", "out"], "'none'", 1),
        (["weighted", "out.ffm"], "source: expected rows without weights", 1),
        (["bare", "out.svm"], "source: expected rows with targets", 1),
        (["broken.ffm", "out"], "broken.ffm:2:5: expected a feature id", 1),
        (["t.csv", "a.ffm", "out"], "source: expected files of one format", 1),
    ],
)
def test_refusals(
    arguments: list[str], message: str, code: int, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    DATA.save("a.data")
    Dataset(DATA.core.with_targets(DATA.y, np.ones(len(DATA), np.float32))).save("weighted")
    Dataset(DATA.core.with_targets(None, None)).save("bare")
    Path("broken.ffm").write_text("1 0:1:1\n0 0:x:1\n")
    before = sorted(os.listdir())
    assert run(["convert", *arguments]) == code
    assert message in capsys.readouterr().err
    assert sorted(os.listdir()) == before


# Converts, and is killed, or interrupted, once the journal has its third entry.
KILLED = """
import os, signal, sys
import pyfm.data_stream.conversion as conversion
from pyfm.cli import main
conversion._SECONDS = 0
if "--target" in sys.argv:  # the rows of a table
    import pyfm.encode.tables as tables  # loads scikit-learn
    tables.BATCH_ROWS = 100
record, entries = conversion._record, []
def counted(*given):
    entry = record(*given)
    entries.append(entry)
    if len(entries) == 3:
        os.kill(os.getpid(), getattr(signal, sys.argv[1]))
    return entry
conversion._record = counted
import pyfm.data_stream.pieces as pieces
import pyfm.dataset.compression as compression
pieces.ROWS = 100
compression._whole.__kwdefaults__ = None
compression._read.__defaults__ = (4096,)
main(sys.argv[2:])
"""


def killed(by: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILLED, by, "convert", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Position]:
    """Where reading begins."""
    found: list[Position] = []
    read = DataStream.read

    def spy(self: Any, start: Position = Position(), **given: Any) -> Any:  # noqa: B008
        found.append(start)
        return read(self, start, **given)

    monkeypatch.setattr(DataStream, "read", spy)
    return found


WORK = [
    ("a.ffm", "out"),
    ("a.ffm", "out.ffm"),
    ("a.ffm.gz", "out"),
    ("a.ffm", "b.ffm", "out"),
    ("a.data", "out.ffm"),
    ("a.data", "out"),
    ("--target", "click", "t.csv", "out"),
    ("--target", "click", "t.parquet", "out.ffm"),
    ("--target", "click", "t.csv", "out.parquet"),
    ("a.data", "out.csv"),
]


@pytest.mark.parametrize("by", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("arguments", WORK, ids=" ".join)
def test_what_was_killed_goes_on(
    arguments: tuple[str, ...], by: str, here: Path, starts: list[Position],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import gzip

    DATA.save("a.data")
    Path("a.ffm.gz").write_bytes(gzip.compress(Path("a.ffm").read_bytes()))
    write_ffm(here / "b.ffm", DATA[::-1])
    monkeypatch.setattr("pyfm.encode.tables.BATCH_ROWS", 100)
    before = sorted(os.listdir())
    out = arguments[-1]
    done = killed(by, *arguments)
    if by == "SIGINT":
        assert done.returncode == 130
        assert "pyfm: what is done is kept: the same command goes on there" in done.stderr
    else:
        assert done.returncode == -signal.SIGKILL
    assert sorted(os.listdir()) == sorted([f".{out}.convert", *before])
    succeed("convert", *arguments)
    assert starts[-1] != Position()
    assert sorted(os.listdir()) == sorted([out, *before])
    succeed("convert", *arguments[:-1], f"whole{Path(out).suffix}")
    assert starts[-1] == Position()
    if Path(out).suffix:
        assert Path(out).read_bytes() == Path(f"whole{Path(out).suffix}").read_bytes()
    else:
        assert buffers(Dataset.open(out)) == buffers(Dataset.open("whole"))


def test_other_work_begins_anew(here: Path, starts: list[Position]) -> None:
    killed("SIGKILL", "a.ffm", "out")
    succeed("convert", "--to", "libffm", "a.ffm", "out")
    assert starts == [Position()]
    assert Path("out").read_text() == Path("a.ffm").read_text()
    killed("SIGKILL", "a.ffm", "new")
    text = Path("a.ffm").read_text()
    Path("a.ffm").write_text("1 0:1:1\n" + text)  # another file now
    succeed("convert", "a.ffm", "new")
    assert starts[-1] == Position()
    assert len(Dataset.open("new")) == len(DATA) + 1
    assert not [name for name in os.listdir() if name.startswith(".")]


def test_one_process_at_a_time(here: Path) -> None:
    with claimed(str(here / "out"), "convert", waits=False):
        done = pyfm_process("convert", "a.ffm", "out")
    assert done.returncode == 1
    assert done.stderr.endswith("out: another process is making this file\n")
    succeed("convert", "a.ffm", "out")
    assert not [name for name in os.listdir() if name.startswith(".")]


@pytest.mark.parametrize("out", ["out", "out.ffm", "out.csv", "out.parquet"])
@pytest.mark.parametrize("limit", [2000, 30_000])
def test_a_full_disk(out: str, limit: int, here: Path) -> None:
    pytest.importorskip("resource", reason="needs limits of resources")
    code = (
        "import resource, signal, sys; from pyfm.cli import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))\n"
        "main(sys.argv[1:])"
    )
    before = sorted(os.listdir())
    done = subprocess.run(
        [sys.executable, "-c", code, "convert", "--quiet", "a.ffm", out],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == f"pyfm: error: {here / out}: {os.strerror(errno.EFBIG)}\n"
    assert sorted(os.listdir()) == before


def _told(stream: DataStream) -> list[Any]:
    """What a conversion says of its progress."""
    told: list[Any] = []
    conversion.convert(
        stream, "out", "binary",
        on_start=lambda *start: told.append(start), on_progress=told.append,
    )  # fmt: skip
    return told


def test_progress(here: Path) -> None:
    """Bytes of text and CSV, rows of Parquet, the pass of the encoder included."""
    sizes = {"a.ffm": os.path.getsize("a.ffm"), "t.csv": 2 * os.path.getsize("t.csv"),
             "t.parquet": 2 * len(TABLE)}  # fmt: skip
    for name, size in sizes.items():
        encoder = None if name == "a.ffm" else pyfm.FieldEncoder(target="click")
        start, *steps = _told(Dataset.stream(name, encoder=encoder))
        assert start == (size, 0, "rows" if name == "t.parquet" else "B")
        assert sum(steps) == size
    done = pyfm_process("convert", "a.ffm", "out")
    assert "100%|" in done.stderr
