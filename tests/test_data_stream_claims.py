"""One cache, several processes and threads: one of them writes it, the others wait and read it."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_streams import DATA, assert_same_model, write_ffm
from shell import program

import pyfm
from pyfm import Dataset
from pyfm.data_stream import fingerprint
from pyfm.data_stream.cache import write_cache
from pyfm.data_stream.claim import claimed, remove

# Fits, and says whether it wrote the cache; the first pass waits for a signal if it is told to.
PROGRAM = """
import os, sys
import pyfm, pyfm.data_stream.stream as stream
path, cache, waits = sys.argv[1:]
write, wrote = stream.write_cache, []
def spy(path, folder, wanted, source, pieces, encoder):
    wrote.append(path)
    def slow():
        for piece in pieces:
            yield piece
            print("writing", flush=True)
            if int(waits):
                sys.stdin.readline()
    write(path, folder, wanted, source, slow(), encoder)
stream.write_cache = spy
model = pyfm.FMClassifier(epochs=2, random_state=0).fit(pyfm.Dataset.stream(path, cache=cache))
print(len(wrote), float(abs(model.coef_).sum()), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_ffm(tmp_path / "rows.ffm")


def start(path: Path, *, waits: bool = False) -> subprocess.Popen[str]:
    cache = path.parent / "cache"
    return subprocess.Popen(
        program(PROGRAM, str(path), str(cache), str(int(waits))),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip


def fit(path: Path) -> Any:
    stream = Dataset.stream(path, cache=path.parent / "cache")
    return pyfm.FMClassifier(epochs=2, random_state=0).fit(stream)


@pytest.fixture
def expected() -> Any:
    return pyfm.FMClassifier(epochs=2, random_state=0).fit(DATA)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_the_others_wait_and_read_it(path: Path, expected: Any) -> None:
    first = start(path, waits=True)
    assert line(first) == "writing"
    others = [start(path) for _ in range(2)]
    folder = path.parent / ".cache.writing"
    time.sleep(1)  # they may come too late to wait; what they do is the same
    assert sorted(os.listdir(path.parent)) == [".cache.writing", "rows.ffm"]
    assert sorted(os.listdir(folder)) == ["lock", "sections"]
    out, _ = first.communicate("\n", timeout=120)
    found = [out.split(), *(other.communicate(timeout=120)[0].split() for other in others)]
    assert [words[0] for words in found] == ["1", "0", "0"]
    assert {float(words[1]) for words in found} == {float(abs(expected.coef_).sum())}
    assert sorted(os.listdir(path.parent)) == ["cache", "rows.ffm"]


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT])
def test_what_a_killed_process_leaves_is_taken_over(by: int, path: Path, expected: Any) -> None:
    killed = start(path, waits=True)
    assert line(killed) == "writing"
    other = start(path)
    killed.send_signal(by)
    killed.communicate(timeout=120)
    assert killed.returncode != 0
    out, _ = other.communicate(timeout=120)
    assert out.split() == ["writing", "1", str(float(abs(expected.coef_).sum()))]
    assert sorted(os.listdir(path.parent)) == ["cache", "rows.ffm"]


def test_what_was_killed_long_ago(path: Path, expected: Any) -> None:
    folder = path.parent / ".cache.writing"
    (folder / "sections").mkdir(parents=True)
    for name in ("lock", "sections/features", "sections/values", "sections/whole"):
        (folder / name).write_text("half-written")
    assert_same_model(fit(path), expected)
    assert sorted(os.listdir(path.parent)) == ["cache", "rows.ffm"]


def test_threads(path: Path, expected: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    def spy(path: str, *given: Any) -> None:
        written.append(path)
        write_cache(path, *given)

    monkeypatch.setattr("pyfm.data_stream.stream.write_cache", spy)
    models: list[Any] = []
    threads = [threading.Thread(target=lambda: models.append(fit(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(written) == 1
    assert len(models) == 4
    for model in models:
        assert_same_model(model, expected)


def waits_for_a_lock(process: subprocess.Popen[str]) -> bool:
    """As the system lists it; False if it does not come to that in a minute."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        with open("/proc/locks") as file:
            if any("->" in line and f" {process.pid} " in line for line in file):
                return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="needs Linux")
def test_ctrl_c_ends_the_waiting(path: Path) -> None:
    with claimed(str(path.parent / "cache"), "writing", waits=False) as folder:
        process = start(path)
        assert waits_for_a_lock(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        assert process.returncode != 0
        assert os.listdir(folder) == ["lock"]
        remove(folder)
    assert os.listdir(path.parent) == ["rows.ffm"]


def test_a_claim_ends_with_its_process_and_not_with_its_children(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    read, write = os.pipe()
    with claimed(path, "kind", waits=False):
        child = os.fork()
        if child == 0:  # it has the lock's file open, too
            os.close(write)
            os.read(read, 1)
            os._exit(0)
        with (
            pytest.raises(BlockingIOError, match="another process is making this file"),
            claimed(path, "kind", waits=False),
        ):
            pass
    with claimed(path, "kind", waits=False) as folder:
        remove(folder)
    os.write(write, b"x")
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)
    assert os.listdir(tmp_path) == []


def test_a_file_system_without_locks(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(OSError, match="expected a file system that can lock files, found one") as e:
        fit(path)
    assert e.value.filename == str(path.parent / "cache")
    assert not (path.parent / "cache").exists()


def test_a_change_between_the_samples(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither size, nor time, nor samples tell of it: a time that no program sets does."""
    monkeypatch.setattr(fingerprint, "_ENDS", 100)
    monkeypatch.setattr(fingerprint, "_BLOCK", 10)
    fit(path)
    state, before = os.stat(path), fingerprint.fingerprint(str(path))
    lines = path.read_text().splitlines(keepends=True)
    lines[300] = ("0" if lines[300][0] == "1" else "1") + lines[300][1:]
    path.write_text("".join(lines))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    after = fingerprint.fingerprint(str(path))
    assert {name for name in before if before[name] != after[name]} == {"changed"}
    changed = pyfm.FMClassifier(epochs=2, random_state=0).fit(Dataset.from_libffm(path))
    assert_same_model(fit(path), changed)
    y = Dataset.open(path.parent / "cache").y
    assert y is not None
    assert np.flatnonzero(y != DATA.y).tolist() == [300]
