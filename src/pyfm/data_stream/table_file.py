"""Rows as a table in a file, CSV or Parquet; `pyfm convert` writes them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Literal

from pyfm import _core
from pyfm.atomic_file import destination
from pyfm.checks import refuse
from pyfm.data_file.appending import Appender
from pyfm.data_file.blocks import BlockReader
from pyfm.data_stream.table_columns import TableForm, check_decodable, table_of

TableFormat = Literal["csv", "parquet"]

_ROWS = 1 << 16  # written at a time


class TableFile:
    """Gathers rows in a data file, in a folder; the table is made of it by `finish`.

    Since columns depend on all rows: how many fields there are, and whether one has several
    features. Ids are decoded where there is an encoder of tables.
    """

    def __init__(
        self, path: str, folder: str, to: TableFormat, delimiter: str, encoder: Any
    ) -> None:
        from pyfm.encode import FieldEncoder
        from pyfm.encode.arrow import arrow

        arrow()  # which says what to install, before all is read
        self._path, self._to, self._delimiter = path, to, delimiter
        known = encoder if isinstance(encoder, FieldEncoder) else None
        if known is not None:
            check_decodable(known)
        self._form = TableForm(known, has_lists=to == "parquet")
        self._name = os.path.join(folder, "rows")
        self._rows = Appender(self._name, os.path.join(folder, "sections"), keeps=True)

    def __enter__(self) -> TableFile:
        self._rows.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.__exit__()

    def add(self, rows: _core.Dataset) -> None:
        with self._errors():
            self._rows.add(rows)

    def state(self) -> dict[str, Any]:
        with self._errors():
            return self._rows.state()

    def restore(self, state: dict[str, Any]) -> None:
        self._rows.restore(state)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Errors name the file that is to be made."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._path) from error

    def finish(self, encoder: Any) -> None:
        """Writes the table, whole or not at all, by the encoder that was given at first."""
        if self._rows.n_rows == 0:
            refuse("source", "at least one row", "none")
        with self._errors():
            self._rows.finish(None)
        with BlockReader(self._name) as reader, destination(self._path) as file:
            self._write((table_of(rows, self._form) for rows in reader.verified(_ROWS)), file)

    def _write(self, tables: Iterator[Any], file: Any) -> None:
        first = next(tables)
        writer = self._writer(file, first.schema)
        try:
            writer.write_table(first)
            for table in tables:
                writer.write_table(table)
        except BaseException:
            with contextlib.suppress(Exception):  # now, and not into a closed file later
                writer.close()
            raise
        writer.close()

    def _writer(self, file: Any, schema: Any) -> Any:
        if self._to == "parquet":
            from pyarrow.parquet import ParquetWriter

            return ParquetWriter(file, schema)
        from pyarrow.csv import CSVWriter, WriteOptions

        return CSVWriter(file, schema, write_options=WriteOptions(delimiter=self._delimiter))
