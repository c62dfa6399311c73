"""A CSV file, plain or compressed, read in batches."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pyfm._core import FormatError
from pyfm.checks import refuse
from pyfm.dataset.compression import open_blocks
from pyfm.encode.arrow import arrow
from pyfm.encode.file_table import FileTable

OPTIONS = ("delimiter", "column_names", "column_types")
_BLOCK_BYTES = 4 << 20  # the types of columns are those of the first block
_ROW = re.compile(r"^(?:CSV parse error: |In CSV column #(\d+): )?Row #(\d+): ", re.DOTALL)


class CsvTable(FileTable):
    """Empty values are null. A value lies in one line, so that a quote left open is found there."""

    def __init__(
        self,
        path: str,
        options: Mapping[str, Any] | None,
        on_bytes: Callable[[int], object] | None = None,
    ) -> None:
        self._path, self._on_bytes = path, on_bytes
        self._options = _checked(options or {})
        arrow()  # which says what to install
        os.stat(path)
        with self._reading(), self._open(None, None) as reader:
            self.schema = reader.schema

    def batches(self, names: list[str], n_rows: int) -> Iterator[Any]:
        with self._reading(), self._open(names, self._on_bytes) as reader:
            yield from reader

    def _open(self, names: list[str] | None, on_bytes: Callable[[int], object] | None) -> Any:
        from pyarrow import csv

        arguments = self._options
        return csv.open_csv(
            arrow().PythonFile(_CheckedText(self._path, on_bytes), mode="r"),
            # One thread, which knows the numbers of the lines.
            csv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                column_names=arguments.get("column_names"),
            ),
            csv.ParseOptions(delimiter=arguments.get("delimiter", ",")),
            csv.ConvertOptions(
                strings_can_be_null=True,
                column_types=arguments.get("column_types"),
                include_columns=names,
            ),
        )

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Errors of what the file holds become FormatErrors with its name and the line."""
        try:
            yield
        except (arrow().lib.ArrowException, KeyError) as error:
            text = str(error)
            found = _ROW.match(text)
            where = self._path if found is None else f"{self._path}:{found[2]}"
            what = text if found is None else text[found.end() :]
            if found is not None and found[1] is not None:
                what = f"column number {int(found[1]) + 1}: {what}"
            advice = "; the first lines decide on types: say csv_options={'column_types': …}"
            is_type = "conversion error" in text
            raise FormatError(f"{where}: {what}{advice if is_type else ''}") from error


def _checked(options: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(options, Mapping) or not set(options) <= set(OPTIONS):
        refuse("csv_options", f"a dict with names among {', '.join(OPTIONS)}", options)
    delimiter = options.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter.encode()) != 1 or delimiter in '"\r\n':
        refuse("csv_options['delimiter']", "one character, no quote and no line end", delimiter)
    return options


class _CheckedText(io.RawIOBase):
    """The text, in which each line has an even number of quotes.

    Arrow's reader takes all that follows a quote which is left open for one long value.
    """

    def __init__(self, path: str, on_bytes: Callable[[int], object] | None) -> None:
        self._path = path
        self._blocks = open_blocks(path, on_bytes=on_bytes)
        self._rest = memoryview(b"")
        self._line, self._odd = 1, False  # at the end of the blocks so far

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

    def _check(self, block: bytes) -> None:
        if not block:
            if self._odd:
                self._fail(self._line)
            return
        if not self._odd and b'"' not in block:
            self._line += block.count(b"\n")
            return
        text = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(text == ord("\n"))
        quotes = np.flatnonzero(text == ord('"'))
        before = np.searchsorted(quotes, ends) + self._odd  # quotes before each line end
        broken = np.flatnonzero(before % 2)
        if broken.size:
            self._fail(self._line + int(broken[0]))
        self._line += len(ends)
        self._odd = (len(quotes) + self._odd) % 2 == 1

    def _fail(self, line: int) -> None:
        raise FormatError(
            f"{self._path}:{line}: expected quotes that are closed in their line, found one that "
            "is open at its end"
        )
