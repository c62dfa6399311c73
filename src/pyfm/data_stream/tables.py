"""The rows of tables in files, through an encoder, in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from pyfm.data_stream.sources import Source
from pyfm.dataset import Dataset

if TYPE_CHECKING:
    from pyfm.encode import FieldEncoder
    from pyfm.encode.tables import Table


def open_tables(source: Source, csv_options: Mapping[str, Any] | None) -> Table:
    """All files as one table that can be read again.

    Raises
    ------
    FormatError
        For damaged files.
    ValueError
        For files whose columns are others than those of the first.
    """
    from pyfm.encode.csv_file import CsvTable
    from pyfm.encode.file_table import FileTable, FileTables
    from pyfm.encode.parquet import ParquetTable
    from pyfm.encode.tables import open_table

    tables: list[FileTable] = [
        CsvTable(path, csv_options) if source.format == "csv" else ParquetTable(path)
        for path in source.files
    ]
    return open_table(tables[0] if len(tables) == 1 else FileTables(tables, source.files))


def encoded(
    table: Table,
    encoder: FieldEncoder,
    *,
    grows: bool = False,
    on_rows: Callable[[int], object] | None = None,
) -> Iterator[Dataset]:
    """The rows as the encoder makes them; one that grows learns each piece before."""
    encoder = copy(encoder)
    for piece in table.pieces(_columns(table, encoder, grows)):
        if grows:
            encoder.partial_fit(piece)
        yield encoder.transform(piece)
        if on_rows is not None:
            on_rows(piece.n_rows or 0)


def _columns(table: Table, encoder: FieldEncoder, grows: bool) -> list[str]:
    """Those that have to be read: what is left out of rows need not be."""
    from sklearn.utils.validation import check_is_fitted

    if grows and not encoder.__sklearn_is_fitted__():
        return table.names
    check_is_fitted(encoder)
    encoder._state.check_columns(table)
    wanted = {*encoder._state.columns, encoder.target, encoder.sample_weight}
    return [name for name in table.names if name in wanted]
