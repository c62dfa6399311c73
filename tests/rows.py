"""Data sets and their rows, spelled out, for the tests of the data path."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np

from pyfm._core import TextReader
from pyfm.dataset import Dataset

Entry = tuple[int, int, float]
Format = Literal["libffm", "libsvm"]


def entries_of(data: Dataset) -> list[list[Entry]]:
    """Every row as (field, feature, value), with nothing implied."""
    core = data.core
    indptr = core.indptr
    if indptr is None:
        indptr = np.arange(data.n_rows + 1) * data.n_fields
    fields = core.fields
    if fields is None:
        in_order = np.arange(data.nnz) % max(data.n_fields, 1)
        fields = (in_order if core.indptr is None else np.zeros(data.nnz)).astype(np.uint16)
    values = np.ones(data.nnz, np.float32) if core.values is None else core.values
    entries = list(zip(fields.tolist(), core.features.tolist(), values.tolist(), strict=True))
    return [entries[a:b] for a, b in pairwise(indptr)]


def rows_of(data: Dataset) -> list[tuple[float, list[Entry]]]:
    """Every row as (y, entries)."""
    assert data.y is not None
    return list(zip(data.y.tolist(), entries_of(data), strict=True))


def read(text: bytes, text_format: Format = "libffm", n_threads: int = 1, cut: int = 0) -> Dataset:
    """The text, fed in two blocks."""
    reader = TextReader(name="text", format=text_format, n_threads=n_threads)
    for block in (text[:cut], text[cut:]):
        reader.feed(block)
    return Dataset(reader.finish())


def libffm_text(n_rows: int) -> bytes:
    """Rows with one feature for each of six fields, of ids of any length."""
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 10 ** rng.integers(1, 9, (n_rows, 6)))
    y = rng.integers(0, 2, n_rows)
    lines = (
        f"{label} " + " ".join(f"{f}:{j}:1" for f, j in enumerate(row)) + "\n"
        for label, row in zip(y.tolist(), ids.tolist(), strict=True)
    )
    return "".join(lines).encode()
