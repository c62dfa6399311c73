"""Text files, plain or compressed, through the reader of the core."""

from __future__ import annotations

import operator
import os
from typing import Literal

import numpy as np
import numpy.typing as npt

from pyfm import _core
from pyfm.checks import MAX_THREADS
from pyfm.dataset.buffers import drop_implied, fields_of_columns
from pyfm.dataset.compression import is_compressed, open_blocks


def read_text(
    path: str | os.PathLike[str],
    text_format: Literal["libffm", "libsvm"],
    n_threads: int | None,
) -> _core.Dataset:
    if n_threads is not None and operator.index(n_threads) < 1:
        raise ValueError(f"n_threads: expected a number >= 1, or None, found {n_threads}")
    name = os.fsdecode(path)
    shown = name.encode(errors="backslashreplace").decode()  # names need not be UTF-8
    threads = min(n_threads or 0, MAX_THREADS)
    reader = _core.TextReader(name=shown, format=text_format, n_threads=threads)
    if is_compressed(name):
        for block in open_blocks(name):
            reader.feed(block)
    else:
        reader.read_file(os.fsencode(name))
    return reader.finish()


def read_libsvm(
    path: str | os.PathLike[str],
    fields: npt.ArrayLike | Literal["position"] | None,
    n_threads: int | None,
) -> _core.Dataset:
    rows = read_text(path, "libsvm", n_threads)
    return rows if fields is None else with_fields(rows, fields)


def with_fields(rows: _core.Dataset, fields: npt.ArrayLike | Literal["position"]) -> _core.Dataset:
    """Rows of libsvm in the fields that `read_libsvm` was told."""
    assert rows.indptr is not None  # the reader stores it for libsvm, see data/text_block.h
    n_features = rows.n_features
    if isinstance(fields, str):
        of_entry, n_fields = _positions(rows.indptr, fields)
    else:
        n_features = max(n_features, np.size(fields))
        of_entry, n_fields = fields_of_columns(rows.features, fields, n_features)
    indptr, of_entry = drop_implied(rows.indptr, of_entry, n_fields)
    return _core.Dataset(
        indptr=indptr,
        features=rows.features,
        fields=of_entry,
        values=rows.values,
        y=rows.y,
        weight=None,
        n_rows=rows.n_rows,
        n_features=n_features,
        n_fields=n_fields,
    )


def _positions(indptr: _core.Indices, fields: str) -> tuple[_core.FieldIds | None, int]:
    """The position of each entry in its row, and the length of the longest row."""
    if fields != "position":
        raise ValueError(f"fields: expected 'position', an array or None, found {fields!r}")
    sizes = np.diff(indptr)
    n_fields = int(sizes.max())
    if n_fields > 1 << 16:
        row = int(sizes.argmax())
        raise ValueError(
            f"row {row}: expected at most {1 << 16} entries (fields), found {n_fields}"
        )
    positions = np.arange(indptr[-1], dtype=np.int64) - np.repeat(indptr[:-1], sizes)
    return positions.astype(np.uint16), n_fields
