"""A CSV file, plain or compressed, read in batches."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pyfm._core import FormatError
from pyfm.checks import check_bool, refuse
from pyfm.dataset.compression import open_blocks
from pyfm.encode.arrow import arrow
from pyfm.encode.csv_lines import CheckedText
from pyfm.encode.file_table import FileTable

OPTIONS = ("delimiter", "column_names", "column_types", "null_values", "newlines_in_values")
_BLOCK_BYTES = 4 << 20  # the types of columns are those of the first block
_ROW = re.compile(r"^(?:CSV parse error: |In CSV column #(\d+): )?Row #(\d+): ", re.DOTALL)


class CsvTable(FileTable):
    """Empty values are null, and so are words such as NA, unless the options say which."""

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
        with self._open(None, None) as reader:
            self.schema = reader.schema

    def batches(self, names: list[str], n_rows: int) -> Iterator[Any]:
        with self._open(names, self._on_bytes) as reader:
            yield from reader

    @contextlib.contextmanager
    def _open(
        self, names: list[str] | None, on_bytes: Callable[[int], object] | None
    ) -> Iterator[Any]:
        from pyarrow import csv

        given = self._options
        in_values = bool(given.get("newlines_in_values", False))
        blocks = open_blocks(self._path, on_bytes=on_bytes)
        text = CheckedText(self._path, blocks, newlines_in_values=in_values)
        with self._errors_of(text):
            reader = csv.open_csv(
                arrow().PythonFile(text, mode="r"),
                # One thread, which knows the numbers of the rows.
                csv.ReadOptions(
                    use_threads=False,
                    block_size=_BLOCK_BYTES,
                    column_names=given.get("column_names"),
                ),
                csv.ParseOptions(
                    delimiter=given.get("delimiter", ","), newlines_in_values=in_values
                ),
                csv.ConvertOptions(
                    strings_can_be_null=True,
                    null_values=given.get("null_values"),
                    column_types=given.get("column_types"),
                    include_columns=names,
                ),
            )
            with reader:
                yield reader

    @contextlib.contextmanager
    def _errors_of(self, read: CheckedText) -> Iterator[None]:
        """Errors of what the file holds become FormatErrors with its name and the line."""
        try:
            yield
        except (arrow().lib.ArrowException, KeyError) as error:
            text = str(error)
            if "straddling object" in text:
                raise FormatError(
                    f"{self._path}:{read.long_line}: expected a line, or a row whose values have "
                    f"several, of at most {_BLOCK_BYTES >> 20} MiB, found a longer one"
                ) from error
            found = _ROW.match(text)
            where = self._path if found is None else f"{self._path}:{read.line_of(int(found[2]))}"
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
    check_bool("csv_options['newlines_in_values']", options.get("newlines_in_values", False))
    words = options.get("null_values")
    if words is not None and not (
        isinstance(words, list) and all(isinstance(word, str) for word in words)
    ):
        refuse("csv_options['null_values']", "a list of strings", words)
    return options
