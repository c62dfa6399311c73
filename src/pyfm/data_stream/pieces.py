"""The rows of files as data sets of bounded size, in the order of the files."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Position:
    """Where reading goes on."""

    file: int = 0  # its number
    at: int = 0  # bytes of its text; rows of a data file, and of all tables together
    n_lines: int = 0  # of the text before


Pieces = Iterator[tuple[Dataset, Position]]


def read_pieces(reading: Reading, start: Position) -> Pieces:
    """Rows of text and data files, and where they end; those of tables are read by `tables.py`.

    Raises
    ------
    FormatError
        Names the file, and line and column of text; also of files without rows.
    """
    read = _binary if reading.source.format == BINARY else _text
    for number, path in enumerate(reading.source.files):
        if number >= start.file:
            yield from read(path, reading, start if number == start.file else Position(number))


def _text(path: str, reading: Reading, start: Position) -> Pieces:
    text_format: Any = reading.source.format
    shown = path.encode(errors="backslashreplace").decode()  # names need not be UTF-8
    threads = min(reading.n_threads or 0, MAX_THREADS)
    reader = _core.TextReader(name=shown, format=text_format, n_threads=threads)
    reader.skip_lines(start.n_lines)
    at, is_empty = start.at, start.at == 0

    def piece() -> tuple[Dataset, Position]:
        rows = reader.take()
        if reading.fields is not None:
            rows = with_fields(rows, reading.fields)
        return Dataset(rows), Position(start.file, at - reader.n_pending, reader.n_lines)

    for block in open_blocks(path, start.at, reading.on_bytes):
        reader.feed(block)
        at += len(block)
        if reader.n_rows >= ROWS:
            is_empty = False
            yield piece()
    reader.end_text()
    if reader.n_rows:
        yield piece()
    elif is_empty:
        reader.finish()  # which says what was expected


def _binary(path: str, reading: Reading, start: Position) -> Pieces:
    with BlockReader(path) as reader:
        at = 0
        for rows in reader.verified(ROWS):  # all of them, for the checksums
            at += rows.n_rows
            if reading.on_bytes is not None:
                reading.on_bytes(rows.nbytes)
            if at > start.at:
                kept = rows.slice(max(start.at - at + rows.n_rows, 0), rows.n_rows)
                yield Dataset(kept, encoder=reader.encoder), Position(start.file, at)


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
