"""The rows of files as data sets of bounded size, in the order of the files."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pyfm import _core
from pyfm.checks import MAX_THREADS
from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream.sources import BINARY, Source
from pyfm.dataset.compression import open_blocks
from pyfm.dataset.dataset import Dataset
from pyfm.dataset.joining import join
from pyfm.dataset.text import with_fields

ROWS = 1 << 16  # of a piece, about


@dataclass(frozen=True)
class Reading:
    """How files are read."""

    source: Source
    fields: Any = None  # of libsvm, as Dataset.from_libsvm takes them
    n_threads: int | None = None
    on_bytes: Callable[[int], object] | None = None  # is told of what was read, now and then


def read_pieces(reading: Reading) -> Iterator[Dataset]:
    """Rows of text and data files; those of tables are read by `tables.py`.

    Raises
    ------
    FormatError
        Names the file, and line and column of text; also of files without rows.
    """
    for path in reading.source.files:
        if reading.source.format == BINARY:
            yield from _binary(path, reading)
        else:
            yield from map(Dataset, _text(path, reading))


def _text(path: str, reading: Reading) -> Iterator[_core.Dataset]:
    text_format: Any = reading.source.format
    shown = path.encode(errors="backslashreplace").decode()  # names need not be UTF-8
    threads = min(reading.n_threads or 0, MAX_THREADS)
    reader = _core.TextReader(name=shown, format=text_format, n_threads=threads)
    is_empty = True
    size, told = os.path.getsize(path), 0
    for block in open_blocks(path):
        reader.feed(block)
        if reading.on_bytes is not None and len(block) <= size - told:  # of archives about
            reading.on_bytes(len(block))
            told += len(block)
        if reader.n_rows >= ROWS:
            is_empty = False
            yield _libsvm(reader.take(), reading)
    reader.end_text()
    if reader.n_rows or is_empty:
        rows = reader.take() if reader.n_rows else reader.finish()  # which says what was expected
        yield _libsvm(rows, reading)
    if reading.on_bytes is not None:
        reading.on_bytes(size - told)


def _libsvm(rows: _core.Dataset, reading: Reading) -> _core.Dataset:
    return rows if reading.fields is None else with_fields(rows, reading.fields)


def _binary(path: str, reading: Reading) -> Iterator[Dataset]:
    with BlockReader(path) as reader:
        for rows in reader.verified(ROWS):
            yield Dataset(rows, encoder=reader.encoder)
            if reading.on_bytes is not None:
                reading.on_bytes(rows.nbytes)


def cut(
    pieces: Iterable[_core.Dataset], n: int, total: int | None = None
) -> Iterator[_core.Dataset]:
    """The same rows, n at a time, the rest at the end.

    With the number of all, the last row is not left alone: batches may need two (see
    train/batch_trainer.cpp).
    """
    held: deque[_core.Dataset] = deque()
    n_held = n_given = 0
    for piece in pieces:
        held.append(piece)
        n_held += piece.n_rows
        while n_held >= (size := n + (total is not None and total - n_given == n + 1)):
            yield _take(held, size)
            n_held -= size
            n_given += size
    if n_held:
        yield _take(held, n_held)


def cut_datasets(pieces: Iterable[Dataset], n: int) -> Iterator[Dataset]:
    """The same of pieces whose encoders grow; each data set has the last one of its rows."""
    encoder = None

    def cores() -> Iterator[_core.Dataset]:
        nonlocal encoder
        for piece in pieces:
            encoder = piece.encoder
            yield piece.core

    for rows in cut(cores(), n):
        yield Dataset(rows, encoder=encoder)


def _take(held: deque[_core.Dataset], n: int) -> _core.Dataset:
    """The first n rows, which are held no longer."""
    parts: list[_core.Dataset] = []
    while n:
        part = held.popleft()
        if part.n_rows > n:
            held.appendleft(part.slice(n, part.n_rows))
            part = part.slice(0, n)
        n -= part.n_rows
        parts.append(part)
    return join(parts)
