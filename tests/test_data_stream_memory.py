"""Files that are larger than the memory that a process may have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from data_streams import DATA, write_ffm

# Everything that a fit needs is loaded and has run once before memory is limited: what is left then
# is for rows alone.
PROGRAM = """
import resource, sys
import numpy as np
import pyfm

def address_space():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

kind, small, large, extra = sys.argv[1:]
if kind == "held":
    def rows(path):
        return pyfm.Dataset.from_libffm(path, n_threads=1)
else:
    def rows(path):
        return pyfm.Dataset.stream(path, window=1 << 13, n_threads=1)
def run(path):
    model = pyfm.FMClassifier(epochs=2, random_state=0)
    if kind == "partial_fit":
        return model.partial_fit(rows(path)), rows(path)
    X = rows(path)
    return model.fit(X), X
run(small)
limit = address_space() + int(extra)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    model, X = run(large)
    print(len(model.predict(X)))
except (MemoryError, OSError) as error:
    print(type(error).__name__)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small file, and one of some 120 MB."""
    folder = tmp_path_factory.mktemp("files")
    small = write_ffm(folder / "small.ffm")
    text = small.read_bytes()
    with open(folder / "large.ffm", "wb") as large:
        for _ in range(1 + (120 << 20) // len(text)):
            large.write(text)
    return small, folder / "large.ffm"


def run(kind: str, files: tuple[Path, Path], extra: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, *map(str, files), str(extra)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


EXTRA = 64 << 20


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
@pytest.mark.parametrize("kind", ["fit", "partial_fit"])
def test_a_file_larger_than_memory(kind: str, files: tuple[Path, Path]) -> None:
    n_rows = len(DATA) * (os.path.getsize(files[1]) // os.path.getsize(files[0]))
    assert os.path.getsize(files[1]) > 1.8 * EXTRA
    assert run(kind, files, EXTRA) == str(n_rows)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
def test_the_limit_is_one(files: tuple[Path, Path]) -> None:
    """In memory the same does not fit."""
    assert run("held", files, EXTRA) in ("MemoryError", "OSError")
