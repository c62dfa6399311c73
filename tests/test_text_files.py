"""Text files: formats, archives, pipes, and paths that cannot be read."""

from __future__ import annotations

import gzip
import lzma
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from rows import libffm_text, read, rows_of

from pyfm._core import FormatError, TextReader
from pyfm.dataset import Dataset


def test_libsvm_fields(tmp_path: Path) -> None:
    path = tmp_path / "rows.svm"
    path.write_bytes(b"1 3:1 7:1\n-1 4:1 6:0.5\n")
    assert Dataset.from_libsvm(path).n_fields == 1
    by_position = Dataset.from_libsvm(str(path), fields="position")
    assert by_position.layout == "one_per_field"
    assert rows_of(by_position)[1] == (-1.0, [(0, 4, 1.0), (1, 6, 0.5)])
    by_feature = Dataset.from_libsvm(path, fields=[0] * 5 + [2] * 5)
    assert (by_feature.n_features, by_feature.n_fields) == (10, 3)
    assert rows_of(by_feature)[1] == (-1.0, [(0, 4, 1.0), (2, 6, 0.5)])
    with pytest.raises(
        ValueError, match=r"fields: expected one field id per column \(8\), found 7"
    ):
        Dataset.from_libsvm(path, fields=[0] * 7)
    with pytest.raises(ValueError, match="fields: expected 'position'"):
        Dataset.from_libsvm(path, fields="columns")
    path.write_bytes(b"1 3:1 7:1\n0 5:1")
    assert rows_of(Dataset.from_libsvm(path, fields="position"))[1] == (0.0, [(0, 5, 1.0)])


ARCHIVES: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize(("ending", "compress"), ARCHIVES.items(), ids=ARCHIVES)
def test_archives(ending: str, compress: Any, tmp_path: Path) -> None:
    path = tmp_path / f"rows.ffm{ending}"
    text = libffm_text(3000)
    archive = compress(text)
    path.write_bytes(archive)
    expected = read(text).core.features
    assert np.array_equal(Dataset.from_libffm(path).core.features, expected)
    path.write_bytes(archive + compress(text))  # archives may be concatenated
    assert np.array_equal(Dataset.from_libffm(path).core.features, np.tile(expected, 2))

    for bad in (archive[:-1], archive[: len(archive) // 2], archive[:5], b"no archive"):
        path.write_bytes(bad)
        with pytest.raises(FormatError, match=rf"rows\.ffm{ending}: expected a complete {ending}"):
            Dataset.from_libffm(path)
    # Damage inside may go unnoticed until the text makes no sense.
    path.write_bytes(archive[:60] + bytes(64) + archive[124:])
    with pytest.raises(FormatError, match=rf"rows\.ffm{ending}:"):
        Dataset.from_libffm(path)


def test_missing_and_unreadable_paths(tmp_path: Path) -> None:
    for ending in ("", ".gz", ".xz", ".zst"):
        missing = tmp_path / f"missing{ending}"
        with pytest.raises(FileNotFoundError) as error:
            Dataset.from_libffm(missing)
        assert error.value.filename == str(missing)
        folder = tmp_path / f"folder{ending}"
        folder.mkdir()
        with pytest.raises(IsADirectoryError):
            Dataset.from_libffm(folder)
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(FormatError, match=r"empty:1:1: expected at least one row"):
        Dataset.from_libffm(empty)


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    text = libffm_text(10)
    for ending, compress in ({"": bytes} | ARCHIVES).items():
        path = tmp_path / f"caf\udce9{ending}"
        path.write_bytes(compress(text))
        assert Dataset.from_libffm(path).n_rows == 10
        path.write_bytes(compress(b"yes\n"))
        with pytest.raises(FormatError, match=rf"caf\\udce9{ending}:1:1: expected a label"):
            Dataset.from_libffm(path)


def test_a_pipe(tmp_path: Path) -> None:
    text = libffm_text(20_000)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(text,))
    writer.start()
    data = Dataset.from_libffm(pipe)
    writer.join()
    assert np.array_equal(data.core.features, read(text).core.features)


def test_a_file_that_fills_its_last_page(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_bytes(b"#" * (65536 - 8) + b"\n1 0:7:1")
    assert rows_of(Dataset.from_libffm(path)) == [(1.0, [(0, 7, 1.0)])]


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="n_threads: expected a number >= 1, or None, found 0"):
        Dataset.from_libffm(tmp_path, n_threads=0)
    with pytest.raises(ValueError, match="format: expected 'libffm' or 'libsvm', found 'csv'"):
        TextReader(name="text", format="csv", n_threads=1)  # type: ignore[arg-type]
