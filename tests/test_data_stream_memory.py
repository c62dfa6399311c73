"""Files that are larger than the memory that a process may have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from data_streams import DATA, write_ffm

import pyfm
from pyfm.data_file.appending import Appender

# Everything that a fit needs is loaded and has run once before memory is limited: what is left then
# is for rows alone.
PROGRAM = """
import resource, sys
import numpy as np
import pyfm

def address_space():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

kind, small, large, extra, n_rows = sys.argv[1:]
def limit_to(n_bytes):
    resource.setrlimit(resource.RLIMIT_AS, (n_bytes, resource.RLIM_INFINITY))
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
    if kind == "eval_set":
        return model.fit(rows(small), eval_set=X), X
    if kind == "apart":
        model.set_params(early_stopping=True, validation_fraction=0.3)
    return model.fit(X), X
run(small)
limit = address_space() + int(extra)
limit_to(limit)
try:
    model, X = run(large)
    model.decision_function(X)  # 4 bytes a row
    limit_to(limit + 8 * int(n_rows))  # what is asked for has to be in memory: a label for each
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


def run(kind: str, files: tuple[Path, Path], extra: int, n_rows: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, kind, *map(str, files), str(extra), str(n_rows)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


EXTRA = 64 << 20
EVALUATION_EXTRA = 96 << 20


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
@pytest.mark.parametrize("kind", ["fit", "partial_fit"])
def test_a_file_larger_than_memory(kind: str, files: tuple[Path, Path]) -> None:
    n_rows = len(DATA) * (os.path.getsize(files[1]) // os.path.getsize(files[0]))
    assert os.path.getsize(files[1]) > 1.8 * EXTRA
    assert run(kind, files, EXTRA, n_rows) == str(n_rows)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
def test_the_limit_is_one(files: tuple[Path, Path]) -> None:
    """In memory the same does not fit."""
    assert run("held", files, EXTRA, 0) in ("MemoryError", "OSError")


@pytest.fixture(scope="module")
def wide_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Data files of 40 fields, the large one of 200 MB; their rows are evaluated on, too."""
    folder = tmp_path_factory.mktemp("wide")
    data, _ = pyfm.datasets.make_ctr(3000, n_fields=40, n_features=4000, random_state=0)
    data.save(folder / "small")
    with Appender(str(folder / "large")) as rows:
        for _ in range(400):
            rows.add(data.core)
        rows.finish(None)
    return folder / "small", folder / "large"


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
@pytest.mark.parametrize("kind", ["fit", "eval_set", "apart"])
def test_evaluation(kind: str, wide_files: tuple[Path, Path]) -> None:
    """Targets and predictions are in memory, some 24 bytes a row, and three pieces of 10 MB."""
    assert os.path.getsize(wide_files[1]) > 1.9 * EVALUATION_EXTRA
    n_rows = 400 * 3000
    assert run(kind, wide_files, EVALUATION_EXTRA, n_rows) == str(n_rows)


ENCODING = """
import resource, sys
import pyfm

def address_space():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

kind, small, large, extra = sys.argv[1:]
encoder = pyfm.FieldEncoder(target="y").fit(small)
def run(path):
    if kind == "whole":
        return len(encoder.transform(path))
    return sum(len(part) for part in pyfm.Dataset.stream(path, encoder=encoder))
run(small)
limit = address_space() + int(extra)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    print(run(large))
except (MemoryError, pyfm.FormatError):
    print("MemoryError")
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """As many rows as take 256 MB of ids, and a tenth of them."""
    folder = tmp_path_factory.mktemp("tables")
    rows = np.arange(100_000)
    group = pa.table({f"c{i}": rows % (50 + i) for i in range(8)} | {"y": rows % 2})
    for name, n_groups in (("small", 8), ("large", 80)):
        with pq.ParquetWriter(folder / f"{name}.parquet", group.schema) as file:
            for _ in range(n_groups):
                file.write_table(group)
    return folder / "small.parquet", folder / "large.parquet"


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
@pytest.mark.parametrize(("kind", "expected"), [("pieces", "8000000"), ("whole", "MemoryError")])
def test_encoding_in_pieces(kind: str, expected: str, tables: tuple[Path, Path]) -> None:
    """More ids than there is memory, a piece at a time; all at once do not fit."""
    done = subprocess.run(
        [sys.executable, "-c", ENCODING, kind, *map(str, tables), str(160 << 20)],
        capture_output=True, text=True, check=False, timeout=300,
        env=os.environ | {
            "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2",
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == expected
