"""Raw Criteo lines to tokens, a block of text at a time, by array operations.

A line holds a label, 13 integers and 26 hashed categories of 8 hexadecimal digits, separated by
tabs; an empty column is a missing value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from pyfm._core import FormatError
from pyfm.dataset.compression import open_blocks

N_INTEGERS = 13
N_CATEGORIES = 26
N_FIELDS = N_INTEGERS + N_CATEGORIES

# The token of an empty column, below all others.
MISSING = np.int64(-(1 << 62))

_HEX_DIGITS = 8
_MAX_INTEGER_DIGITS = 15
_BYTES_PER_CHUNK = 4 << 20


class Tokens(NamedTuple):
    """Labels, float32 of shape (n_rows,), and tokens, int64 of shape (N_FIELDS, n_rows)."""

    y: NDArray[np.float32]
    tokens: NDArray[np.int64]


class _Chunk(NamedTuple):
    """Whole lines, and where each column of each line begins and ends, shape (n_rows, 40)."""

    path: str
    text: NDArray[np.uint8]
    first_line: int
    begin: NDArray[np.int64]
    end: NDArray[np.int64]

    def fail(self, row: int, column: int, expected: str) -> NoReturn:
        begin, end = self.begin[row, column], self.end[row, column]
        found = bytes(self.text[begin : min(end, begin + 24)]).decode("ascii", "backslashreplace")
        raise FormatError(
            f"{self.path}:{self.first_line + row}:{begin - self.begin[row, 0] + 1}: "
            f"expected {expected}, found {found!r}"
        )


def read_tokens(path: str) -> Iterator[Tokens]:
    """The lines of a file, plain or compressed, in chunks."""
    line = 1
    for text in _whole_lines(path):
        chunk = _cut(path, np.frombuffer(text, np.uint8), line)
        yield Tokens(_labels(chunk), np.vstack([*_integers(chunk), *_categories(chunk)]))
        line += len(chunk.begin)
    if line == 1:
        raise FormatError(f"{path}:1:1: expected at least one line, found none")


def _whole_lines(path: str) -> Iterator[bytes]:
    rest = b""
    for block in open_blocks(path):
        rest += block
        if len(rest) < _BYTES_PER_CHUNK:
            continue
        end = rest.rfind(b"\n") + 1
        if end:
            yield _unix(rest[:end])
            rest = rest[end:]
    if rest:
        yield _unix(rest if rest.endswith(b"\n") else rest + b"\n")


def _unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n") if b"\r" in text else text


def _cut(path: str, text: NDArray[np.uint8], first_line: int) -> _Chunk:
    line_ends = np.flatnonzero(text == ord("\n"))
    ends = np.flatnonzero((text == ord("\n")) | (text == ord("\t")))
    starts = np.concatenate([[0], line_ends[:-1] + 1])
    columns = np.diff(np.searchsorted(ends, line_ends, side="right"), prepend=0)
    wrong = np.flatnonzero(columns != N_FIELDS + 1)
    if wrong.size:
        row = int(wrong[0])
        length = int(line_ends[row] - starts[row])
        raise FormatError(
            f"{path}:{first_line + row}:{length + 1}: expected {N_FIELDS + 1} columns separated "
            f"by tabs (a label, {N_INTEGERS} integers, {N_CATEGORIES} categories), "
            f"found {columns[row]}"
        )
    end = ends.reshape(-1, N_FIELDS + 1)
    begin = np.empty_like(end)
    begin[:, 0] = starts
    begin[:, 1:] = end[:, :-1] + 1
    return _Chunk(path, text, first_line, begin, end)


def _labels(chunk: _Chunk) -> NDArray[np.float32]:
    label = chunk.text[chunk.begin[:, 0]]
    one_byte = chunk.end[:, 0] - chunk.begin[:, 0] == 1
    wrong = np.flatnonzero(~(one_byte & ((label == ord("0")) | (label == ord("1")))))
    if wrong.size:
        chunk.fail(int(wrong[0]), 0, "a label, 0 or 1")
    return np.asarray(label == ord("1"), np.float32)


def _integers(chunk: _Chunk) -> Iterator[NDArray[np.int64]]:
    for column in range(1, N_INTEGERS + 1):
        begin, end = chunk.begin[:, column], chunk.end[:, column]
        negative = chunk.text[begin] == ord("-")
        size = end - begin - negative
        number: NDArray[np.int64] = np.zeros(len(begin), np.int64)
        wrong = (size > _MAX_INTEGER_DIGITS) | (negative & (size == 0))
        for place in range(min(int(size.max()), _MAX_INTEGER_DIGITS)):
            inside = place < size
            digit = chunk.text[np.where(inside, begin + negative + place, 0)] - np.uint8(ord("0"))
            wrong |= inside & (digit > 9)
            number = np.where(inside, number * 10 + digit, number)
        if wrong.any():
            chunk.fail(
                int(np.flatnonzero(wrong)[0]),
                column,
                f"an integer of at most {_MAX_INTEGER_DIGITS} digits or nothing",
            )
        tokens = bucket(np.where(negative, -number, number))
        tokens[end == begin] = MISSING
        yield tokens


def bucket(x: NDArray[np.int64]) -> NDArray[np.int64]:
    """Up to 2 x itself; above, 2 + floor(ln(x)²), which is at least 3."""
    return np.where(x > 2, 2 + np.floor(np.log(np.maximum(x, 3)) ** 2).astype(np.int64), x)


# The value of each hexadecimal digit; 255 for other bytes.
_HEX = np.full(256, 255, np.uint8)
for _digit, _character in enumerate("0123456789abcdef"):
    _HEX[ord(_character)] = _HEX[ord(_character.upper())] = _digit


def _categories(chunk: _Chunk) -> Iterator[NDArray[np.int64]]:
    for column in range(N_INTEGERS + 1, N_FIELDS + 1):
        begin, end = chunk.begin[:, column], chunk.end[:, column]
        present = end > begin
        places = begin[present, None] + np.arange(_HEX_DIGITS)
        digits = _HEX[chunk.text[np.minimum(places, len(chunk.text) - 1)]]
        wrong = present & (end - begin != _HEX_DIGITS)
        wrong[present] |= (digits > 15).any(axis=1)
        if wrong.any():
            chunk.fail(
                int(np.flatnonzero(wrong)[0]),
                column,
                f"{_HEX_DIGITS} hexadecimal digits or nothing",
            )
        tokens = np.full(len(begin), MISSING)
        shifts = np.arange(_HEX_DIGITS - 1, -1, -1, dtype=np.int64) * 4
        tokens[present] = (digits.astype(np.int64) << shifts).sum(axis=1)
        yield tokens
