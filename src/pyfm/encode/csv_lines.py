"""The text of a CSV file on its way to Arrow's reader, which does not know its lines."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyfm._core import FormatError

_KEPT_BYTES = 160 << 20  # a thread of Arrow's reads up to 32 blocks of 4 MiB ahead


class _Rows(NamedTuple):
    """The rows that end in a block of text, and the lines in which they begin."""

    first: int
    line: int  # of the first
    after: NDArray[np.uint32] | None  # of each, so many lines after that; None: each has one line
    n: int
    n_bytes: int


class CheckedText(io.RawIOBase):
    """The text, quotes of which are closed: in their line, unless values may have several.

    Arrow's reader takes all that follows a quote which is left open for one long value. It counts
    rows, from 1 and without empty lines; `line_of` says where one begins.
    """

    def __init__(self, path: str, blocks: Iterator[bytes], *, newlines_in_values: bool) -> None:
        self._path, self._blocks, self._in_values = path, blocks, newlines_in_values
        self._rest = memoryview(b"")
        # At the end of the blocks so far:
        self._line, self._is_open, self._quote_line = 1, False, 1
        self._row, self._row_line, self._row_bytes, self._last = 1, 1, 0, b""
        self._known: deque[_Rows] = deque()
        self.long_line: int | None = None  # that of a row which is longer than a block

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if not self._rest:
            block = next(self._blocks, b"")
            self._check(block)
            self._rest = memoryview(block)
        piece = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(piece) :]
        return bytes(piece)

    def line_of(self, row: int) -> int:
        """Where a row begins that Arrow names; the row itself where that is not known any more."""
        for rows in tuple(self._known):  # which grows in another thread
            i = row - rows.first
            if 0 <= i < rows.n:
                return rows.line + (i if rows.after is None else int(rows.after[i]))
        return self._row_line if row == self._row else row

    def _check(self, block: bytes) -> None:
        if not block:
            if self._is_open:
                self._fail(self._quote_line)
            return
        text = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(text == ord("\n"))
        of_rows = np.arange(len(ends))
        if self._is_open or b'"' in block:
            of_rows = np.flatnonzero(~self._inside(text, ends))
        self._add_rows(text, ends, of_rows)
        self._line += len(ends)
        self._last = block[-1:]

    def _inside(self, text: NDArray[np.uint8], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the line ends stand between quotes."""
        quotes = np.flatnonzero(text == ord('"'))
        inside = (np.searchsorted(quotes, ends) + self._is_open) % 2 == 1
        if inside.any() and not self._in_values:
            self._fail(self._line + int(np.argmax(inside)))
        if quotes.size:
            self._quote_line = self._line + int(np.searchsorted(ends, quotes[-1]))
        self._is_open = (len(quotes) + self._is_open) % 2 == 1
        return np.asarray(inside)

    def _add_rows(
        self, text: NDArray[np.uint8], ends: NDArray[np.int64], of_rows: NDArray[np.int64]
    ) -> None:
        """The rows that end in a block, at those of the `ends`."""
        if not of_rows.size:
            self._row_bytes += len(text)
            self.long_line = self._row_line
            return
        at = ends[of_rows]
        lengths = at - np.concatenate([[-self._row_bytes], at[:-1] + 1])
        lines = np.concatenate([[self._row_line], self._line + of_rows[:-1] + 1])
        is_empty = lengths == 0
        ones = np.flatnonzero(lengths == 1)
        is_empty[ones] = text[at[ones] - 1] == ord("\r")
        if at[0] == 0 and lengths[0] == 1:  # its byte is of the block before
            is_empty[0] = self._last == b"\r"
        if is_empty.any():
            lines = lines[~is_empty]
        if lines.size:
            line, n = int(lines[0]), len(lines)
            after = None if lines[-1] - line == n - 1 else (lines - line).astype(np.uint32)
            self._known.append(_Rows(self._row, line, after, n, len(text)))
        self._forget()
        self._row += len(lines)
        self._row_line = self._line + int(of_rows[-1]) + 1
        self._row_bytes = len(text) - int(at[-1]) - 1

    def _forget(self) -> None:
        """What Arrow has long seen."""
        n_bytes = sum(rows.n_bytes for rows in self._known)
        while self._known and n_bytes > _KEPT_BYTES:
            n_bytes -= self._known.popleft().n_bytes

    def _fail(self, line: int) -> None:
        expected = "quotes that are closed", "found one that is open at the end of the file"
        if not self._in_values:
            expected = (
                "quotes that are closed in their line",
                "found one that is open at its end (if values have several lines, say "
                "csv_options={'newlines_in_values': True})",
            )
        raise FormatError(f"{self._path}:{line}: expected {', '.join(expected)}")
