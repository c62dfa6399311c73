"""The file that a stream's first pass writes: when it is used, and what can go wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_streams import DATA, assert_same_model, caches_in, write_ffm
from shell import program

import pyfm
from pyfm import Dataset, FormatError
from pyfm.data_stream.cache import write_cache


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_ffm(tmp_path / "rows.ffm")


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The caches that are written."""
    written: list[str] = []

    def spy(path: str, *given: Any) -> None:
        written.append(path)
        write_cache(path, *given)

    monkeypatch.setattr("pyfm.data_stream.stream.write_cache", spy)
    return written


def fit(stream: Any, **params: Any) -> Any:
    return pyfm.FMClassifier(**{"epochs": 2, "random_state": 0} | params).fit(stream)


def test_the_first_pass_is_one(path: Path, passes: list[str]) -> None:
    stream = Dataset.stream(path)
    first = fit(stream)
    assert_same_model(fit(stream), first)
    assert_same_model(fit(Dataset.stream(str(path))), first)  # another process, maybe
    assert len(passes) == 1
    assert caches_in(path.parent) == [os.path.basename(passes[0])]
    assert os.path.basename(passes[0]).startswith("rows.ffm.")
    data = Dataset.open(passes[0])  # a data file as others are
    assert (data.core.features == DATA.core.features).all()


def test_other_parameters_have_a_cache_of_their_own(tmp_path: Path, passes: list[str]) -> None:
    (tmp_path / "a.svm").write_text("1 0:1 3:1\n0 1:1 2:1\n")
    for fields in (None, "position", [0, 0, 1, 1], [0, 1, 0, 1]):
        for _ in range(2):
            fit(Dataset.stream(tmp_path / "a.svm", fields=fields))
    fit(Dataset.stream([tmp_path / "a.svm", _copy(tmp_path / "a.svm")]))
    assert len(passes) == len(set(passes)) == 5


def _copy(path: Path) -> Path:
    return Path(shutil.copy(path, path.with_stem("copy")))


def test_window_and_order_share_it(path: Path, passes: list[str]) -> None:
    for params in ({}, {"window": 100}, {"shuffle": False}, {"n_threads": 1}):
        fit(Dataset.stream(path, **params))
    assert len(passes) == 1


@pytest.mark.parametrize("what", ["content", "time", "size", "the middle"])
def test_a_file_that_changed_is_read_again(what: str, path: Path, passes: list[str]) -> None:
    fit(Dataset.stream(path))
    state = os.stat(path)
    if what == "time":
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    elif what == "size":
        path.write_text(path.read_text() + "1 0:3:1\n")
    else:
        text = bytearray(path.read_bytes())
        at = text.index(b" ", len(text) // 2 if what == "the middle" else 0) - 1
        text[at] ^= 1  # a label
        path.write_bytes(text)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    fit(Dataset.stream(path))
    assert len(passes) == 2
    assert passes[0] == passes[1]
    assert len(caches_in(path.parent)) == 1


def test_the_sample_of_large_files(tmp_path: Path) -> None:
    """Both ends, and blocks in between."""
    from pyfm.data_stream.fingerprint import fingerprint

    path = tmp_path / "large"
    content = np.random.default_rng(0).integers(0, 256, 1 << 20, np.uint8)
    content.tofile(path)
    before = fingerprint(str(path))["sample"]
    size = len(content)
    step = size / 63
    for at in (0, 65535, size - 1, size - 65536, int(step * 20), int(step * 40) + 4095):
        changed = content.copy()
        changed[at] ^= 1
        changed.tofile(path)
        assert fingerprint(str(path))["sample"] != before
    content.tofile(path)
    assert fingerprint(str(path))["sample"] == before


def test_a_cache_of_other_files_is_refused(path: Path, tmp_path: Path) -> None:
    other = write_ffm(tmp_path / "other.ffm", DATA[:100])
    cache = tmp_path / "cache"
    fit(Dataset.stream(path, cache=cache))
    content = cache.read_bytes()
    with pytest.raises(ValueError, match=r"cache belongs to .*rows\.ffm: give another name"):
        fit(Dataset.stream(other, cache=cache))
    with pytest.raises(ValueError, match=r"cache: expected one of 2 files, .*rows\.ffm the first"):
        fit(Dataset.stream([path, other], cache=cache))
    assert cache.read_bytes() == content


def test_a_cache_of_other_parameters_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.svm").write_text("1 0:1 3:1\n0 1:1 2:1\n")
    cache = tmp_path / "cache"
    fit(Dataset.stream(tmp_path / "a.svm", cache=cache))
    with pytest.raises(ValueError, match=r"was made with another fields: give another name"):
        fit(Dataset.stream(tmp_path / "a.svm", fields="position", cache=cache))


def test_other_files_are_not_replaced(path: Path, tmp_path: Path) -> None:
    DATA[:5].save(tmp_path / "saved")
    (tmp_path / "text").write_text("mine")
    for name, found in (("saved", "a saved data set"), ("text", "another file")):
        before = (tmp_path / name).read_bytes()
        with pytest.raises(ValueError, match=rf"cache: expected the name of .*, found .*{found}"):
            fit(Dataset.stream(path, cache=tmp_path / name))
        assert (tmp_path / name).read_bytes() == before
    with pytest.raises(ValueError, match="another file"):  # the source itself
        fit(Dataset.stream(path, cache=path))
    for folder, error in ((tmp_path, ValueError), (tmp_path / "none" / "c", FileNotFoundError)):
        with pytest.raises(error):
            fit(Dataset.stream(path, cache=folder))
    assert sorted(os.listdir(tmp_path)) == ["rows.ffm", "saved", "text"]


@pytest.mark.parametrize("damage", ["cut", "cut in the header", "a bit", "longer"])
def test_a_damaged_cache_is_named(damage: str, path: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    fit(Dataset.stream(path, cache=cache))
    content = bytearray(cache.read_bytes())
    if damage == "a bit":
        content[-100] ^= 1
    else:
        content = {"cut": content[:-64], "longer": content + b"x"}.get(damage, content[:300])
    cache.write_bytes(content)
    with pytest.raises(FormatError, match=r"cache: "):
        fit(Dataset.stream(path, cache=cache))


def test_a_file_that_changes_while_it_is_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Dataset.stream(path)
    pieces = stream.pieces

    def changing(**given: Any) -> Any:
        yield from pieces(**given)
        path.write_text(path.read_text() + "1 0:3:1\n")

    monkeypatch.setattr(stream, "pieces", changing)
    with pytest.raises(ValueError, match=r"rows\.ffm: expected a file that stays as it is while"):
        fit(stream)
    assert os.listdir(path.parent) == ["rows.ffm"]


def test_a_source_that_changes_between_epochs(path: Path, tmp_path: Path) -> None:
    """Training goes on with what the first pass read; a data file is the source itself."""
    expected = fit(Dataset.stream(path), epochs=3)

    def change(env: Any) -> None:
        write_ffm(path, DATA[:50])

    changed = pyfm.FMClassifier(epochs=3, random_state=0).fit(
        Dataset.stream(path), callbacks=[change]
    )
    assert_same_model(changed, expected)
    DATA.save(tmp_path / "data")

    def change_in_place(env: Any) -> None:
        with open(tmp_path / "data", "r+b") as file:
            file.seek(-1, os.SEEK_END)
            file.write(b"\1")

    model = pyfm.FMClassifier(epochs=3, random_state=0)
    with pytest.raises(ValueError, match=r"data: expected the file that was opened, found that it"):
        model.fit(Dataset.stream(tmp_path / "data"), callbacks=[change_in_place])
    assert model.n_iter_ == 1
    DATA.save(tmp_path / "data")

    def replace(env: Any) -> None:
        DATA[:50].save(tmp_path / "data")

    replaced = pyfm.FMClassifier(epochs=3, random_state=0).fit(
        Dataset.stream(tmp_path / "data"), callbacks=[replace]
    )
    assert_same_model(replaced, expected)


def test_ctrl_c_in_the_first_pass(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Dataset.stream(path)

    def long(**given: Any) -> Any:
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        for _ in range(1000):  # 40 MB, if nobody hears
            time.sleep(0.01)
            yield DATA

    monkeypatch.setattr(stream, "pieces", long)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        fit(stream)
    assert os.listdir(path.parent) == ["rows.ffm"]
    assert not [t for t in threading.enumerate() if t.name == "pyfm-reader"], before


IN_A_PROCESS = """
import resource, sys
import pyfm
path, cache, limit = sys.argv[1:]
if int(limit):
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
try:
    model = pyfm.FMClassifier(epochs=2, random_state=0).fit(
        pyfm.Dataset.stream(path, cache=cache)
    )
except OSError as error:
    print(type(error).__name__, error.errno, error.filename)
else:
    print(repr(float(abs(model.coef_).sum())))
"""


def start(path: Path, cache: Path, limit: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        program(IN_A_PROCESS, str(path), str(cache), str(limit)),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("limit", [4096, 20_000, 32_100])
def test_a_full_disk(limit: int, path: Path, tmp_path: Path) -> None:
    """In the first section, at its end, and where the sections are put together."""
    pytest.importorskip("resource", reason="needs limits of resources")
    import errno

    cache = tmp_path / "cache"
    fit(Dataset.stream(path, cache=cache))
    assert os.path.getsize(cache) > 32_100
    before = cache.read_bytes()
    path.write_text(path.read_text() + "1 0:1:1 1:40:1 2:70:1 3:100:1\n")
    out, err = start(path, cache, limit).communicate(timeout=120)
    assert not err
    assert out == f"OSError {errno.EFBIG} {cache}\n"
    assert sorted(os.listdir(tmp_path)) == ["cache", "rows.ffm"]
    assert cache.read_bytes() == before


def test_a_folder_that_cannot_be_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    message = r"Permission denied: name a file for the cache that can be written, cache=: '.*cache'"
    with pytest.raises(PermissionError, match=message):
        fit(Dataset.stream(path))


def test_a_reader_is_closed(path: Path, tmp_path: Path) -> None:
    fit(Dataset.stream(path, cache=tmp_path / "cache"))
    with Dataset.stream(path, cache=tmp_path / "cache").open() as reader:
        assert len(reader.read(0, 5).features) == 20
    with pytest.raises(OSError, match="Bad file descriptor"):
        reader.read(0, 5)
